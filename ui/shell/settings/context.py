"""All that the settings act on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.actions import ActionSet
from ui.kit.app_theme import AppTheme
from ui.kit.widgets import Notice
from ui.library.folder_commands import FolderCommands
from ui.library.moving import MoveCommands
from ui.library.watching import WatchSettings
from ui.shell.libraries import Libraries


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsContext:
    """The parts of a window that settings change; ``forget_searches`` clears the history."""

    link: EngineLink
    tracker: JobTracker
    actions: ActionSet
    app_theme: AppTheme
    notice: Notice
    folders: FolderCommands
    watch: WatchSettings
    libraries: Libraries
    moving: MoveCommands
    forget_searches: Callable[[], None]
