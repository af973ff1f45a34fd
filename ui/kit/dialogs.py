"""One dialog at a time over the window, and the frame that all dialogs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QPushButton, QTreeWidget, QTreeWidgetItem, QWidget

from cocadesk.protocol.paths import printable
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.plain_text import tip_of
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import button, label

LINE_PX = 30
FIRST_PX = 160

AnyDialog = TypeVar("AnyDialog", bound=QDialog)


class DialogHost(QObject):
    """Opens dialogs without stopping the window; a new one takes the place of the last."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.current: QDialog | None = None

    def open(self, build: Callable[[QWidget], AnyDialog]) -> AnyDialog:
        """Builds a dialog for the window, and shows it."""
        last, self.current = self.current, None
        if last is not None:
            last.close()
            last.deleteLater()
        made = build(self._window)
        self.current = made
        made.open()
        return made


class FramedDialog(QDialog):
    """A dialog with a title over its ``column``, and its buttons at the foot."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.heading = label(title, "title", wraps=True)
        self.column = in_column(self.heading, gap=GAP_M, margins=(24, 20, 24, 16), of=self)

    def add_buttons(
        self, primary: QPushButton | None = None, other: QPushButton | None = None
    ) -> QPushButton:
        """Puts the row of buttons at the end, and gives the one that closes.

        It is Close, or Cancel beside what goes on; an ``other`` stands at the left.
        """
        leave = button(tr("Cancel") if primary else tr("Close"), on_click=self.reject)
        row = in_row(STRETCH, leave)
        if other is not None:
            row.insertWidget(0, other)
        if primary is not None:
            row.addWidget(primary)
        self.column.addLayout(row)
        return leave


class _Table(QTreeWidget):
    """A table whose headings are whole: what they need more, the first column gives."""

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """The headings' size is known now."""
        super().showEvent(event)
        head = self.header()
        for place in range(1, self.columnCount() - 1):
            lack_px = head.sectionSizeHint(place) - self.columnWidth(place)
            if lack_px > 0:
                self.setColumnWidth(place, self.columnWidth(place) + lack_px)
                self.setColumnWidth(0, max(FIRST_PX, self.columnWidth(0) - lack_px))


def table(name: str, columns: Sequence[str], widths_px: Sequence[int]) -> QTreeWidget:
    """A table of texts; the last column takes what the ``widths_px`` of the others leave."""
    made = _Table()
    made.setAccessibleName(name)
    made.setColumnCount(len(columns))
    made.setHeaderLabels(list(columns))
    made.setRootIsDecorated(False)
    made.setAlternatingRowColors(True)
    made.setUniformRowHeights(True)
    for place, width in enumerate(widths_px):
        made.setColumnWidth(place, width)
    return made


def table_line(texts: Sequence[str]) -> QTreeWidgetItem:
    """A line of a table; each text is its own tip, in case it is cut off."""
    line = QTreeWidgetItem([printable(text) for text in texts])
    line.setSizeHint(0, QSize(0, LINE_PX))
    for place, text in enumerate(texts):
        line.setToolTip(place, tip_of(text))
    return line
