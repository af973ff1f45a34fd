"""The small windows about words: captioning many, writing files, and what was said before."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cocadesk.protocol.messages import WritePlan
from cocadesk.protocol.values import EditValue, WriteItem, WriteKind
from ui.annotations.scopes import ScopeChoice, ScopePicker
from ui.kit.page_parts import TickBox
from ui.kit.texts import count, moment
from ui.kit.theme import Theme
from ui.kit.widgets import button, label

WHAT_HAPPENS = {
    WriteKind.NEW: "New file",
    WriteKind.CHANGED: "Changed",
    WriteKind.UNCHANGED: "Up to date",
    WriteKind.KEPT: "Skipped",
}
ORDER = (WriteKind.KEPT, WriteKind.CHANGED, WriteKind.NEW, WriteKind.UNCHANGED)


class CaptionDialog(QDialog):
    """Which photos to describe; ``start_wanted`` carries the scope and whether again."""

    start_wanted = Signal(object, bool)

    def __init__(
        self, choices: Sequence[ScopeChoice], first: int, parent: QWidget, theme: Theme
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Caption photos")
        self.picker = ScopePicker(choices, first, theme)
        self.again = TickBox(theme, "Also replace captions that this model has suggested")
        self.start = button("Start", "primary", on_click=self._start)
        column = _column(self, theme)
        column.addWidget(label("Caption photos", "title"))
        sentence = (
            "CocaDesk suggests a caption and tags for each photo. "
            "Your own captions and tags stay as they are."
        )
        column.addWidget(label(sentence, "muted", wraps=True))
        column.addWidget(self.picker)
        column.addWidget(self.again)
        column.addStretch(1)
        column.addLayout(_buttons(self, self.start))
        self.resize(520, 280)
        self.start.setDefault(True)

    def _start(self) -> None:
        self.start_wanted.emit(self.picker.scope(), self.again.isChecked())
        self.accept()


class WriteDialog(QDialog):
    """What writing would change, before anything is written."""

    plan_wanted = Signal(object, bool)
    write_wanted = Signal(object, bool)

    def __init__(
        self, choices: Sequence[ScopeChoice], first: int, parent: QWidget, theme: Theme
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Write captions to text files")
        self.picker = ScopePicker(choices, first, theme)
        self.picker.chosen.connect(self.ask)
        self.counts = label("", wraps=True)
        self.counts.setAccessibleName("What will happen")
        self.tree = _tree(
            "Files", ("File", "Result", "Caption now", "New caption or reason", "Folder")
        )
        for place, width in enumerate((150, 110, 210, 250)):
            self.tree.setColumnWidth(place, width)
        self.overwrite = TickBox(theme, "Also replace files that CocaDesk did not write")
        self.overwrite.toggled.connect(self.ask)
        self.write = button("Write captions", "primary", on_click=self._write)
        column = _column(self, theme)
        column.addWidget(label("Write captions to text files", "title"))
        sentence = (
            "Each photo gets a text file of the same name with its caption in one line "
            "(beach.jpg, beach.txt). Nothing is written until you say so, and Undo reverts it."
        )
        column.addWidget(label(sentence, "muted", wraps=True))
        column.addWidget(self.picker)
        column.addWidget(self.counts)
        column.addWidget(self.tree, 1)
        column.addWidget(self.overwrite)
        column.addLayout(_buttons(self, self.write))
        self.resize(900, 600)

    def ask(self) -> None:
        """Asks for the plan of what is chosen now."""
        self.write.setEnabled(False)
        self.counts.setText("Checking the files…")
        self.plan_wanted.emit(self.picker.scope(), self.overwrite.isChecked())

    def show_plan(self, plan: WritePlan) -> None:
        """The plan has come: the files that need a look stand first."""
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


class HistoryDialog(QDialog):
    """Who said what of one photo, and when; the newest first."""

    def __init__(
        self, name: str, edits: Sequence[EditValue], parent: QWidget, theme: Theme
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("History of captions and tags")
        self.tree = _tree("History", ("When", "Who", "What", "Before", "After"))
        for place, width in enumerate((150, 120, 140, 170)):
            self.tree.setColumnWidth(place, width)
        for edit in reversed(edits):
            what = f"{edit.field} (undone)" if edit.is_undone else edit.field
            words = [moment(edit.when), _who(edit.who), what.capitalize(), edit.old, edit.new]
            self.tree.addTopLevelItem(_line(words))
        column = _column(self, theme)
        column.addWidget(label("History of captions and tags", "title"))
        sentence = name if edits else f"No caption or tag of {name} has been changed yet."
        column.addWidget(label(sentence, "muted", wraps=True))
        column.addWidget(self.tree, 1)
        self.tree.setVisible(bool(edits))
        column.addStretch(0 if edits else 1)
        column.addLayout(_buttons(self, None))
        self.resize(820, 420 if edits else 200)


def _who(who: str) -> str:
    return "You" if who == "person" else f"CocaDesk ({who})"


def _counted(plan: WritePlan) -> str:
    parts = [
        (plan.new, f"{count(plan.new, 'new file')}"),
        (plan.changed, f"{plan.changed:,} changed"),
        (plan.unchanged, f"{plan.unchanged:,} already up to date"),
        (plan.kept, f"{plan.kept:,} skipped"),
    ]
    text = " · ".join(words for number, words in parts if number) or "There is nothing to write."
    total = plan.new + plan.changed + plan.unchanged + plan.kept
    if total > len(plan.items):
        text += f". The first {len(plan.items):,} are shown."
    return text


def _file_line(item: WriteItem) -> QTreeWidgetItem:
    folder, name = os.path.split(item.path.text)
    what = WHAT_HAPPENS[item.kind]
    new = item.new if item.kind in (WriteKind.NEW, WriteKind.CHANGED) else ""
    line = _line(
        [name, what, item.old, item.reason if item.kind is WriteKind.KEPT else new, folder]
    )
    if item.reason:
        line.setToolTip(1, item.reason)
    line.setToolTip(0, item.path.text)
    return line


def _line(words: Sequence[str]) -> QTreeWidgetItem:
    line = QTreeWidgetItem(list(words))
    line.setSizeHint(0, QSize(0, 30))
    for place, text in enumerate(words):
        line.setToolTip(place, text)
    return line


def _tree(name: str, columns: Sequence[str]) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setAccessibleName(name)
    tree.setColumnCount(len(columns))
    tree.setHeaderLabels(list(columns))
    tree.setRootIsDecorated(False)
    tree.setAlternatingRowColors(True)
    tree.setUniformRowHeights(True)
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    return tree


def _column(dialog: QDialog, theme: Theme) -> QVBoxLayout:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 20, 24, 16)
    column.setSpacing(theme.gap_m)
    return column


def _buttons(dialog: QDialog, go: QWidget | None) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(button("Close" if go is None else "Cancel", on_click=dialog.reject))
    if go is not None:
        row.addWidget(go)
    row.setAlignment(Qt.AlignmentFlag.AlignRight)
    return row
