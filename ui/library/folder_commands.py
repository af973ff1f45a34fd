"""The slots of the actions about the library's folders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Excluded,
    Keys,
    ListNewest,
    ListRoots,
    Roots,
    SetExcludes,
    WatchFolders,
    Watching,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ReadAgain, RootValue
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.widgets import Notice
from ui.library.excludes import ExcludesDialog, said_of
from ui.library.folders import FolderCounts, FoldersDialog, FoldersPanel
from ui.library.forgetting import Forgetting


class FolderCommands(QObject):
    """Shows the library's folders, and does what is wanted of one."""

    def __init__(
        self,
        link: EngineLink,
        tracker: JobTracker,
        dialogs: DialogHost,
        forgetting: Forgetting,
        notice: Notice,
    ) -> None:
        super().__init__(dialogs)
        self._forgetting = forgetting
        self._notice = notice
        self._link = link
        self._tracker = tracker
        self._dialogs = dialogs

    def slots(self) -> Slots:
        """The slots of the actions about folders."""
        return {
            Actions.FOLDERS: self._show_folders,
            Actions.FORGET_MISSING: self._forgetting.missing,
        }

    def fill(self, panel: FoldersPanel, is_wanted: Callable[[], bool]) -> None:
        """Asks for the folders and all about them; ``is_wanted``: the panel is still there."""

        def on_roots(answer: Roots) -> None:
            if is_wanted():
                panel.show_roots(answer.roots)
                for root in answer.roots:
                    self._count(panel, is_wanted, root.path)

        def on_watching(answer: Watching) -> None:
            if is_wanted():
                panel.show_watching(answer.folders)

        self._link.ask(ListRoots(), Roots, on_roots)
        self._link.ask(WatchFolders(), Watching, on_watching)

    def serve(self, panel: FoldersPanel, back: Callable[[], None]) -> None:
        """Does what is wanted on a panel; ``back`` leads back to it after a dialog."""
        panel.look_wanted.connect(self._look_again)
        panel.excludes_wanted.connect(partial(self._edit_excludes, back))
        panel.forget_wanted.connect(partial(self._forget, back))

    def exclude_in(self, path: WirePath) -> None:
        """Edits what is passed over in a folder that was added."""

        def on_roots(answer: Roots) -> None:
            for root in answer.roots:
                if root.path == path:
                    self._edit_excludes(lambda: None, root)

        self._link.ask(ListRoots(), Roots, on_roots)

    def forget(self, path: WirePath) -> None:
        """Asks about a folder, and all that is known of what is in it."""
        self._forgetting.folder(path, lambda: None)

    def _show_folders(self) -> None:
        dialog = self._dialogs.open(FoldersDialog)
        self.serve(dialog.panel, self._show_folders)
        self.fill(dialog.panel, lambda: self._dialogs.current is dialog and dialog.isVisible())
        dialog.panel.tree.setFocus()

    def _count(self, panel: FoldersPanel, is_wanted: Callable[[], bool], path: WirePath) -> None:
        """Asks for the numbers of one folder; no keys are wanted, only the totals."""
        quoted = path.text.replace('"', '""')
        inside = f'folder:"{quoted}" -state:missing'

        def on_media(media: Keys) -> None:
            def on_offline(offline: Keys) -> None:
                if is_wanted():
                    counts = FolderCounts(media=media.total, offline=offline.total)
                    panel.show_counts(path, counts)

            body = ListNewest(limit=0, filter=f"{inside} state:offline")
            self._link.ask(body, Keys, on_offline)

        self._link.ask(ListNewest(limit=0, filter=inside), Keys, on_media)

    def _look_again(self, root: RootValue, again: ReadAgain) -> None:
        self._tracker.index([root.path.to_str()], again)

    def _forget(self, back: Callable[[], None], root: RootValue) -> None:
        self._forgetting.folder(root.path, back)

    def _edit_excludes(self, back: Callable[[], None], root: RootValue) -> None:
        dialog = self._dialogs.open(lambda parent: ExcludesDialog(root, parent))
        dialog.save_wanted.connect(partial(self._save_excludes, dialog, root.path))

        def lead_back(_result: int) -> None:
            if self._dialogs.current is dialog:  # else another dialog takes its place
                back()

        dialog.finished.connect(lead_back)

    def _save_excludes(
        self,
        dialog: ExcludesDialog,
        folder: WirePath,
        add: tuple[WirePath, ...],
        remove: tuple[WirePath, ...],
    ) -> None:
        def on_done(answer: Excluded) -> None:
            self._notice.say(said_of(answer, remove))
            if remove:  # their files come back when the folder is looked at
                self._tracker.index([folder.to_str()])
            if self._dialogs.current is dialog:
                dialog.accept()

        def on_failed(error: UserError) -> None:
            if self._dialogs.current is dialog:
                dialog.show_problem(str(error))

        body = SetExcludes(folder=folder, add=add, remove=remove)
        self._link.ask(body, Excluded, on_done, on_failed=on_failed)
