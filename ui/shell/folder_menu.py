"""The part of a menu that is about one folder of the side bar."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QMenu

from cocadesk.protocol.paths import WirePath
from ui.annotations.jobs import AnnotationJobs
from ui.engine.tracker import JobTracker
from ui.kit import desktop
from ui.kit.actions import without_argument
from ui.kit.translation import tr
from ui.library.folder_commands import FolderCommands


def add_entry(menu: QMenu, text: str, slot: Callable[[], object]) -> None:
    """One more entry of a menu."""
    menu.addAction(text).triggered.connect(without_argument(slot))


def add_folder_verbs(
    menu: QMenu,
    path: WirePath,
    tracker: JobTracker,
    jobs: AnnotationJobs,
    folders: FolderCommands,
    *,
    is_root: bool,
) -> None:
    """What can be done with a folder; ``is_root``: it was added to the library itself."""
    add = partial(add_entry, menu)
    add(tr("Show in file manager"), partial(desktop.open_file, path.to_str()))
    menu.addSeparator()
    add(tr("Check for new photos"), partial(tracker.index, [path.to_str()]))
    add(tr("Caption this folder…"), partial(jobs.caption_folder, path))
    menu.addSeparator()
    if is_root:
        add(tr("Exclude…"), partial(folders.exclude_in, path))
    add(tr("Forget…"), partial(folders.forget, path))
