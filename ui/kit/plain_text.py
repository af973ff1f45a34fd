"""Names and texts of files, shown as they are: no markup, no orders to the screen."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QLabel

from cocadesk.protocol.paths import printable


class PlainLabel(QLabel):
    """A label that shows any text letter by letter; see ``printable``."""

    def __init__(self, text: str = "", role: str = "") -> None:
        """``role`` is one that the style sheet knows."""
        super().__init__()
        self.setProperty("role", role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:  # noqa: N802
        """Shows a text without line ends of its own."""
        super().setText(printable(text))

    def show_lines(self, lines: Iterable[str]) -> None:
        """Shows several texts, each in a line of its own."""
        super().setText(joined(lines))


def joined(lines: Iterable[str]) -> str:
    """Several texts, each in one line."""
    return "\n".join(map(printable, lines))


def tip_of(*lines: str) -> str:
    """A tool tip of these lines: Qt would show one that looks like HTML as a page."""
    tip = joined(lines)
    return QtText.convertFromPlainText(tip) if QtText.mightBeRichText(tip) else tip


def button_text(text: str) -> str:
    """A text for a button or a menu, where ``&`` would mark the letter after it."""
    return printable(text).replace("&", "&&")
