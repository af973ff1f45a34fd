"""Plays a video with QtMultimedia, which is loaded when it is first wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLoggingCategory, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from cocadesk.errors import UserError
from ui.kit.translation import tr

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer

WITHOUT_PICTURES_MS = 2500
USUAL_FPS = 25.0
NOISE = "qt.multimedia.*=false"  # missing hardware helpers, which nobody can use


class VideoPlayer(QObject):
    """One video at a time, in ``widget``; times are in seconds.

    ``failed`` carries a sentence; the video is let go then.

    Raises:
        UserError: this machine cannot play videos.
    """

    moved = Signal(object)
    length_came = Signal(object)
    playing = Signal(bool)
    failed = Signal(str)
    clicked = Signal()
    ended = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        if QGuiApplication.platformName() in ("offscreen", "minimal", "vnc"):
            raise UserError(tr("Videos cannot be played without a screen."))
        QLoggingCategory.setFilterRules(NOISE)
        try:
            from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer
            from PySide6.QtMultimediaWidgets import QVideoWidget
        except ImportError as error:
            raise UserError(
                tr("Videos cannot be played on this computer."),
                tr("A system library is missing: {error}.", error=error),
                tr("On Debian and Ubuntu: sudo apt-get install libpulse0"),
            ) from error
        self._player: QMediaPlayer = QMediaPlayer(self)
        self._sound: QAudioOutput = QAudioOutput(self)
        video = QVideoWidget()
        video.setAccessibleName(tr("Video"))
        video.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        video.installEventFilter(self)
        self.widget: QWidget = video
        self._has_pictures = False
        self._started_ms = 0
        self._from_ms = 0
        self._player.setAudioOutput(self._sound)
        self._player.setVideoOutput(video)
        video.videoSink().videoFrameChanged.connect(self._on_frame)
        self._player.positionChanged.connect(self._on_position)
        self._player.durationChanged.connect(self._on_duration)
        self._player.playbackStateChanged.connect(self._on_state)
        self._player.errorOccurred.connect(self._on_error)
        self._player.mediaStatusChanged.connect(self._on_status)

    def play(self, path: str, from_s: float) -> None:
        """Opens the file and plays from there."""
        self._has_pictures = False
        self._from_ms = self._started_ms = round(from_s * 1000)
        self._player.setSource(QUrl.fromLocalFile(path))
        self._player.setPosition(self._from_ms)
        self._player.play()

    def toggle(self) -> None:
        """Pauses or goes on."""
        if self.is_playing:
            self._player.pause()
        else:
            self._player.play()

    def seek(self, to_s: float) -> None:
        """Goes on from there."""
        self._started_ms = round(to_s * 1000)
        self._player.setPosition(self._started_ms)

    def set_muted(self, is_muted: bool) -> None:
        """Turns the sound off or on."""
        self._sound.setMuted(is_muted)

    def set_volume(self, part: float) -> None:
        """The loudness, from 0 to 1 as people hear it."""
        self._sound.setVolume(part * part)

    def set_speed(self, speed: float) -> None:
        """So many times as fast as it was taken."""
        self._player.setPlaybackRate(speed)

    def set_loop(self, is_on: bool) -> None:
        """Begins again at its end, or not."""
        loops = self._player.Loops
        self._player.setLoops(loops.Infinite if is_on else loops.Once)

    def step_frame(self, by: int) -> None:
        """Stands still at the frame after (or before) the one that is seen."""
        from PySide6.QtMultimedia import QMediaMetaData

        self._player.pause()
        rate = self._player.metaData().value(QMediaMetaData.Key.VideoFrameRate)
        fps = float(rate) if isinstance(rate, int | float) and rate > 1 else USUAL_FPS
        frame = math.floor(self._player.position() / 1000 * fps + 0.5)
        # The middle of a frame's time: rounded to whole milliseconds it is still that frame.
        self._started_ms = max(0, round(1000 * (frame + by + 0.25) / fps))
        self._player.setPosition(self._started_ms)

    @property
    def time_s(self) -> float:
        """The place in the video."""
        return self._player.position() / 1000

    def stop(self) -> None:
        """Lets the video go."""
        self._player.stop()
        self._player.setSource(QUrl())

    @property
    def is_playing(self) -> bool:
        """True while the video plays."""
        return self._player.playbackState() == self._player.PlaybackState.PlayingState

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.clicked.emit()
            return True
        return False

    def _on_frame(self) -> None:
        self._has_pictures = True

    def _on_position(self, position_ms: int) -> None:
        self.moved.emit(position_ms / 1000)
        # Qt's decoder gives no error where it knows a video's sound alone.
        played_ms = position_ms - self._started_ms
        if self.is_playing and not self._has_pictures and played_ms > WITHOUT_PICTURES_MS:
            self._give_up(tr("its format is not supported"))

    def _on_duration(self, duration_ms: int) -> None:
        self.length_came.emit(duration_ms / 1000)

    def _on_state(self) -> None:
        self.playing.emit(self.is_playing)

    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        kinds = self._player.MediaStatus
        if status == kinds.LoadedMedia and self._from_ms:
            self._player.setPosition(self._from_ms)  # some kinds forget what was set before
            self._from_ms = 0
        elif status == kinds.EndOfMedia and not self._has_pictures:
            self._give_up(tr("it has no picture that can be shown"))
        elif status == kinds.EndOfMedia:
            self.ended.emit()

    def _on_error(self, error: QMediaPlayer.Error, text: str) -> None:
        if error != self._player.Error.NoError:
            self._give_up(text or tr("its format is not supported"))

    def _give_up(self, why: str) -> None:
        self.stop()
        said = tr("This video cannot be played here ({reason}).", reason=why.rstrip("."))
        self.failed.emit(said)
