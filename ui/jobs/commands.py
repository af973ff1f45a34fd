"""Jobs in the window: the strip at its foot, the drawer with all of them, and their ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import Failures
from cocadesk.protocol.values import JobKind, JobState, JobValue
from ui.annotations.editor import FeedbackAction
from ui.kit.actions import ActionId
from ui.kit.texts import job_line
from ui.shell.dialogs import FailuresDialog

if TYPE_CHECKING:
    from ui.shell.window import MainWindow

CHANGES_ROWS = (JobKind.INDEX, JobKind.CAPTION, JobKind.TAG, JobKind.SWITCH_MODEL)


class JobCommands(QObject):
    """Shows every job that moves, and says when one has ended."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._work = window.tracker
        self._strip = window.widgets.strip
        self._panel = window.widgets.jobs
        self._failures_of: JobValue | None = None
        self._work.job_changed.connect(self._on_job)
        self._work.listed.connect(self._on_listed)
        self._work.ended.connect(self._on_ended)
        self._work.failures_came.connect(self._on_failures)
        self._strip.control.connect(self._work.control)
        self._strip.failures_wanted.connect(self._show_failures_of)
        self._strip.all_wanted.connect(self.toggle)
        self._panel.control.connect(self._work.control)
        self._panel.failures_wanted.connect(self._show_failures_of)
        self._panel.closed.connect(self.close)

    def slots(self) -> dict[ActionId, Callable[[], None]]:
        """The work of the actions about jobs."""
        return {ActionId.JOBS: self.toggle, ActionId.SHOW_FAILURES: self._show_failures}

    def toggle(self) -> None:
        """Opens the drawer with all jobs, or closes it."""
        if self._panel.isVisible():
            self.close()
        else:
            self._window.close_large()
            self._work.look_for_running()
            self._panel.open()
            self._strip.hide()

    def close(self) -> None:
        """Closes the drawer; a running job shows in the strip again."""
        self._panel.hide()
        job = self._strip.job
        self._strip.setVisible(job is not None and not job.state.is_final)
        if self._window.widgets.split.isVisible():
            self._window.widgets.grid.setFocus()

    def _on_job(self, job: object) -> None:
        assert isinstance(job, JobValue)
        self._strip.show_job(job)
        self._refresh()
        self._strip.setVisible(not self._panel.isVisible())
        self._window.refresh()

    def _on_listed(self) -> None:
        """All jobs are known now; one that is not among them is no longer shown."""
        shown = self._strip.job
        if shown is not None and all(job.id != shown.id for job in self._work.all()):
            self._strip.forget()
        self._refresh()
        self._window.refresh()

    def _refresh(self) -> None:
        self._panel.show_jobs(self._work.all())
        self._strip.say_others(len(self._work.active()))

    def _on_ended(self, job: object) -> None:
        assert isinstance(job, JobValue)
        if job.kind in CHANGES_ROWS and job.state is JobState.DONE:
            self._window.browser.ask_again()
        if job.kind is JobKind.SWITCH_MODEL:
            self._window.model.refresh_rows(())
        if job.kind is JobKind.WRITE and job.state is JobState.DONE:
            words = self._window.editor
            self._window.widgets.notice.say(job_line(job), FeedbackAction.UNDO.value, words.undo)

    def _show_failures(self) -> None:
        self._failures_of = None
        self._work.ask_failures()

    def _show_failures_of(self, job_id: object) -> None:
        self._failures_of = next((job for job in self._work.all() if job.id == job_id), None)
        self._work.ask_failures_of(job_id)

    def _on_failures(self, answer: object) -> None:
        assert isinstance(answer, Failures)
        title = "" if self._failures_of is None else self._failures_of.title
        window = self._window
        window.open_dialog(FailuresDialog(answer.failures, answer.total, window, title))
