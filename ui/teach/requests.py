"""The teaching page's talk with the engine: what there is, runs, and their curves."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    DatasetSummary,
    DecideRun,
    GetRun,
    JobReply,
    ListRuns,
    PreviewDataset,
    Run,
    RunChanged,
    Runs,
    StartTeach,
)
from cocadesk.protocol.values import (
    JobKind,
    JobValue,
    RunState,
    RunValue,
    TeachPoint,
    TeachSource,
    TuningMethod,
)
from ui.engine.link import EngineLink, Ticket
from ui.engine.tracker import JobTracker


class TeachRequests(QObject):
    """Keeps the runs as the engine last told of them, and asks again when it comes back.

    ``found`` brings counts first and the same with a time later. A run's curve is
    kept apart from the run, by step, so that a part that comes twice does no harm.
    """

    listed = Signal()
    run_changed = Signal(object)
    found = Signal(object)
    started = Signal(str)
    start_lost = Signal()
    failed = Signal(object)
    check_failed = Signal(object)

    def __init__(self, link: EngineLink, tracker: JobTracker, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._tracker = tracker
        self._asked: PreviewDataset | None = None
        self._ticket: Ticket | None = None
        self._points: dict[str, dict[int, TeachPoint]] = {}
        self.runs: dict[str, RunValue] = {}
        self.annotated_count: int | None = None
        self._is_starting = False
        link.connected.connect(self._on_connected)
        link.event_received.connect(self._on_event)
        tracker.job_changed.connect(self._on_job)
        tracker.ended.connect(self._on_ended)

    def refresh(self) -> None:
        """Asks for all runs."""
        self._link.ask(ListRuns(), Runs, self._on_runs, on_failed=self.failed.emit)

    def ask_run(self, run_id: str) -> None:
        """Asks for a run with its whole curve."""
        self._link.ask(GetRun(run_id=run_id), Run, self._on_run, on_failed=self.failed.emit)

    def inspect(self, source: TeachSource, method: TuningMethod) -> None:
        """Asks what there is to learn from; ``found`` or ``check_failed`` follow."""
        self.stop_inspecting()
        self._asked = PreviewDataset(source=source, method=method)
        self._inspect()

    def stop_inspecting(self) -> None:
        """Gives up the summary that was asked for."""
        self._asked = None
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None

    def start(self, source: TeachSource, method: TuningMethod, title: str) -> None:
        """Starts a run; ``started`` follows."""
        self.stop_inspecting()
        self._is_starting = True
        body = StartTeach(source=source, method=method, title=title)
        self._link.ask(body, JobReply, self._on_started, on_failed=self._on_not_started)

    def decide(self, run_id: str, *, keep: bool) -> None:
        """Keeps or discards what a run has learned."""
        body = DecideRun(run_id=run_id, keep=keep)
        self._link.ask(body, Run, self._on_run, on_failed=self.failed.emit)

    def points(self, run_id: str) -> list[TeachPoint]:
        """The curve as far as it is known, in order of step."""
        known = self._points.get(run_id, {})
        return [known[step] for step in sorted(known)]

    def newest_first(self) -> list[RunValue]:
        """All runs, the last one first."""
        return sorted(self.runs.values(), key=lambda run: (run.created, run.id), reverse=True)

    def running(self) -> RunValue | None:
        """The run that learns now, if any."""
        going = (run for run in self.newest_first() if run.state is RunState.RUNNING)
        return next(going, None)

    # Answers ------------------------------------------------------------------------

    def _inspect(self) -> None:
        if self._asked is None:
            return
        self._ticket = self._link.ask(
            self._asked,
            DatasetSummary,
            self._on_measured,
            on_partial=self.found.emit,
            on_failed=self._on_check_failed,
        )

    def _on_measured(self, answer: DatasetSummary) -> None:
        self._asked = None
        self.found.emit(answer)

    def _on_check_failed(self, error: UserError) -> None:
        self._asked = None
        self.check_failed.emit(error)

    def _on_started(self, answer: JobReply) -> None:
        self._is_starting = False
        self._tracker.take_reply(answer)
        if isinstance(answer.report, RunValue):
            self._keep_run(answer.report)
        self.started.emit(answer.job.id)
        self.ask_run(answer.job.id)

    def _on_not_started(self, error: UserError) -> None:
        self._is_starting = False
        self.check_failed.emit(error)

    def _on_runs(self, answer: Runs) -> None:
        self.runs = {run.id: run for run in answer.runs}
        self.annotated_count = answer.own_words
        self.listed.emit()

    def _on_run(self, answer: Run) -> None:
        self._keep_run(answer.run)

    def _on_connected(self, _welcome: object) -> None:
        if self._is_starting:
            self._is_starting = False
            self.start_lost.emit()
        self.refresh()
        self._inspect()

    def _on_event(self, body: object) -> None:
        if isinstance(body, RunChanged):
            self._keep_points(body.run.id, body.points)
            self._keep_run(body.run)

    def _on_job(self, job: JobValue) -> None:
        if job.id in self.runs:  # a run has the id of its job
            self.run_changed.emit(self.runs[job.id])

    def _on_ended(self, job: JobValue) -> None:
        if job.kind is JobKind.TEACH:  # a cancelled run may have nothing else to tell of its end
            self.ask_run(job.id)

    def _keep_run(self, run: RunValue) -> None:
        self._keep_points(run.id, run.points)
        self.runs[run.id] = run
        self.run_changed.emit(run)

    def _keep_points(self, run_id: str, points: tuple[TeachPoint, ...]) -> None:
        known = self._points.setdefault(run_id, {})
        known.update({point.step: point for point in points})
