"""The parts that show one job, wherever they lie."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from cocadesk.protocol.values import JobAction, JobState, JobValue
from ui.kit.page_parts import ProgressBar
from ui.kit.texts import job_line
from ui.kit.widgets import ElidedLabel, button


class JobFrame(QFrame):
    """One job: its title, how far it is, and what can be done about it; not laid out yet."""

    control = Signal(object, object)
    failures_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.job: JobValue | None = None
        self.title = ElidedLabel()
        self.line = ElidedLabel("muted")
        self.bar = ProgressBar()
        self.failures = button("Show files", "link", on_click=self._on_failures)
        self.pause = button("Pause", on_click=self._on_pause)
        self.cancel = button("Stop", on_click=self._on_cancel)

    def draw_job(self, job: JobValue) -> None:
        """Draws the job as it is now."""
        self.job = job
        self.title.setText(job.title)
        self.line.setText(job_line(job))
        self.bar.show_progress(job.done, job.total)
        self.pause.setText("Resume" if job.state is JobState.PAUSED else "Pause")
        for part in (self.bar, self.pause, self.cancel):
            part.setVisible(not job.state.is_final)
        self.failures.setVisible(job.failed > 0)

    def _on_failures(self) -> None:
        if self.job is not None:
            self.failures_wanted.emit(self.job.id)

    def _on_pause(self) -> None:
        if self.job is not None:
            is_paused = self.job.state is JobState.PAUSED
            self.control.emit(self.job.id, JobAction.RESUME if is_paused else JobAction.PAUSE)

    def _on_cancel(self) -> None:
        if self.job is not None:
            self.control.emit(self.job.id, JobAction.CANCEL)
