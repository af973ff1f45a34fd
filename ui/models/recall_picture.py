"""A picture of how well a model finds: a hundred sentences as squares, and the same in words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cocadesk.protocol.values import RecallValue
from ui.kit.layouts import in_column, in_row
from ui.kit.theme import current_theme
from ui.kit.translation import tr
from ui.kit.widgets import label

COLUMNS, ROWS = 20, 5
SQUARE_PX, GAP_PX = 9, 3
WIDTH_PX = COLUMNS * (SQUARE_PX + GAP_PX) - GAP_PX
HEIGHT_PX = ROWS * (SQUARE_PX + GAP_PX) - GAP_PX


def colours() -> tuple[QColor, QColor, QColor]:
    """Those of sentences whose photo came first, among the first five, and later."""
    theme = current_theme()
    first, rest = theme.colour("accent"), theme.colour("placeholder")
    ground = theme.colour("surface")
    share = 0.42
    mixed = QColor(
        *(
            round(share * a + (1 - share) * b)
            for a, b in zip(first.getRgb()[:3], ground.getRgb()[:3], strict=True)  # type: ignore[index]
        )
    )
    return first, mixed, rest


class HundredSquares(QWidget):
    """A square for each of a hundred sentences, in the colour of what became of it."""

    def __init__(self, first: int, five: int) -> None:
        super().__init__()
        self.first, self.five = first, five
        self.setFixedSize(WIDTH_PX, HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws column by column, so that the filled part grows from the left like a bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        at_once, soon, late = colours()
        step = SQUARE_PX + GAP_PX
        for number in range(COLUMNS * ROWS):
            column, row = divmod(number, ROWS)
            colour = at_once if number < self.first else soon if number < self.five else late
            painter.setBrush(colour)
            place = QRectF(column * step, row * step, SQUARE_PX, SQUARE_PX)
            painter.drawRoundedRect(place, 2, 2)
        painter.end()


class Swatch(QWidget):
    """A square in one of the colours, before the words that it stands for."""

    def __init__(self, which: int) -> None:
        super().__init__()
        self._which = which
        self.setFixedSize(QSize(SQUARE_PX, SQUARE_PX + 3))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours()[self._which])
        painter.drawRoundedRect(QRectF(0, 3, SQUARE_PX, SQUARE_PX), 2, 2)
        painter.end()


class RecallPicture(QWidget):
    """The squares, the two numbers in words, and the photos that they were measured on."""

    def __init__(self, recall: RecallValue) -> None:
        super().__init__()
        first, five = (int(100 * share + 0.5) for share in (recall.at_1, recall.at_5))
        self.squares = HundredSquares(first, five)
        lines = [
            tr("{number} find their photo first", number=first),
            tr("{number} among the first five", number=five),
        ]
        self.words = tr(
            "Of 100 sentences {first} find their photo first, {five} among the first five.",
            first=first,
            five=five,
        )
        self.setAccessibleName(self.words)
        self.setAccessibleDescription(recall.data)
        column = in_column(label(tr("Of 100 sentences"), "section"), self.squares, gap=5, of=self)
        for which, line in enumerate(lines):
            column.addLayout(in_row(Swatch(which), (label(line, "small"), 1), gap=7))
        data = label(tr("on {data}", data=recall.data), "small", wraps=True)
        column.addWidget(data)
        column.addStretch(1)
        self.setFixedWidth(WIDTH_PX)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
