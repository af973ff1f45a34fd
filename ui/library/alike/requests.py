"""The talk with the engine about groups of same pictures."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    GetPreview,
    GetRows,
    Groups,
    GroupsChanged,
    ListGroups,
    Preview,
    Rows,
    RowsChanged,
)
from cocadesk.protocol.values import GroupLabel, Priority
from ui.engine.link import EngineLink, Ticket
from ui.kit.timers import single_shot
from ui.library.alike.model import STRETCH

CHANGED_MS = 150


class GroupRequests(QObject):
    """Answers come by signals; those about a label that is no longer shown are dropped.

    ``changed``: groups may be others now. ``rows_changed`` carries the keys of media that
    are, gathered over a moment: an index changes many.
    """

    came = Signal(object)
    failed = Signal(object)
    rows_came = Signal(object)
    preview_came = Signal(object)
    full_came = Signal(object)
    no_preview = Signal(str, str)
    changed = Signal()
    rows_changed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self.label: GroupLabel | None = None
        self._tickets: dict[int, Ticket] = {}
        self._previews: dict[str, Ticket] = {}
        self._keys: dict[str, None] = {}
        self._groups_pause = single_shot(self, self.changed.emit, CHANGED_MS)
        self._rows_pause = single_shot(self, self._tell_rows, CHANGED_MS)
        link.event_received.connect(self._on_event)
        link.connected.connect(self.changed)

    def choose(self, label: GroupLabel | None) -> None:
        """Groups of this label alone from now on; None for all."""
        self.label = label
        for ticket in self._tickets.values():
            ticket.cancel()
        self._tickets.clear()

    def ask(self, first: int) -> None:
        """``came`` follows, with the stretch of groups that begins at this place."""
        body = ListGroups(label=self.label, offset=first, limit=STRETCH)
        if (old := self._tickets.get(first)) is not None:
            old.cancel()
        self._tickets[first] = self._link.ask(
            body, Groups, self.came.emit, on_failed=self._on_failed, priority=Priority.VISIBLE
        )

    def ask_rows(self, keys: tuple[str, ...]) -> None:
        """``rows_came`` follows, with these media as they are now."""
        if keys:
            self._link.ask(GetRows(keys=keys), Rows, self.rows_came.emit, priority=Priority.VISIBLE)

    def ask_preview(self, key: str) -> None:
        """``preview_came`` follows, or ``no_preview`` with a sentence."""

        def on_failed(error: UserError) -> None:
            self.no_preview.emit(key, str(error))

        self._previews[key] = self._link.ask(
            GetPreview(key=key), Preview, self.preview_came.emit, on_failed=on_failed
        )

    def ask_full(self, key: str) -> None:
        """``full_came`` follows, with every pixel of a picture, where there can be one."""
        body = GetPreview(key=key, is_full=True)
        self._previews[f"{key} full"] = self._link.ask(body, Preview, self.full_came.emit)

    def forget_previews(self) -> None:
        """Gives up the pictures that were asked for."""
        for ticket in self._previews.values():
            ticket.cancel()
        self._previews.clear()

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)

    def _on_event(self, body: object) -> None:
        if isinstance(body, GroupsChanged) or (isinstance(body, RowsChanged) and not body.keys):
            self._groups_pause.start()
        elif isinstance(body, RowsChanged):
            self._keys.update(dict.fromkeys(body.keys))
            if not self._rows_pause.isActive():
                self._rows_pause.start()

    def _tell_rows(self) -> None:
        keys, self._keys = tuple(self._keys), {}
        self.rows_changed.emit(keys)
