"""A command searches without LanceDB where that is exact, and only there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.library.rows import Tag
from cocadesk.library.snapshot import SNAPSHOT_NAME, Snapshot
from cocadesk.search.searcher import Hit, Searcher, open_searcher
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import run_index, write_video

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos in three colours, one name that is not UTF-8."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in {b"red": (250, 5, 5), b"gr\xffn": (5, 250, 5), b"b'e": (5, 5, 250)}.items():
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name + b".png"))
        Image.new("RGB", (40, 30), colour).save(path)
    write_video(folder / "colours.mp4", "white", "green", "red")
    write_video(folder / "blue.mp4", "blue", "white")
    return folder


@pytest.fixture
def folder(tmp_path: Path, photos: Path) -> Path:
    """A library of them, closed."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
    return tmp_path / "library"


def is_quick(folder: Path) -> bool:
    """Whether the snapshot is used."""
    with open_searcher(folder, FakeBackend()) as searcher:
        return isinstance(searcher._library, Snapshot)


def check_equal(folder: Path) -> None:
    """Both ways give the same hits."""
    backend = FakeBackend()
    with open_searcher(folder, backend) as quick, Library.open(folder, writer=False) as library:
        slow = Searcher(library, backend)
        for text in ("red", "a green thing", "blue and white"):
            one, other = quick.search(text), slow.search(text)
            assert [(h.key, h.path, h.caption, h.state) for h in one] == [
                (h.key, h.path, h.caption, h.state) for h in other
            ]
            assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-3)
            for mine, theirs in zip(one, other, strict=True):
                check_equal_moments(mine, theirs)
        key = one[0].key
        assert [h.key for h in quick.similar(key)] == [h.key for h in slow.similar(key)]


def check_equal_moments(one: Hit, other: Hit) -> None:
    """The same times in the same order with the same scores; videos alone have any."""
    assert (one.kind, one.time_s) == (other.kind, other.time_s)
    assert (one.kind == "video") == bool(one.moments)
    assert [(m.time_s, m.view) for m in one.moments] == [(m.time_s, m.view) for m in other.moments]
    scores = [moment.score for moment in one.moments]
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx([moment.score for moment in other.moments], abs=1e-3)


def test_a_closed_library_is_searched_from_its_snapshot(folder: Path) -> None:
    """With the very results of the library."""
    assert is_quick(folder)
    check_equal(folder)


def test_each_kind_of_change_ends_the_snapshot_until_it_is_renewed(
    folder: Path, photos: Path
) -> None:
    """While a writer is at work the library itself answers; after its close the new snapshot."""
    with Library.open(folder) as library:
        key = library.media.all_keys()[0]
        assert is_quick(folder)
        library.media.set_captions({key: "new words"}, "m")
        assert not is_quick(folder)
        check_equal(folder)
        library.keep_snapshot()
        assert is_quick(folder)
        library.media.set_tags({key: [Tag(tag="x", score=1.0)]}, "m")
        assert not is_quick(folder)
        library.keep_snapshot()
        (photos / "red.png").unlink()
        run_index(library, [photos])
        assert not is_quick(folder)
        check_equal(folder)
    assert is_quick(folder)
    check_equal(folder)


def test_a_writer_that_was_killed_leaves_no_wrong_snapshot(folder: Path) -> None:
    """Its commits are seen although nothing renewed the file."""
    library = Library.open(folder)
    key = library.media.all_keys()[0]
    library.media.set_captions({key: "last words"}, "m")
    assert library._lock is not None
    library._lock.release()
    with open_searcher(folder, FakeBackend()) as searcher:
        assert "last words" in [hit.caption for hit in searcher.search("red")]


@pytest.mark.parametrize("damage", ["cut", "empty", "rubbish", "absent"])
def test_a_damaged_snapshot_is_not_used(folder: Path, damage: str) -> None:
    """It is only ever an aid."""
    path = folder / SNAPSHOT_NAME
    data = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes({"cut": data[:-70], "empty": b"", "rubbish": b"x" * 500}[damage])
    assert not is_quick(folder)
    check_equal(folder)


def test_any_byte_of_the_header_may_be_damaged(folder: Path) -> None:
    """A wrong header falls back too, whatever it says."""
    path = folder / SNAPSHOT_NAME
    data = path.read_bytes()
    for position in range(0, 120, 3):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x15]) + data[position + 1 :])
        with open_searcher(folder, FakeBackend()) as searcher:
            assert len(searcher.search("red")) == 5


def test_a_quick_search_imports_neither_the_store_nor_torch(folder: Path) -> None:
    """That is its point."""
    code = (
        "import sys, pathlib\n"
        "from cocadesk.search.filters import split_query\n"
        "from cocadesk.search.searcher import open_searcher\n"
        "from tests.support.fake_backend import FakeBackend\n"
        "with open_searcher(pathlib.Path(sys.argv[1]), FakeBackend()) as searcher:\n"
        "    assert len(searcher.search('red')) == 5\n"
        "    words, among = split_query('red kind:video -tag:dog has:tag,rating folder:photos')\n"
        "    assert searcher.search(words, 9, among) == []\n"
        "    assert len(searcher.search('red', 9, split_query('kind:video')[1])) == 2\n"
        "print(sorted({'lancedb', 'pyarrow', 'torch', 'cv2', 'PIL'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.stdout.strip() == "[]"


def test_no_library_is_a_sentence(tmp_path: Path) -> None:
    """As when the library is opened."""
    with pytest.raises(UserError, match="no library"), open_searcher(tmp_path, FakeBackend()):
        pass
