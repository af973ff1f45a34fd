"""A tag that is being typed, and the photos it was begun for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from ui.annotations.ratings import targets
from ui.annotations.tag_chips import TagChips
from ui.library.grid import Grid


class TagText(QObject):
    """Gives a new tag to the photos at which its first letter was typed, whatever came since.

    When another photo comes under the cursor, what is typed is added to those, as a caption is
    saved then. ``add`` takes their keys and the tag.
    """

    def __init__(
        self, chips: TagChips, grid: Grid, add: Callable[[list[str], str], object]
    ) -> None:
        super().__init__(chips)
        self._chips = chips
        self._grid = grid
        self._add = add
        self._current: str | None = None
        self._keys: list[str] | None = None
        self._is_begun = False
        chips.field.textChanged.connect(self._on_text)
        chips.added.connect(self._on_added)
        grid.selectionModel().currentChanged.connect(self._on_current)

    def _on_text(self, text: str) -> None:
        if text and not self._is_begun:
            self._keys, self._current = targets(self._grid), self._grid.current_key()
        self._is_begun = bool(text)

    def _on_added(self, tag: str) -> None:
        keys, self._keys = self._keys, None
        self._add(keys or targets(self._grid), tag)

    def _on_current(self) -> None:
        if self._is_begun and self._grid.current_key() != self._current:
            self._chips.field.take()
