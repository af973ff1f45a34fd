"""Groups that likeness alone would join: pages, black frames, a tripod, a sunset, days."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from cocadesk.library.groups import BURST, EXACT, SAME
from cocadesk.library.library import Library
from tests.support.index_tools import run_index
from tests.support.named_groups import group, groups
from tests.support.pages import bill
from tests.support.scenes import WHEN, moved, save, scene

Named = list[set[str]]
Draw = Callable[[Path], object]


class _Compared:
    """A library of photos in one folder, whose groups are found each time some have come."""

    def __init__(self, base: Path) -> None:
        self._base, self._photos = base / "library", base / "photos"

    def groups(self, draw: Draw, level: int = SAME, *, again: bool = False) -> Named:
        """The groups of a level by names, once these photos have come as well."""
        draw(self._photos)
        with Library.open(self._base) as library:
            run_index(library, [self._photos])
            group(library, again=again)
            return sorted(({Path(n).stem for n in own} for own in groups(library, level)), key=min)


@pytest.fixture
def compared(tmp_path: Path) -> _Compared:
    """An empty library beside an empty folder."""
    return _Compared(tmp_path)


def test_bills_of_one_firm_are_no_copies_and_a_save_of_one_is(compared: _Compared) -> None:
    """Scans have no time that would tell them apart."""

    def bills(folder: Path) -> None:
        for number in range(8):
            save(bill(number), folder / f"{number}.png")
        save(bill(3), folder / "3 again.jpg", quality=80)

    assert compared.groups(bills, BURST) == [{"3", "3 again"}]


def test_black_frames_of_other_days_are_no_group(compared: _Compared) -> None:
    """Their pictures are equal; so are the bytes of one copy, which is a group."""
    black = Image.new("RGB", (640, 480), "black")

    def frames(folder: Path) -> None:
        for day in range(4):
            save(black, folder / f"day {day}.jpg", seconds=86_400 * day, quality=80 + day)
        save(black, folder / "no time.jpg", quality=70)
        shutil.copy(folder / "day 2.jpg", folder / "day 2 copy.jpg")

    assert compared.groups(frames) == [{"day 2", "day 2 copy"}]


def test_equal_pictures_of_other_times_are_groups_of_their_own(compared: _Compared) -> None:
    """One picture, of which a program has moved the times of some."""

    def saves(folder: Path) -> None:
        for name, seconds in (("a", 0), ("b", 600), ("c", 600), ("d", 0)):
            path = save(scene(5), folder / f"{name}.png", seconds=seconds)
            path.write_bytes(path.read_bytes() + name.encode())

    assert compared.groups(saves) == [{"a", "d"}, {"b", "c"}]


def _tripod(folder: Path) -> None:
    for number in range(5):
        with_ball = scene(6)
        with_ball.paste(Image.new("RGB", (22, 22), "orange"), (100 + 3 * number, 200))
        save(with_ball, folder / f"{number}.jpg", seconds=2 * number, quality=92)


def _without_time(folder: Path) -> None:
    with Image.open(folder / "3.jpg") as frame:
        frame.save(folder / "no time.jpg", quality=91)


def test_a_copy_without_a_time_is_the_same_as_its_best_fit_alone(compared: _Compared) -> None:
    """Whether it was there first or comes later; frames of a tripod stay a burst."""
    assert compared.groups(_tripod) == []
    frames = {"0", "1", "2", "3", "4", "no time"}
    assert compared.groups(_without_time) == [{"3", "no time"}]
    assert compared.groups(_without_time, again=True) == [{"3", "no time"}]
    assert compared.groups(_without_time, BURST) == [frames]


def _sunset(folder: Path) -> None:
    for number in range(20):
        darker = ImageEnhance.Brightness(scene(7)).enhance(0.98**number)
        save(darker, folder / f"{number}.jpg")


def test_a_darkening_series_is_not_one_picture(compared: _Compared) -> None:
    """All of a group are like one of it, within what a save changes; found anew it is equal."""
    found = compared.groups(_sunset)
    assert len(found) > 1
    for own in found:
        numbers = sorted(map(int, own))
        assert 0.98 ** (numbers[-1] - numbers[0]) > 0.7
    assert compared.groups(lambda _: None, again=True) == found


def _day(number: int) -> float:
    """The seconds to a midnight."""
    midnight = WHEN.replace(hour=0, minute=0, second=0) + timedelta(days=number)
    return (midnight - WHEN).total_seconds()


def test_scans_that_are_dated_by_a_day_are_no_burst(compared: _Compared) -> None:
    """There are not 0 seconds between them."""

    def scans(folder: Path) -> None:
        for number in range(3):
            save(moved(scene(8), 0.02 * number), folder / f"{number}.jpg", seconds=_day(1))

    assert compared.groups(scans, BURST) == []


def test_a_save_with_a_full_time_is_the_same_as_the_scan_of_a_day(compared: _Compared) -> None:
    """Midnight is no time that contradicts it."""

    def scans(folder: Path) -> None:
        save(scene(9), folder / "scan.jpg", seconds=_day(0))
        save(scene(9), folder / "save.jpg", seconds=0, quality=70)

    assert compared.groups(scans) == [{"save", "scan"}]


def test_a_link_of_equal_bytes_is_never_refused(compared: _Compared) -> None:
    """Copies of both ends of a series stay with them."""

    def with_copies(folder: Path) -> None:
        _sunset(folder)
        for number in (0, 19):
            shutil.copy(folder / f"{number}.jpg", folder / f"1000{number}.jpg")

    assert compared.groups(with_copies, EXACT) == [{"0", "10000"}, {"100019", "19"}]
    found = compared.groups(lambda _: None)
    assert any({"0", "10000"} <= own for own in found)
    assert any({"19", "100019"} <= own for own in found)
    assert not any({"0", "19"} <= own for own in found)
