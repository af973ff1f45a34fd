"""The parts that show one job, wherever they lie."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLabel

from cocadesk.protocol.values import JobAction, JobState, JobValue
from ui.kit.layouts import in_column, in_row
from ui.kit.page_parts import ProgressBar
from ui.kit.texts import job_line
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import ElidedLabel, button, label


class JobFrame(QFrame):
    """One job: how far it is, and what can be done about it; not laid out yet.

    ``control`` carries the job's id and what is wanted of it.
    """

    control = Signal(object, object)

    def __init__(self, line: QLabel) -> None:
        super().__init__()
        self.job: JobValue | None = None
        self.line = line
        self.bar = ProgressBar()
        self.pause = button(tr("Pause"), on_click=self._on_pause)
        self.cancel = button(tr("Stop"), on_click=self._on_cancel)

    def draw_job(self, job: JobValue, text: str) -> None:
        """Draws the job as it is now, with a text on how far it is."""
        self.job = job
        self.line.setText(text)
        self.bar.show_progress(job.done + job.fraction, job.total)
        self.pause.setText(tr("Resume") if job.state is JobState.PAUSED else tr("Pause"))
        for part in (self.bar, self.pause, self.cancel):
            part.setVisible(not job.state.is_final)

    def _on_pause(self) -> None:
        if self.job is not None:
            is_paused = self.job.state is JobState.PAUSED
            self.control.emit(self.job.id, JobAction.RESUME if is_paused else JobAction.PAUSE)

    def _on_cancel(self) -> None:
        if self.job is not None:
            self.control.emit(self.job.id, JobAction.CANCEL)


class NamedJob(JobFrame):
    """A job in one line with its title and a way to the files that it could not read.

    One that was stopped or has failed can be started again.
    """

    failures_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__(ElidedLabel("muted"))
        self.title = ElidedLabel()
        self.failures = button(tr("Show files"), "link", on_click=self._on_failures)
        self.again = button(tr("Start again"), on_click=self._on_again)

    def show_job(self, job: JobValue) -> None:
        """Shows the job as it is now."""
        self.draw_job(job, job_line(job))
        self.title.setText(job.title)
        self.failures.setVisible(job.failed > 0)
        self.again.setVisible(job.state.can_start_again)

    def _on_again(self) -> None:
        if self.job is not None:
            self.control.emit(self.job.id, JobAction.AGAIN)

    def _on_failures(self) -> None:
        if self.job is not None:
            self.failures_wanted.emit(self.job.id)


class JobProgress(JobFrame):
    """A job on a page: its bar over a text of any length, its buttons beside them."""

    def __init__(self) -> None:
        super().__init__(label("", "muted", wraps=True))
        shown = in_column(self.bar, self.line, gap=8)
        in_row((shown, 1), self.pause, self.cancel, gap=GAP_M, of=self)

    def draw_job(self, job: JobValue, text: str) -> None:
        """Draws the job as it is now, with a text on how far it is."""
        super().draw_job(job, text)
        self.setAccessibleDescription(text)
