"""One photo after the other by itself; videos play to their end."""

from __future__ import annotations

import random
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QMainWindow, QMenu, QToolButton

from cocadesk.protocol.values import MediaKind
from ui.kit.actions import Actions, ActionSet, Slots
from ui.kit.icons import Icon
from ui.kit.layouts import in_row
from ui.kit.preferences import Preference
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, label, tool
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.session import LibrarySession

SECONDS = Preference("slideshow/seconds", 5)
SHUFFLE = Preference("slideshow/shuffle", False)
CHOICES_S = (1, 2, 3, 5, 8, 12, 20, 30, 60)
WAIT_MS = 200
PATIENCE = 50
"""A picture that has not come after so many waits is passed over."""


def stay_ms() -> int:
    """How long a photo stays."""
    return 1000 * min(3600, max(1, SECONDS.read()))


class SlideBar(QFrame):
    """What runs, how long each photo stays, and the way out."""

    seconds_chosen = Signal(int)
    pause_clicked = Signal()
    stop_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Slideshow"))
        self.pause = self._tool(Icon.PAUSE, tr("Pause (Space)"), self.pause_clicked)
        self.seconds = tool(
            "", "stage-text", name=tr("Seconds a photo"), tip=tr("How long each photo stays"),
            on_click=lambda: None,
        )  # fmt: skip
        self.seconds.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.seconds.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        menu = QMenu(self.seconds)
        for choice in CHOICES_S:
            menu.addAction(f"{choice} s").triggered.connect(partial(self._choose, choice))
        self.seconds.setMenu(menu)
        end = self._tool(Icon.CLEAR, tr("End the slideshow (Esc)"), self.stop_clicked)
        in_row(
            label(tr("Slideshow"), "on-stage-bold"), self.pause, self.seconds, end, gap=6, of=self
        )
        self.hide()

    def show_state(self, seconds: int, *, is_paused: bool) -> None:
        """The time of a photo, and whether it goes on."""
        self.seconds.setText(f"{seconds} s")
        self.pause.show_icon(Icon.PLAY if is_paused else Icon.PAUSE)
        self.pause.setAccessibleName(tr("Go on") if is_paused else tr("Pause"))

    def _choose(self, seconds: int, _checked: bool = False) -> None:
        self.seconds_chosen.emit(seconds)

    def _tool(self, which: Icon, name: str, signal: SignalInstance) -> IconButton:
        made = IconButton(
            which, name.split(" (")[0], tip=name, role="stage", colour="on_stage", size_px=18,
            on_click=signal.emit,
        )  # fmt: skip
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return made


