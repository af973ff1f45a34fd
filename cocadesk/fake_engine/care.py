"""The fake engine's care of its library: all is well, and files are written empty."""

from __future__ import annotations

import os
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    BackUpLibrary,
    CareReport,
    CheckLibrary,
    ExportLibrary,
    LibraryMoved,
    MoveLibrary,
    RemoveOldLibrary,
    RepairLibrary,
    RestoreLibrary,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import WorkState


class FakeCare:
    """Answers at once; a restore needs a file that is there."""

    def __init__(self, context: FakeContext) -> None:
        self._library = context.library

    def _check(self, body: CheckLibrary, call: Call) -> CareReport:
        return CareReport()

    def _repair(self, body: RepairLibrary, call: Call) -> CareReport:
        return CareReport()

    def _back_up(self, body: BackUpLibrary, call: Call) -> CareReport:
        path = body.path or WirePath.of(self._library / "backups" / "made-up.zip")
        return _written(path)

    def _restore(self, body: RestoreLibrary, call: Call) -> CareReport:
        path = body.path or WirePath.of(self._library / "backups" / "made-up.zip")
        if not _local(path).is_file():
            raise UserError(f"There is no backup {path.text}.", "", "Check its name.")
        return CareReport(done=("The library has all captions and tags of the backup already.",))

    def _export(self, body: ExportLibrary, call: Call) -> CareReport:
        names = ("media.parquet", "edits.parquet")
        return _written(*(WirePath.of(_local(body.folder) / name) for name in names))

    def _move(self, body: MoveLibrary, call: Call) -> LibraryMoved:
        """Nothing is copied: all of this library is made up."""
        folder = _local(body.folder)
        if not folder.parent.is_dir():
            raise UserError(
                f"The library can't be moved to {body.folder.text}.",
                f"There is no folder {folder.parent}.",
                "Check that its disk is connected, or choose another folder.",
            )
        call.progress(WorkState(stage="Copying: 1.0 of 2.0 MB", done=1, total=2, seconds_left=3.0))
        to = folder / "CocaDesk library" if folder.is_dir() else folder
        return LibraryMoved(
            folder=WirePath.of(to), old=WirePath.of(self._library), size_bytes=2_000_000
        )

    def _remove_old(self, body: RemoveOldLibrary, call: Call) -> CareReport:
        return CareReport(done=("There is no old copy of this library.",))


def _written(*paths: WirePath) -> CareReport:
    for path in paths:
        _local(path).parent.mkdir(parents=True, exist_ok=True)
        _local(path).touch()
    return CareReport(paths=paths)


def _local(path: WirePath) -> Path:
    return Path(os.fsdecode(path.to_bytes()))
