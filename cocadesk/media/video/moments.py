"""The choice of the frames to keep, made while a video's frames pass by once.

A *moment* is the frame near the middle of a shot; a long shot is cut into
stretches with a moment each. The *whole* is up to sixteen frames spread evenly
over the video (arXiv 2205.01917 takes the mean of sixteen). How long a video
really is turns out only at its end, so both keep a few frames more than needed
and choose late; nothing grows with the video but the moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cocadesk.media.types import RgbImage, VideoMoment
from cocadesk.media.video.frames import FramePainter, KeptFrame
from cocadesk.media.video.shots import ShotFinder, SuspectedCut, TinyPicture
from cocadesk.media.video.source import ShownFrame

LONG_SHOT_S = 10.0
_STUB_S = 2.5
_BLANK_CONTRAST = 4.0
_HELD_FRAME_PIXELS = 9_000_000
WHOLE_SPARE = 3
"""So many times as many frames are kept as are needed, by the length that the head claims."""
_WHOLE_MAX_BYTES = 256 << 20
_UNKNOWN_STEP_S = 0.25


@dataclass(slots=True)
class ChosenFrame:
    """A moment, whose end may still grow, and how much its frame shows."""

    moment: VideoMoment
    contrast: float


@dataclass(slots=True)
class _Candidate:
    shown: ShownFrame
    offset_s: float
    contrast: float
    change: float
    picture: KeptFrame | None


@dataclass(slots=True)
class _Stretch:
    """A shot, or a part of a long one, while it runs."""

    start_s: float
    continues_shot: bool = False
    next_offset_s: float = 0.0
    candidates: list[_Candidate] = field(default_factory=list)

    def offer(
        self, shown: ShownFrame, tiny: TinyPicture, change: float, painter: FramePainter
    ) -> None:
        """Keeps the frame if it may turn out to lie near the middle, and drops others."""
        offset_s = shown.time_s - self.start_s
        if offset_s < self.next_offset_s:
            return
        self.next_offset_s = max(offset_s + 0.25, offset_s * 4 / 3)
        large = shown.frame.width * shown.frame.height > _HELD_FRAME_PIXELS
        # A held frame is held memory: large ones are made small at once.
        picture = painter.picture(shown.frame) if large else None
        self.candidates.append(_Candidate(shown, offset_s, tiny.contrast, change, picture))
        while len(self.candidates) > 1 and self.candidates[1].offset_s <= offset_s / 2:
            del self.candidates[0]  # the middle can only move to later frames

    def best(self, end_s: float) -> _Candidate:
        """The calmest candidate of the middle two thirds, the one nearest to the middle first.

        So neither the midst of a fade nor a swing of the camera stands for a
        shot; nor does a frame that shows nothing, where another shows something.
        """
        middle_s = (end_s - self.start_s) / 2
        nearest = min(self.candidates, key=lambda one: abs(one.offset_s - middle_s))
        central = [
            one for one in self.candidates if abs(one.offset_s - middle_s) <= middle_s * 2 / 3
        ]
        best = min(
            central or [nearest],
            key=lambda one: (round(one.change), abs(one.offset_s - middle_s)),
        )
        if best.contrast < _BLANK_CONTRAST:
            return max(self.candidates, key=lambda one: one.contrast)
        return best


class MomentFinder:
    """Finds the moments of one video. Give it every frame, then ``finish``.

    ``keep`` takes the model's input of each moment, in order, as soon as it is
    chosen. ``most`` bounds their number: where a video of ``hinted_s`` seconds
    would have more, stretches become longer.
    """

    def __init__(
        self,
        painter: FramePainter,
        keep: Callable[[RgbImage], None],
        *,
        most: int,
        hinted_s: float | None,
    ) -> None:
        self._painter = painter
        self._keep = keep
        self._most = most
        fair_s = (hinted_s or 0.0) / most
        self._longest_s = max(LONG_SHOT_S, 2 * fair_s)
        self._shortest_s = 2 * fair_s if fair_s * 2 > LONG_SHOT_S else fair_s
        self._shots = ShotFinder()
        self._current: _Stretch | None = None
        self._suspected: _Stretch | None = None
        self.moments: list[ChosenFrame] = []

    def take(self, shown: ShownFrame, tiny: TinyPicture) -> None:
        """Takes the next frame."""
        finding = self._shots.take(shown.time_s, tiny)
        if self._current is None:
            self._current = _Stretch(0.0)
        if finding.resolved is SuspectedCut.WAS_FLASH:
            self._suspected = None
        elif finding.resolved is SuspectedCut.IS_CUT:
            self._cut()
        if finding.may_begin_shot:
            self._suspected = _Stretch(shown.time_s)
        if self._suspected is not None:
            self._suspected.offer(shown, tiny, finding.change, self._painter)
            return
        is_long = shown.time_s - self._current.start_s >= self._longest_s
        if is_long and self._current.candidates and self._has_room:
            self._close(self._current, shown.time_s)
            self._current = _Stretch(shown.time_s, continues_shot=True)
        self._current.offer(shown, tiny, finding.change, self._painter)

    def finish(self, end_s: float) -> list[ChosenFrame]:
        """The moments of a video that lasts ``end_s``; they cover all of it."""
        if self._suspected is not None:
            self._cut()
        if self._current is not None:
            self._close(self._current, end_s)
            self._current = None
        return self.moments

    @property
    def _has_room(self) -> bool:
        return len(self.moments) + 1 < self._most

    def _cut(self) -> None:
        """The suspected shot is one: the current stretch ends where it began."""
        begun, self._suspected = self._suspected, None
        current = self._current
        if begun is None or current is None or not self._has_room:
            return
        if begun.start_s - current.start_s < self._shortest_s:
            return
        self._close(current, begun.start_s)
        self._current = begun

    def _close(self, stretch: _Stretch, end_s: float) -> None:
        is_stub = stretch.continues_shot and end_s - stretch.start_s < _STUB_S
        if is_stub:
            last = self.moments[-1]
            last.moment = replace(last.moment, end_s=end_s)
            return
        best = stretch.best(end_s)
        picture = best.picture or self._painter.picture(best.shown.frame)
        self._keep(picture.input_HWC)
        moment = VideoMoment(
            time_s=best.shown.time_s,
            start_s=stretch.start_s,
            end_s=end_s,
            thumbnail_jpeg=picture.thumbnail_jpeg,
        )
        self.moments.append(ChosenFrame(moment, best.contrast))


class WholeSampler:
    """Collects up to ``count`` frames, as evenly spread over the video as it can.

    It keeps frames at a step of a third of what is needed, by the length that
    the header claims; when that turns out too short, every second one is
    dropped and the step doubled.
    """

    def __init__(
        self, painter: FramePainter, size_px: int, hinted_s: float | None, count: int
    ) -> None:
        self._painter = painter
        self._count = count
        spare = _WHOLE_MAX_BYTES // (3 * size_px**2)
        self._most = max(count, min(4 * count, spare))
        self._step_s = hinted_s / (WHOLE_SPARE * count) if hinted_s else _UNKNOWN_STEP_S
        self._next_s = 0.0
        self._kept: list[tuple[float, RgbImage]] = []

    def take(self, shown: ShownFrame) -> None:
        """Takes the next frame."""
        if shown.time_s < self._next_s:
            return
        if len(self._kept) >= self._most:
            del self._kept[1::2]
            self._step_s *= 2
            self._next_s = self._kept[-1][0] + self._step_s
            if shown.time_s < self._next_s:
                return
        self._kept.append((shown.time_s, self._painter.input(shown.frame)))
        # Not from this frame's own time: rare frames must not let the grid drift.
        self._next_s = max(self._next_s + self._step_s, shown.time_s + self._step_s / 2)

    def finish(self, end_s: float) -> list[RgbImage]:
        """The frames nearest to the middles of ``count`` equal parts, in order, each once."""
        if not self._kept:
            return []
        chosen = {
            min(
                range(len(self._kept)),
                key=lambda place: abs(self._kept[place][0] - (part + 0.5) * end_s / self._count),
            )
            for part in range(self._count)
        }
        return [self._kept[place][1] for place in sorted(chosen)]
