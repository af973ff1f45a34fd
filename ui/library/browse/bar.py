"""The side bar beside the grid."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame

from ui.kit.layouts import in_column
from ui.library.browse.model import BrowseModel
from ui.library.browse.tree import BrowseTree

WIDTH_PX = 224
LEAST_PX, MOST_PX = 168, 420


class SideBar(QFrame):
    """The tree of lists; ``watched``: it can be seen, or no longer."""

    watched = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("side-bar")
        self.setMinimumWidth(LEAST_PX)
        self.setMaximumWidth(MOST_PX)
        self.model = BrowseModel(self)
        self.tree = BrowseTree(self.model)
        in_column((self.tree, 1), gap=0, of=self)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Its numbers are asked for again."""
        super().showEvent(event)
        self.watched.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Nothing is asked for it any more."""
        super().hideEvent(event)
        self.watched.emit(False)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws itself in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.tree.viewport().update()
