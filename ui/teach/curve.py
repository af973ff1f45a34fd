"""The door to pyqtgraph: plots of a few lines that grow while a run learns.

pyqtgraph brings NumPy along, so it is imported after the first plot was seen: the window
starts without it. That takes a third of a second, once, and on the GUI thread: it copies
Qt's classes when it is imported, which crashed beside a running window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QWidget

from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.theme import GAP_M, colour
from ui.kit.widgets import label

SEEN_MS = 30
HEIGHT_PX = 230


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a plot: ``colour`` is a name of the theme's; marks show single points."""

    name: str
    colour: str
    has_marks: bool = False
    is_dashed: bool = False


Points = Sequence[tuple[float, float]]


class Curve(QWidget):
    """A titled plot with a legend; all methods on the GUI thread."""

    def __init__(
        self,
        title: str,
        lines: Sequence[Line],
        *,
        values: tuple[float, float] | None = None,
    ) -> None:
        """``values`` fixes the range that is shown; without it the range follows the points."""
        super().__init__()
        self._values = values
        self.setAccessibleName(title)
        self._lines = {line.name: line for line in lines}
        self._points: dict[str, Points] = {line.name: () for line in lines}
        self._keys = {line.name: _Key(line) for line in lines}
        self.plot: Any = None
        self.plotted: dict[str, Any] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEEN_MS)
        self._timer.timeout.connect(self._build)
        legend = in_row(label(title, "section"), STRETCH, gap=GAP_M)
        if len(lines) > 1:
            for key in self._keys.values():
                legend.addWidget(key)
        self._column = in_column(legend, gap=4, of=self)
        self._column.addStretch(1)  # keeps the legend at the top until the plot is there
        self.setFixedHeight(HEIGHT_PX)

    @property
    def is_drawn(self) -> bool:
        """True where the plot is there, and no longer being loaded."""
        return self.plot is not None

    def points(self) -> Mapping[str, Points]:
        """The points that are shown, by the lines' names."""
        return self._points

    def set_points(self, points: Mapping[str, Points]) -> None:
        """Shows these points (step, value), in order of step."""
        self._points |= points
        said = (f"{name} {last[-1][1]:.2f}" for name, last in self._points.items() if last)
        self.setAccessibleDescription(", ".join(said))
        self._draw()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Loads the plotting library once the plot has been seen."""
        super().showEvent(event)
        if self.plot is None:
            self._timer.start()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()

    def _build(self) -> None:
        import pyqtgraph

        pyqtgraph.setConfigOptions(antialias=True)
        plot = pyqtgraph.PlotWidget()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The page scrolls under the pointer; the plot itself is only looked at.
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        plot.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.plot = plot
        if self._values is not None:
            plot.setYRange(*self._values)
        self.plotted = {name: plot.plot([], []) for name in self._lines}
        self._column.addWidget(plot, 100)
        self._dress()
        self._draw()

    def _dress(self) -> None:
        if self.plot is None:
            return
        self.plot.setBackground(colour("surface"))
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(QPen(colour("line"), 1))
            axis.setTextPen(QPen(colour("muted")))
            axis.setStyle(tickLength=0, tickTextOffset=6)
            axis.setTickFont(self.font())
        self.plot.showGrid(x=False, y=True, alpha=0.15)
        for name, curve in self.plotted.items():
            line = self._lines[name]
            shade = colour(line.colour)
            style = Qt.PenStyle.DashLine if line.is_dashed else Qt.PenStyle.SolidLine
            pen = QPen(shade, 2, style)
            pen.setCosmetic(True)
            curve.setPen(pen)
            curve.setSymbol("o" if line.has_marks else None)
            curve.setSymbolSize(8)
            curve.setSymbolPen(None)  # its width is in marks: one of 1 makes a square of a mark
            curve.setSymbolBrush(shade)

    def _draw(self) -> None:
        for name, curve in self.plotted.items():
            points = self._points[name]
            curve.setData([x for x, _ in points], [y for _, y in points], connect="finite")


class _Key(QWidget):
    """A line's name with a stroke in its colour."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line
        in_row(label(line.name, "small"), margins=(22, 0, 0, 0), of=self)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        painter = QPainter(self)
        style = Qt.PenStyle.DashLine if self._line.is_dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour(self._line.colour), 2, style))
        middle = self.height() // 2
        painter.drawLine(2, middle, 17, middle)