class Slideshow(QObject):
    """Goes through the selection, or the whole list from the current photo on, round and round."""

    def __init__(
        self,
        window: QMainWindow,
        widgets: WindowWidgets,
        session: LibrarySession,
        large: LargeMode,
        actions: ActionSet,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._widgets = widgets
        self._grid = widgets.grid
        self._large = large
        self._model = session.model
        self._neighbours = session.neighbours
        self._shuffle = actions[Actions.SHUFFLE]
        self._shuffle.setChecked(SHUFFLE.read())
        self.bar = SlideBar()
        widgets.large.add_bar(self.bar)
        self.bar.seconds_chosen.connect(self._choose_seconds)
        self.bar.pause_clicked.connect(self.pause)
        self.bar.stop_clicked.connect(self.stop)
        self.is_running = False
        self._is_paused = False
        self._was_full_screen = False
        self._keys: list[str] = []
        self._seen: set[int] = set()
        self._next = 0
        self._waited = 0
        self._is_seen = False
        self._timer = single_shot(self, self._on_time)
        large.toggled.connect(self._on_toggled)
        widgets.large.video.ended.connect(self._on_video_ended)
        widgets.large.spaced.connect(self.pause)

    def slots(self) -> Slots:
        """The slots of its actions."""
        return {
            Actions.SLIDESHOW: self._toggle,
            Actions.SHUFFLE: lambda: SHUFFLE.write(self._shuffle.isChecked()),
        }

    def start(self) -> None:
        """Begins with the current photo."""
        chosen = self._grid.selected_keys()
        self._keys = chosen if len(chosen) > 1 else []
        if self._count() < 1:
            return
        self._was_full_screen = self._window.isFullScreen()
        self.is_running, self._is_paused, self._seen = True, False, set()
        self._large.open()
        self._window.showFullScreen()
        self._widgets.large.set_bare(True)
        self.bar.show()
        current = self._grid.current_key()
        here = self._keys.index(current) if self._keys and current in self._keys else -1
        if not self._keys:
            here = self._grid.currentIndex().row()
        self._show(max(0, here))

    def stop(self) -> None:
        """Leaves the photo that is seen in the large view."""
        if not self.is_running:
            return
        self.is_running = False
        self._timer.stop()
        self.bar.hide()
        self._widgets.large.video.stop()
        self._widgets.large.set_bare(False)
        if not self._was_full_screen:
            self._window.showNormal()

    def pause(self) -> None:
        """Stands still at a photo, or goes on."""
        if not self.is_running:
            return
        self._is_paused = not self._is_paused
        if self._widgets.large.video.is_open:
            self._widgets.large.video.toggle()
        elif self._is_paused:
            self._timer.stop()
        else:
            self._begin_waiting()
        self._tell()

    def _toggle(self) -> None:
        (self.stop if self.is_running else self.start)()

    def _count(self) -> int:
        return len(self._keys) or self._model.rowCount()

    def _position(self, place: int) -> int | None:
        return self._model.position_of(self._keys[place]) if self._keys else place

    def _show(self, place: int) -> None:
        """Shows the photo at this place of the show, and has the one after it ready."""
        position = self._position(place)
        if position is None or position >= self._model.rowCount():
            self._keys, self._seen, position = [], set(), 0  # the list is another one now
        self._seen.add(place)
        self._grid.go_to(position)
        self._next = self._choose_next(place)
        if (after := self._position(self._next)) is not None and (key := self._model.key_at(after)):
            self._neighbours.want([key])
        self._begin_waiting()
        self._tell()

    def _choose_next(self, place: int) -> int:
        total = self._count()
        if not self._shuffle.isChecked():
            return (place + 1) % total
        if len(self._seen) >= total:
            self._seen = {place}
        while total > 1 and (chosen := random.randrange(total)) in self._seen:
            if len(self._seen) * 2 > total:
                left = [one for one in range(total) if one not in self._seen]
                return random.choice(left)
        return chosen if total > 1 else 0

    def _begin_waiting(self) -> None:
        """A video plays to its end; a photo stays for its time once it is seen."""
        self._waited, self._is_seen = 0, False
        self._timer.start(WAIT_MS)

    def _on_time(self) -> None:
        large = self._widgets.large
        if not self.is_running or self._is_paused:
            return
        self._waited += 1
        if large.is_waiting and self._waited < PATIENCE:
            self._timer.start(WAIT_MS)
        elif self._is_seen:
            self._show(self._next)
        elif not self._plays():
            self._is_seen = True
            self._timer.start(stay_ms())

    def _plays(self) -> bool:
        """Begins to play a video; False for a photo, and a video that can't be played."""
        row, video = self._grid.current_row(), self._widgets.large.video
        if row is None or row.kind is not MediaKind.VIDEO or not video.can_play:
            return False
        video.play(0.0, once=True)
        return video.is_open

    def _on_video_ended(self) -> None:
        if self.is_running and not self._is_paused:
            self._show(self._next)

    def _choose_seconds(self, seconds: int) -> None:
        SECONDS.write(seconds)
        if not self._is_paused and not self._widgets.large.video.is_open:
            self._begin_waiting()
        self._tell()

    def _tell(self) -> None:
        self.bar.show_state(SECONDS.read(), is_paused=self._is_paused)

    def _on_toggled(self) -> None:
        if not self._large.is_open:
            self.stop()
