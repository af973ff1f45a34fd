"""Collapsing same pictures in the grid, as check marks in the menu, and opening a group."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.values import GroupLabel
from ui.engine.tracker import JobTracker
from ui.kit.actions import Actions, Slots
from ui.kit.preferences import remember, remembered
from ui.kit.translation import tr
from ui.kit.widgets import Notice
from ui.library.browser import Browser
from ui.library.grid import Grid

COLLAPSE, BURSTS = "collapse-same", "collapse-bursts"
NO_GROUP = tr("This photo stands for itself alone here")
SHOWN = tr("Every photo is shown")
COLLAPSED = tr("Copies of a picture are one cell with their number; G opens it")
BURSTS_COLLAPSED = tr("Bursts and copies are one cell with their number; G opens it")


class GroupCommands(QObject):
    """Both choices are remembered; its signals carry what holds."""

    collapse_came = Signal(bool)
    bursts_came = Signal(bool)

    def __init__(self, browser: Browser, grid: Grid, tracker: JobTracker, notice: Notice) -> None:
        super().__init__(grid)
        self._browser = browser
        self._grid = grid
        self._tracker = tracker
        self._notice = notice
        self._collapses = remembered(COLLAPSE, True)
        self._bursts = remembered(BURSTS, False)
        browser.collapse = self.label
        grid.group_wanted.connect(browser.toggle_group)

    @property
    def label(self) -> GroupLabel | None:
        """The loosest link of what is collapsed; None where nothing is."""
        if not self._collapses:
            return None
        return GroupLabel.BURST if self._bursts else GroupLabel.SAME

    def slots(self) -> Slots:
        """The slots of the actions about same pictures in the grid."""
        return {
            Actions.COLLAPSE: self._toggle_collapse,
            Actions.COLLAPSE_BURSTS: self._toggle_bursts,
            Actions.OPEN_GROUP: self._open,
            Actions.FIND_SAME: self._tracker.group,
        }

    def announce(self) -> None:
        """Tells what holds, e.g. to the check marks."""
        self.collapse_came.emit(self._collapses)
        self.bursts_came.emit(self._collapses and self._bursts)

    def _toggle_collapse(self) -> None:
        self._set(not self._collapses, self._bursts)

    def _toggle_bursts(self) -> None:
        """Bursts are collapsed only where copies are as well."""
        bursts = not (self._collapses and self._bursts)
        self._set(self._collapses or bursts, bursts)

    def _set(self, collapses: bool, bursts: bool) -> None:
        self._collapses, self._bursts = collapses, bursts
        remember(COLLAPSE, collapses)
        remember(BURSTS, bursts)
        self._browser.collapse = self.label
        said = {None: SHOWN, GroupLabel.SAME: COLLAPSED, GroupLabel.BURST: BURSTS_COLLAPSED}
        self._notice.say(said[self.label])
        self.announce()

    def _open(self) -> None:
        key = self._grid.current_key()
        if key is None or not self._browser.toggle_group(key):
            self._notice.say(NO_GROUP)
