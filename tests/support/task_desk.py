"""What dialogs of the window stand on, without an engine and without the window."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from tests.support.stand_in_link import StandInLink
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.actions import Action, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.widgets import Notice
from ui.library.tasks import TaskDialog, Tasks


class TaskDesk:
    """A link that notes what is asked, a host of dialogs over a window, and a notice."""

    def __init__(self, window: QWidget, owner: QObject) -> None:
        self.window = window
        self.link = StandInLink(owner)
        self.face = cast("EngineLink", self.link)
        self.host = DialogHost(window)
        self.notice = Notice(window)
        self.tasks = Tasks(self.face, self.host, self.notice)
        self.tracker = JobTracker(self.face, self.host)

    def task(self) -> TaskDialog:
        """The task dialog that stands."""
        assert isinstance(self.host.current, TaskDialog)
        assert self.host.current.isVisible()
        return self.host.current


def trigger(slots: Slots, action: Action) -> None:
    """Does what the action would do."""
    cast("Any", slots[action])()
