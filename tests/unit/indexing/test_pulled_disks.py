"""A disk that is pulled out while an index looks at it harms neither words nor rows.

The short form; ``tests/bench/faults.py`` pulls it before each look.
"""

from __future__ import annotations

from pathlib import Path

from cocadesk.indexing.index import BACK
from cocadesk.indexing.survey import WENT_AWAY
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.disks import Plug, mounted
from tests.support.index_tools import row_at, run_index, write_photo
from tests.support.pulled_disk import Looks, pulled_at_each_look


def test_words_stay_through_a_disk_that_comes_and_goes_in_an_index(tmp_path: Path) -> None:
    """The same one comes back at once or later, or another one lies in its place meanwhile."""
    assert pulled_at_each_look(tmp_path, every=13) >= 3


def test_a_disk_that_was_away_for_a_moment_is_said(library: Library, tmp_path: Path) -> None:
    """In the search for files the folder is named, later the file; the next index has both."""
    plug = Plug(tmp_path / "usb")
    with mounted(tmp_path / "disk") as disk:
        for name in ("1", "2", "sub/3"):
            write_photo(disk / f"{name}.jpg", ord(name[-1]))
        said = []
        for look in (2, 3):
            plug.put(disk)
            looks = Looks(
                plug.place, {look: lambda: plug.put(None), look + 1: lambda: plug.put(disk)}
            )
            with looks.counted():
                report = run_index(library, [plug.place])
            said.append({failed.reason for failed in report.failed})
        assert said == [{WENT_AWAY}, {BACK}]
        assert run_index(library, [plug.place]).failed == ()
        assert library.counts().photos == 3
        plug.put(None)


def test_files_of_a_copy_elsewhere_inherit_nothing_while_one_is_on_the_disk(
    library: Library, tmp_path: Path
) -> None:
    """A photo that was renamed on its disk, and copied to another one under its old name."""
    with mounted(tmp_path / "disk") as disk, mounted(tmp_path / "a backup") as backup:
        photo = write_photo(disk / "1.jpg", 1)
        write_photo(disk / "2.jpg", 2)
        run_index(library, [disk])
        key = row_at(library, photo).key
        (backup / "1.jpg").write_bytes(photo.read_bytes())
        moved = photo.rename(disk / "beach.jpg")
        report = run_index(library, [disk, backup])
        assert (report.moved, report.copied) == (1, 1)
        assert row_at(library, moved).key == key
        assert row_at(library, moved).state is MediaState.PRESENT
