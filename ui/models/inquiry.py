"""A question inside a card: what it costs, and the answers as buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPushButton

from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import button, label

Answer = tuple[str, Callable[[], None]]
MOST_ANSWERS = 2


class Inquiry(QFrame):
    """Asks once; the first answer is the one that is meant, and "Not now" closes it as Esc does.

    ``closed``: it is gone, whatever was answered.
    """

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._on_answer: list[Callable[[], None]] = []
        self.heading = label("", "heading", wraps=True)
        self.text = label("", wraps=True)
        self.answers: list[QPushButton] = []
        for number in range(MOST_ANSWERS):
            made = button("", "" if number else "primary")
            made.clicked.connect(lambda _checked=False, chosen=number: self._answer(chosen))
            self.answers.append(made)
        self.refuse = button(tr("Not now"), on_click=self.close_question)
        row = in_row(*self.answers, self.refuse, STRETCH, gap=GAP_M)
        in_column(self.heading, self.text, row, gap=GAP_M, of=self)
        self.hide()

    def ask(self, heading: str, lines: Sequence[str], *answers: Answer) -> None:
        """Shows the question; the focus goes to its first answer."""
        self.heading.setText(heading)
        self.text.show_lines(lines)
        self._on_answer = [on_answer for _, on_answer in answers]
        for number, part in enumerate(self.answers):
            part.setVisible(number < len(answers))
            if number < len(answers):
                part.setText(answers[number][0])
        self.setAccessibleName(heading)
        self.setAccessibleDescription(" ".join(lines))
        self.show()
        self.answers[0].setFocus()

    def close_question(self) -> None:
        """Nothing is done."""
        self.hide()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Esc says no."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_question()
        else:
            super().keyPressEvent(event)

    def _answer(self, chosen: int) -> None:
        on_answer = self._on_answer[chosen]
        self.close_question()
        on_answer()
