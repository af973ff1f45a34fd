"""Captions that are made by themselves after an index, where that is wanted."""

from __future__ import annotations

from PySide6.QtCore import QObject

from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.messages import JobReply, WatchJob
from cocadesk.protocol.values import IndexReport, JobKind, JobState, JobValue, Scope
from ui.annotations.styles import StyleChoice, chosen_writing
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.preferences import Preference

BY_ITSELF = Preference("captions-by-itself", False)
"""Of each library."""


class CaptionsByItself(QObject):
    """Starts to caption what is new once an index has brought something."""

    def __init__(self, link: EngineLink, tracker: JobTracker, styles: StyleChoice) -> None:
        super().__init__(link)
        self._link = link
        self._tracker = tracker
        self._styles = styles
        tracker.ended.connect(self._on_ended)

    def _on_ended(self, job: JobValue) -> None:
        is_index = job.kind is JobKind.INDEX and job.state is JobState.DONE
        if is_index and BY_ITSELF.read(library_name(self._link.library)):
            self._link.ask(WatchJob(job_id=job.id), JobReply, self._on_report)

    def _on_report(self, answer: JobReply) -> None:
        report = answer.report
        if isinstance(report, IndexReport) and report.indexed:
            style = self._styles.last
            self._tracker.caption(Scope(), False, style, chosen_writing())
