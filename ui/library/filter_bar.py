"""The parts of a question as chips: each can be turned round, changed and removed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QMenu, QWidget

from cocadesk.protocol.messages import ReadAs
from ui.kit.actions import without_argument
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import Icon
from ui.kit.layouts import in_column, in_row
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, keeps_key, tool
from ui.library.query import EVERYTHING, Query
from ui.library.query_chips import QueryChip, chips_of
from ui.library.term_names import TermNames

MARK_PX = 14
_REMOVE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_X)
_OPEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_TURN = (Qt.Key.Key_Minus, Qt.Key.Key_N)
_KEYS = tr("Enter changes it, minus turns it round, X removes it")
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class FilterChip(QFrame):
    """One part of a question in words, with a cross; a click opens its menu.

    Its signals carry the ``part`` as it is now.
    """

    removed = Signal(object)
    turned = Signal(object)
    opened = Signal(object)
    stepped = Signal(int)

    def __init__(self, part: QueryChip) -> None:
        super().__init__()
        self.part = part
        self.setProperty("role", "chip")
        self.setProperty("own", not part.is_read)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(
            f"{part.words}" if part.is_read else tr("Filter {words}", words=part.words)
        )
        self.setAccessibleDescription(_KEYS if part.turned is not None else part.tip)
        self.name = tool(part.words, "chip-name", tip=part.tip, on_click=self._open)
        self.name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cross = IconButton(
            Icon.CLEAR,
            f"{part.remove_text}: {part.words}",
            tip=f"{part.remove_text} (X)",
            role="chip-mark",
            size_px=MARK_PX,
            on_click=lambda: self.removed.emit(self.part),
        )
        self.cross.setCursor(Qt.CursorShape.PointingHandCursor)
        self.cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        in_row(self.name, self.cross, gap=0, margins=(8, 0, 4, 0), of=self)

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        return keeps_key(event, (*_REMOVE, *_OPEN, *_TURN)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        key = Qt.Key(event.key())
        if key in _REMOVE:
            self.removed.emit(self.part)
        elif key in _TURN:
            self.turned.emit(self.part)
        elif key in _OPEN:
            self._open()
        elif key in _STEPS:
            self.stepped.emit(_STEPS[key])
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        self.opened.emit(self.part)


class FilterBar(QWidget):
    """A row of chips, hidden where there is none.

    ``asked`` carries the question without a part, or with it turned; ``menu_for`` gives the
    further entries of a filter's menu.
    """

    asked = Signal(object)
    cleared = Signal()

    def __init__(self, names: TermNames) -> None:
        super().__init__()
        self.setObjectName("filter-bar")
        self.setAccessibleName(tr("Filters"))
        self.menu_for: Callable[[str, QMenu], None] = lambda _term, _menu: None
        self._names = names
        self._query = EVERYTHING
        self._read_as: tuple[ReadAs, ...] = ()
        self._room = QWidget()
        self._flow = FlowLayout(self._room, gap_px=6)
        self._chips: list[FilterChip] = []
        self._clear = tool(
            tr("Remove all"), "plain-link", tip=tr("Remove all filters"), on_click=self.cleared.emit
        )
        in_column(self._room, margins=(12, 2, 12, 4), of=self)
        names.came.connect(self._draw)
        self.hide()

    def chips(self) -> list[FilterChip]:
        """The chips in their order."""
        return list(self._chips)

    def show_query(self, query: Query, read_as: tuple[ReadAs, ...] = ()) -> None:
        """Shows the parts of a question; the chip of one that stays keeps its place and focus."""
        self._query, self._read_as = query, read_as
        self._names.want((*query.terms, *(read.filter for read in read_as)))
        self._draw()

    def build_menu(self, part_id: str) -> QMenu:
        """The menu of a part."""
        part = next(chip.part for chip in self._chips if chip.part.id == part_id)
        menu = QMenu(self)
        if (turned := part.turned) is not None:
            turn = menu.addAction(part.turn_text)
            turn.triggered.connect(without_argument(lambda: self.asked.emit(turned)))
        if part.term:
            self.menu_for(part.term, menu)
        if not menu.isEmpty():
            menu.addSeparator()
        remove = menu.addAction(part.remove_text)
        remove.triggered.connect(without_argument(lambda: self.asked.emit(part.without)))
        return menu

    def _open_menu(self, part: QueryChip) -> None:
        menu = self.build_menu(part.id)
        menu.aboutToHide.connect(menu.deleteLater)
        where: QWidget = next((chip for chip in self._chips if chip.part == part), self)
        menu.popup(where.mapToGlobal(QPoint(0, where.height())))

    def _on_removed(self, part: QueryChip) -> None:
        self.asked.emit(part.without)

    def _on_turned(self, part: QueryChip) -> None:
        if part.turned is not None:
            self.asked.emit(part.turned)

    def _draw(self) -> None:
        parts = chips_of(self._query, self._read_as, self._names)
        if [_look(part) for part in parts] == [_look(chip.part) for chip in self._chips]:
            for chip, part in zip(self._chips, parts, strict=True):
                chip.part = part  # what is left without it may be another question
            return
        focused = next((n for n, chip in enumerate(self._chips) if chip.hasFocus()), None)
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = [FilterChip(part) for part in parts]
        for place, chip in enumerate(self._chips):
            chip.removed.connect(self._on_removed)
            chip.turned.connect(self._on_turned)
            chip.opened.connect(self._open_menu)
            chip.stepped.connect(self._step)
            self._flow.insert(place, chip)
        is_many = sum(not part.is_read for part in parts) > 1
        if is_many:
            self._flow.addWidget(self._clear)
        self._clear.setVisible(is_many)
        self.setVisible(bool(self._chips))
        if focused is not None and self._chips:
            self._chips[min(focused, len(self._chips) - 1)].setFocus()

    def _step(self, by: int) -> None:
        for place, chip in enumerate(self._chips):
            if chip.hasFocus() and 0 <= place + by < len(self._chips):
                self._chips[place + by].setFocus()
                return


def _look(part: QueryChip) -> tuple[str, str]:
    return part.id, part.words
