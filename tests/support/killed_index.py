"""Indexes and switches of the model that end in the middle, and what must hold after them.

Each function is a whole check; the tests run it in a short form and ``tests/bench`` in
the long one.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from cocadesk.search.searcher import Searcher
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    row_at,
    run_index,
    stored_vectors,
    views_at,
    write_photo,
    write_video,
)
from tests.support.other_model import OTHER, OtherBackend, check_filled, switch_model
from tests.support.power_cut import kill_after, power_cuts

IMAGE_ID = FakeInfo().image_id


def index_and_kill(library: Path, photos: Path, steps: int) -> None:
    """Start a real index and SIGKILL it after ``steps`` steps (or let it end before)."""
    kill_after(
        "tests.support.index_child", (library, photos), lambda number, _: number + 1 >= steps
    )


def disturb(photos: Path, chance: random.Random, fresh: int) -> None:
    """Changes by a person meanwhile: edit, move, copy, delete."""
    files = sorted(photos.iterdir())
    chance.shuffle(files)
    edited, moved, copied, deleted, *_ = files
    write_photo(edited, fresh)
    moved.rename(photos / f"moved {fresh}.jpg")
    shutil.copy(copied, photos / f"copy {fresh}.jpg")
    deleted.unlink()


def check_whole(library: Library, photos: Path) -> None:
    """Each file has one row, each row the views of its own picture and their thumbnails."""
    rows = {row.path: row for row in library.media.iter_rows()}
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
        moments = (library.thumbnails.moment_path(row.picture_hash, view) for view in own[1:])
        assert all(path.exists() for path in moments)
    hashes = {row.key: row.picture_hash for row in rows.values()}
    assert all(hashes[mark.key] == mark.picture_hash for mark in marks)
    assert all(library.thumbnails.path(row.picture_hash).exists() for row in rows.values())


def index_killed_at_random(base: Path, seed: int, *, kills: int, photos: int, videos: int) -> None:
    """Real processes end by SIGKILL while the files change; the last index makes it whole."""
    chance = random.Random(seed)
    folder = base / "photos"
    for number in range(photos):
        write_photo(folder / f"{number}.jpg", number)
    for number in range(videos):
        write_video(folder / f"video {number}.mp4", "red", "green", "blue", title=str(number % 7))
    for kill in range(kills):
        index_and_kill(base / "library", folder, chance.randint(1, 25))
        disturb(folder, chance, 1000 + kill)
    with Library.open(base / "library") as library:
        run_index(library, [folder])
        check_whole(library, folder)
        before = stored_vectors(library, IMAGE_ID)
        backend = CountingBackend()
        again = run_index(library, [folder], backend=backend)
        assert (again.indexed, again.moved, backend.embedded) == (0, 0, 0)
        np.testing.assert_equal(stored_vectors(library, IMAGE_ID), before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """The outcome of work that was killed again and again."""

    stored: tuple[int, ...]
    """Pictures with vectors after each kill."""
    lost_s: tuple[float, ...]
    """Work lost by each kill: files that were decoded and not committed, at the model's speed."""
    wrong: int
    """Rows lost or doubled in the end."""


def killed_every(
    base: Path, work: str, *, seconds: float, kills: int, photos: int, picture_s: float
) -> Killed:
    """Kill an index or a switch (``work``) every so many seconds from the start of its process.

    The model takes ``picture_s`` for a picture. The last run is not killed.
    """
    folder, library_folder = base / "photos", base / "library"
    for number in range(photos):
        write_photo(folder / f"{number}.jpg", number)
    image_id = IMAGE_ID if work == "index" else OTHER.image_id
    if work == "switch":
        with Library.open(library_folder) as library:
            run_index(library, [folder])
    stored, lost_s, before = list[int](), list[float](), 0
    for _ in range(kills):
        started_s, decoded = time.monotonic(), 0

        def is_enough(_: int, line: str, started_s: float = started_s) -> bool:
            nonlocal decoded
            decoded = int(line.split()[2])
            return time.monotonic() - started_s >= seconds

        arguments = (library_folder, folder, str(picture_s), work)
        kill_after("tests.support.slow_child", arguments, is_enough)
        with Library.open(library_folder) as library:
            stored.append(library.views.count(image_id))
        lost_s.append(max(0, decoded - (stored[-1] - before)) * picture_s)
        before = stored[-1]
    with Library.open(library_folder) as library:
        if work == "switch":
            switch_model(library)
        run_index(library, [folder], backend=OtherBackend() if work == "switch" else None)
        rows = library.counts().media
        keys = [mark.key for mark in library.views.whole_marks(image_id)]
    wrong = abs(rows - photos) + abs(len(set(keys)) - photos) + len(keys) - len(set(keys))
    return Killed(stored=tuple(stored), lost_s=tuple(lost_s), wrong=wrong)


