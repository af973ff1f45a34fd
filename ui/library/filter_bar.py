"""The filters of a list as chips: each can be turned round, changed and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QMenu, QWidget

from ui.kit.actions import without_argument
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import Icon
from ui.kit.layouts import in_column, in_row
from ui.kit.widgets import IconButton, keeps_key, tool
from ui.library.term_names import TermNames

MARK_PX = 14
_REMOVE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_X)
_OPEN = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_TURN = (Qt.Key.Key_Minus, Qt.Key.Key_N)
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class FilterChip(QFrame):
    """One filter in words, with a cross; a click opens its menu."""

    removed = Signal(str)
    turned = Signal(str)
    opened = Signal(str)
    stepped = Signal(int)

    def __init__(self, term: str, words: str) -> None:
        super().__init__()
        self.term = term
        self.setProperty("role", "chip")
        self.setProperty("own", True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Filter {words}")
        self.setAccessibleDescription("Enter changes it, minus turns it round, X removes it")
        tip = f"{words}: change or turn round"
        self.name = tool(words, "chip-name", tip=tip, on_click=self._open)
        self.name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cross = IconButton(
            Icon.CLEAR,
            f"Remove: {words}",
            tip="Remove (X)",
            role="chip-mark",
            size_px=MARK_PX,
            on_click=lambda: self.removed.emit(self.term),
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
            self.removed.emit(self.term)
        elif key in _TURN:
            self.turned.emit(self.term)
        elif key in _OPEN:
            self._open()
        elif key in _STEPS:
            self.stepped.emit(_STEPS[key])
        else:
            super().keyPressEvent(event)

    def _open(self) -> None:
        self.opened.emit(self.term)


class FilterBar(QWidget):
    """A row of chips, hidden where there is no filter.

    ``removed`` and ``turned`` carry a filter; ``menu_for`` gives the further entries of a
    filter's menu.
    """

    removed = Signal(str)
    turned = Signal(str)
    cleared = Signal()

    def __init__(self, names: TermNames) -> None:
        super().__init__()
        self.setObjectName("filter-bar")
        self.setAccessibleName("Filters")
        self.menu_for: Callable[[str, QMenu], None] = lambda _term, _menu: None
        self._names = names
        self._terms: tuple[str, ...] = ()
        self._room = QWidget()
        self._flow = FlowLayout(self._room, gap_px=6)
        self._chips: list[FilterChip] = []
        self._clear = tool(
            "Remove all", "plain-link", tip="Remove all filters", on_click=self.cleared.emit
        )
        in_column(self._room, margins=(12, 2, 12, 4), of=self)
        names.came.connect(self._draw)
        self.hide()

    def chips(self) -> list[FilterChip]:
        """The chips in their order."""
        return list(self._chips)

    def show_terms(self, terms: Sequence[str]) -> None:
        """Shows these filters; the chip of one that stays keeps its place and focus."""
        if tuple(terms) == self._terms:
            return
        self._terms = tuple(terms)
        self._names.want(self._terms)
        self._draw()

    def build_menu(self, term: str) -> QMenu:
        """The menu of a filter."""
        menu = QMenu(self)
        turn = QAction("Only these" if term.startswith("-") else "All but these", menu)
        turn.triggered.connect(without_argument(lambda: self.turned.emit(term)))
        remove = QAction("Remove this filter", menu)
        remove.triggered.connect(without_argument(lambda: self.removed.emit(term)))
        menu.addAction(turn)
        self.menu_for(term, menu)
        menu.addSeparator()
        menu.addAction(remove)
        return menu

    def _open_menu(self, term: str) -> None:
        menu = self.build_menu(term)
        menu.aboutToHide.connect(menu.deleteLater)
        where: QWidget = next((chip for chip in self._chips if chip.term == term), self)
        menu.popup(where.mapToGlobal(QPoint(0, where.height())))

    def _draw(self) -> None:
        focused = next((n for n, chip in enumerate(self._chips) if chip.hasFocus()), None)
        for chip in self._chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = [FilterChip(term, self._names.words(term)) for term in self._terms]
        for place, chip in enumerate(self._chips):
            chip.removed.connect(self.removed)
            chip.turned.connect(self.turned)
            chip.opened.connect(self._open_menu)
            chip.stepped.connect(self._step)
            self._flow.insert(place, chip)
        if len(self._chips) > 1:
            self._flow.addWidget(self._clear)
        self._clear.setVisible(len(self._chips) > 1)
        self.setVisible(bool(self._chips))
        if focused is not None and self._chips:
            self._chips[min(focused, len(self._chips) - 1)].setFocus()

    def _step(self, by: int) -> None:
        for place, chip in enumerate(self._chips):
            if chip.hasFocus() and 0 <= place + by < len(self._chips):
                self._chips[place + by].setFocus()
                return
