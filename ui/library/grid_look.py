"""How the grid shows photos: their own shapes or squares, and the headers of time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QObject

from ui.kit.actions import Action, Actions, ActionSet, Slots
from ui.kit.preferences import remember, remembered
from ui.library.grid import Grid
from ui.library.sections import Headers

SQUARES = "grid-squares"
HEADERS: dict[Headers, Action] = {
    Headers.AUTO: Actions.HEADERS_AUTO,
    Headers.DAY: Actions.HEADERS_DAY,
    Headers.MONTH: Actions.HEADERS_MONTH,
    Headers.YEAR: Actions.HEADERS_YEAR,
    Headers.NONE: Actions.NO_HEADERS,
}


class GridLook(QObject):
    """Both choices are remembered; check marks in the menus say what holds."""

    def __init__(self, grid: Grid, actions: ActionSet) -> None:
        super().__init__(grid)
        self._grid = grid
        self._actions = actions
        self._squares = remembered(SQUARES, False)
        chosen = [one for one in Headers if remembered(f"headers-{one}", False)]
        self._headers = chosen[0] if chosen else Headers.AUTO
        self._show()

    def slots(self) -> Slots:
        """The slots of the actions about the grid's look."""
        return {
            Actions.SQUARES: self._toggle_squares,
            **{action: partial(self._choose, headers) for headers, action in HEADERS.items()},
        }

    def _toggle_squares(self) -> None:
        self._squares = not self._squares
        remember(SQUARES, self._squares)
        self._show()

    def _choose(self, headers: Headers) -> None:
        self._headers = headers
        for one in Headers:
            remember(f"headers-{one}", one is headers)
        self._show()

    def _show(self) -> None:
        self._grid.set_look(is_justified=not self._squares, headers=self._headers)
        self._actions[Actions.SQUARES].setChecked(self._squares)
        for headers, action in HEADERS.items():
            self._actions[action].setChecked(headers is self._headers)


def look_actions() -> Iterator[Action]:
    """The actions about the grid's look, in the order of a menu."""
    yield Actions.SQUARES
    yield from HEADERS.values()
