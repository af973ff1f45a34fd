"""What the system tells of changes: real folders, real events."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cocadesk.media.watching import IS_ABSENT, IS_FILE, FolderWatch, remote_kind

WAIT_S = 30.0


class Heard:
    """The paths that a watch has told of."""

    def __init__(self) -> None:
        self._paths: set[bytes] = set()
        self._came = threading.Condition()

    def __call__(self, path: bytes) -> None:
        with self._came:
            self._paths.add(path)
            self._came.notify_all()

    def wait_for(self, path: Path) -> None:
        """Blocks until something was told of the file or folder."""
        with self._came:
            assert self._came.wait_for(lambda: os.fsencode(path) in self._paths, WAIT_S), path

    def is_silent_on(self, path: Path) -> bool:
        """True where nothing was told of it so far."""
        return os.fsencode(path) not in self._paths


@pytest.fixture
def heard() -> Heard:
    """Nothing yet."""
    return Heard()


@pytest.fixture
def watch(heard: Heard) -> Iterator[FolderWatch]:
    """A watch that takes every file system for a local one."""
    made = FolderWatch(heard, why_not=lambda _path: "")
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a photo in a folder."""
    made = tmp_path / "photos"
    (made / "old").mkdir(parents=True)
    (made / "old" / "a.jpg").write_bytes(b"a")
    return made


def _watched(watch: FolderWatch, *folders: Path) -> list[str]:
    return list(watch.watch([os.fsencode(folder) for folder in folders]).values())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda at: (at / "new.jpg").write_bytes(b"n"), "new.jpg"),
        (lambda at: (at / "old" / "a.jpg").write_bytes(b"longer"), "old/a.jpg"),
        (lambda at: (at / "old" / "a.jpg").unlink(), "old/a.jpg"),
        (lambda at: (at / "old" / "a.jpg").rename(at / "b.jpg"), "b.jpg"),
        (lambda at: (at / "old").rename(at / "renamed"), "renamed"),
        (lambda at: os.link(at / "old" / "a.jpg", at / "linked.jpg"), "linked.jpg"),
    ],
    ids=["a new file", "a change", "a deletion", "a move", "a folder that moves", "a link"],
)
def test_changes_are_told(
    watch: FolderWatch, heard: Heard, folder: Path, change: Callable[[Path], object], name: str
) -> None:
    """Of files and folders at any depth."""
    assert _watched(watch, folder) == [""]
    change(folder)
    heard.wait_for(folder / name)


def test_what_comes_in_a_new_folder_is_told(watch: FolderWatch, heard: Heard, folder: Path) -> None:
    """The folder is watched from then on, with those in it."""
    _watched(watch, folder)
    (folder / "new" / "deep").mkdir(parents=True)
    heard.wait_for(folder / "new")
    heard.wait_for(folder / "new" / "deep")
    (folder / "new" / "deep" / "c.jpg").write_bytes(b"c")
    heard.wait_for(folder / "new" / "deep" / "c.jpg")


def test_reading_a_file_is_no_change(watch: FolderWatch, heard: Heard, folder: Path) -> None:
    """Else an index would be the reason for the next one."""
    _watched(watch, folder)
    (folder / "old" / "a.jpg").read_bytes()
    list(folder.iterdir())
    (folder / "last.jpg").write_bytes(b"l")
    heard.wait_for(folder / "last.jpg")
    assert heard.is_silent_on(folder / "old" / "a.jpg")


def test_a_folder_that_is_away_or_a_file_is_not_watched(
    watch: FolderWatch, folder: Path, tmp_path: Path
) -> None:
    """Each says why; the others are watched."""
    reasons = _watched(watch, folder, folder / "old" / "a.jpg", tmp_path / "away")
    assert reasons == ["", IS_FILE, IS_ABSENT]


def test_a_folder_that_comes_back_is_watched_again(
    watch: FolderWatch, heard: Heard, folder: Path, tmp_path: Path
) -> None:
    """As a disk that is put back: it is another folder than the one that was watched."""
    _watched(watch, folder)
    folder.rename(tmp_path / "elsewhere")
    assert _watched(watch, folder) == [IS_ABSENT]
    folder.mkdir()
    assert _watched(watch, folder) == [""]
    (folder / "new.jpg").write_bytes(b"n")
    heard.wait_for(folder / "new.jpg")


def test_a_folder_that_is_no_longer_wanted_tells_nothing(
    watch: FolderWatch, heard: Heard, folder: Path, tmp_path: Path
) -> None:
    """It was forgotten, or watching was turned off."""
    other = tmp_path / "other"
    other.mkdir()
    _watched(watch, folder, other)
    _watched(watch, other)
    (folder / "unseen.jpg").write_bytes(b"u")
    (other / "seen.jpg").write_bytes(b"s")
    heard.wait_for(other / "seen.jpg")
    assert heard.is_silent_on(folder / "unseen.jpg")


def test_a_folder_on_a_file_system_that_others_change_is_left_to_looks(
    heard: Heard, folder: Path
) -> None:
    """Its reason is the one that is given."""
    watch = FolderWatch(heard, why_not=lambda _path: "It is far away.")
    assert _watched(watch, folder) == ["It is far away."]
    watch.close()


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/nas rw - nfs4 nas:/photos rw
31 22 0:41 / /mnt/my\\040share rw - cifs //nas/share rw
32 22 0:42 / /mnt/phone rw - fuse.sshfs phone: rw
33 22 8:17 / /mnt/stick rw - fuseblk /dev/sdb1 rw
34 30 8:33 / /mnt/nas/disk rw - ext4 /dev/sdc1 rw
35 22 0:43 / /mnt/cloud rw - fuse.rclone cloud: rw
36 22 8:49 / /mnt/cloud rw - ext4 /dev/sdd1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (b"/home/me/Pictures", ""),
        (b"/mnt/nas/2024", "nfs4"),
        (b"/mnt/nas", "nfs4"),
        (b"/mnt/nasty", ""),
        (b"/mnt/my share/a", "cifs"),
        (b"/mnt/phone/DCIM", "fuse.sshfs"),
        (b"/mnt/stick", ""),
        (b"/mnt/nas/disk/a", ""),
        (b"/mnt/cloud/a", ""),
    ],
)
def test_file_systems_that_others_change_are_told_from_the_table_of_mounts(
    tmp_path: Path, path: bytes, kind: str
) -> None:
    """The innermost mount counts, and of several at one place the last."""
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert remote_kind(path, table) == kind


def test_without_a_table_of_mounts_every_file_system_counts_as_local(tmp_path: Path) -> None:
    """Elsewhere than on Linux there is none."""
    assert remote_kind(b"/anywhere", tmp_path / "none") == ""
