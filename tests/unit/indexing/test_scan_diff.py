"""The difference between folders and library: what is read, what is back, what is away."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cocadesk.indexing.known_files import KnownFiles
from cocadesk.indexing.scan_diff import (
    RootStatus,
    ScanDiff,
    absent_media,
    is_gone,
    scan_steps,
)
from cocadesk.indexing.types import Failed
from cocadesk.library.paths import device_and_inode
from cocadesk.library.rows import FailureRow, Identity, RootRow
from cocadesk.media.types import FoundFile, ScanProblem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = "model-1"


def root_row(path: Path, *, is_folder: bool = True, is_same: bool = True) -> RootRow:
    """A root as it was scanned: this very folder, or another one in its place."""
    there = device_and_inode(os.fsencode(path)) if path.exists() else None
    device, inode = there or (1, 1)
    return RootRow(
        path=os.fsencode(path),
        added_utc=NOW,
        is_folder=is_folder,
        device=device if is_same else 1,
        inode=inode if is_same else 1,
    )


def test_a_folder_with_files_is_online(tmp_path: Path) -> None:
    """On any disk."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert not RootStatus([root_row(tmp_path, is_same=False)]).is_offline(os.fsencode(tmp_path))


def test_a_folder_that_is_not_there_is_offline(tmp_path: Path) -> None:
    """Its disk may come back; nothing counts as deleted."""
    row = root_row(tmp_path / "stick")
    assert RootStatus([row]).is_offline(row.path)


def test_an_emptied_folder_is_online_and_an_empty_mount_point_is_not(tmp_path: Path) -> None:
    """Both are empty; device and inode tell whether it is the folder that was scanned."""
    (tmp_path / "folder").mkdir()
    path = os.fsencode(tmp_path / "folder")
    assert not RootStatus([root_row(tmp_path / "folder")]).is_offline(path)
    assert RootStatus([root_row(tmp_path / "folder", is_same=False)]).is_offline(path)


def test_a_single_file_is_gone_where_its_folder_is_there_and_offline_where_not(
    tmp_path: Path,
) -> None:
    """A file that was added by itself may be deleted by itself."""
    here = root_row(tmp_path / "a.jpg", is_folder=False)
    away = root_row(tmp_path / "stick" / "a.jpg", is_folder=False)
    status = RootStatus([here, away])
    assert not status.is_offline(here.path)
    assert status.is_offline(away.path)


def test_a_folder_inside_a_known_root_is_there_or_not_as_that_root_is(tmp_path: Path) -> None:
    """A folder that was deleted on a disk that is there is deleted."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.jpg").write_bytes(b"x")
    there, away = root_row(tmp_path / "root"), root_row(tmp_path / "stick")
    status = RootStatus([there, away])
    assert not status.is_offline(there.path + b"/deleted")
    assert status.is_offline(away.path + b"/holiday")


def test_the_outermost_known_root_of_a_path_is_found(tmp_path: Path) -> None:
    """Roots may lie in each other; a file has one."""
    rows = [root_row(tmp_path / "a" / "b"), root_row(tmp_path / "a")]
    status = RootStatus(rows)
    assert status.outermost(os.fsencode(tmp_path / "a" / "b" / "c")) == os.fsencode(tmp_path / "a")
    assert status.outermost(os.fsencode(tmp_path / "ab")) is None
    assert status.knows(os.fsencode(tmp_path / "a"))
    assert not status.knows(os.fsencode(tmp_path / "a" / "b" / "c"))


def test_a_root_is_looked_at_once(tmp_path: Path) -> None:
    """All media of one run are judged alike, also where the disk is pulled meanwhile."""
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"x")
    status = RootStatus([root_row(folder)])
    assert not status.is_offline(os.fsencode(folder))
    folder.rename(tmp_path / "away")
    assert not status.is_offline(os.fsencode(folder))


def test_a_path_is_there_gone_or_unknown(tmp_path: Path) -> None:
    """A dangling link is there: it is an entry of its folder."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    assert not is_gone(os.fsencode(tmp_path / "link"))
    assert is_gone(os.fsencode(tmp_path / "nowhere"))
    assert is_gone(os.fsencode(tmp_path / "file" / "inside"))
    assert not is_gone(b"/" + b"x" * 5000)


def identity(path: bytes, *, state: str = "present") -> Identity:
    """A medium that is known and embedded."""
    return Identity(path.decode(), b"/p", path, 10, 1, "h", "p", "photo", state, (MODEL,))


def found(path: bytes, *, time: int = 1, root: bytes = b"/p") -> FoundFile:
    """A file that a scan has met."""
    return FoundFile(root=root, path=path, size_bytes=10, mtime_ns=time)


def failure(path: bytes, *, time: int = 1) -> FailureRow:
    """A file that could not be read then."""
    return FailureRow(
        path=path,
        root=b"/p",
        reason="It is cut.",
        stage="decode",
        when=NOW,
        size_bytes=10,
        mtime_ns=time,
    )


@pytest.fixture
def known_files() -> KnownFiles:
    """Two media, one of them marked as missing."""
    media = [identity(b"/p/here"), identity(b"/p/back", state="missing")]
    views = {one.key: one.picture_hash for one in media}
    return KnownFiles(media, views, MODEL, is_gone=lambda _: False)


def test_found_files_are_unchanged_known_to_fail_or_to_be_read(known_files: KnownFiles) -> None:
    """A failure counts only while the file has the size and time that it had then."""
    failures = {row.path: row for row in (failure(b"/p/bad"), failure(b"/p/mended"))}
    entries = [
        found(b"/p/here"),
        found(b"/p/back"),
        found(b"/p/new"),
        found(b"/p/bad"),
        found(b"/p/mended", time=2),
        ScanProblem(path=b"/p/closed", reason="No permission."),
    ]
    diff = ScanDiff(roots=(b"/p",), root_of={b"/p": b"/p"})
    assert list(scan_steps(diff, entries, known_files, failures)) == []
    assert diff.unchanged == 2
    assert diff.returned == ["/p/back"]
    assert [one.path for one in diff.candidates] == [b"/p/new", b"/p/mended"]
    assert diff.known_failures == [Failed(path=b"/p/bad", reason="It is cut.", is_known=True)]
    assert [one.path for one in diff.problems] == [b"/p/closed"]


def test_a_file_that_two_roots_hold_is_taken_once_under_the_known_root(
    known_files: KnownFiles,
) -> None:
    """A folder inside a known root gives its files that root."""
    diff = ScanDiff(roots=(b"/p", b"/p/sub"), root_of={b"/p/sub": b"/p"})
    entries = [found(b"/p/sub/new", root=b"/p/sub"), found(b"/p/sub/new")]
    list(scan_steps(diff, entries, known_files, {}))
    assert diff.candidates == [found(b"/p/sub/new", root=b"/p")]


def test_a_long_scan_says_how_far_it_is_now_and_then(known_files: KnownFiles) -> None:
    """Every five hundred files."""
    diff = ScanDiff(roots=(b"/p",), root_of={})
    entries = (found(b"/p/%d" % number) for number in range(1200))
    assert list(scan_steps(diff, entries, known_files, {})) == [500, 1000]


def test_media_that_the_scan_did_not_meet_are_absent(known_files: KnownFiles) -> None:
    """Only those under the roots that were scanned."""
    diff = ScanDiff(roots=(b"/p",), root_of={})
    list(scan_steps(diff, [found(b"/p/here")], known_files, {}))
    assert [one.path for one in absent_media(diff, known_files)] == [b"/p/back"]
    assert absent_media(ScanDiff(roots=(b"/other",), root_of={}), known_files) == []
