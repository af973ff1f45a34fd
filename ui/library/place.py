"""The place in a list, kept while it is asked for again."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QObject

from ui.library.grid_view import GridView
from ui.library.results_model import KEY_ROLE, ResultsModel
from ui.library.runs import runs

SELECT = QItemSelectionModel.SelectionFlag.Select
NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate


class PlaceKeeper(QObject):
    """Notes the place by the keys of media before a reset and goes back to it after.

    Another list begins at its top; only a list that ``keeps_place`` is gone back to.
    """

    def __init__(self, view: GridView, model: ResultsModel) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._current: str | None = None
        self._selected: list[str] = []
        self._top: str | None = None
        self._top_px = 0
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)

    def _note(self) -> None:
        view, model = self._view, self._model
        self._selected, self._top, self._current = [], None, None
        if not model.keeps_place:
            return
        self._current = view.currentIndex().data(KEY_ROLE)
        ranges = sorted((r.top(), r.bottom()) for r in view.selectionModel().selection().toList())
        keys = (model.key_at(n) for top, end in ranges for n in range(top, end + 1))
        self._selected = [key for key in keys if key is not None]
        first = view.first_visible()
        self._top = None if first is None else model.key_at(first[0])
        self._top_px = 0 if first is None else first[1]

    def _restore(self) -> None:
        view, model = self._view, self._model
        if not model.keeps_place:
            return
        top = self._position(self._top)
        if top is not None:
            view.show_at(top, self._top_px)
        current = self._position(self._current)
        if current is not None:
            view.selectionModel().setCurrentIndex(model.index(current), NO_UPDATE)
        selection = QItemSelection()
        for first, last in runs(self._kept()):
            selection.select(model.index(first), model.index(last))
        view.selectionModel().select(selection, SELECT)

    def _kept(self) -> Iterator[int]:
        """The places of what was selected: mostly in the order in which it was."""
        last = 0
        for key in self._selected:
            place = self._model.keys.place_of(key, last)
            if place is None:
                place = self._model.keys.place_of(key)
            if place is not None:
                last = place
                yield place

    def _position(self, key: str | None) -> int | None:
        return None if key is None else self._model.position_of(key)
