"""Before a run: what teaching is, what to learn from, how, and for how long."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QLineEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from cocadesk.errors import UserError
from cocadesk.protocol.messages import DatasetSummary
from cocadesk.protocol.values import TuningMethod
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Card, Column, headed, hide_or_say, scrolled
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import button, label
from ui.teach.found import FoundBox
from ui.teach.source import SourceBox
from ui.teach.texts import INTRO

REVEAL_MS = 50
QUICK = tr("Learn new names (recommended)")
QUICK_NOTE = tr(
    "Learns what to call the things that it can tell apart already. Takes a "
    "few minutes; search uses the new names as soon as you keep the result."
)
DEEPER = tr("Learn to see new things as well")
DEEPER_NOTE = tr(
    "For things that it cannot tell apart yet. Takes several times as long, "
    "and if you keep the result, every photo of the library has to be read "
    "again."
)


class TeachSetup(QWidget):
    """Shows what is chosen and found; what to do with it is said by signals."""

    check_wanted = Signal()
    start_wanted = Signal()
    changed = Signal()

    def __init__(self, pictures: ImageLoader) -> None:
        super().__init__()
        self.source = SourceBox()
        self.quick = QRadioButton(QUICK)
        self.deeper = QRadioButton(DEEPER)
        self.quick.setChecked(True)
        self._group = QButtonGroup(self)
        self._group.addButton(self.quick)
        self._group.addButton(self.deeper)
        self.check = button(tr("Check the photos"), "primary", on_click=self.check_wanted.emit)
        self.problem = label("", "problem", wraps=True)
        self.found = FoundBox(pictures)
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.name.setAccessibleName(tr("Name of this run"))
        self.name.returnPressed.connect(self._on_return)
        self.start = button(tr("Start learning"), "primary", on_click=self.start_wanted.emit)
        self._reveal = single_shot(self, self._reveal_found, REVEAL_MS)
        self._build()
        self.source.changed.connect(self._on_changed)
        self._group.buttonToggled.connect(self._on_changed)
        self._on_changed()

    def method(self) -> TuningMethod:
        """The chosen method."""
        return TuningMethod.DEEPER if self.deeper.isChecked() else TuningMethod.HEAD

    def show_checking(self) -> None:
        """The engine has begun to check the data."""
        self.check.setEnabled(False)
        self.check.setText(tr("Checking…"))
        hide_or_say(self.problem, "")
        self._show_found(False)

    def show_found(self, found: DatasetSummary) -> None:
        """Shows the summary so far, or why nothing can be learned."""
        self._end_check()
        hide_or_say(self.problem, found.problem)
        self._show_found(not found.problem)
        self._reveal.start()
        if not found.problem:
            self.check.hide()
            self.found.show_found(found)
            if not self.name.text():
                self.name.setText(self.source.title()[:80])

    def show_problem(self, error: UserError) -> None:
        """A sentence in place of what was asked for."""
        self._end_check()
        self.start.setEnabled(True)
        hide_or_say(self.problem, str(error))
        self._reveal.start()

    def show_starting(self) -> None:
        """The engine has been asked to start the run."""
        self.start.setEnabled(False)

    def clear(self) -> None:
        """Ready for another run from the same source."""
        self.name.clear()
        self._on_changed()

    def _build(self) -> None:
        content = Column(GAP_L)
        content.column.addLayout(headed(tr("Teach CocaDesk your own words"), INTRO))
        choice = Card(tr("Learn from"))
        choice.column.addWidget(self.source)
        choice.column.addWidget(label(tr("Method"), "heading"))
        choice.column.addLayout(_choice(self.quick, QUICK_NOTE))
        choice.column.addLayout(_choice(self.deeper, DEEPER_NOTE))
        check_row = in_row(self.check, STRETCH)
        choice.column.addLayout(check_row)
        choice.column.addWidget(self.problem)
        content.column.addWidget(choice)
        self._name_label = label(tr("Name"), "muted")
        row = in_row(self._name_label, (self.name, 1), self.start, gap=GAP_M)
        self.found.column.addLayout(row)
        content.column.addWidget(self.found)
        self._area = scrolled(content)
        in_column(self._area, of=self)

    def _on_return(self) -> None:
        if self.start.isEnabled():
            self.start_wanted.emit()

    def _reveal_found(self) -> None:
        """Once it has its height."""
        shown = self.problem if self.problem.isVisible() else self.start
        self._area.ensureWidgetVisible(shown, 0, 40)

    def _on_changed(self) -> None:
        """Another choice: what was found before no longer counts."""
        self._end_check()
        self.check.setEnabled(not self.source.is_empty())
        hide_or_say(self.problem, "")
        self._show_found(False)
        self.changed.emit()

    def _end_check(self) -> None:
        self.check.setText(tr("Check the photos"))
        self.check.setEnabled(True)
        self.check.show()

    def _show_found(self, is_there: bool) -> None:
        self.found.setVisible(is_there)
        self.start.setEnabled(is_there)


def _choice(choice: QRadioButton, note: str) -> QVBoxLayout:
    words = label(note, "muted", wraps=True)
    words.setContentsMargins(24, 0, 0, 0)
    choice.setAccessibleDescription(note)
    return in_column(choice, words, gap=2)
