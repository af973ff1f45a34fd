"""The folders of the library: a list with what can be done, on a page or in a dialog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QMenu, QTreeWidgetItem, QWidget

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ReadAgain, RootValue, WatchedFolder
from ui.kit.dialogs import FramedDialog, table, table_line
from ui.kit.flow_layout import FlowLayout
from ui.kit.layouts import in_column
from ui.kit.plain_text import tip_of
from ui.kit.theme import GAP_M
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label

COLUMNS = (tr("Folder"), tr("Photos and videos"), tr("Excluded"), tr("State"))
LOOKS: Mapping[ReadAgain, str] = {
    ReadAgain.NOTHING: tr("New and changed files"),
    ReadAgain.FAILED: tr("Also files that could not be read"),
    ReadAgain.ALL: tr("All files"),
}
INTRO = tr(
    "CocaDesk finds the photos and videos in these folders and their subfolders. "
    "Your files stay where they are."
)
WATCHED = tr("Watched: what changes in this folder appears within seconds.")
NO_FOLDERS = tr("No folder has been added yet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCounts:
    """The media of a folder, and how many of them are on a disk that is away."""

    media: int
    offline: int

    @property
    def state(self) -> str:
        """Where its files are, in a few words."""
        if not self.offline:
            return tr("Available") if self.media else tr("Nothing found")
        is_away = self.offline >= self.media
        return (
            tr("Disk not connected")
            if is_away
            else tr("{offline} on a disk not connected", offline=grouped(self.offline))
        )


class FoldersPanel(QWidget):
    """The list of folders; its signals carry the ``RootValue`` that is chosen."""

    look_wanted = Signal(object, object)
    excludes_wanted = Signal(object)
    forget_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._roots: tuple[RootValue, ...] = ()
        self._why_not: dict[WirePath, str] = {}
        self.tree = table(tr("Folders"), COLUMNS, (330, 130, 120))
        self.tree.currentItemChanged.connect(self._update_enabled)
        self.intro = label(INTRO, "muted", wraps=True)
        self.look = button(tr("Check again"))
        self.look.setMenu(self._look_menu())
        self.look.setAccessibleDescription(tr("Reads the files of the chosen folder again"))
        self.exclude = button(tr("Exclude…"), on_click=partial(self._want, self.excludes_wanted))
        self.exclude.setAccessibleDescription(tr("Patterns of what is left out in the folder"))
        self.forget = button(tr("Forget…"), on_click=partial(self._want, self.forget_wanted))
        self.forget.setAccessibleDescription(tr("Asks first, and says what would be lost"))
        self.watched = label("", "muted", wraps=True)
        row = QWidget()
        self.buttons = FlowLayout(row, GAP_M)
        for part in (self.look, self.exclude, self.forget):
            self.buttons.addWidget(part)
        in_column(self.intro, (self.tree, 1), self.watched, row, gap=GAP_M, of=self)
        self._update_enabled()

    def show_roots(self, roots: Sequence[RootValue]) -> None:
        """The folders have come; the first is chosen."""
        self._roots = tuple(roots)
        self.tree.clear()
        self.tree.addTopLevelItems(
            [table_line((root.path.text, "", _number(root), "")) for root in roots]
        )
        self.intro.setText(INTRO if roots else NO_FOLDERS)
        if roots:
            self.tree.setCurrentIndex(self.tree.model().index(0, 0))
        self._update_enabled()

    def show_counts(self, path: WirePath, counts: FolderCounts) -> None:
        """The numbers of one folder have come."""
        for place, root in enumerate(self._roots):
            line = self.tree.topLevelItem(place)
            if root.path == path and line is not None:
                _write(line, 1, grouped(counts.media))
                _write(line, 3, counts.state)

    def show_watching(self, folders: Sequence[WatchedFolder]) -> None:
        """Learns how each folder is watched; that of the chosen one is shown."""
        self._why_not = {folder.path: folder.why_not for folder in folders}
        self._update_enabled()

    def chosen(self) -> RootValue | None:
        """The folder under the cursor."""
        place = self.tree.currentIndex().row()
        return self._roots[place] if 0 <= place < len(self._roots) else None

    def _look_menu(self) -> QMenu:
        menu = QMenu(self)
        for again, text in LOOKS.items():
            menu.addAction(text).triggered.connect(partial(self._look, again))
        return menu

    def _look(self, again: ReadAgain, _checked: bool = False) -> None:
        root = self.chosen()
        if root is not None:
            self.look_wanted.emit(root, again)

    def _want(self, signal: SignalInstance) -> None:
        root = self.chosen()
        if root is not None:
            signal.emit(root)

    def _update_enabled(self) -> None:
        for part in (self.look, self.exclude, self.forget):
            part.setEnabled(self.chosen() is not None)
        root = self.chosen()
        if root is not None and root.path in self._why_not:
            self.watched.setText(self._why_not[root.path] or WATCHED)


class FoldersDialog(FramedDialog):
    """The list of folders in a dialog, which makes room for what is chosen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Folders"), parent)
        self.panel = FoldersPanel()
        self.panel.look_wanted.connect(self.accept)
        self.column.addWidget(self.panel, 1)
        self.add_buttons()
        self.resize(820, 420)


def _number(root: RootValue) -> str:
    if not root.excludes:
        return ""
    return tr_count(len(root.excludes), "{n} pattern", "{n} patterns")


def _write(line: QTreeWidgetItem, column: int, text: str) -> None:
    line.setText(column, text)
    line.setToolTip(column, tip_of(text))
