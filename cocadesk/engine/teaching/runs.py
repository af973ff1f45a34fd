"""Teaching runs on disk: the engine's order, the trainer's result, the owner's choice.

A run is a folder ``runs/ID`` of the library. The engine writes ``spec.json`` (for the
trainer) and ``run.json`` (its own record); the trainer writes ``points.jsonl``,
``checkpoints/`` and, at its end, ``result.json``.
"""

from __future__ import annotations

import logging
import shutil
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cocadesk.errors import UserError, retold, tr
from cocadesk.library.atomic import write_atomically
from cocadesk.library.traces import Traces
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    MetricValue,
    SkippedValue,
    TeachPoint,
    TeachSource,
    TuningMethod,
)
from cocadesk.trainer_messages import DATASET, POINTS, RESULT, SPEC, Skipped, TuningDataset

RECORD, LOG = "run.json", "trainer.log"
_KEPT_OF_DISCARDED = {SPEC, RECORD, DATASET, RESULT, POINTS, LOG}

_log = logging.getLogger(__name__)


class Choice(StrEnum):
    """The owner's choice about a run: keep or discard its model, or stop it before the end."""

    NONE = ""
    KEPT = "kept"
    DISCARDED = "discarded"
    STOPPED = "stopped"


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The engine's record of a run.

    ``model`` is the source that it began with, ``model_id`` the weights that it had then.
    """

    id: str
    title: str
    method: TuningMethod
    source: TeachSource
    model: str
    model_id: str = ""
    created: str
    choice: Choice = Choice.NONE
    reembed_seconds: float = 0.0


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The trainer's ``result.json`` of a finished run."""

    before: tuple[MetricValue, ...] = ()
    after: tuple[MetricValue, ...] = ()
    general_before: tuple[MetricValue, ...] = ()
    general_after: tuple[MetricValue, ...] = ()
    steps: int = 0
    seconds: float = 0.0
    photos: int = 0
    captions: int = 0
    skipped: Skipped = {}
    is_trial: bool = False
    reembed: bool = False
    model_id: str = ""
    image_id: str = ""


def to_skipped(skipped: Skipped) -> tuple[SkippedValue, ...]:
    """Skipped files for clients, the reasons in the person's language."""
    return tuple(
        SkippedValue(
            reason=retold(reason),
            count=files.count,
            examples=tuple(map(WirePath.of, files.examples)),
        )
        for reason, files in skipped.items()
    )


class RunStore:
    """The runs of one library. Any thread may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, run_id: str) -> Path:
        """The folder of a run."""
        return self._folder / run_id

    def create(self, record: RunRecord, spec: bytes) -> None:
        """Makes a run's folder; the record is written last.

        Raises:
            UserError: it cannot be written.
        """
        folder = self.folder(record.id)
        try:
            folder.mkdir(parents=True)
            write_atomically(folder / SPEC, spec, durable=True)
            self._write(record)
        except (OSError, UserError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            reason = f"{error.strerror or error}." if isinstance(error, OSError) else error.why
            raise UserError(
                tr("The teaching run could not be begun."),
                tr("{folder} cannot be written: {reason}", folder=folder, reason=reason),
                tr("Make room on the disk, or check the folder's permissions."),
            ) from error

    def all(self) -> list[RunRecord]:
        """Every run's record, newest first; what cannot be read is left out."""
        try:
            folders = sorted((f for f in self._folder.iterdir() if f.is_dir()), reverse=True)
        except OSError:
            return []
        return [record for folder in folders if (record := self._read(folder)) is not None]

    def get(self, run_id: str) -> RunRecord:
        """One run's record.

        Raises:
            UserError: there is none of that id.
        """
        record = self._read(self.folder(run_id)) if run_id.isalnum() else None
        if record is None:
            raise UserError(
                tr("There is no such teaching run."), tr("Its id would be {run_id}.", run_id=run_id)
            )
        return record

    def choose(self, run_id: str, choice: Choice) -> RunRecord:
        """Notes the owner's choice, durably; what is not kept is deleted after that."""
        record = replace(self.get(run_id), choice=choice)
        self._write(record)
        if choice in (Choice.DISCARDED, Choice.STOPPED):
            self.drop_model(run_id)
        return record

    def result(self, run_id: str) -> RunResult | None:
        """The trainer's result; None while it is not finished."""
        try:
            data = (self.folder(run_id) / RESULT).read_bytes()
            return msgspec.json.decode(data, type=RunResult)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the result of run %s cannot be read: %s", run_id, error)
            return None

    def points(self, run_id: str) -> tuple[TeachPoint, ...]:
        """The curve so far; a line that a kill has cut is left out."""
        try:
            lines = (self.folder(run_id) / POINTS).read_bytes().splitlines()
        except OSError:
            return ()
        points = []
        for line in lines:
            try:
                points.append(msgspec.json.decode(line, type=TeachPoint))
            except msgspec.MsgspecError:
                continue
        return tuple(points)

    def counts(self, run_id: str) -> tuple[int, int]:
        """Photos and captions that the trainer has found to learn from; 0, 0 before that."""
        try:
            data = (self.folder(run_id) / DATASET).read_bytes()
            dataset = msgspec.json.decode(data, type=TuningDataset)
        except (OSError, msgspec.MsgspecError):
            return 0, 0
        return len(dataset.photos), dataset.caption_count

    def has_model(self, run_id: str) -> bool:
        """True where the run has left a model that can be used."""
        return (self.folder(run_id) / "checkpoints" / "best").is_dir()

    def has_state(self, run_id: str) -> bool:
        """True where the trainer has saved a state from which the run can go on."""
        return (self.folder(run_id) / "state").exists()

    def drop_model(self, run_id: str) -> None:
        """Removes all that is large; the record and the figures stay."""
        for item in self.folder(run_id).iterdir():
            if item.name in _KEPT_OF_DISCARDED:
                continue
            if item.is_dir():
                shutil.rmtree(item, ignore_errors=True)
            else:
                item.unlink(missing_ok=True)

    def drop_curve(self, run_id: str) -> None:
        """Removes the curve of a run that begins anew."""
        (self.folder(run_id) / POINTS).unlink(missing_ok=True)

    def forget(self, traces: Traces) -> int:
        """Takes what is forgotten out of all runs' notes; gives the number of runs that named it.

        A run that is not finished begins anew without it: what it has measured goes by the
        places of its photos. A model keeps what it has learned.
        """
        cleaned = 0
        for folder in self._folder.glob("*/"):
            notes = [path for path in folder.glob("*.json") if path.is_file()]
            is_finished = (folder / RESULT).exists()
            if not sum(traces.clean_json(path) for path in notes):
                continue
            cleaned += 1
            (folder / LOG).unlink(missing_ok=True)
            if not is_finished:
                self.drop_model(folder.name)
                (folder / DATASET).unlink(missing_ok=True)
        return cleaned

    def _write(self, record: RunRecord) -> None:
        data = msgspec.json.format(msgspec.json.encode(record), indent=1)
        write_atomically(self.folder(record.id) / RECORD, data, durable=True)

    def _read(self, folder: Path) -> RunRecord | None:
        try:
            record = msgspec.json.decode((folder / RECORD).read_bytes(), type=RunRecord)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("the run in %s is left alone: %s", folder, error)
            return None
        return record if record.id == folder.name else None
