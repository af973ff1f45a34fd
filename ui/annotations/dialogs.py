"""Dialogs on annotations: captioning many photos, writing captions to files, the history."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTreeWidgetItem, QWidget

from cocadesk.protocol.messages import WritePlan
from cocadesk.protocol.values import EditValue, WriteItem, WriteKind
from ui.annotations.scopes import ScopeChoice, ScopePicker
from ui.annotations.styles import StyleChoice, StylePicker
from ui.kit.dialogs import FramedDialog, table, table_line
from ui.kit.page_parts import TickBox
from ui.kit.plain_text import tip_of
from ui.kit.texts import moment
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label

RESULTS = {
    WriteKind.NEW: tr("New file"),
    WriteKind.CHANGED: tr("Changed"),
    WriteKind.UNCHANGED: tr("Up to date"),
    WriteKind.SKIPPED: tr("Skipped"),
}
ORDER = (WriteKind.SKIPPED, WriteKind.CHANGED, WriteKind.NEW, WriteKind.UNCHANGED)
HISTORY_COLUMNS = (tr("When"), tr("Who"), tr("What"), tr("Before"), tr("After"))


class CaptionDialog(FramedDialog):
    """Choice of photos to describe; ``start_wanted`` carries scope, whether again, and style."""

    start_wanted = Signal(object, bool, object)

    def __init__(
        self, choices: Sequence[ScopeChoice], first: int, styles: StyleChoice, parent: QWidget
    ) -> None:
        super().__init__(tr("Caption photos"), parent)
        self.picker = ScopePicker(choices, first)
        self.styles = StylePicker(styles)
        self.again = TickBox(tr("Also replace captions that this model has suggested"))
        self.start = button(tr("Start"), "primary", on_click=self._start)
        sentence = tr(
            "CocaDesk suggests a caption and tags for each photo. "
            "Your own captions and tags stay as they are."
        )
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.picker)
        self.column.addWidget(self.styles)
        self.column.addWidget(self.again)
        self.column.addStretch(1)
        self.add_buttons(self.start)
        self.resize(520, 290 if len(styles.known) > 1 else 250)
        self.start.setDefault(True)

    def _start(self) -> None:
        style = self.styles.chosen_style()
        self.start_wanted.emit(self.picker.scope(), self.again.isChecked(), style)
        self.accept()


class TakeOverDialog(FramedDialog):
    """Choice of photos whose texts become captions; ``start_wanted`` carries the scope."""

    start_wanted = Signal(object)

    def __init__(self, choices: Sequence[ScopeChoice], first: int, parent: QWidget) -> None:
        super().__init__(tr("Take over captions beside photos"), parent)
        self.picker = ScopePicker(choices, first)
        self.start = button(tr("Take over"), "primary", on_click=self._start)
        sentence = tr(
            "A text file beside a photo (beach.txt or beach.caption for beach.jpg) "
            "becomes your caption of it. Captions that you wrote here stay as they "
            "are, and Undo reverts it."
        )
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.picker)
        self.column.addStretch(1)
        self.add_buttons(self.start)
        self.resize(520, 230)
        self.start.setDefault(True)

    def _start(self) -> None:
        self.start_wanted.emit(self.picker.scope())
        self.accept()


_NOW = 2
"""The column of the captions that stand in the files."""


class WriteDialog(FramedDialog):
    """Preview of the changes, before anything is written."""

    plan_wanted = Signal(object, bool)
    write_wanted = Signal(object, bool)

    def __init__(self, choices: Sequence[ScopeChoice], first: int, parent: QWidget) -> None:
        super().__init__(tr("Write captions to text files"), parent)
        self.picker = ScopePicker(choices, first)
        self.picker.chosen.connect(self.ask)
        self.counts = label("", wraps=True)
        self.counts.setAccessibleName(tr("What will happen"))
        self.tree = table(
            tr("Files"),
            (
                tr("File"),
                tr("Result"),
                tr("Caption now"),
                tr("New caption or reason"),
                tr("Folder"),
            ),
            (150, 100, 180, 240),
        )
        self.overwrite = TickBox(tr("Also replace files that CocaDesk did not write"))
        self.overwrite.toggled.connect(self.ask)
        self.write = button(tr("Write captions"), "primary", on_click=self._write)
        sentence = tr(
            "Each photo gets a text file of the same name with its caption in one line "
            "(beach.jpg, beach.txt). Nothing is written until you say so, and Undo reverts it."
        )
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.picker)
        self.column.addWidget(self.counts)
        self.column.addWidget(self.tree, 1)
        self.column.addWidget(self.overwrite)
        self.add_buttons(self.write)
        self.resize(900, 600)

    def ask(self) -> None:
        """Asks for the plan of what is chosen now."""
        self.write.setEnabled(False)
        self.counts.setText(tr("Checking the files…"))
        self.plan_wanted.emit(self.picker.scope(), self.overwrite.isChecked())

    def show_plan(self, plan: WritePlan) -> None:
        """The plan has come: the files to be checked stand first."""
        self.tree.clear()
        items = sorted(plan.items, key=lambda item: ORDER.index(item.kind))
        self.tree.addTopLevelItems([_file_line(item) for item in items])
        self.tree.setColumnHidden(_NOW, not any(item.old for item in items))
        self.counts.setText(_counted(plan))
        number = plan.new + plan.changed
        self.write.setText(
            tr_count(number, "Write {n} caption", "Write {n} captions")
            if number
            else tr("Nothing to write")
        )
        self.write.setEnabled(number > 0)
        if number:
            self.write.setDefault(True)

    def show_problem(self, sentence: str) -> None:
        """The plan could not be made."""
        self.counts.setText(sentence)

    def _write(self) -> None:
        self.write_wanted.emit(self.picker.scope(), self.overwrite.isChecked())
        self.accept()


class HistoryDialog(FramedDialog):
    """Every edit of one photo's annotations with its author and time; the newest first."""

    def __init__(self, name: str, edits: Sequence[EditValue], parent: QWidget) -> None:
        super().__init__(tr("History of captions and tags"), parent)
        self.tree = table(tr("History"), HISTORY_COLUMNS, (150, 120, 140, 170))
        for edit in reversed(edits):
            what = tr("{field} (undone)", field=edit.field) if edit.is_undone else edit.field
            texts = (moment(edit.when), _author(edit.who), what.capitalize(), edit.old, edit.new)
            self.tree.addTopLevelItem(table_line(texts))
        sentence = (
            name if edits else tr("No caption or tag of {name} has been changed yet.", name=name)
        )
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.tree, 1)
        self.tree.setVisible(bool(edits))
        self.column.addStretch(0 if edits else 1)
        self.add_buttons()
        self.resize(820, 420 if edits else 200)


