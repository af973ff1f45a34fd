"""Jobs in the window: the strip at its foot, the drawer with all of them, what they failed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from cocadesk.protocol.messages import Failures
from cocadesk.protocol.values import FailureValue, JobState, JobValue
from ui.engine.tracker import JobTracker
from ui.jobs.panel import JobsPanel, JobStrip
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost, FramedDialog, table, table_line
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label

UNREAD = tr("Files that could not be read")


class JobCommands(QObject):
    """Shows every job that moves, and the files that one could not read.

    ``opened`` and ``closed`` follow the drawer.
    """

    opened = Signal()
    closed = Signal()

    def __init__(
        self, tracker: JobTracker, strip: JobStrip, panel: JobsPanel, dialogs: DialogHost
    ) -> None:
        super().__init__(dialogs)
        self._tracker = tracker
        self._strip = strip
        self._panel = panel
        self._dialogs = dialogs
        self._failures_of: JobValue | None = None
        tracker.job_changed.connect(self._on_job)
        tracker.listed.connect(self._on_listed)
        tracker.failures_came.connect(self._on_failures)
        strip.control.connect(tracker.control)
        strip.failures_wanted.connect(self._show_failures_of)
        strip.all_wanted.connect(self.toggle)
        panel.control.connect(tracker.control)
        panel.failures_wanted.connect(self._show_failures_of)
        panel.closed.connect(self.close)

    def slots(self) -> Slots:
        """The slots of the actions about jobs."""
        return {Actions.JOBS: self.toggle, Actions.SHOW_FAILURES: self._show_failures}

    @property
    def is_open(self) -> bool:
        """True where the drawer with all jobs is open."""
        return self._panel.isVisible()

    def toggle(self) -> None:
        """Opens the drawer with all jobs, or closes it."""
        if self.is_open:
            self.close()
            return
        self.opened.emit()
        self._tracker.list_jobs()
        self._panel.open()
        self._strip.hide()

    def close(self) -> None:
        """Closes the drawer; a running job shows in the strip again."""
        self._panel.hide()
        job = self._strip.job
        self._strip.setVisible(job is not None and not job.state.is_final)
        self.closed.emit()

    def _on_job(self, job: JobValue) -> None:
        self._show_all()
        if job.is_background and job.state is not JobState.FAILED:
            return  # nobody asked for it: what it finds appears by itself
        self._strip.show_job(job)
        self._strip.setVisible(not self.is_open)

    def _on_listed(self) -> None:
        """All jobs are known now; one that is not among them is no longer shown."""
        shown = self._strip.job
        if shown is not None and self._tracker.find(shown.id) is None:
            self._strip.forget()
        self._show_all()

    def _show_all(self) -> None:
        self._panel.show_jobs(self._tracker.all())
        self._strip.say_others(len(self._tracker.active()))

    def _show_failures(self) -> None:
        self._failures_of = None
        self._tracker.ask_failures()

    def _show_failures_of(self, job_id: object) -> None:
        self._failures_of = self._tracker.find(job_id)
        self._tracker.ask_failures_of(job_id)

    def _on_failures(self, answer: Failures) -> None:
        job = self._failures_of
        dialog = self._dialogs.open(
            lambda parent: FailuresDialog(
                answer.failures, answer.total, "" if job is None else job.title, parent
            )
        )
        # While a job runs its list is not whole.
        dialog.again.setEnabled(job is None or job.state.is_final)
        job_id = "" if job is None else job.id
        dialog.again_wanted.connect(partial(self._tracker.try_again, job_id))


class FailuresDialog(FramedDialog):
    """The files that could not be read, each with its reason.

    ``again_wanted``: these are to be tried again though they have not changed.
    """

    again_wanted = Signal()

    def __init__(
        self,
        failures: Sequence[FailureValue],
        total: int,
        job: str,
        parent: QWidget,
    ) -> None:
        """``job`` is the title of the job that failed with these, or empty for all files."""
        super().__init__(UNREAD, parent)
        if job:
            self.heading.setText(tr("Failures: {job}", job=job))
        self.column.addWidget(label(_summary(len(failures), total), "muted", wraps=True))
        self.tree = table(UNREAD, (tr("File"), tr("Reason"), tr("Folder")), (220, 360))
        for failure in failures:
            folder, name = os.path.split(failure.path.text)
            reason = failure.reason
            if failure.is_passing:
                reason = tr("{reason} It will be tried again.", reason=reason)
            self.tree.addTopLevelItem(table_line((name, reason, folder)))
        self.column.addWidget(self.tree, 1)
        self.again = button(tr("Try these again"), "primary", on_click=self._try_again)
        self.add_buttons(self.again if failures else None).setText(tr("Close"))
        self.resize(840, 460)

    def _try_again(self) -> None:
        self.again_wanted.emit()
        self.accept()


def _summary(shown: int, total: int) -> str:
    if not shown:
        return tr("All files could be read.")
    said = tr_count(
        max(shown, total),
        "{n} file. Everything else was done. A file that changes is tried again.",
        "{n} files. Everything else was done. A file that changes is tried again.",
    )
    if total <= shown:
        return said
    first = tr(
        "The first {shown} of {total} are shown.", shown=grouped(shown), total=grouped(total)
    )
    return f"{said} {first}"
