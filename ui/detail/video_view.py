"""The picture in the detail; of a video also its moments and its player."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QStackedWidget, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import Moments
from cocadesk.protocol.values import Hit, MediaKind, Row
from ui.detail.moment_strip import MomentStrip
from ui.detail.player_controls import PlayerControls
from ui.detail.video_player import USUAL_FPS, VideoPlayer
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import in_column
from ui.kit.photo_view import PhotoView
from ui.kit.texts import playable
from ui.kit.theme import GAP_S
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import label

PAUSE_MS = 120
MOMENTS_STAY = tr("The moments below show what is in it.")


class VideoView(QWidget):
    """A photo is its picture alone; a video that plays or is paused ``is_open``.

    ``moment_chosen`` asks for the picture of a time, ``moment_left`` says just
    before that the one that was asked for last is no longer wanted.
    """

    moment_chosen = Signal(object)
    moment_left = Signal()
    ended = Signal()

    def __init__(
        self,
        frames: ImageLoader,
        *,
        photo: PhotoView | None = None,
        controls: PlayerControls | None = None,
    ) -> None:
        """With a ``photo`` of its own it is large: moments are shown where nothing can play."""
        super().__init__()
        self.is_large = photo is not None
        self._row: Row | None = None
        self._player: VideoPlayer | None = None
        self.is_open = False
        self._frames = frames
        self._from_s = 0.0
        self._wanted_s = 0.0
        self._has_sought = False
        # Steps and drags pass many moments; the last one is wanted.
        self._pause = single_shot(self, lambda: self.moment_chosen.emit(self._wanted_s), PAUSE_MS)
        self.photo = photo or PhotoView(can_zoom=False)
        self.photo.setAccessibleName(tr("Photo"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.photo)
        self.controls = controls or PlayerControls()
        self.controls.play_clicked.connect(self.toggle)
        self.controls.sought.connect(self._on_sought)
        self.controls.frame_stepped.connect(self.step_frame)
        self.strip = MomentStrip(frames)
        self.strip.chosen.connect(self._on_chosen)
        self.strip.play_wanted.connect(self.toggle)
        self.sentence = label("", "on-stage-small" if self.is_large else "small", wraps=True)
        in_column((self.stack, 1), self.controls, self.sentence, self.strip, gap=GAP_S, of=self)
        self.clear()

    def clear(self) -> None:
        """Neither photo nor video."""
        self.stop()
        self._pause.stop()
        self._row = None
        self._show_video_parts(is_video=False)

    def show_row(self, row: Row, thumbnail: QPixmap | None) -> None:
        """Another medium, or the same one with other annotations, which does not stop a video."""
        is_same = self.follow(row)
        if is_same and self.photo.has_picture:
            return
        if thumbnail is not None and not thumbnail.isNull():
            self.photo.show_picture(thumbnail)
        else:
            self.photo.show_message("")

    def follow(self, row: Row) -> bool:
        """What can be done with a medium; its picture is another's to show. True: the same one."""
        if self._row is not None and self._row.key == row.key:
            self._row = row
            return True
        self._row = row
        self.stop()
        self._pause.stop()
        self._from_s = 0.0
        self._show_video_parts(is_video=self.plays(row))
        self.strip.setVisible(False)
        self.photo.setAccessibleName(tr("Video") if row.kind is MediaKind.VIDEO else tr("Photo"))
        return False

    def show_moments(self, answer: Moments, hit: Hit | None) -> None:
        """The video's moments have come."""
        if self._row is None or answer.key != self._row.key:
            return
        self.strip.show_moments(answer.moments, hit)
        self.controls.show_moments(answer.moments, hit)
        self._show_strip()
        if not self.is_open:
            has_matched = hit is not None and hit.time_s is not None
            self._from_s = self.strip.start_s() if has_matched else 0.0
            self.controls.show_time(self.strip.current_s() if has_matched else 0.0)

    @property
    def can_play(self) -> bool:
        """True where there is something to play in what is shown."""
        return self.plays(self._row)

    @staticmethod
    def plays(row: Row | None) -> bool:
        """True where there is something to play."""
        return row is not None and playable(row) is not None

    def toggle(self) -> None:
        """Plays from the chosen moment, pauses, or goes on."""
        path = None if self._row is None else playable(self._row)
        if path is None:
            return
        if self.is_open and self._player is not None:
            self._player.toggle()
            return
        try:
            player = self._player or self._make_player()
        except UserError as error:
            self._say(f"{error} {MOMENTS_STAY}")
            return
        self.sentence.hide()
        self.is_open = True
        self.stack.setCurrentWidget(player.widget)
        player.play(path.to_str(), self._from_s)

    def play(self, from_s: float | None, *, once: bool = False) -> None:
        """Plays from there, or from the chosen moment.

        ``once``: also where videos are played again and again.
        """
        if from_s is not None:
            self._from_s = from_s
        if not self.is_open:
            self.toggle()
        if once and self._player is not None:
            self._player.set_loop(False)

    @property
    def playing_s(self) -> float | None:
        """The place where the video plays or is paused; None where it does not."""
        return self._player.time_s if self.is_open and self._player is not None else None

    def note(self, time_s: float) -> None:
        """This time was chosen in another view of the same video."""
        if not self.is_open:
            self.strip.follow(time_s)
            self.controls.show_time(time_s)
            self._from_s = self.strip.start_s()
            self._has_sought, self._wanted_s = True, time_s

    def step_frame(self, by: int) -> None:
        """The next or the previous frame, standing still; without a player as a picture."""
        if self.is_open and self._player is not None:
            self._player.step_frame(by)
            return
        length_s = self._row.duration_s if self._row is not None else None
        to_s = max(0.0, self._shown_s() + by / USUAL_FPS)
        self._on_sought(to_s if length_s is None else min(to_s, length_s))

    def _shown_s(self) -> float:
        """The time of the picture, where the video does not play."""
        return self._wanted_s if self._has_sought else self.strip.current_s()

    def stop(self) -> None:
        """The picture again instead of the video."""
        if self.is_open and self._player is not None:
            self.is_open = False
            self._player.stop()
        self.stack.setCurrentWidget(self.photo)
        self.controls.show_playing(False)

    def _make_player(self) -> VideoPlayer:
        player = VideoPlayer(self)
        player.moved.connect(self._on_moved)
        player.length_came.connect(self.controls.set_length)
        player.playing.connect(self._on_playing)
        player.failed.connect(self._on_failed)
        player.clicked.connect(self.toggle)
        player.ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)
        controls = self.controls
        controls.mute_changed.connect(player.set_muted)
        controls.volume_changed.connect(player.set_volume)
        controls.speed_changed.connect(player.set_speed)
        controls.loop_changed.connect(player.set_loop)
        controls.announce()
        self.stack.addWidget(player.widget)
        self._player = player
        return player

    def _show_video_parts(self, *, is_video: bool) -> None:
        self.controls.setVisible(is_video)
        self.strip.setVisible(is_video and not self.is_large)
        self.sentence.hide()
        self.controls.show_moments((), None)
        if is_video and self._row is not None:
            self.controls.set_length(self._row.duration_s or 0.0)
            self.controls.show_time(0.0)

    def _say(self, text: str) -> None:
        self.sentence.setText(text)
        self.sentence.show()
        self._show_strip()

    def _show_strip(self) -> None:
        """Large, the timeline stands for the moments as long as the video can be played."""
        is_needed = not self.is_large or not self.plays(self._row) or not self.sentence.isHidden()
        self.strip.setVisible(bool(self.strip.count()) and is_needed)

    def _on_chosen(self, time_s: object) -> None:
        self._from_s = self.strip.start_s()
        self._has_sought = False
        if self.is_open and self._player is not None:
            self._player.seek(self._from_s)
            return
        assert isinstance(time_s, float)
        self.controls.show_time(time_s)
        path = self.strip.thumbnail()
        small = None if path is None else self._frames.pixmap(path, path)
        if small is not None and not small.isNull():
            self.photo.show_picture(small)  # until the large one comes
        self._want(time_s)

    def _want(self, time_s: float) -> None:
        self.moment_left.emit()
        self._wanted_s = time_s
        self._pause.start()

    def _on_moved(self, time_s: float) -> None:
        if self.is_open:
            self.controls.show_time(time_s)
            self.strip.follow(time_s)

    def _on_playing(self, is_playing: bool) -> None:
        self.controls.show_playing(is_playing and self.is_open)

    def _on_failed(self, sentence: str) -> None:
        self.stop()
        self._say(f"{sentence} {MOMENTS_STAY}")

    def _on_ended(self) -> None:
        """The picture of the moment again, to play from it once more."""
        self.stop()
        self._from_s = self.strip.start_s()
        self.controls.show_time(self.strip.current_s())
        self.ended.emit()

    def _on_sought(self, to_s: float) -> None:
        self._from_s = to_s
        self._has_sought, self._wanted_s = True, to_s
        self.controls.show_time(to_s)
        if self.is_open and self._player is not None:
            self._player.seek(to_s)
        else:
            self._want(to_s)
