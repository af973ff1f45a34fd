"""The models that can answer, and the change from one to another while serving."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cocadesk.engine_desks import Answer, EngineParts
from cocadesk.engine_runs import KEPT, RUN_PREFIX, RunBook
from cocadesk.errors import UserError
from cocadesk.jobs import JobOutcome, JobStep, Steps, Work
from cocadesk.library import MediaState
from cocadesk.model.in_use import DEFAULT_SOURCE, durable_source
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    JobReply,
    ListModels,
    Models,
    RowsChanged,
    RunChanged,
    UseModel,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    FailureValue,
    IndexOutcome,
    JobAction,
    JobKind,
    JobValue,
    ModelEntry,
    RunState,
)

if TYPE_CHECKING:
    from cocadesk.indexing import ChangeOverReport
    from cocadesk.model.backend import Backend

OPENING_STEP_S = 0.3
STEP_LIMIT_S = 60.0
FAILURES_REPORTED = 10_000
HUB_PREFIXES = ("hf-hub:", "open_clip:")

_log = logging.getLogger(__name__)


class ChangeOverSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which model shall answer."""

    source: str


class ModelChanger:
    """Lets another model answer: at once where the stored vectors fit, else after a job."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._using = threading.Lock()
        self._lock = threading.Lock()
        self._ready: dict[str, Backend] = {}

    def use(self, source: str) -> JobValue:
        """The job that makes ``source`` answer; it is done already where nothing had to be read.

        Whatever other change-over waits or runs is given up: the last wish counts.

        Raises:
            UserError: the source is no model.
        """
        source = durable_source(source)
        title, spec = _order(source)
        jobs = self._parts.jobs()
        with self._using:
            self._give_up_others(spec)
            if source.startswith(HUB_PREFIXES):
                return jobs.add(JobKind.CHANGE_OVER, title, spec)  # it may have to be fetched
            backend = self._parts.model.open(source)
            if not self._fits(backend):
                self._keep_ready(source, backend)
                return jobs.add(JobKind.CHANGE_OVER, title, spec)
            self._switch(backend, source)
            outcome = JobOutcome(message=f"{backend.info().name} answers now.")
            return jobs.record(JobKind.CHANGE_OVER, title, spec, outcome)

    def steps(self, spec: str) -> Steps:
        """The change-over of a spec; see ``cocadesk.jobs.Work``."""
        from cocadesk.indexing import change_over_steps

        source = msgspec.json.decode(spec, type=ChangeOverSpec).source
        backend = yield from self._opened(source)
        inner = change_over_steps(self._parts.library, backend, source=source)
        try:
            while True:
                try:
                    now = next(inner)
                except StopIteration as end:
                    report: ChangeOverReport = end.value
                    break
                current = WirePath.of(now.current_path).text if now.current_path else ""
                yield JobStep(
                    stage="Reading photos for the new model",
                    done=now.done,
                    total=now.total,
                    failed=now.failed,
                    seconds_left=now.seconds_left,
                    current=current,
                )
        except BaseException:
            inner.close()
            backend.close()
            raise
        self._switch(backend, source)
        return _outcome(report, backend.info().name)

    def close(self) -> None:
        """Frees models that were opened for a job that has not begun."""
        self._keep_ready("", None)

    def _fits(self, backend: Backend) -> bool:
        """Whether the vectors that answer now are this model's too, or there are none at all."""
        library = self._parts.library
        return library.model in (None, backend.info().image_id) or not library.counts().media

    def _switch(self, backend: Backend, source: str) -> None:
        self._parts.model.use(backend, source)
        self._parts.publish(RowsChanged())

    def _keep_ready(self, source: str, backend: Backend | None) -> None:
        """Holds an open model for its job, instead of any other."""
        with self._lock:
            while self._ready:
                self._ready.popitem()[1].close()
            if backend is not None:
                self._ready[source] = backend

    def _give_up_others(self, spec: str) -> None:
        jobs = self._parts.jobs()
        for job in jobs.all():
            is_other = job.kind is JobKind.CHANGE_OVER and not job.state.is_final
            if is_other and jobs.spec(job.id) != spec:
                jobs.control(job.id, JobAction.CANCEL)
                # Its last step may be the one that changes over.
                jobs.wait_until_left(job.id, STEP_LIMIT_S)

    def _opened(self, source: str) -> Generator[JobStep, None, Backend]:
        """Opens the model, perhaps fetching it, on a thread; the job can be stopped meanwhile."""
        with self._lock:
            ready = self._ready.pop(source, None)
        if ready is not None:
            return ready
        opening = _Opening(lambda: self._parts.model.open(source))
        try:
            while not opening.wait(OPENING_STEP_S):
                yield JobStep(stage="Opening the model", done=0)
        except GeneratorExit:
            opening.give_up()
            raise
        return opening.result()


class _Opening:
    """A model being opened on a thread of its own."""

    def __init__(self, open_model: Callable[[], Backend]) -> None:
        self._open_model = open_model
        self._lock = threading.Lock()
        self._is_unwanted = False
        self._backend: Backend | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="opening", daemon=True)
        self._thread.start()

    def wait(self, limit_s: float) -> bool:
        """Whether it has ended by then."""
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def result(self) -> Backend:
        """The model, once it has ended.

        Raises:
            UserError: it cannot be opened.
        """
        if self._error is not None:
            raise self._error
        assert self._backend is not None
        return self._backend

    def give_up(self) -> None:
        """Nobody wants it any more: it is freed as soon as it is open."""
        with self._lock:
            self._is_unwanted = True
            if self._backend is not None:
                self._backend.close()

    def _run(self) -> None:
        try:
            backend = self._open_model()
        except Exception as error:  # noqa: BLE001 - raised again by whoever asks
            self._error = error
            return
        with self._lock:
            self._backend = backend
            if self._is_unwanted:
                backend.close()


