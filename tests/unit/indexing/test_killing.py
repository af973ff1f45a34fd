"""An index killed at any moment and run again loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cocadesk.library import Library
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import CountingBackend, run_index, write_photo

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
    """Each file has one row, each row one view of its own picture and a thumbnail."""
    rows = {row.path: row for row in library.iter_rows()}
    present = {path: row for path, row in rows.items() if row.state == "present"}
    assert sorted(present) == sorted(os.fsencode(path) for path in photos.iterdir())
    assert len(rows) == library.counts().media
    marks = library.views.marks(IMAGE_ID)
    assert sorted(mark.key for mark in marks) == sorted(row.key for row in rows.values())
    pixels = {row.key: row.pixels for row in rows.values()}
    assert all(pixels[mark.key] == mark.pixels for mark in marks)
    assert all(library.thumbnail_path(row.pixels).exists() for row in rows.values())


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("seed", [1, 2])
def test_an_index_killed_at_random_moments_ends_whole(tmp_path: Path, seed: int) -> None:
    """Real processes, SIGKILL, real files that change between the runs."""
    chance = random.Random(seed)
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(60):
        write_photo(photos / f"{number}.jpg", number)
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
