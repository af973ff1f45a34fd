"""The parts of the settings page: sections of rows, each with a sentence and a way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWidget

from cocadesk.protocol.messages import Info
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Card, Column, TickBox
from ui.kit.preferences import Preference
from ui.kit.theme import GAP_M, GAP_S
from ui.kit.translation import tr
from ui.kit.widgets import button, label

CONTROL_PX = 190
ROW_GAP_PX = 16

Value = TypeVar("Value")


class SettingRow(Column):
    """A title over a sentence, with its controls at the right or, where wide, below.

    ``words`` are further ones that a search finds it by. ``refresh`` shows what holds now.
    """

    def __init__(self, title: str, sentence: str, *controls: QWidget, words: str = "") -> None:
        super().__init__(2)
        self.setMaximumWidth(16_777_215)
        self.title = title
        self.refresh: Callable[[], None] = lambda: None
        self._words = words
        self._said = sentence
        self.sentence = label(sentence, "muted", wraps=True)
        self.reset = button(tr("Reset"), "link")
        self.reset.setAccessibleName(tr("Reset: {title}", title=title))
        self.reset.hide()
        for control in controls:
            if not control.accessibleName():
                control.setAccessibleName(title)
            control.setAccessibleDescription(sentence)
        texts = in_column(label(title), self.sentence, gap=2)
        aside = in_row(self.reset, *controls, gap=GAP_S)
        row = in_row((texts, 1), gap=GAP_M)
        row.addLayout(aside)
        row.setAlignment(aside, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(row)

    def add_below(self, part: QWidget) -> None:
        """Puts a part that needs the whole width under the texts."""
        self.column.addSpacing(GAP_S)
        self.column.addWidget(part)

    def say(self, sentence: str) -> None:
        """Another sentence, e.g. one that names what holds now."""
        self._said = sentence
        self.sentence.setText(sentence)

    def mark(self, is_chosen: bool) -> None:
        """Offers the way back where the setting is not as it is by default."""
        self.reset.setVisible(is_chosen)

    def fits(self, words: Sequence[str]) -> bool:
        """True where all words are in its texts."""
        texts = f"{self.title} {self._said} {self._words}".casefold()
        return all(word in texts for word in words)


class Section(Card):
    """A heading with its rows."""

    def __init__(self, title: str, *rows: SettingRow) -> None:
        super().__init__(title)
        self.title = title
        self.rows = rows
        self.column.setSpacing(ROW_GAP_PX)
        for row in rows:
            self.column.addWidget(row)

    def show_fitting(self, words: Sequence[str]) -> bool:
        """Shows the rows that fit, all where the heading does; False where none is left."""
        is_all = all(word in self.title.casefold() for word in words)
        fitting = [row for row in self.rows if is_all or row.fits(words)]
        for row in self.rows:
            row.setVisible(row in fitting)
        self.setVisible(bool(fitting))
        return bool(fitting)

    def on_shown(self) -> None:
        """The page is shown now: asks for what may have changed."""

    def show_info(self, info: Info) -> None:
        """The engine has told of the library and its model, which the page asks for."""


def choice(
    title: str,
    sentence: str,
    preference: Preference[Value],
    options: Sequence[tuple[Value, str]],
    on_change: Callable[[], object],
    *,
    words: str = "",
) -> SettingRow:
    """A row with a list to choose from; ``on_change`` comes after the choice is kept."""
    box = QComboBox()
    box.setMinimumWidth(CONTROL_PX)
    values = [value for value, _text in options]
    box.addItems([text for _value, text in options])
    row = SettingRow(title, sentence, box, words=f"{words} {' '.join(t for _, t in options)}")

    def show_value() -> None:
        value = preference.read()
        box.setCurrentIndex(values.index(value) if value in values else 0)
        row.mark(value != preference.default)

    def choose(place: int) -> None:
        preference.write(values[place])
        show_value()
        on_change()

    show_value()
    row.refresh = show_value
    box.activated.connect(choose)
    row.reset.clicked.connect(lambda: choose(values.index(preference.default)))
    return row


def switch(
    title: str, sentence: str, text: str, *, default: bool, words: str = ""
) -> tuple[SettingRow, TickBox]:
    """A row with a box to tick; ``show_switch`` sets it, ``clicked`` tells of a person's hand."""
    box = TickBox(text)
    box.setAccessibleName(title)
    row = SettingRow(title, sentence, box, words=words)
    row.reset.clicked.connect(box.click)
    box.toggled.connect(lambda is_on: row.mark(is_on is not default))
    return row, box


def show_switch(row: SettingRow, box: TickBox, *, is_on: bool, default: bool) -> None:
    """Shows what holds."""
    box.setChecked(is_on)
    row.mark(is_on is not default)


def buttons(*parts: QWidget) -> QWidget:
    """Buttons beside each other, at the left."""
    made = QWidget()
    in_row(*parts, STRETCH, gap=GAP_S, of=made)
    return made