def index_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """A write of an index is the last that reaches the disk; gives the number of writes."""
    photos, writes = base / "photos", 0
    for number in range(6):
        write_photo(photos / f"{number}.jpg", number)
    with Library.open(base / "library") as library:
        run_index(library, [photos])
    disturb(photos, random.Random(3), 1000)
    write_photo(photos / "new.jpg", 50)
    for cut in power_cuts(every):
        folder = base / str(cut.last)
        shutil.copytree(base / "library", folder)
        (photos / "bad.jpg").write_bytes(b"\xff\xd8 bad")
        with Library.open(folder) as library, cut.during():
            run_index(library, [photos], options=IndexOptions(commit_rows=2, embed_batch=1))
        (photos / "bad.jpg").unlink()
        with Library.open(folder) as library:
            run_index(library, [photos])
            check_whole(library, photos)
            assert library.media.failures() == []
            assert run_index(library, [photos]).indexed == 0
        writes = cut.writes
    return writes


def recut_videos_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """As ``index_cut_between_writes``, with videos that have other moments than before."""
    videos, writes = base / "videos", 0
    write_video(videos / "a.mp4", "red", "green", "blue")
    write_video(videos / "b.mp4", "white", "red")
    with Library.open(base / "library") as library:
        run_index(library, [videos])
    write_video(videos / "a.mp4", "white", "blue")
    write_video(videos / "b.mp4", "green", "red", "white")
    for cut in power_cuts(every):
        folder = base / str(cut.last)
        shutil.copytree(base / "library", folder)
        with Library.open(folder) as library, cut.during():
            run_index(library, [videos], options=IndexOptions(commit_rows=1))
        with Library.open(folder) as library:
            run_index(library, [videos])
            assert [v.view for v in views_at(library, videos / "a.mp4")] == [0, 1, 2]
            assert [v.view for v in views_at(library, videos / "b.mp4")] == [0, 1, 2, 3]
            for name in ("a.mp4", "b.mp4"):
                picture_hash = row_at(library, videos / name).picture_hash
                assert {v.picture_hash for v in views_at(library, videos / name)} == {picture_hash}
            assert run_index(library, [videos]).indexed == 0
        writes = cut.writes
    return writes


def _ten_photos(base: Path) -> Path:
    photos = base / "photos"
    for seed in range(9):
        write_photo(photos / f"{seed}.jpg", seed)
    shutil.copy(photos / "0.jpg", photos / "copy of 0.jpg")
    return photos


def switch_killed_at_random(base: Path, seed: int, *, kills: int) -> None:
    """Real processes end by SIGKILL at random steps; the old model answers in between."""
    photos, folder, chance = _ten_photos(base), base / "library", random.Random(seed)
    for number in range(20, 50):
        write_photo(photos / f"{number}.jpg", number)
    with Library.open(folder) as library:
        run_index(library, [photos])
    for _ in range(kills):
        enough = chance.randint(3, 9)

        def is_enough(_: int, line: str, enough: int = enough) -> bool:
            return int(line.split()[1]) >= enough

        kill_after("tests.support.other_model", (folder,), is_enough)
        with Library.open(folder) as library:
            assert library.model == IMAGE_ID
            assert len(Searcher(library, FakeBackend()).search("red", limit=99)) == 40
    with Library.open(folder) as library:
        stored = library.views.count(OTHER.image_id)
        backend = OtherBackend()
        switch_model(library, backend)
        check_filled(library)
        assert 0 < stored < 40
        assert backend.embedded <= 39 - (stored - 1)


def switch_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """A write of a switch is the last that reaches the disk; gives the number of writes."""
    photos, writes = _ten_photos(base), 0
    with Library.open(base / "library") as library:
        run_index(library, [photos])
    for cut in power_cuts(every):
        folder = base / str(cut.last)
        shutil.copytree(base / "library", folder)
        with Library.open(folder) as library:
            with cut.during():
                switch_model(library)
            if cut.has_happened:
                assert len(Searcher(library, FakeBackend()).search("red", limit=99)) == 10
        with Library.open(folder) as library:
            switch_model(library)
            check_filled(library)
        writes = cut.writes
    return writes
