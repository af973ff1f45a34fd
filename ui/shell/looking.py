"""Looking at photos and at what to do with one: the controllers of it, built together."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from ui.kit.actions import ActionSet, Slots
from ui.kit.dialogs import DialogHost
from ui.shell.compare_mode import CompareMode
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.medium_commands import MediumCommands
from ui.shell.pages import PageSwitcher
from ui.shell.session import LibrarySession
from ui.shell.slideshow import Slideshow


class Looking:
    """One photo large, several side by side, or one after the other, with the verbs of each."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        widgets: WindowWidgets,
        session: LibrarySession,
        switcher: PageSwitcher,
        large: LargeMode,
        dialogs: DialogHost,
    ) -> None:
        self._large = large
        self.medium = MediumCommands(widgets, session, switcher, dialogs)
        self.compare = CompareMode(widgets, session)
        switcher.leaving.connect(self.compare.close)
        self.slides = Slideshow(window, widgets, session, large, actions)

    def close(self) -> None:
        """Back to the page below."""
        self.compare.close()
        self._large.close()

    def slots(self) -> Slots:
        """The slots of all of them."""
        return {
            **self.medium.slots(),
            **self._large.slots(),
            **self.compare.slots(),
            **self.slides.slots(),
        }
