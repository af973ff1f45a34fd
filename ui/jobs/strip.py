"""At the foot of the window: what the engine is working on."""

from __future__ import annotations

from PySide6.QtCore import Signal

from cocadesk.protocol.values import JobState, JobValue
from ui.kit.icons import Icon
from ui.kit.job_parts import NamedJob
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.texts import job_line
from ui.kit.theme import GAP_M
from ui.kit.widgets import IconButton, button


class JobStrip(NamedJob):
    """One job: its title, how far it is, and what can be done about it."""

    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("job-strip")
        self.setAccessibleName("Job in progress")
        self.all = button("All jobs", "link", on_click=self.all_wanted.emit)
        self.all.setToolTip("Show all jobs (J)")
        self.dismiss = IconButton(Icon.CLEAR, "Hide this message", size_px=16, on_click=self.hide)
        texts = in_row(self.title, self.line, self.failures, STRETCH, self.all, gap=GAP_M)
        left = in_column(texts, self.bar, gap=8)
        in_row(
            (left, 1),
            self.pause,
            self.cancel,
            self.dismiss,
            gap=GAP_M,
            margins=(16, 10, 16, 10),
            of=self,
        )
        self.hide()

    def show_job(self, job: JobValue) -> None:
        """Shows the job as it is now; an older one does not push a running one away."""
        current = self.job
        if (
            current is not None
            and current.id != job.id
            and not current.state.is_final
            and job.state is not JobState.RUNNING
        ):
            return
        super().show_job(job)
        self.setAccessibleDescription(f"{job.title}: {job_line(job)}")
        self.dismiss.setVisible(job.state.is_final)

    def forget(self) -> None:
        """The job is not there any more."""
        self.job = None
        self.hide()

    def say_others(self, active: int) -> None:
        """The number of active jobs in all."""
        self.all.setText(f"All {active} jobs" if active > 1 else "All jobs")
