"""Stars, flags and favourites of the photo under the cursor or the selection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import Flag
from ui.annotations.editor import AnnotationEditor
from ui.kit.actions import Action, Actions, Slots
from ui.kit.translation import tr, tr_count
from ui.library.grid import Grid

STARS: dict[Action, int] = {
    Actions.NO_STARS: 0,
    Actions.ONE_STAR: 1,
    Actions.TWO_STARS: 2,
    Actions.THREE_STARS: 3,
    Actions.FOUR_STARS: 4,
    Actions.FIVE_STARS: 5,
}
FLAGS: dict[Action, tuple[Flag, str]] = {
    Actions.PICK: ("pick", tr("Picked")),
    Actions.REJECT: ("reject", tr("Rejected")),
    Actions.UNFLAG: ("none", tr("No flag on")),
}
RATINGS = (*STARS, *FLAGS, Actions.FAVOURITE)
"""The actions about stars, flags and favourites."""


class RatingCommands(QObject):
    """One key each; a notice says what was done on how many, and takes it back."""

    def __init__(self, editor: AnnotationEditor, grid: Grid) -> None:
        super().__init__(grid)
        self._editor = editor
        self._grid = grid

    def slots(self) -> Slots:
        """The slots of the actions about stars and flags."""
        return {action: partial(self._rate, action) for action in RATINGS}

    def _rate(self, action: Action) -> None:
        row = self._grid.current_row()
        if row is not None or action is not Actions.FAVOURITE:
            is_one = row is not None and row.favourite
            rate(self._editor, action, targets(self._grid), is_favourite=is_one)


def rate(
    editor: AnnotationEditor, action: Action, keys: Sequence[str], *, is_favourite: bool
) -> None:
    """Rates these media; as the one under the cursor is no favourite, so all of them become."""
    photos = tr_count(len(keys), "{n} photo", "{n} photos")
    if action in STARS:
        stars = STARS[action]
        what = tr_count(stars, "{n} star", "{n} stars") if stars else tr("No stars")
        editor.set(keys, tr("{what} on {photos}", what=what, photos=photos), rating=stars)
    elif action in FLAGS:
        flag, done = FLAGS[action]
        editor.set(keys, tr("{done} {photos}", done=done, photos=photos), flag=flag)
    else:
        text = (
            tr("No longer favourites: {photos}", photos=photos)
            if is_favourite
            else tr("Favourites: {photos}", photos=photos)
        )
        editor.set(keys, text, favourite=not is_favourite)


def targets(grid: Grid) -> list[str]:
    """The selection where that is several photos, else the one under the cursor.

    In the large view the grid is not seen, nor is what is selected in it: it is that photo.
    """
    current = grid.current_key()
    if current is not None and not grid.isVisible():
        return [current]
    selected = grid.selected_keys()
    return selected if current is None or len(selected) > 1 else [current]
