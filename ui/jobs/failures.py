"""The list of files that could not be read or written."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from cocadesk.protocol.values import FailureValue
from ui.kit.dialogs import FramedDialog, table, table_line
from ui.kit.widgets import label

TITLE = "Files that could not be read"


class FailuresDialog(FramedDialog):
    """The files that could not be read, each with its reason."""

    def __init__(
        self,
        failures: Sequence[FailureValue],
        total: int,
        job: str,
        parent: QWidget,
    ) -> None:
        """``job`` is the title of the job that failed with these, or empty for all files."""
        super().__init__(TITLE, parent)
        if job:
            self.heading.setText(f"Failures: {job}")
        self.column.addWidget(label(_summary(len(failures), total), "muted", wraps=True))
        self.tree = table(TITLE, ("File", "Reason", "Folder"), (220, 360))
        for failure in failures:
            folder, name = os.path.split(failure.path.text)
            self.tree.addTopLevelItem(table_line((name, failure.reason, folder)))
        self.column.addWidget(self.tree, 1)
        self.add_buttons()
        self.resize(840, 460)


def _summary(shown: int, total: int) -> str:
    if not shown:
        return "All files could be read."
    more = f" The first {shown:,} of {total:,} are shown." if total > shown else ""
    return "Everything else was done. These files are tried again when they change." + more
