"""Play, place, time and sound of a video, in one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QSlider

from cocadesk.protocol.values import Hit, VideoMoment
from ui.kit.icons import Icon
from ui.kit.layouts import in_row
from ui.kit.plain_text import tip_of
from ui.kit.texts import clock
from ui.kit.theme import GAP_S
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, label

STEPS_A_SECOND = 10


class PlayerControls(QFrame):
    """Shows where the video is; ``sought`` carries the second that is wanted instead."""

    play_clicked = Signal()
    sought = Signal(object)
    mute_changed = Signal(bool)
    volume_changed = Signal(float)
    speed_changed = Signal(float)
    loop_changed = Signal(bool)
    frame_stepped = Signal(int)
    _role, _icon_colour = "", "text"

    def __init__(self) -> None:
        super().__init__()
        self._length_s = 0.0
        self._is_playing = False
        self.play = self._tool(Icon.PLAY, tr("Play from this moment"), self.play_clicked.emit)
        self.mute = self._tool(Icon.SOUND, tr("Mute"), self._on_mute)
        self.mute.setCheckable(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(tr("Place in the video"))
        self.slider.sliderMoved.connect(self._on_slide)
        self.slider.actionTriggered.connect(self._on_step)
        self.time = label("", "small")
        self._lay_out()
        self._draw()

    def set_length(self, length_s: float) -> None:
        """The video's length in seconds; 0 where it is not known yet."""
        self._length_s = length_s
        if length_s > 0:
            self.slider.setRange(0, round(length_s * STEPS_A_SECOND))
            self.slider.setPageStep(max(1, round(length_s)))

    def show_time(self, time_s: float) -> None:
        """The place in the video, unless somebody drags the slider."""
        length = f" / {clock(self._length_s)}" if self._length_s else ""
        self.time.setText(clock(time_s) + length)
        if not self.slider.isSliderDown():
            self.slider.setValue(round(time_s * STEPS_A_SECOND))

    def show_playing(self, is_playing: bool) -> None:
        """The button pauses while the video plays."""
        self._is_playing = is_playing
        self._draw()

    def announce(self) -> None:
        """Tells a new player how it shall play."""
        self.mute_changed.emit(self.mute.isChecked())

    def show_moments(self, moments: Sequence[VideoMoment], hit: Hit | None) -> None:
        """The moments of the video, where there is room to show how well each matches."""

    def _lay_out(self) -> None:
        in_row(self.play, (self.slider, 1), self.time, self.mute, gap=GAP_S, of=self)

    def _tool(self, which: Icon, name: str, on_click: Callable[[], None]) -> IconButton:
        return IconButton(
            which, name, role=self._role, colour=self._icon_colour, size_px=18, on_click=on_click
        )

    def _on_slide(self, place: int) -> None:
        self.sought.emit(place / STEPS_A_SECOND)

    def _on_step(self) -> None:
        if not self.slider.isSliderDown():
            self.sought.emit(self.slider.sliderPosition() / STEPS_A_SECOND)

    def _on_mute(self) -> None:
        self._draw()
        self.mute_changed.emit(self.mute.isChecked())

    def _draw(self) -> None:
        name = tr("Pause") if self._is_playing else tr("Play from this moment")
        self.play.show_icon(Icon.PAUSE if self._is_playing else Icon.PLAY)
        self.play.setAccessibleName(name)
        self.play.setToolTip(tip_of(f"{name} (K)"))
        is_muted = self.mute.isChecked()
        self.mute.show_icon(Icon.MUTED if is_muted else Icon.SOUND)
        self.mute.setToolTip(tr("Sound on") if is_muted else tr("Mute"))
