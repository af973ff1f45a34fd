"""Timeline, frame steps, speed, loop and volume of a video that is seen large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QSlider, QToolButton

from cocadesk.protocol.values import Hit, VideoMoment
from ui.detail.player_controls import PlayerControls
from ui.detail.timeline import Timeline
from ui.kit.icons import Icon
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.plain_text import tip_of
from ui.kit.preferences import Preference
from ui.kit.texts import clock
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, label, tool

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
VOLUME = Preference("video/volume", 80)
MUTED = Preference("video/muted", False)
LOOPS = Preference("video/loops", False)


class LargeControls(PlayerControls):
    """As in the detail, and more; volume, mute and loop are remembered."""

    _role, _icon_colour = "stage", "on_stage"

    speed = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.loop.setChecked(LOOPS.read())
        self.volume.setValue(min(100, max(0, VOLUME.read())))
        self.mute.setChecked(MUTED.read())
        self._draw()

    def set_length(self, length_s: float) -> None:
        """The video's length in seconds; 0 where it is not known yet."""
        super().set_length(length_s)
        self.timeline.set_length(length_s)

    def show_time(self, time_s: float) -> None:
        """The place in the video."""
        super().show_time(time_s)
        self.time.setText(f"{clock(time_s)} / {clock(self._length_s)}")
        self.timeline.show_time(time_s)

    def show_moments(self, moments: Sequence[VideoMoment], hit: Hit | None) -> None:
        """The moments with how well each answers the search."""
        self.timeline.show_moments(moments, hit)

    def announce(self) -> None:
        """Tells a new player how it shall play."""
        super().announce()
        self.volume_changed.emit(self.volume.value() / 100)
        self.speed_changed.emit(self.speed)
        self.loop_changed.emit(self.loop.isChecked())

    def set_speed(self, speed: float) -> None:
        """One of ``SPEEDS``; also asked for by keys."""
        self.speed = speed
        self.speed_button.setText(_times(speed))
        self.speed_button.setAccessibleName(tr("Speed: {times}", times=_times(speed)))
        self.speed_changed.emit(speed)

    def step_speed(self, by: int) -> None:
        """The next faster or slower speed."""
        place = SPEEDS.index(self.speed) + by
        self.set_speed(SPEEDS[min(len(SPEEDS) - 1, max(0, place))])

    def step_volume(self, by: int) -> None:
        """Louder or softer, by percent; sound that was off comes on."""
        self.volume.setValue(self.volume.value() + by)
        if self.mute.isChecked():
            self.mute.click()

    def _lay_out(self) -> None:
        self.timeline = Timeline()
        self.timeline.sought.connect(self.sought)
        self.back = _stage_tool(Icon.FRAME_BACK, tr("Frame back (Ctrl+Left)"), self._step(-1))
        self.forward = _stage_tool(Icon.FRAME_NEXT, tr("Frame forward (Ctrl+Right)"), self._step(1))
        self.time = label("", "on-stage-small")
        self.loop = _stage_tool(Icon.LOOP, tr("Play again and again (Shift+L)"), self._on_loop)
        self.loop.setCheckable(True)
        self.volume = QSlider(Qt.Orientation.Horizontal)
        self.volume.setRange(0, 100)
        self.volume.setMinimumWidth(40)
        self.volume.setMaximumWidth(90)
        self.volume.setAccessibleName(tr("Volume"))
        self.volume.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.volume.valueChanged.connect(self._on_volume)
        self.speed_button = tool(
            "1×", "stage-text", name=tr("Speed: 1×"), tip=tr("Speed (Ctrl+Up, Ctrl+Down)"),
            on_click=lambda: None,
        )  # fmt: skip
        self.speed_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.speed_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        menu = QMenu(self.speed_button)
        for speed in SPEEDS:
            menu.addAction(_times(speed)).triggered.connect(partial(self._choose, speed))
        self.speed_button.setMenu(menu)
        for part in (self.play, self.mute):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.hide()
        row = in_row(
            self.back, self.play, self.forward, self.time, STRETCH, self.speed_button, self.loop,
            self.mute, self.volume, gap=6,
        )  # fmt: skip
        in_column(self.timeline, row, gap=2, of=self)

    def _step(self, by: int) -> Callable[[], None]:
        return lambda: self.frame_stepped.emit(by)

    def _choose(self, speed: float, _checked: bool = False) -> None:
        self.set_speed(speed)

    def _on_loop(self) -> None:
        LOOPS.write(self.loop.isChecked())
        self.loop_changed.emit(self.loop.isChecked())
        self._draw()

    def _on_volume(self, percent: int) -> None:
        VOLUME.write(percent)
        self.volume_changed.emit(percent / 100)

    def _on_mute(self) -> None:
        MUTED.write(self.mute.isChecked())
        super()._on_mute()

    def _draw(self) -> None:
        super()._draw()
        once, again = tr("Play once (Shift+L)"), tr("Play again and again (Shift+L)")
        self.loop.setToolTip(tip_of(once if self.loop.isChecked() else again))


def _times(speed: float) -> str:
    return f"{speed:g}×"


def _stage_tool(which: Icon, name: str, on_click: Callable[[], None]) -> IconButton:
    made = IconButton(
        which, name.split(" (")[0], tip=name, role="stage", colour="on_stage", size_px=18,
        on_click=on_click,
    )  # fmt: skip
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made
