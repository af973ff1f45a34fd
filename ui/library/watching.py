"""The settings of watched folders, as check marks in the menu."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import WatchFolders, Watching
from ui.engine.link import EngineLink
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr
from ui.kit.widgets import Notice

ON = tr("Folders are watched: changes appear by themselves")
OFF = tr("Folders are no longer watched; F5 checks them")
WAITS = tr("Long jobs wait for mains power while the computer runs on its battery")
GOES_ON = tr("Long jobs go on while the computer runs on its battery")


class WatchSettings(QObject):
    """Turns watching and waiting on and off; its signals carry what holds."""

    watching_came = Signal(bool)
    waiting_came = Signal(bool)

    def __init__(self, link: EngineLink, notice: Notice) -> None:
        super().__init__(notice)
        self._link = link
        self._notice = notice
        self._known = Watching(is_on=True)
        link.connected.connect(self.refresh)

    def slots(self) -> Slots:
        """The slots of the actions about watching."""
        return {
            Actions.WATCH_FOLDERS: self._toggle_watching,
            Actions.WAIT_ON_BATTERY: self._toggle_waiting,
        }

    def refresh(self) -> None:
        """Asks what holds."""
        self._ask(WatchFolders())

    def _toggle_watching(self) -> None:
        is_on = not self._known.is_on
        self._notice.say(ON if is_on else OFF)
        self._ask(WatchFolders(is_on=is_on))

    def _toggle_waiting(self) -> None:
        waits = not self._known.waits_on_battery
        self._notice.say(WAITS if waits else GOES_ON)
        self._ask(WatchFolders(waits_on_battery=waits))

    def _ask(self, body: WatchFolders) -> None:
        self._link.ask(body, Watching, self._on_answer)

    def _on_answer(self, answer: Watching) -> None:
        self._known = answer
        self.watching_came.emit(answer.is_on)
        self.waiting_came.emit(answer.waits_on_battery)