def _author(who: str) -> str:
    return tr("You") if who == "person" else f"CocaDesk ({who})"


def _counted(plan: WritePlan) -> str:
    parts = [
        (plan.new, tr_count(plan.new, "{n} new file", "{n} new files")),
        (plan.changed, tr("{changed} changed", changed=grouped(plan.changed))),
        (plan.unchanged, tr("{unchanged} already up to date", unchanged=grouped(plan.unchanged))),
        (plan.skipped, tr("{skipped} skipped", skipped=grouped(plan.skipped))),
    ]
    text = " · ".join(part for number, part in parts if number) or tr("There is nothing to write.")
    total = plan.new + plan.changed + plan.unchanged + plan.skipped
    if total > len(plan.items):
        text = tr("{text}. The first {shown} are shown.", text=text, shown=grouped(len(plan.items)))
    return text


def _file_line(item: WriteItem) -> QTreeWidgetItem:
    folder, name = os.path.split(item.path.text)
    what = RESULTS[item.kind]
    new = item.new if item.kind in (WriteKind.NEW, WriteKind.CHANGED) else ""
    line = table_line(
        [name, what, item.old, item.reason if item.kind is WriteKind.SKIPPED else new, folder]
    )
    if item.reason:
        line.setToolTip(1, tip_of(item.reason))
    line.setToolTip(0, tip_of(item.path.text))
    return line
