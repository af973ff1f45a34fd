"""Teaching runs on disk: what the engine orders, what the trainer leaves, what became of it.

A run is a folder ``runs/ID`` of the library. The engine writes ``spec.json`` (for the
trainer) and ``run.json`` (its own record); the trainer writes ``points.jsonl``,
``checkpoints/`` and, at its end, ``result.json``.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    MetricValue,
    RunState,
    RunValue,
    SkippedValue,
    TeachMethod,
    TeachPoint,
    TeachSource,
)

SPEC, RECORD, RESULT, POINTS, LOG = (
    "spec.json",
    "run.json",
    "result.json",
    "points.jsonl",
    "trainer.log",
)
_KEPT_OF_DISCARDED = {SPEC, RECORD, RESULT, POINTS, LOG}
LESSON = "lesson.json"
RUN_PREFIX = "run:"
KEPT = "Search answers with what it has learned."

_log = logging.getLogger(__name__)


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the engine remembers of a run; ``model`` is the source that it began with."""

    id: str
    title: str
    method: TeachMethod
    source: TeachSource
    model: str
    created: str
    state: RunState = RunState.RUNNING
    message: str = ""
    photos: int = 0
    captions: int = 0
    reembed_seconds: float = 0.0


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the trainer says of a finished run; see the trainer's ``result.json``."""

    before: tuple[MetricValue, ...] = ()
    after: tuple[MetricValue, ...] = ()
    general_before: tuple[MetricValue, ...] = ()
    general_after: tuple[MetricValue, ...] = ()
    steps: int = 0
    seconds: float = 0.0
    photos: int = 0
    captions: int = 0
    skipped: dict[str, int] = {}
    skipped_examples: dict[str, tuple[bytes, ...]] = {}
    is_trial: bool = False
    reembed: bool = False
    model_id: str = ""
    image_id: str = ""


class _Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the trainer's ``lesson.json`` that people are shown."""

    class Photo(msgspec.Struct, frozen=True):
        captions: tuple[str, ...] = ()

    photos: tuple[Photo, ...] = ()


def _skipped(result: RunResult) -> Iterator[SkippedValue]:
    for reason, count in result.skipped.items():
        paths = result.skipped_examples.get(reason, ())
        yield SkippedValue(reason=reason, count=count, examples=tuple(map(WirePath.of, paths)))


class RunStore:
    """The runs of one library. Any thread may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder(self, run_id: str) -> Path:
        """Where a run lies."""
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
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise UserError(
                "The teaching run could not be begun.",
                f"{folder} cannot be written: {error.strerror or error}.",
                "Make room on the disk, or check the folder's permissions.",
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
            raise UserError("There is no such teaching run.", f"Its id would be {run_id}.")
        return record

    def change(self, run_id: str, **changes: object) -> RunRecord:
        """Replaces fields of a record, durably."""
        changed = replace(self.get(run_id), **changes)
        self._write(changed)
        return changed

    def result(self, run_id: str) -> RunResult | None:
        """What the trainer found; None while it is not finished."""
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

    def counted(self, record: RunRecord) -> RunRecord:
        """The record with how much the trainer has found to learn from, once it has."""
        if record.photos:
            return record
        try:
            data = (self.folder(record.id) / LESSON).read_bytes()
            photos = msgspec.json.decode(data, type=_Lesson).photos
        except (OSError, msgspec.MsgspecError):
            return record
        captions = sum(len(photo.captions) for photo in photos)
        return self.change(record.id, photos=len(photos), captions=captions)

    def has_model(self, run_id: str) -> bool:
        """Whether the run has left a model that can be used."""
        return (self.folder(run_id) / "checkpoints" / "best").is_dir()

    def has_state(self, run_id: str) -> bool:
        """Whether the trainer has saved a state from which the run can go on."""
        return (self.folder(run_id) / "state").exists()

    def drop_model(self, run_id: str) -> None:
        """Removes all that is large; what the run was and how it did stays."""
        for item in self.folder(run_id).iterdir():
            if item.name in _KEPT_OF_DISCARDED:
                continue
            if item.is_dir():
                shutil.rmtree(item, ignore_errors=True)
            else:
                item.unlink(missing_ok=True)

    def value(self, record: RunRecord, *, with_points: bool = False) -> RunValue:
        """A run as clients see it."""
        result = self.result(record.id) or RunResult()
        is_over = record.state is not RunState.RUNNING
        return RunValue(
            id=record.id,
            folder=WirePath.of(self.folder(record.id)),
            state=record.state,
            method=record.method,
            title=record.title,
            created=record.created,
            photos=result.photos or record.photos,
            captions=result.captions or record.captions,
            is_trial=result.is_trial,
            step=result.steps if is_over else 0,
            steps=result.steps,
            seconds=result.seconds,
            before=result.before,
            after=result.after,
            general_before=result.general_before,
            general_after=result.general_after,
            reembed_seconds=record.reembed_seconds if result.reembed or not is_over else 0.0,
            points=self.points(record.id) if with_points else (),
            model_id=result.model_id,
            message=record.message,
            skipped=tuple(_skipped(result)),
        )

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
