"""Play, place, time and sound of a video, in one row."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QSlider, QToolButton

from ui.kit.icons import Icon, icon
from ui.kit.layouts import in_row
from ui.kit.texts import clock
from ui.kit.theme import Theme
from ui.kit.widgets import label

STEPS_A_SECOND = 10


class PlayerControls(QFrame):
    """Shows where the video is; ``sought`` carries the second that is wanted instead."""

    play_clicked = Signal()
    sought = Signal(object)
    mute_changed = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._length_s = 0.0
        self._is_playing = False
        self.play = self._tool("Play from this moment", self.play_clicked.emit)
        self.mute = self._tool("Mute", self._on_mute)
        self.mute.setCheckable(True)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Place in the video")
        self.slider.sliderMoved.connect(self._on_slide)
        self.slider.actionTriggered.connect(self._on_step)
        self.time = label("", "small")
        in_row(self.play, (self.slider, 1), self.time, self.mute, gap=theme.gap_s, of=self)
        self._draw()

    def set_theme(self, theme: Theme) -> None:
        """Draws the icons in the colours of this theme."""
        self._theme = theme
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

    def _on_slide(self, place: int) -> None:
        self.sought.emit(place / STEPS_A_SECOND)

    def _on_step(self) -> None:
        if not self.slider.isSliderDown():
            self.sought.emit(self.slider.sliderPosition() / STEPS_A_SECOND)

    def _on_mute(self) -> None:
        self._draw()
        self.mute_changed.emit(self.mute.isChecked())

    def _draw(self) -> None:
        name = "Pause" if self._is_playing else "Play from this moment"
        colour = self._theme.colours.text
        self.play.setIcon(icon(Icon.PAUSE if self._is_playing else Icon.PLAY, colour))
        self.play.setAccessibleName(name)
        self.play.setToolTip(f"{name} (P)")
        is_muted = self.mute.isChecked()
        self.mute.setIcon(icon(Icon.MUTED if is_muted else Icon.SOUND, colour))
        self.mute.setToolTip("Sound on" if is_muted else "Mute")

    def _tool(self, name: str, on_click: Callable[[], None]) -> QToolButton:
        made = QToolButton()
        made.setAccessibleName(name)
        made.setIconSize(QSize(18, 18))
        made.clicked.connect(on_click)
        return made
