"""Questions for the side bar: asked again when rows have changed, and not too often."""

from __future__ import annotations

import time
from functools import partial

from PySide6.QtCore import QObject

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    Branches,
    GetBranches,
    GetOverview,
    Overview,
    RowsChanged,
)
from cocadesk.protocol.values import JobValue, Priority
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.timers import single_shot
from ui.library.browse.lines import Node
from ui.library.browse.model import PAGE, BrowseModel

SOON_MS = 200
PAUSE_MS = 2000


class BrowseSource(QObject):
    """Fills the model while somebody looks at it.

    A change is followed at once, while an index runs every two seconds.
    """

    def __init__(self, link: EngineLink, tracker: JobTracker, model: BrowseModel) -> None:
        super().__init__(model)
        self._link = link
        self._model = model
        self._is_watched = False
        self._is_stale = True
        self._waits_for = 0
        self._asked_at = 0.0
        self._timer = single_shot(self, self._on_time)
        model.wanted.connect(self._ask_branches)
        link.connected.connect(self._on_connected)
        link.event_received.connect(self._on_event)
        tracker.ended.connect(self._on_job)

    def watch(self, is_watched: bool) -> None:
        """Nothing is asked while nobody can see it."""
        self._is_watched = is_watched
        if self._is_stale:
            self.ask_soon()

    def ask_soon(self) -> None:
        """Asks again, once what was asked before is answered."""
        self._is_stale = True
        if not self._is_watched or self._waits_for or self._timer.isActive():
            return
        passed_ms = (time.monotonic() - self._asked_at) * 1000
        self._timer.start(max(SOON_MS, round(PAUSE_MS - passed_ms)))

    def _on_connected(self) -> None:
        self._waits_for = 0
        self._model.forget_asked()
        self._is_stale = True
        if self._is_watched:
            self._ask()

    def _on_event(self, body: object) -> None:
        if isinstance(body, RowsChanged | AnnotationsChanged):
            self.ask_soon()

    def _on_job(self, _job: JobValue) -> None:
        self.ask_soon()

    def _on_time(self) -> None:
        if self._is_watched:
            self._ask()

    def _ask(self) -> None:
        self._is_stale, self._asked_at = False, time.monotonic()
        self._waits_for += 1
        self._link.ask(
            GetOverview(), Overview, self._on_overview, on_failed=self._on_failed,
            priority=Priority.VISIBLE,
        )  # fmt: skip
        for node in list(self._model.asked()):
            if node.section.kind is not None:
                self._ask_branches(node, 0, max(PAGE, len(node.entries)))

    def _ask_branches(self, node: Node, offset: int, limit: int = PAGE) -> None:
        kind = node.section.kind
        if kind is None:
            return
        node.is_asked = True
        self._waits_for += 1
        under = "" if node.is_section else node.key
        body = GetBranches(kind=kind, under=under, offset=offset, limit=limit)
        self._link.ask(
            body,
            Branches,
            partial(self._on_branches, node),
            on_failed=self._on_failed,
            priority=Priority.VISIBLE,
        )

    def _on_overview(self, answer: Overview) -> None:
        self._model.show_lists(answer.lists)
        self._settle()

    def _on_branches(self, node: Node, answer: Branches) -> None:
        self._model.show_branches(node, answer.branches, answer.offset, answer.total)
        self._settle()

    def _on_failed(self, _error: UserError) -> None:
        """The old numbers stay; the next change asks again."""
        self._model.forget_asked()
        self._settle()

    def _settle(self) -> None:
        self._waits_for = max(0, self._waits_for - 1)
        if not self._waits_for and self._is_stale:
            self.ask_soon()
