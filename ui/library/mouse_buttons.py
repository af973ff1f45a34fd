"""The buttons of a mouse that lead back and forward."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

_STEPS = {Qt.MouseButton.BackButton: -1, Qt.MouseButton.ForwardButton: 1}


class MouseButtons(QObject):
    """Watches widgets; ``stepped`` carries -1 for back and 1 for forward."""

    stepped = Signal(int)

    def follow(self, *widgets: QWidget) -> None:
        """Watches these as well."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            step = _STEPS.get(event.button())
            if step is not None:
                self.stepped.emit(step)
                return True
        return False
