"""The colours of groups on a map: told apart by light and hue, on light and dark grounds."""

from __future__ import annotations

from PySide6.QtGui import QColor

from ui.kit.theme import current_theme

_ON_LIGHT = (
    "#1f77b4", "#d1600a", "#2b8a2b", "#b3202c", "#7a4fa3", "#7d4e3f", "#c4459f", "#5f6670",
    "#8f8c12", "#0f93a3", "#3346b0", "#a9a9a4",
)  # fmt: skip
_ON_DARK = (
    "#6db3ea", "#f79a4b", "#6fce6c", "#f2777e", "#b896dd", "#c39a8a", "#ec92cd", "#a8afb9",
    "#d3cf52", "#4fd3e0", "#8f9df0", "#63666b",
)  # fmt: skip


def group_colour(number: int, count: int) -> QColor:
    """The colour of a group of so many; a single one has the program's own."""
    theme = current_theme()
    if count <= 1:
        return theme.colour("accent")
    colours = _ON_DARK if theme.is_dark else _ON_LIGHT
    return QColor(colours[number % len(colours)])
