"""The strip at the foot of the window with one job, and the drawer with all of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QWidget

from cocadesk.protocol.values import JobState, JobValue
from ui.kit.icons import Icon
from ui.kit.job_parts import NamedJob
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import scroll_area
from ui.kit.texts import job_line, job_state, moment
from ui.kit.theme import GAP_M
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import IconButton, button, label

MAX_JOBS = 60
HEIGHT_PX = 300
HEAD_PX = 52
STATE_PX = 66
ROW_PX = 28
STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}


class JobStrip(NamedJob):
    """One job: its title, how far it is, and what can be done about it."""

    all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("job-strip")
        self.setAccessibleName(tr("Job in progress"))
        self.all = button(tr("All jobs"), "link", on_click=self.all_wanted.emit)
        self.all.setToolTip(tr("Show all jobs (J)"))
        self.dismiss = IconButton(
            Icon.CLEAR, tr("Hide this message"), size_px=16, on_click=self.hide
        )
        texts = in_row(self.title, self.line, self.failures, STRETCH, self.all, gap=GAP_M)
        left = in_column(texts, self.bar, gap=8)
        in_row(
            (left, 1),
            self.pause,
            self.cancel,
            self.again,
            self.dismiss,
            gap=GAP_M,
            margins=(16, 10, 16, 10),
            of=self,
        )
        self.hide()

    def show_job(self, job: JobValue) -> None:
        """Shows the job as it is now; no other one pushes away one that runs.

        Two may run beside each other: the strip stays with the first until that has ended,
        or is put by. One that waits makes room only for one that runs.
        """
        now = self.job
        if (
            now is not None
            and now.id != job.id
            and not now.state.is_final
            and (now.state is JobState.RUNNING or job.state is not JobState.RUNNING)
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
        self.all.setText(tr("All {active} jobs", active=active) if active > 1 else tr("All jobs"))


class JobRow(NamedJob):
    """One job: its title and state, how far it is, and what can be done about it."""

    stepped = Signal(object, int)

    def __init__(self, job: JobValue) -> None:
        super().__init__()
        self.setProperty("role", "job")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.state = label("", "state")
        self.state.setMinimumWidth(STATE_PX)
        self.state.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.when = label("", "small")
        texts = in_row(self.state, self.title, self.line, STRETCH, self.failures, self.when, gap=10)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 8, 12, 8)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        grid.addLayout(texts, 0, 0)
        grid.addWidget(self.bar, 1, 0)
        grid.addWidget(self.pause, 0, 1, 2, 1)
        grid.addWidget(self.cancel, 0, 2, 2, 1)
        grid.addWidget(self.again, 0, 3, 2, 1)
        grid.setColumnStretch(0, 1)
        grid.setRowMinimumHeight(0, ROW_PX)
        self.show_job(job)

    def show_job(self, job: JobValue) -> None:
        """The job as it is now."""
        super().show_job(job)
        self.state.setText(job_state(job))
        self.when.setText(moment(job.finished or job.created))
        self.pause.setAccessibleName(f"{self.pause.text()}: {job.title}")
        self.cancel.setAccessibleName(tr("Stop: {job}", job=job.title))
        self.again.setAccessibleName(tr("Start again: {job}", job=job.title))
        self.failures.setAccessibleName(
            tr_count(
                job.failed, "Show {n} failure of {job}", "Show {n} failures of {job}", job=job.title
            )
        )
        self.setAccessibleName(f"{job.title}, {job_state(job)}")
        self.setAccessibleDescription(job_line(job))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        step = STEPS.get(Qt.Key(event.key()))
        if step is not None and self.job is not None:
            self.stepped.emit(self.job.id, step)
        else:
            super().keyPressEvent(event)


class JobsPanel(QFrame):
    """A drawer over the foot of the window; arrow keys go from job to job."""

    control = Signal(object, object)
    failures_wanted = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("jobs")
        self.setAccessibleName(tr("Jobs"))
        self.rows: dict[str, JobRow] = {}
        self._order: list[str] = []
        self.summary = label("", "muted")
        self.close_button = IconButton(
            Icon.CLEAR,
            tr("Close the jobs"),
            tip=tr("Close (J)"),
            size_px=16,
            on_click=self.closed.emit,
        )
        head = in_row(
            label(tr("Jobs"), "heading"),
            (self.summary, 1),
            self.close_button,
            gap=GAP_M,
            margins=(16, 8, 12, 4),
        )
        self._content = QWidget()
        self._content.setObjectName("jobs-content")
        self._content.installEventFilter(self)
        self._nothing = label(tr("No jobs yet. They appear here when you add a folder."), "muted")
        self._nothing.setContentsMargins(16, 8, 16, 8)
        self._column = in_column(
            self._nothing, STRETCH, gap=0, margins=(0, 0, 0, 8), of=self._content
        )
        self._area = scroll_area(self._content)
        in_column(head, (self._area, 1), gap=0, margins=(0, 1, 0, 0), of=self)
        self.hide()

    def show_jobs(self, jobs: Sequence[JobValue]) -> None:
        """These jobs, newest first; rows that stay keep the focus."""
        shown = list(jobs)[:MAX_JOBS]
        wanted = [job.id for job in shown]
        for gone in set(self.rows) - set(wanted):
            row = self.rows.pop(gone)
            self._column.removeWidget(row)
            row.deleteLater()
        for place, job in enumerate(shown):
            self._show(place, job)
        self._order = wanted
        self._nothing.setVisible(not shown)
        self._column.activate()
        self._fit()
        active = sum(not job.state.is_final for job in jobs)
        self.summary.setText(
            tr("{active} active", active=active) if active else tr("No job is active")
        )

    def open(self) -> None:
        """Shows the drawer, with the newest job under the cursor."""
        self.show()
        self._focus(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _show(self, place: int, job: JobValue) -> None:
        row = self.rows.get(job.id)
        if row is None:
            row = JobRow(job)
            row.control.connect(self.control.emit)
            row.failures_wanted.connect(self.failures_wanted.emit)
            row.stepped.connect(self._on_step)
            row.installEventFilter(self)
            self.rows[job.id] = row
            self._column.insertWidget(place + 1, row)
        elif row.job != job:
            row.show_job(job)

    def eventFilter(self, watched: object, event: QEvent) -> bool:  # noqa: N802
        """Keeps the row with the focus in sight, and the drawer as high as its rows."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        if event.type() == QEvent.Type.FocusIn and isinstance(watched, JobRow):
            self._area.ensureWidgetVisible(watched, 0, 0)
        return False

    def _fit(self) -> None:
        self.setFixedHeight(min(HEIGHT_PX, HEAD_PX + self._content.sizeHint().height()))

    def _on_step(self, job_id: object, by: int) -> None:
        self._focus(self._order.index(str(job_id)) + by)

    def _focus(self, place: int) -> None:
        if self._order:
            self.rows[self._order[min(len(self._order) - 1, max(0, place))]].setFocus()
        else:
            self.close_button.setFocus()
