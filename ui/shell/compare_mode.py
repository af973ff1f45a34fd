"""Selected photos side by side, at one zoom and place, to pick the best of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QObject, Signal

from cocadesk.protocol.messages import GetRows, Rows
from cocadesk.protocol.values import Row
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr
from ui.library.alike.comparing import Comparing
from ui.library.alike.members import Member
from ui.library.alike.requests import GroupRequests
from ui.shell.layout import WindowWidgets
from ui.shell.session import LibrarySession

MOST = 60


class CompareMode(QObject):
    """Over the whole window; keys act on the chosen one, also once it has left the list.

    It ends with the list: another question closes it.
    """

    toggled = Signal()

    def __init__(self, widgets: WindowWidgets, session: LibrarySession) -> None:
        super().__init__(widgets)
        self._widgets = widgets
        self._grid = widgets.grid
        self._link = session.link
        self._model = session.model
        requests = GroupRequests(session.link, self)
        self.comparing = Comparing(requests, session.thumbnails, session.previews, self)
        self.view = self.comparing.view
        widgets.stack.addWidget(self.view)
        self.view.closed.connect(self.close)
        self.view.moved.connect(self._follow)
        self._grid.framed = self._framed
        session.model.dataChanged.connect(self._on_rows)
        session.editor.shown.connect(self._on_rows)  # also of those that have left the list
        session.browser.asked.connect(self.close)

    @property
    def is_open(self) -> bool:
        """True where photos are compared."""
        return self._widgets.stack.currentWidget() is self.view

    def slots(self) -> Slots:
        """The slot of its action."""
        return {Actions.COMPARE_SELECTED: self._toggle}

    def close(self) -> None:
        """Back to the grid, whose selection is as it was."""
        if self.is_open:
            self._widgets.stack.setCurrentWidget(self._widgets.browse)
            self.comparing.close()
            self._grid.take_focus()
            self.toggled.emit()

    def _toggle(self) -> None:
        if self.is_open:
            self.close()
            return
        keys = self._grid.selected_keys(limit=MOST)
        if len(keys) < 2:
            self._widgets.notice.say(tr("Select two photos or more to see them side by side"))
            return
        rows = [row for key in keys if (row := self._model.known_row(key)) is not None]
        if len(rows) == len(keys):
            self._open(rows)
        else:
            self._link.ask(GetRows(keys=tuple(keys)), Rows, self._on_answer)

    def _on_answer(self, answer: Rows) -> None:
        self._model.set_rows(answer.rows)
        if len(answer.rows) > 1:
            self._open(answer.rows)

    def _open(self, rows: Sequence[Row]) -> None:
        current = self._grid.current_key() or ""
        self._widgets.stack.setCurrentWidget(self.view)
        self.comparing.open([Member(row=row) for row in rows], current)
        self.view.setFocus()
        self.toggled.emit()

    def _framed(self) -> str | None:
        return self.view.current if self.is_open else None

    def _follow(self) -> None:
        """The chosen one is current in the grid; the selection stays."""
        key = self.view.current
        position = None if key is None else self._model.position_of(key)
        if self.is_open and position is not None and position != self._grid.currentIndex().row():
            index = self._model.index(position)
            keeps = QItemSelectionModel.SelectionFlag.NoUpdate
            self._grid.selectionModel().setCurrentIndex(index, keeps)

    def _on_rows(self) -> None:
        """Stars and flags as they are now."""
        if not self.is_open:
            return
        rows = (self._model.known_row(key) for key in self.view.keys)
        members = [Member(row=row) for row in rows if row is not None]
        if [m.row for m in members] != [m.row for m in self.view.members]:
            self.comparing.update(members)
