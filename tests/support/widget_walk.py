"""A walk over a window's widgets as a keyboard and a screen reader meet them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)

INTERACTIVE = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QLineEdit, QPlainTextEdit,
)  # fmt: skip
"""Qt's own kinds of widgets that a person acts on; others are known by their focus."""
_PARTS = (QScrollBar, QHeaderView)


def interactive(window: QWidget) -> list[QWidget]:
    """The widgets in sight that a person can act on, without parts of other widgets."""
    return [part for part in window.findChildren(QWidget) if _is_interactive(part)]


def _is_interactive(part: QWidget) -> bool:
    if not part.isVisible() or not part.isEnabled() or isinstance(part, _PARTS):
        return False
    if part.objectName().startswith("qt_") or _is_inside_control(part):
        return False
    takes_tab = bool(part.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return takes_tab or isinstance(part, INTERACTIVE)


def _is_inside_control(part: QWidget) -> bool:
    """True for the viewport of a list, the arrow of a box and the cross of a field."""
    above = part.parentWidget()
    if isinstance(above, QLineEdit | QComboBox):
        return True
    return isinstance(above, QAbstractScrollArea) and above.viewport() is part


def name_of(part: QWidget) -> str:
    """The name that a screen reader says of a widget."""
    return QAccessible.queryAccessibleInterface(part).text(QAccessible.Text.Name)


def role_of(part: QWidget) -> QAccessible.Role:
    """The role that a screen reader says of a widget."""
    return QAccessible.queryAccessibleInterface(part).role()


def words_of(part: QWidget) -> str:
    """A widget as a person who mends it knows it."""
    names = [type(part).__name__, part.objectName(), part.accessibleName(), part.toolTip()]
    chain = []
    above = part.parentWidget()
    while above is not None and len(chain) < 3:
        chain.append(above.objectName() or type(above).__name__)
        above = above.parentWidget()
    return " ".join(filter(None, names)) + " in " + " in ".join(chain)


def place_in(window: QWidget, part: QWidget) -> QRect:
    """Where a widget lies in its window."""
    return QRect(part.mapTo(window, QPoint(0, 0)), part.size())