class ModelsDesk:
    """Lists models and lets one answer."""

    def __init__(self, parts: EngineParts, changer: ModelChanger) -> None:
        self._parts = parts
        self._changer = changer
        self._runs = RunBook(parts.library.runs_folder)
        self._ids: dict[str, tuple[str, str]] = {}

    def answers(self) -> Mapping[type[Any], Answer]:
        """Who answers which request."""
        return {ListModels: self._list, UseModel: self._use}

    def works(self) -> Mapping[JobKind, Work]:
        """The change-over."""
        return {JobKind.CHANGE_OVER: self._changer.steps}

    def close(self) -> None:
        """Frees models that nobody took."""
        self._changer.close()

    def _use(self, body: UseModel, call: Call) -> JobReply:
        job = self._changer.use(body.source)
        self._note_kept(body.source)
        return JobReply(job=job)

    def _note_kept(self, source: str) -> None:
        """Whoever uses the model of a finished run has decided to keep it."""
        if not source.startswith(RUN_PREFIX):
            return
        record = self._runs.get(source.removeprefix(RUN_PREFIX))
        if record.state is RunState.WAITING:
            record = self._runs.change(record.id, state=RunState.KEPT, message=KEPT)
            self._parts.publish(RunChanged(run=self._runs.value(record)))

    def _list(self, body: ListModels, call: Call) -> Models:
        from cocadesk.model.source import known_models

        used = self._parts.model.value()
        self._ids[used.source] = (used.model_id, used.image_id)
        by_source = {
            known.source: self._entry(
                known.source, known.name, note=known.note, size=known.size_bytes
            )
            for known in known_models(current=used.source)
        }
        for record in self._runs.all():
            source = f"{RUN_PREFIX}{record.id}"
            is_listed = record.state is RunState.KEPT or source == used.source
            if is_listed and self._runs.has_model(record.id):
                by_source[source] = self._entry_of_run(record.id, record.title)
        entries = list(by_source.values())
        coverage = self._coverage({entry.image_id for entry in entries})
        return Models(
            models=tuple(
                msgspec.structs.replace(
                    entry,
                    is_used=entry.source == used.source,
                    coverage=coverage.get(entry.image_id, 0.0),
                )
                for entry in entries
            )
        )

    def _entry(self, source: str, name: str, *, note: str = "", size: int = 0) -> ModelEntry:
        if source == DEFAULT_SOURCE and not self._ids.get(source, ("", ""))[0]:
            self._ids[source] = _ids_of_starter()
        model_id, image_id = self._ids.get(source, ("", ""))
        return ModelEntry(
            source=source,
            name=name,
            note=note,
            size_bytes=size,
            model_id=model_id,
            image_id=image_id,
        )

    def _entry_of_run(self, run_id: str, title: str) -> ModelEntry:
        result = self._runs.result(run_id)
        best = self._runs.folder(run_id) / "checkpoints" / "best"
        return ModelEntry(
            source=f"{RUN_PREFIX}{run_id}",
            name=title,
            model_id=result.model_id if result else "",
            image_id=result.image_id if result else "",
            size_bytes=sum(file.stat().st_size for file in best.iterdir() if file.is_file()),
            note="You taught it.",
        )

    def _coverage(self, image_ids: set[str]) -> dict[str, float]:
        """The share of the present media that have vectors of each model."""
        present = [
            identity
            for identity in self._parts.library.media.identities()
            if identity.state == MediaState.PRESENT
        ]
        if not present:
            return {}
        return {
            image_id: sum(image_id in identity.embedded for identity in present) / len(present)
            for image_id in image_ids
            if image_id
        }


def _ids_of_starter() -> tuple[str, str]:
    from cocadesk.model.source import find_checkpoint

    try:
        ids = find_checkpoint(DEFAULT_SOURCE).ids()
    except UserError as error:
        _log.warning("the starter cannot be read: %s", error)
        return "", ""
    return ids.model_id, ids.image_id


def _order(source: str) -> tuple[str, str]:
    spec = msgspec.json.encode(ChangeOverSpec(source=source)).decode()
    return f"Changing to the model {source}", spec


def _outcome(report: ChangeOverReport, name: str) -> JobOutcome:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    outcome = IndexOutcome(
        indexed=report.filled,
        unchanged=report.had,
        missing=report.missing,
        offline=report.offline,
        failed=tuple(
            FailureValue(path=WirePath.of(item.path), reason=item.reason, when=now)
            for item in report.unreadable[:FAILURES_REPORTED]
        ),
        seconds=round(report.seconds, 3),
    )
    without = len(report.unreadable) + report.missing + report.offline
    rest = f" {without:,} could not be read now and wait for the next index." if without else ""
    read = report.filled + report.had
    return JobOutcome(
        message=f"{name} answers now, for {read:,} photos and videos.{rest}",
        report=msgspec.json.encode(outcome).decode(),
        failed=len(report.unreadable),
    )
