"""The slots of the actions about the library's folders."""

from __future__ import annotations

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
from ui.library.folders import FolderCounts, FoldersDialog
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

    def _show_folders(self) -> None:
        dialog = self._dialogs.open(FoldersDialog)
        dialog.look_wanted.connect(self._look_again)
        dialog.excludes_wanted.connect(self._edit_excludes)
        dialog.forget_wanted.connect(self._forget)
        self._link.ask(ListRoots(), Roots, self._on_roots)
        self._link.ask(WatchFolders(), Watching, self._on_watching)

    def _on_roots(self, answer: Roots) -> None:
        dialog = self._shown()
        if dialog is None:
            return
        dialog.show_roots(answer.roots)
        for root in answer.roots:
            self._count(root.path)

    def _on_watching(self, answer: Watching) -> None:
        dialog = self._shown()
        if dialog is not None:
            dialog.show_watching(answer.folders)

    def _count(self, path: WirePath) -> None:
        """Asks for the numbers of one folder; no keys are wanted, only the totals."""
        quoted = path.text.replace('"', '""')
        inside = f'folder:"{quoted}" -state:missing'

        def on_media(media: Keys) -> None:
            body = ListNewest(limit=0, filter=f"{inside} state:offline")
            self._link.ask(body, Keys, partial(self._show_counts, path, media.total))

        self._link.ask(ListNewest(limit=0, filter=inside), Keys, on_media)

    def _show_counts(self, path: WirePath, media: int, offline: Keys) -> None:
        dialog = self._shown()
        if dialog is not None:
            dialog.show_counts(path, FolderCounts(media=media, offline=offline.total))

    def _look_again(self, root: RootValue, again: ReadAgain) -> None:
        self._tracker.index([root.path.to_str()], again)

    def _forget(self, root: RootValue) -> None:
        self._forgetting.folder(root.path, self._show_folders)

    def _edit_excludes(self, root: RootValue) -> None:
        dialog = self._dialogs.open(lambda parent: ExcludesDialog(root, parent))
        dialog.save_wanted.connect(partial(self._save_excludes, dialog, root.path))
        dialog.finished.connect(partial(self._lead_back, dialog))

    def _lead_back(self, dialog: ExcludesDialog, _result: int) -> None:
        if self._dialogs.current is dialog:  # else another dialog takes its place
            self._show_folders()

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

    def _shown(self) -> FoldersDialog | None:
        current = self._dialogs.current
        return current if isinstance(current, FoldersDialog) and current.isVisible() else None
