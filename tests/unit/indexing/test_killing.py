"""An index killed at any moment and run again loses nothing and doubles nothing."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cocadesk.indexing import IndexOptions
from cocadesk.library import Library
from cocadesk.library.store import Store
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import CountingBackend, run_index, write_photo, write_video

IMAGE_ID = FakeInfo().image_id
REPOSITORY = Path(__file__).resolve().parents[3]
KILLS = 6


def index_and_kill(library: Path, photos: Path, steps: int) -> None:
    """Start a real index and SIGKILL it after ``steps`` steps (or let it end before)."""
    command = [sys.executable, "-P", "-m", "tests.support.index_child", str(library), str(photos)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        for _ in range(steps):
            if not child.stdout.readline():
                break
        child.kill()


def disturb(photos: Path, chance: random.Random, fresh: int) -> None:
    """What a person does meanwhile: edit, move, copy, delete."""
    files = sorted(photos.iterdir())
    chance.shuffle(files)
    edited, moved, copied, deleted, *_ = files
    write_photo(edited, fresh)
    moved.rename(photos / f"moved {fresh}.jpg")
    shutil.copy(copied, photos / f"copy {fresh}.jpg")
    deleted.unlink()


def check_whole(library: Library, photos: Path) -> None:
    """Each file has one row, each row the views of its own picture and their thumbnails."""
    rows = {row.path: row for row in library.iter_rows()}
    present = {path: row for path, row in rows.items() if row.state == "present"}
    assert sorted(present) == sorted(os.fsencode(path) for path in photos.iterdir())
    assert len(rows) == library.counts().media
    marks = library.views.marks(IMAGE_ID)
    assert sorted(mark.key for mark in marks if mark.view == 0) == sorted(
        row.key for row in rows.values()
    )
    for row in rows.values():
        own = sorted(mark.view for mark in marks if mark.key == row.key)
        assert own == list(range(1 + (3 if row.kind == "video" else 0)))
        moments = (library.moment_thumbnail_path(row.picture_hash, view) for view in own[1:])
        assert all(path.exists() for path in moments)
    picture_hash = {row.key: row.picture_hash for row in rows.values()}
    assert all(picture_hash[mark.key] == mark.picture_hash for mark in marks)
    assert all(library.thumbnail_path(row.picture_hash).exists() for row in rows.values())


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("seed", [1, 2])
def test_an_index_killed_at_random_moments_ends_whole(tmp_path: Path, seed: int) -> None:
    """Real processes, SIGKILL, real files, films among them, that change between the runs."""
    chance = random.Random(seed)
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(60):
        write_photo(photos / f"{number}.jpg", number)
    for number in range(10):
        write_video(photos / f"film {number}.mp4", "red", "green", "blue", title=str(number % 7))
    for kill in range(KILLS):
        index_and_kill(folder, photos, chance.randint(1, 25))
        disturb(photos, chance, 1000 + kill)
    with Library.open(folder) as library:
        run_index(library, [photos])
        check_whole(library, photos)
        before = library.views.vectors(IMAGE_ID)[1].copy()
        backend = CountingBackend()
        again = run_index(library, [photos], backend=backend)
        assert (again.indexed, again.moved, backend.embedded) == (0, 0, 0)
        np.testing.assert_array_equal(library.views.vectors(IMAGE_ID)[1], before)


def test_a_kill_keeps_what_was_committed_before(tmp_path: Path) -> None:
    """Work goes on where it stopped rather than from the beginning."""
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(30):
        write_photo(photos / f"{number}.jpg", number)
    index_and_kill(folder, photos, 8)
    with Library.open(folder) as library:
        committed = library.counts().media
        stored = library.views.count(IMAGE_ID)
        backend = CountingBackend()
        run_index(library, [photos], backend=backend)
        assert committed <= stored
        assert backend.embedded == 30 - stored
        check_whole(library, photos)


class _Power:
    """Fails every write of a store from the n-th on, as when the power goes."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.writes = 0
        self._last = last
        for name in ("merge", "append", "delete"):
            patch.setattr(Store, name, self._counted(getattr(Store, name)))

    def _counted(self, write: Callable[..., None]) -> Callable[..., None]:
        def counted(*args: object, **named: object) -> None:
            self.writes += 1
            if self.writes > self._last:
                raise KeyboardInterrupt
            write(*args, **named)

        return counted


def prepare(tmp_path: Path) -> tuple[Path, Path]:
    """A library of some photos that have since been edited, moved, copied, deleted."""
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(6):
        write_photo(photos / f"{number}.jpg", number)
    with Library.open(folder) as library:
        run_index(library, [photos])
    disturb(photos, random.Random(3), 1000)
    write_photo(photos / "new.jpg", 50)
    (photos / "bad.jpg").write_bytes(b"\xff\xd8 bad")
    return photos, folder


def test_a_crash_between_any_two_writes_heals(tmp_path: Path) -> None:
    """Each write of an index in turn is the last that reaches the disk."""
    last = 0
    while True:
        photos, folder = prepare(tmp_path / str(last))
        with pytest.MonkeyPatch.context() as patch, Library.open(folder) as library:
            power = _Power(patch, last)
            options = IndexOptions(commit_rows=2, embed_batch=1)
            with contextlib.suppress(KeyboardInterrupt):
                run_index(library, [photos], options=options)
        (photos / "bad.jpg").unlink()
        with Library.open(folder) as library:
            run_index(library, [photos])
            check_whole(library, photos)
            assert library.failures() == []
            assert run_index(library, [photos]).indexed == 0
        if power.writes <= last:
            break
        last += 1
    assert last > 8
