"""Dialogs before a job: captioning many photos, and writing captions to files."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QTreeWidgetItem,
    QWidget,
)

from cocadesk.protocol.messages import WritePlan
from cocadesk.protocol.values import WriteItem, WriteKind
from ui.annotations.scopes import ScopeChoice, ScopePicker
from ui.kit.dialogs import FramedDialog, table, table_line
from ui.kit.page_parts import TickBox
from ui.kit.texts import count
from ui.kit.widgets import button, label

RESULTS = {
    WriteKind.NEW: "New file",
    WriteKind.CHANGED: "Changed",
    WriteKind.UNCHANGED: "Up to date",
    WriteKind.SKIPPED: "Skipped",
}
ORDER = (WriteKind.SKIPPED, WriteKind.CHANGED, WriteKind.NEW, WriteKind.UNCHANGED)


class CaptionDialog(FramedDialog):
    """Choice of photos to describe; ``start_wanted`` carries the scope and whether again."""

    start_wanted = Signal(object, bool)

    def __init__(self, choices: Sequence[ScopeChoice], first: int, parent: QWidget) -> None:
        super().__init__("Caption photos", parent)
        self.picker = ScopePicker(choices, first)
        self.again = TickBox("Also replace captions that this model has suggested")
        self.start = button("Start", "primary", on_click=self._start)
        sentence = (
            "CocaDesk suggests a caption and tags for each photo. "
            "Your own captions and tags stay as they are."
        )
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.picker)
        self.column.addWidget(self.again)
        self.column.addStretch(1)
        self.add_buttons(self.start)
        self.resize(520, 250)
        self.start.setDefault(True)

    def _start(self) -> None:
        self.start_wanted.emit(self.picker.scope(), self.again.isChecked())
        self.accept()


class WriteDialog(FramedDialog):
    """Preview of the changes, before anything is written."""

    plan_wanted = Signal(object, bool)
    write_wanted = Signal(object, bool)

    def __init__(self, choices: Sequence[ScopeChoice], first: int, parent: QWidget) -> None:
        super().__init__("Write captions to text files", parent)
        self.picker = ScopePicker(choices, first)
        self.picker.chosen.connect(self.ask)
        self.counts = label("", wraps=True)
        self.counts.setAccessibleName("What will happen")
        self.tree = table(
            "Files",
            ("File", "Result", "Caption now", "New caption or reason", "Folder"),
            (150, 100, 180, 240),
        )
        self.overwrite = TickBox("Also replace files that CocaDesk did not write")
        self.overwrite.toggled.connect(self.ask)
        self.write = button("Write captions", "primary", on_click=self._write)
        sentence = (
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
        self.counts.setText("Checking the files…")
        self.plan_wanted.emit(self.picker.scope(), self.overwrite.isChecked())

    def show_plan(self, plan: WritePlan) -> None:
        """The plan has come: the files to be checked stand first."""
        self.tree.clear()
        items = sorted(plan.items, key=lambda item: ORDER.index(item.kind))
        self.tree.addTopLevelItems([_file_line(item) for item in items])
        self.counts.setText(_counted(plan))
        number = plan.new + plan.changed
        self.write.setText(f"Write {count(number, 'caption')}" if number else "Nothing to write")
        self.write.setEnabled(number > 0)
        if number:
            self.write.setDefault(True)

    def show_problem(self, sentence: str) -> None:
        """The plan could not be made."""
        self.counts.setText(sentence)

    def _write(self) -> None:
        self.write_wanted.emit(self.picker.scope(), self.overwrite.isChecked())
        self.accept()


def _counted(plan: WritePlan) -> str:
    parts = [
        (plan.new, f"{count(plan.new, 'new file')}"),
        (plan.changed, f"{plan.changed:,} changed"),
        (plan.unchanged, f"{plan.unchanged:,} already up to date"),
        (plan.skipped, f"{plan.skipped:,} skipped"),
    ]
    text = " · ".join(part for number, part in parts if number) or "There is nothing to write."
    total = plan.new + plan.changed + plan.unchanged + plan.skipped
    if total > len(plan.items):
        text += f". The first {len(plan.items):,} are shown."
    return text


def _file_line(item: WriteItem) -> QTreeWidgetItem:
    folder, name = os.path.split(item.path.text)
    what = RESULTS[item.kind]
    new = item.new if item.kind in (WriteKind.NEW, WriteKind.CHANGED) else ""
    line = table_line(
        [name, what, item.old, item.reason if item.kind is WriteKind.SKIPPED else new, folder]
    )
    if item.reason:
        line.setToolTip(1, item.reason)
    line.setToolTip(0, item.path.text)
    return line
