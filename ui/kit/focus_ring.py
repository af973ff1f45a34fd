"""The ring of the focus on what draws itself: seen where the focus came by the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.kit.theme import colour

LINE_PX = 2
_BY_KEY = frozenset(
    {
        Qt.FocusReason.TabFocusReason,
        Qt.FocusReason.BacktabFocusReason,
        Qt.FocusReason.ShortcutFocusReason,
    }
)


class FocusRing(QWidget):
    """A line along the edges of a widget, above all that is in it."""

    def __init__(self, widget: QWidget, ink: str = "accent") -> None:
        """``ink`` is a colour of the theme."""
        super().__init__(widget)
        self._widget = widget
        self._ink = ink
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follows the widget's focus and size."""
        if event.type() == QEvent.Type.FocusIn and isinstance(event, QFocusEvent):
            self._place()
            self.setVisible(event.reason() in _BY_KEY)
        elif event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        half = LINE_PX / 2
        painter = QPainter(self)
        painter.setPen(QPen(colour(self._ink), LINE_PX))
        painter.drawRect(QRectF(self.rect()).adjusted(half, half, -half, -half))
        painter.end()

    def _place(self) -> None:
        self.setGeometry(self._widget.rect())
        self.raise_()
