"""Care of the library: what every engine must do, the fake one and the real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    BackUpLibrary,
    CareReport,
    CheckLibrary,
    ExportLibrary,
    GetInfo,
    Info,
    LibraryMoved,
    MoveLibrary,
    RemoveOldLibrary,
    RepairLibrary,
    RestoreLibrary,
)
from cocadesk.protocol.paths import WirePath

WAIT_S = 60.0


def test_a_healthy_library_has_no_problems(client: AnyEngine) -> None:
    """Checked, repaired and checked: there is nothing to say, nothing to do."""
    # Other tests that this engine answered may have left edits, which want a backup.
    client.ask(BackUpLibrary(path=None), CareReport, timeout_s=WAIT_S)
    assert client.ask(CheckLibrary(), CareReport, timeout_s=WAIT_S).problems == ()
    repaired = client.ask(RepairLibrary(), CareReport, timeout_s=WAIT_S)
    assert (repaired.done, repaired.problems) == ((), ())
    info = client.ask(GetInfo(), Info, timeout_s=WAIT_S)
    assert (info.notices, info.counts.without_vectors) == ((), 0)


def test_a_backup_is_written_where_it_is_wanted_and_restored(
    client: AnyEngine, tmp_path: Path
) -> None:
    """A file that was named, else one in the library's folder."""
    wanted = WirePath.of(tmp_path / "mine.zip")
    assert client.ask(BackUpLibrary(path=wanted), CareReport, timeout_s=WAIT_S).paths == (wanted,)
    (own,) = client.ask(BackUpLibrary(), CareReport, timeout_s=WAIT_S).paths
    for path in (wanted, own):
        assert Path(os.fsdecode(path.to_bytes())).is_file()
        done = client.ask(RestoreLibrary(path=path), CareReport, timeout_s=WAIT_S).done
        assert done[0].startswith("The library has all")


def test_a_backup_that_is_not_there_is_a_sentence(client: AnyEngine, tmp_path: Path) -> None:
    """Nothing is changed."""
    path = WirePath.of(tmp_path / "none.zip")
    with pytest.raises(UserError, match="There is no backup"):
        client.ask(RestoreLibrary(path=path), CareReport, timeout_s=WAIT_S)


def test_a_library_is_not_moved_to_a_disk_that_is_away(client: AnyEngine, tmp_path: Path) -> None:
    """It stays, and there is no old copy of it."""
    body = MoveLibrary(folder=WirePath.of(tmp_path / "away" / "library"))
    with pytest.raises(UserError, match="There is no folder"):
        client.ask(body, LibraryMoved, timeout_s=WAIT_S)
    info = client.ask(GetInfo(), Info, timeout_s=WAIT_S)
    assert info.moved_from is None
    done = client.ask(RemoveOldLibrary(), CareReport, timeout_s=WAIT_S).done
    assert done == ("There is no old copy of this library.",)


def test_an_export_names_its_files(client: AnyEngine, tmp_path: Path) -> None:
    """The folder is made."""
    folder = WirePath.of(tmp_path / "new" / "out")
    paths = client.ask(ExportLibrary(folder=folder), CareReport, timeout_s=WAIT_S).paths
    assert [Path(path.text).name for path in paths] == ["media.parquet", "edits.parquet"]
    assert all(Path(path.text).is_file() for path in paths)
