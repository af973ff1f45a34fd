"""The dialog with what has been edited on one photo."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from cocadesk.protocol.values import EditValue
from ui.kit.dialogs import FramedDialog, table, table_line
from ui.kit.texts import moment
from ui.kit.widgets import label

COLUMNS = ("When", "Who", "What", "Before", "After")


class HistoryDialog(FramedDialog):
    """Every edit of one photo's annotations with its author and time; the newest first."""

    def __init__(self, name: str, edits: Sequence[EditValue], parent: QWidget) -> None:
        super().__init__("History of captions and tags", parent)
        self.tree = table("History", COLUMNS, (150, 120, 140, 170))
        for edit in reversed(edits):
            what = f"{edit.field} (undone)" if edit.is_undone else edit.field
            texts = (moment(edit.when), _author(edit.who), what.capitalize(), edit.old, edit.new)
            self.tree.addTopLevelItem(table_line(texts))
        sentence = name if edits else f"No caption or tag of {name} has been changed yet."
        self.column.addWidget(label(sentence, "muted", wraps=True))
        self.column.addWidget(self.tree, 1)
        self.tree.setVisible(bool(edits))
        self.column.addStretch(0 if edits else 1)
        self.add_buttons()
        self.resize(820, 420 if edits else 200)


def _author(who: str) -> str:
    return "You" if who == "person" else f"CocaDesk ({who})"
