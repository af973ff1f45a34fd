"""Rows and columns of widgets, each laid out in one call."""

from __future__ import annotations

from typing import Final, TypeVar

from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLayout,
    QVBoxLayout,
    QWidget,
)

STRETCH: Final = None
NO_MARGINS = (0, 0, 0, 0)

Part = QWidget | QLayout | None
AnyBox = TypeVar("AnyBox", bound=QBoxLayout)


def in_row(
    *parts: Part | tuple[QWidget | QLayout, int],
    gap: int | None = None,
    margins: tuple[int, int, int, int] = NO_MARGINS,
    of: QWidget | None = None,
) -> QHBoxLayout:
    """The parts beside each other, as the layout ``of`` a widget or to be put into another.

    ``STRETCH`` takes the room that is left; ``(part, 1)`` grows with it.
    """
    return _filled(QHBoxLayout(of) if of else QHBoxLayout(), parts, gap, margins)


def in_column(
    *parts: Part | tuple[QWidget | QLayout, int],
    gap: int | None = None,
    margins: tuple[int, int, int, int] = NO_MARGINS,
    of: QWidget | None = None,
) -> QVBoxLayout:
    """The parts below each other; see ``in_row``."""
    return _filled(QVBoxLayout(of) if of else QVBoxLayout(), parts, gap, margins)


def _filled(
    box: AnyBox,
    parts: tuple[Part | tuple[QWidget | QLayout, int], ...],
    gap: int | None,
    margins: tuple[int, int, int, int],
) -> AnyBox:
    box.setContentsMargins(*margins)
    if gap is not None:
        box.setSpacing(gap)
    for entry in parts:
        part, growth = entry if isinstance(entry, tuple) else (entry, 0)
        if isinstance(part, QWidget):
            box.addWidget(part, growth)
        elif isinstance(part, QLayout):
            box.addLayout(part, growth)
        else:
            box.addStretch(1)
    return box
