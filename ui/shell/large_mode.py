"""The large view of a window: opened, closed, stepped through, and its settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.values import MediaKind
from ui.annotations.commands import WordFields
from ui.kit.actions import Action, Actions, ActionSet, Slots
from ui.kit.preferences import remember, remembered
from ui.kit.translation import tr
from ui.shell.layout import WindowWidgets

ROOM_PX = 16
VOLUME_STEP = 10
FILMSTRIP = "large/filmstrip"
INFO = "large/info"
KEEP_ZOOM = "large/keep-zoom"


class LargeMode(QObject):
    """Opens and closes the large view; ``toggled`` after each."""

    toggled = Signal()

    def __init__(
        self, widgets: WindowWidgets, actions: ActionSet, show_detail: Callable[[], bool]
    ) -> None:
        """``show_detail`` brings the detail into sight; False where there is nothing in it."""
        super().__init__(widgets)
        self._show_detail = show_detail
        self._widgets = widgets
        self._actions = actions
        self._stack = widgets.stack
        self._large = large = widgets.large
        self._grid = grid = widgets.grid
        self._video = video = widgets.detail.video
        grid.opened.connect(self._open_and_play)
        grid.large_wanted.connect(self._on_space)
        video.photo.opened.connect(self._open_and_play)
        large.stepped.connect(grid.step)
        large.jumped.connect(self._jump)
        large.closed.connect(self.close)
        large.words.closed.connect(self._take_focus)
        large.words.chips.opened.connect(widgets.search.set_query)
        self.words = WordFields(
            large.words.field, large.words.chips, lambda: self.is_open, large.words.open
        )
        grid.selectionModel().currentChanged.connect(self._show_position)
        self._results = grid.model()
        for signal in (self._results.rowsInserted, self._results.rowsRemoved):
            signal.connect(self._show_position)
        self._show_settings()

    @property
    def is_open(self) -> bool:
        """True where the large view is open."""
        return self._stack.currentWidget() is self._large

    def slots(self) -> Slots:
        """The slots of the actions about the large view."""
        photo, controls = self._large.photo, self._large.controls
        return {
            Actions.OPEN_LARGE: self._open_and_play,
            Actions.TOGGLE_LARGE: self.toggle,
            Actions.ZOOM_REAL: photo.toggle_real,
            Actions.ZOOM_FIT: photo.reset_zoom,
            Actions.KEEP_ZOOM: partial(self._switch, KEEP_ZOOM),
            Actions.TURN_RIGHT: partial(self._turn, 1),
            Actions.TURN_LEFT: partial(self._turn, -1),
            Actions.PHOTO_INFO: partial(self._switch, INFO),
            Actions.FILMSTRIP: partial(self._switch, FILMSTRIP),
            Actions.PLAY: self._play,
            Actions.NEXT_MOMENT: partial(self._step_moment, 1),
            Actions.PREVIOUS_MOMENT: partial(self._step_moment, -1),
            Actions.NEXT_FRAME: partial(self._large.video.step_frame, 1),
            Actions.PREVIOUS_FRAME: partial(self._large.video.step_frame, -1),
            Actions.FASTER: partial(controls.step_speed, 1),
            Actions.SLOWER: partial(controls.step_speed, -1),
            Actions.LOUDER: partial(controls.step_volume, VOLUME_STEP),
            Actions.SOFTER: partial(controls.step_volume, -VOLUME_STEP),
            Actions.MUTE: controls.mute.click,
            Actions.LOOP: controls.loop.click,
        }

    def open(self) -> None:
        """Shows the photo under the cursor over the whole window."""
        if self._grid.current_key() is not None:
            self._video.stop()
            self._large.photo.reset_zoom()
            self._stack.setCurrentWidget(self._large)
            self._show_position()
            self._large.setFocus()
            self._lift_notice()
            self.toggled.emit()

    def _open_and_play(self) -> None:
        """As ``open``; a video begins at the moment that matched, or goes on where it was."""
        from_s = self._video.playing_s
        self.open()
        row = self._grid.current_row()
        if row is not None and row.kind is MediaKind.VIDEO and self._large.video.can_play:
            self._large.video.play(from_s)

    def close(self) -> None:
        """Back to the grid, at the photo that was seen last."""
        if self.is_open:
            self._stack.setCurrentWidget(self._widgets.browse)
            self._large.words.finish()
            self._large.video.stop()
            self._large.photo.forget_full()
            self._widgets.notice.lift(0)
            self._grid.take_focus()
            self.toggled.emit()

    def _take_focus(self) -> None:
        if self.is_open:
            self._large.setFocus()

    def toggle(self) -> None:
        """Opens the large view, or closes it."""
        if self.is_open:
            self.close()
        else:
            self.open()

    def _on_space(self) -> None:
        """Pauses a video that plays; else the large view."""
        if self._video.is_open:
            self._video.toggle()
        else:
            self.open()

    def _play(self) -> None:
        """Where it is seen: large, or else in the detail."""
        if self.is_open:
            self._large.video.toggle()
        elif self._show_detail():
            self._video.toggle()

    def _step_moment(self, by: int) -> None:
        video = self._large.video if self.is_open else self._video
        video.strip.step(by)

    def _jump(self, position: int) -> None:
        self._grid.go_to(position if position >= 0 else self._results.rowCount() - 1)

    def _show_position(self) -> None:
        index = self._grid.currentIndex()
        if self.is_open and index.isValid():
            self._large.show_position(index.row())

    def _turn(self, quarters: int) -> None:
        self._large.turn(quarters)
        self._widgets.notice.say(
            tr("Turned on the screen only, until you quit; the file is as it was")
        )

    def _switch(self, setting: str) -> None:
        remember(setting, not self._is_on(setting))
        self._show_settings()

    def _is_on(self, setting: str) -> bool:
        return remembered(setting, setting == FILMSTRIP)

    def _show_settings(self) -> None:
        settings: dict[Action, str] = {
            Actions.FILMSTRIP: FILMSTRIP,
            Actions.PHOTO_INFO: INFO,
            Actions.KEEP_ZOOM: KEEP_ZOOM,
        }
        for action, setting in settings.items():
            self._actions[action].setChecked(self._is_on(setting))
        self._large.shows_film = self._is_on(FILMSTRIP)
        self._large.set_bare(self._large.is_bare)
        self._large.info.setVisible(self._is_on(INFO))
        self._large.keeps_zoom = self._is_on(KEEP_ZOOM)
        self._lift_notice()

    def _lift_notice(self) -> None:
        """Room for what stands at the foot of the large view."""
        if self.is_open:
            large = self._large
            film = large.film.height() if self._is_on(FILMSTRIP) else 0
            self._widgets.notice.lift(large.caption.height() + film + ROOM_PX)
