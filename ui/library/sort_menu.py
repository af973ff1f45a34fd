"""The button with the order of a list, and its menu."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolButton

from ui.kit.actions import without_argument
from ui.kit.plain_text import tip_of
from ui.kit.translation import tr
from ui.library.query import EVERYTHING, Query
from ui.library.sorting import Sorting


class SortButton(QToolButton):
    """Shows the order; ``chosen`` carries another one."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "sort")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self._query = EVERYTHING
        self.show_query(EVERYTHING.sorted())

    def show_query(self, query: Query) -> None:
        """Shows the order of this list."""
        self._query = query
        sorting = query.sort or Sorting()
        name = query.sorts.label(sorting.key)
        self.setText(f"{name}  {'↑' if sorting.is_reversed else '↓'}")
        self.setToolTip(tip_of(tr("Sorted: {words}", words=sorting.words)))
        self.setAccessibleName(
            tr("Sorted by {name}, {words}", name=name.lower(), words=sorting.words)
        )
        self.setEnabled(len(query.sorts.keys) > 1)

    def choose(self, sorting: Sorting) -> None:
        """Takes another order, as its menu does."""
        self.chosen.emit(sorting)

    def _fill(self) -> None:
        self._menu.clear()
        now = self._query.sort or Sorting()
        group = QActionGroup(self._menu)
        for key in self._query.sorts.keys:
            entry = self._menu.addAction(self._query.sorts.label(key))
            entry.setCheckable(True)
            entry.setChecked(key is now.key)
            group.addAction(entry)
            sorting = Sorting(key, now.is_reversed and key is now.key)
            entry.triggered.connect(without_argument(partial(self.choose, sorting)))
        self._menu.addSeparator()
        directions = QActionGroup(self._menu)
        for is_reversed in (False, True):
            sorting = Sorting(now.key, is_reversed)
            words = sorting.words
            entry = self._menu.addAction(f"{words[:1].upper()}{words[1:]}")
            entry.setCheckable(True)
            entry.setChecked(is_reversed is now.is_reversed)
            directions.addAction(entry)
            entry.triggered.connect(without_argument(partial(self.choose, sorting)))
