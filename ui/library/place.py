"""The place in a list, kept while it is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QObject

from ui.library.grid_view import GridView
from ui.library.key_list import KeyList
from ui.library.results_model import ResultsModel
from ui.library.runs import runs

SELECT = QItemSelectionModel.SelectionFlag.Select
NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate
MOST_TRIES = 60
"""Neighbours that are looked for each way: each costs milliseconds in a list of a million."""


class PlaceKeeper(QObject):
    """Notes the place by the keys of media before a reset and goes back to it after.

    Another list begins at its top; only a list that ``keeps_place`` is gone back to. Where the
    photo under the cursor has left it, the next one takes its place, else the one before;
    nothing is scrolled for that.
    """

    def __init__(self, view: GridView, model: ResultsModel) -> None:
        super().__init__(view)
        self._view = view
        self._model = model
        self._keys = KeyList()
        self._current: int | None = None
        self._is_selected = False
        self._selected: list[str] = []
        self._top: int | None = None
        self._top_px = 0
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)

    def _note(self) -> None:
        view, model = self._view, self._model
        self._selected, self._top, self._current = [], None, None
        self._is_selected = False
        if not model.keeps_place:
            return
        current = view.currentIndex()
        self._keys = model.keys
        self._current = current.row() if current.isValid() else None
        self._is_selected = view.selectionModel().isSelected(current)
        self._selected = view.selected_keys()
        first = view.first_visible()
        self._top = None if first is None else first[0]
        self._top_px = 0 if first is None else first[1]

    def _restore(self) -> None:
        view, model = self._view, self._model
        if not model.keeps_place:
            return
        selection = QItemSelection()
        for first, last in runs(self._kept()):
            selection.select(model.index(first), model.index(last))
        view.selectionModel().select(selection, SELECT)
        self._restore_current()
        top = self._nearest(self._top)
        if top is not None:
            view.show_at(top, self._top_px)
        self._keys = KeyList()

    def _restore_current(self) -> None:
        """The cursor at its photo, else at the nearest one left, which is selected in its place."""
        view, model = self._view, self._model
        here = self._nearest(self._current)
        if here is None:
            return
        view.selectionModel().setCurrentIndex(model.index(here), NO_UPDATE)
        if self._is_selected:
            view.stay_selected()
            if not view.selectionModel().hasSelection():
                view.selectionModel().select(model.index(here), SELECT)

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

    def _nearest(self, old: int | None) -> int | None:
        """Where the photo of this old place is now, else the next one of those that are left."""
        if old is None or not self._model.keys:
            return None
        after = islice(range(old, len(self._keys)), MOST_TRIES)
        before = islice(range(old - 1, -1, -1), MOST_TRIES)
        places = (self._model.position_of(self._keys[n]) for n in chain(after, before))
        found = next((place for place in places if place is not None), None)
        return min(old, len(self._model.keys) - 1) if found is None else found
