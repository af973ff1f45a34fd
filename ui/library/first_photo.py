"""The cursor of a new list: on its first photo."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ui.kit.timers import single_shot
from ui.library.browser import Browser
from ui.library.grid import Grid

SEARCH_PAUSE_MS = 150
"""Photos are painted before the details of the first are: each next letter may bring another."""


class FirstPhoto(QObject):
    """Puts the cursor there once a list has come; after a pause while a text is being typed."""

    def __init__(self, browser: Browser, grid: Grid, parent: QObject) -> None:
        super().__init__(parent)
        self._browser = browser
        self._grid = grid
        self._pause = single_shot(self, self._go, SEARCH_PAUSE_MS)
        browser.settled.connect(self._on_settled)

    def _on_settled(self) -> None:
        if self._browser.question.text and not self._grid.hasFocus():
            self._pause.start()
        else:
            self._go()

    def _go(self) -> None:
        self._pause.stop()
        if self._grid.results.rowCount() and self._grid.current_key() is None:
            self._grid.go_to(0)
