"""Backups that an engine writes by itself while it is open."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

from cocadesk.engine.library_care import CareHandler
from cocadesk.library.backups import backups_of
from cocadesk.library.library import Library
from tests.support.waiting import until


def test_an_engine_that_stays_open_goes_on_backing_up(tmp_path: Path) -> None:
    """A window may be left open for weeks; nothing is written once the engine ends."""
    with Library.open(tmp_path / "library") as library:
        library.roots.add(b"/photos")
        before = set(threading.enumerate())
        handler = CareHandler(SimpleNamespace(library=library), look_every_s=0.01)  # type: ignore[arg-type]
        (first,) = backups_of(library.folder)
        first.unlink()  # as if it were of yesterday
        until(lambda: backups_of(library.folder))
        assert backups_of(library.folder) == [first]
        handler.close()
        begun = set(threading.enumerate()) - before
        assert "library care" not in {thread.name for thread in begun}


def test_a_reader_backs_nothing_up(tmp_path: Path) -> None:
    """Neither as it begins nor as it ends."""
    with Library.open(tmp_path / "library") as library:
        library.roots.add(b"/photos")
    with Library.open(tmp_path / "library", create=False, writer=False) as library:
        CareHandler(SimpleNamespace(library=library), look_every_s=0.01).close()  # type: ignore[arg-type]
    assert backups_of(tmp_path / "library") == []
