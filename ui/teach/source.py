"""The data to learn from: chosen or dropped folders, and the library's own annotations."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QComboBox, QFrame, QSizePolicy, QWidget

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import CaptionLines, TeachSource
from ui.kit import desktop
from ui.kit.icons import Icon
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import TickBox
from ui.kit.plain_text import tip_of
from ui.kit.theme import GAP_M
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import IconButton, button, label, restyle

LINE_CHOICES = (
    (tr("See in each text if its lines are one caption"), CaptionLines.AUTO),
    (tr("A line is a caption"), CaptionLines.EACH),
    (tr("A text is one caption"), CaptionLines.JOINED),
)


class SourceBox(QFrame):
    """Folders, one a line with a button to drop it, and a box for the library's own annotations."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("drop-zone")
        self.setAccessibleName(tr("What to learn from"))
        self.setAcceptDrops(True)
        self._folders: list[str] = []
        self.lines: list[_FolderLine] = []
        self.choose = button(tr("Choose a folder…"), on_click=self._ask)
        self._hint = label(tr("or drag folders of photos with text files here"), "muted")
        self.library = TickBox()
        self.library.toggled.connect(self.changed)
        self.text_lines = QComboBox()
        self.text_lines.setAccessibleName(tr("The lines of a text beside a photo"))
        for title, meaning in LINE_CHOICES:
            self.text_lines.addItem(title, meaning)
        self.text_lines.hide()
        self.text_lines.currentIndexChanged.connect(self.changed)
        self._list = in_column(gap=2)
        row = in_row(self.choose, self._hint, STRETCH, self.text_lines, gap=GAP_M)
        in_column(self._list, row, self.library, gap=GAP_M, margins=(14, 14, 14, 12), of=self)
        self.set_annotated_count(None)

    def source(self) -> TeachSource:
        """The data that is chosen now."""
        return TeachSource(
            folders=tuple(WirePath.of(folder) for folder in self._folders),
            uses_library=self.library.isChecked(),
            lines=CaptionLines(self.text_lines.currentData()),
        )

    def is_empty(self) -> bool:
        """True where nothing is chosen."""
        return not self._folders and not self.library.isChecked()

    def title(self) -> str:
        """A name for a run from this: that of its folders, else the library's."""
        return ", ".join(Path(folder).name for folder in self._folders) or tr(
            "My captions and tags"
        )

    def add(self, folders: list[str]) -> None:
        """Adds folders that are not there yet; of a file, its folder."""
        for path in folders:
            folder = path if Path(path).is_dir() else str(Path(path).parent)
            if folder not in self._folders:
                self._folders.append(folder)
        self._show()

    def set_annotated_count(self, number: int | None) -> None:
        """The number of photos with human annotations in the library; None where unknown."""
        if number is None:
            text = tr("Photos of my library with my own captions or tags")
        elif number == 0:
            text = tr("Photos of my library with my own captions or tags: none yet")
        else:
            text = tr_count(
                number,
                "The {n} photo of my library with my own captions or tags",
                "The {n} photos of my library with my own captions or tags",
            )
        self.library.setText(text)
        self.library.setEnabled(number != 0 or self.library.isChecked())

    def _show(self) -> None:
        for old in self.lines:
            self._list.removeWidget(old)
            old.deleteLater()
        self.lines = []
        for folder in self._folders:
            line = _FolderLine(folder)
            line.removed.connect(self._remove)
            self._list.addWidget(line)
            self.lines.append(line)
        self.text_lines.setVisible(bool(self._folders))
        self.choose.setText(tr("Another folder…") if self._folders else tr("Choose a folder…"))
        self.changed.emit()

    def _remove(self, folder: str) -> None:
        self._folders = [kept for kept in self._folders if kept != folder]
        self._show()

    def _ask(self) -> None:
        folder = desktop.ask_for_folder(self, tr("Choose a folder of photos with text files"))
        if folder is not None:
            self.add([folder])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accepts folders of this computer."""
        if desktop.local_paths(event.mimeData()):
            event.acceptProposedAction()
            self._mark(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        """The drag has left."""
        self._mark(False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Adds dropped folders."""
        paths = desktop.local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.add(paths)
        self._mark(False)

    def _mark(self, is_over: bool) -> None:
        self.setProperty("over", is_over)
        restyle(self)


class _FolderLine(QWidget):
    """A chosen folder, its name first, with a button that takes it away."""

    removed = Signal(str)

    def __init__(self, folder: str) -> None:
        super().__init__()
        remove = IconButton(
            Icon.CLEAR,
            tr("Do not learn from {name}", name=Path(folder).name),
            tip=tr("Do not learn from this folder"),
            size_px=14,
            on_click=lambda: self.removed.emit(folder),
        )
        parent = label(str(Path(folder).parent), "small")
        # A long path is cut off rather than make the page wider; the tip has all of it.
        parent.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        in_row(
            label(Path(folder).name),
            (parent, 1),
            remove,
            gap=GAP_M,
            margins=(2, 0, 0, 0),
            of=self,
        )
        self.setToolTip(tip_of(folder))
