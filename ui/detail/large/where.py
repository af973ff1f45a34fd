"""Words to choose from, of which each shows on the photo where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QWidget

from cocadesk.protocol.messages import HeatValue
from ui.kit.flow_layout import FlowLayout
from ui.kit.icons import Icon
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.theme import colour
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, label, tool

GAP_PX = 6
SCALE = ((0.0, "#000004"), (0.25, "#57106e"), (0.5, "#bc3754"), (0.75, "#f98e09"), (1.0, "#fcffa4"))
"""OpenCV's inferno, in which the engine colours maps: the legend."""
STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
}


class Scale(QWidget):
    """The colours from cold to hot."""

    def sizeHint(self) -> QSize:  # noqa: N802
        """A short bar."""
        return QSize(120, 12)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of the maps."""
        ramp = QLinearGradient(0, 0, self.width(), 0)
        for place, name in SCALE:
            ramp.setColorAt(place, name)
        painter = QPainter(self)
        painter.setPen(colour("on_stage"))
        painter.setBrush(ramp)
        height = min(self.height(), 12)
        top = (self.height() - height) / 2
        painter.drawRect(QRectF(0.5, top + 0.5, self.width() - 1, height - 1))
        painter.end()


class WhereBar(QFrame):
    """The words of a caption, and the search before them; ``chosen`` carries a map of them.

    Arrows go from word to word. ``closed``: a person wants to see the photo alone again.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Where words come from"))
        self.title = label(tr("Where is it?"), "on-stage-bold")
        self.says = label("", "on-stage-small", wraps=True)
        self._words = QWidget()
        self._flow = FlowLayout(self._words, GAP_PX)
        self._group = QButtonGroup(self)
        self._doubted: HeatValue | None = None
        end = IconButton(
            Icon.CLEAR, tr("Show the photo alone"), tip=tr("Show the photo alone (Esc)"),
            role="stage", colour="on_stage", size_px=18, on_click=self.closed.emit,
        )  # fmt: skip
        elsewhere, here = (
            label(tr("elsewhere"), "on-stage-small"),
            label(tr("here"), "on-stage-small"),
        )
        legend = in_row(elsewhere, Scale(), here, gap=6)
        head = in_row(self.title, STRETCH, legend, end, gap=10)
        in_column(head, self._words, self.says, gap=4, margins=(12, 6, 12, 6), of=self)
        self.hide()

    @property
    def buttons(self) -> list[QToolButton]:
        """The words, in their order."""
        return [button for button in self._group.buttons() if isinstance(button, QToolButton)]

    def wait(self) -> None:
        """Nothing has come yet."""
        self._clear()
        self.says.setText(tr("Looking for where each word comes from…"))
        self.show()

    def show_maps(
        self, found: HeatValue | None, words: Sequence[HeatValue], *, is_shown: bool = True
    ) -> None:
        """The search that found the photo, if any, and the words of its caption.

        Not ``is_shown``: the photo probably does not show what was searched for.
        """
        kept = self._group.checkedId()
        if kept > 0 and found is not None and len(self.buttons) == len(words):
            kept += 1  # the search has come before the word that a person went to
        self._doubted = None if is_shown else found
        self._clear()
        if found is not None:
            self._add(found, tr("Found for “{text}”", text=found.text))
        for heat in words:
            self._add(heat, heat.text)
        if self.buttons:
            button = self._group.button(kept) or self.buttons[0]
            button.click()
            button.setFocus()

    def say(self, sentence: str) -> None:
        """A sentence in place of the words."""
        self._clear()
        self.says.setText(sentence)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows choose a word; every other key is for the photo."""
        step, buttons = STEPS.get(Qt.Key(event.key())), self.buttons
        if step is None or not buttons or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
            return
        button = buttons[(self._group.checkedId() + step) % len(buttons)]
        button.click()
        button.setFocus()

    def _add(self, heat: HeatValue, text: str) -> None:
        button = tool(
            text, "stage-word", name=text, tip=tr("Where is this?"),
            on_click=partial(self._choose, heat),
        )  # fmt: skip
        button.setCheckable(True)
        self._group.addButton(button, len(self.buttons))
        self._flow.addWidget(button)

    def _choose(self, heat: HeatValue, _checked: bool = True) -> None:
        self.says.setText(self._said(heat))
        self.chosen.emit(heat)

    def _said(self, heat: HeatValue) -> str:
        if heat is self._doubted:
            return tr(
                "This photo probably does not show “{text}”: bright is only what is least "
                "unlike it.",
                text=heat.text,
            )
        if heat.is_spread:
            return tr(
                "No part of the photo speaks for “{text}” more than the others: it is seen from "
                "the whole, or guessed.",
                text=heat.text,
            )
        return tr("A guess of the model: bright is what speaks for the word. Arrows change it.")

    def _clear(self) -> None:
        for button in self.buttons:
            self._group.removeButton(button)
            self._flow.removeWidget(button)
            button.hide()
            button.deleteLater()
