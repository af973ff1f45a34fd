"""Stars, flags and favourites of the photo under the cursor or the selection."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import Flag
from ui.annotations.editor import AnnotationEditor
from ui.kit.actions import Action, Actions, Slots
from ui.kit.texts import count
from ui.library.grid import Grid

STARS: dict[Action, int] = {
    Actions.NO_STARS: 0,
    Actions.ONE_STAR: 1,
    Actions.TWO_STARS: 2,
    Actions.THREE_STARS: 3,
    Actions.FOUR_STARS: 4,
    Actions.FIVE_STARS: 5,
}


class RatingCommands(QObject):
    """One key each; a notice says what was done on how many, and takes it back."""

    def __init__(self, editor: AnnotationEditor, grid: Grid) -> None:
        super().__init__(grid)
        self._editor = editor
        self._grid = grid

    def slots(self) -> Slots:
        """The slots of the actions about stars and flags."""
        return {
            **{action: partial(self._rate, stars) for action, stars in STARS.items()},
            Actions.PICK: partial(self._flag, "pick", "Picked"),
            Actions.REJECT: partial(self._flag, "reject", "Rejected"),
            Actions.UNFLAG: partial(self._flag, "none", "No flag on"),
            Actions.FAVOURITE: self._toggle_favourite,
        }

    def _rate(self, stars: int) -> None:
        keys = targets(self._grid)
        what = count(stars, "star") if stars else "No stars"
        self._editor.set(keys, f"{what} on {count(len(keys), 'photo')}", rating=stars)

    def _flag(self, flag: Flag, done: str) -> None:
        keys = targets(self._grid)
        self._editor.set(keys, f"{done} {count(len(keys), 'photo')}", flag=flag)

    def _toggle_favourite(self) -> None:
        """As the photo under the cursor is not, so all of them become."""
        keys, row = targets(self._grid), self._grid.current_row()
        if row is not None:
            photos = count(len(keys), "photo")
            text = f"No longer favourites: {photos}" if row.favourite else f"Favourites: {photos}"
            self._editor.set(keys, text, favourite=not row.favourite)


def targets(grid: Grid) -> list[str]:
    """The selection where the photo under the cursor is one of several, else that photo."""
    current, selected = grid.current_key(), grid.selected_keys()
    if current is None or (current in selected and len(selected) > 1):
        return selected
    return [current]
