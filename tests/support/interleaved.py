"""A switch of the model with an index, or a person's changes, between any two of its steps.

Decoder and embedder work in the caller's thread, so that each order is tried and none is
left to chance. The tests run the short forms and ``tests/bench`` the long ones.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.reembed import reembed_steps
from cocadesk.indexing.types import IndexOptions, IndexProgress
from cocadesk.library.library import Library
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import InProcessDecoder, run_index, write_photo
from tests.support.one_thread import read_in_one_thread
from tests.support.other_model import OTHER, OtherBackend, check_filled

_SMALL = IndexOptions(commit_rows=2, progress_s=0.001)

Steps = Generator[IndexProgress, None, object]


def change(photos: Path) -> None:
    """All that a person can do to files: edit, move, swap, copy, delete, break, add."""
    write_photo(photos / "0.jpg", 51)
    write_photo(photos / "copy of 1.jpg", 52)
    (photos / "2.jpg").rename(photos / "moved.jpg")
    (photos / "3.jpg").rename(photos / "between.jpg")
    (photos / "4.jpg").rename(photos / "3.jpg")
    (photos / "between.jpg").rename(photos / "4.jpg")
    shutil.copy(photos / "3.jpg", photos / "copy of 4.jpg")
    write_photo(photos / "new.jpg", 50)


class Play:
    """A library of seven photos, and a switch of its model that goes step by step."""

    def __init__(self, base: Path, library: Library) -> None:
        self.photos = base / "photos"
        self.library = library
        for seed in range(5):
            write_photo(self.photos / f"{seed}.jpg", seed)
        shutil.copy(self.photos / "1.jpg", self.photos / "copy of 1.jpg")
        (self.photos / "broken.jpg").write_bytes(b"\xff\xd8 half a photo")
        run_index(library, [self.photos])
        self.switch: Steps = reembed_steps(
            library,
            OtherBackend(),
            source="other",
            pool=InProcessDecoder(),
            options=_SMALL,
            read=read_in_one_thread,
        )

    def index(self) -> Steps:
        """An index with the model that was in use when the switch began."""
        return index_steps(
            self.library,
            FakeBackend(),
            [os.fsencode(self.photos)],
            pool=InProcessDecoder(),
            options=_SMALL,
            read=read_in_one_thread,
        )

    def check_no_view_of_before(self) -> None:
        """No row has a view of another picture than its own under the new model."""
        hashes = {row.key: row.picture_hash for row in self.library.media.iter_rows()}
        for mark in self.library.views.marks(OTHER.image_id):
            assert hashes[mark.key] == mark.picture_hash

    def check_end(self) -> None:
        """All is filled, once an index with the new model has seen to what came too late."""
        self.check_no_view_of_before()
        assert self.library.model == OTHER.image_id
        backend = OtherBackend()
        run_index(self.library, [self.photos], backend=backend)
        check_filled(self.library)
        backend = OtherBackend()
        again = run_index(self.library, [self.photos], backend=backend)
        assert (again.indexed, backend.embedded) == (0, 0)


def some(steps: Steps, count: int) -> bool:
    """Take so many steps; True where there were as many."""
    return len(list(itertools.islice(steps, count))) == count


def rest(steps: Steps) -> None:
    """Take all that are left."""
    for _ in steps:
        pass


def _play(base: Path, act: Callable[[Play], None], name: str) -> None:
    """One order of steps in a library of its own."""
    folder = base / name
    with Library.open(folder / "library") as library:
        act(Play(folder, library))
    shutil.rmtree(folder)


def _count_steps(base: Path, steps_of: Callable[[Play], Steps]) -> int:
    """The number of steps of a switch, or of an index after the changes, by itself."""
    counts = list[int]()

    def act(play: Play) -> None:
        steps = steps_of(play)
        if steps is not play.switch:
            change(play.photos)
        counts.append(sum(1 for _ in steps))

    _play(base, act, "count")
    return counts[0]


def index_between_any_two_steps(base: Path) -> int:
    """A whole index, right after the changes, at every place of a switch; gives the places."""

    def act(play: Play, place: int) -> None:
        assert some(play.switch, place)
        change(play.photos)
        rest(play.index())
        rest(play.switch)
        check_filled(play.library)
        assert play.library.model == OTHER.image_id

    places = _count_steps(base, lambda play: play.switch)
    for place in range(1, places + 1):
        _play(base, lambda play, place=place: act(play, place), str(place))
    return places


def changes_before_an_index(base: Path, *, every: int = 1) -> int:
    """Changes at every place of a switch and the index at every later one; gives the orders."""

    def act(play: Play, changed: int, indexed: int) -> None:
        assert some(play.switch, changed)
        change(play.photos)
        is_under_way = some(play.switch, indexed)
        rest(play.index())
        rest(play.switch)
        if is_under_way:
            check_filled(play.library)
        play.check_end()

    places = _count_steps(base, lambda play: play.switch)
    pairs = [(i, j) for i in range(1, places + 1) for j in range(places + 1 - i)]
    return _play_pairs(base, act, pairs[::every])


def steps_of_an_index_in_between(base: Path, *, index_first: bool, every: int = 1) -> int:
    """Some steps of a switch, some of an index, the rest of the one, the rest of the other."""

    def act(play: Play, switched: int, indexed: int) -> None:
        assert some(play.switch, switched)
        change(play.photos)
        index = play.index()
        some(index, indexed)
        for steps in (index, play.switch) if index_first else (play.switch, index):
            rest(steps)
        if index_first:
            check_filled(play.library)
        play.check_end()

    places = _count_steps(base, lambda play: play.switch)
    steps = _count_steps(base, Play.index)
    pairs = [(i, j) for i in range(1, places + 1) for j in range(1, steps + 1)]
    return _play_pairs(base, act, pairs[::every])


def _play_pairs(
    base: Path, act: Callable[[Play, int, int], None], pairs: Sequence[tuple[int, int]]
) -> int:
    for first, second in pairs:
        _play(
            base,
            lambda play, first=first, second=second: act(play, first, second),
            f"{first} {second}",
        )
    return len(pairs)
