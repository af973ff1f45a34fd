"""Cursor, selection and scrolling of the grid, kept while its list is asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QObject, QPoint
from PySide6.QtWidgets import QListView

from ui.library.results_model import KEY_ROLE, ResultsModel

SELECT = QItemSelectionModel.SelectionFlag.Select
NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate


class PlaceKeeper(QObject):
    """Notes the place by the keys of media before a reset and goes back to it after.

    Another list begins at its top; only a list that ``keeps_place`` is gone back to.
    """

    def __init__(self, view: QListView, model: ResultsModel, first_cell: QPoint) -> None:
        """``first_cell`` is a point of the view that lies in its first visible cell."""
        super().__init__(view)
        self._view = view
        self._model = model
        self._first_cell = first_cell
        self._current: str | None = None
        self._selected: set[str] = set()
        self._top: str | None = None
        self._top_px = 0
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)

    def _note(self) -> None:
        view, model = self._view, self._model
        self._current = view.currentIndex().data(KEY_ROLE)
        ranges = view.selectionModel().selection().toList()
        keys = (model.key_at(n) for r in ranges for n in range(r.top(), r.bottom() + 1))
        self._selected = {key for key in keys if key is not None}
        top = view.indexAt(self._first_cell)
        self._top = model.key_at(top.row()) if top.isValid() else None
        self._top_px = view.visualRect(top).top()

    def _restore(self) -> None:
        view, model = self._view, self._model
        if not model.keeps_place:
            view.scrollToTop()
            return
        current = self._position(self._current)
        if current is not None:
            view.selectionModel().setCurrentIndex(model.index(current), NO_UPDATE)
        kept = (self._position(key) for key in self._selected)
        selection = QItemSelection()
        for first, last in runs(position for position in kept if position is not None):
            selection.select(model.index(first), model.index(last))
        view.selectionModel().select(selection, SELECT)
        top = self._position(self._top)
        if top is not None:
            view.doItemsLayout()
            bar = view.verticalScrollBar()
            moved_px = view.visualRect(model.index(top)).top() - self._top_px
            bar.setValue(bar.value() + moved_px)

    def _position(self, key: str | None) -> int | None:
        return None if key is None else self._model.position_of(key)


def runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring positions, as (first, last) in order."""
    first = last = None
    for position in sorted(positions):
        if first is not None and last is not None and position > last + 1:
            yield first, last
            first = None
        first, last = (position if first is None else first), position
    if first is not None and last is not None:
        yield first, last
