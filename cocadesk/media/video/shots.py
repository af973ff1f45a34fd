"""Cuts between a video's shots, found by a plain measure of picture change.

Pure functions and a small state machine over tiny pictures. A hard cut changes
most of the picture by much, from one frame to the next, and far more than the
frames before it changed; it counts only if the old picture does not come back
at once (a camera flash). A cross-fade is no cut: shots that long get a moment
every few seconds anyway.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.opencv import cv2

LUMA_WIDTH, LUMA_HEIGHT = 64, 36
CHROMA_WIDTH, CHROMA_HEIGHT = 16, 9

# Measured on 55 odd videos and their 8 known cuts: cuts change the picture by 52 to 97 (of 255)
# against a background of 0 to 10; the wildest motion by 27 against a background of 10.
_MIN_CHANGE = 14.0
_OVER_BACKGROUND = 3.0
_CELL_CHANGE = 10
_MIN_CHANGED_SHARE = 0.5
_BACKGROUND_FRAMES = 12
_FLASH_S = 0.35
_FLASH_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class TinyPicture:
    """A frame at 64 x 36 (luma) and 16 x 9 (two chroma), uint8, in one row."""

    values: NDArray[np.uint8]

    @classmethod
    def of(
        cls, luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8]
    ) -> TinyPicture:
        """From three planes that already have these sizes."""
        return cls(np.concatenate([luma.ravel(), blue.ravel(), red.ravel()]))

    def change_from(self, other: TinyPicture) -> tuple[float, float]:
        """The amount of change (0 to 510) and the share of the picture that changed (0 to 1)."""
        difference = cv2.absdiff(self.values, other.values).ravel()
        parts = (
            difference[:_LUMA_CELLS],
            difference[_LUMA_CELLS:_BLUE_END],
            difference[_BLUE_END:],
        )
        luma, blue, red = (float(part.mean()) for part in parts)
        share = max(np.count_nonzero(part > _CELL_CHANGE) / part.size for part in parts)
        return luma + (blue + red) / 2, share

    @property
    def contrast(self) -> float:
        """The standard deviation of its brightness: near 0 for a black or blank frame."""
        return float(self.values[:_LUMA_CELLS].std())


_LUMA_CELLS = LUMA_WIDTH * LUMA_HEIGHT
_BLUE_END = _LUMA_CELLS + CHROMA_WIDTH * CHROMA_HEIGHT


class SuspectedCut(Enum):
    """The fate of the cut that was suspected some frames ago."""

    NOTHING = auto()
    IS_CUT = auto()
    WAS_FLASH = auto()


@dataclass(frozen=True, slots=True)
class ShotFinding:
    """One frame's evidence: the fate of an older suspicion, then a new one if it raises any.

    ``may_begin_shot``: this frame may be the first of a new shot; a later
    frame resolves that. ``change``: from the frame before, 0 for the first.
    """

    resolved: SuspectedCut
    may_begin_shot: bool
    change: float


class ShotFinder:
    """Judges the frames of one video in their order."""

    def __init__(self) -> None:
        self._last: TinyPicture | None = None
        self._recent: deque[float] = deque(maxlen=_BACKGROUND_FRAMES)
        self._before: TinyPicture | None = None
        """The last picture of the old shot while a cut is suspected."""
        self._suspected_at_s = 0.0
        self._jump = 0.0

    def take(self, time_s: float, picture: TinyPicture) -> ShotFinding:
        """Judges the next frame."""
        last, self._last = self._last, picture
        if last is None:
            return ShotFinding(SuspectedCut.NOTHING, False, 0.0)
        change, share = picture.change_from(last)
        resolved = self._resolve(time_s, picture)
        is_jump = self._is_jump(change, share) and self._before is None
        if resolved is SuspectedCut.WAS_FLASH:
            is_jump = False  # the flash's own end
        if is_jump:
            self._before, self._suspected_at_s, self._jump = last, time_s, change
            self._recent.clear()
        elif resolved is not SuspectedCut.WAS_FLASH:
            self._recent.append(change)
        return ShotFinding(resolved, is_jump, change)

    def _is_jump(self, change: float, share: float) -> bool:
        background = sum(self._recent) / len(self._recent) if self._recent else 0.0
        needed = _MIN_CHANGE + _OVER_BACKGROUND * background
        return change > needed and share > _MIN_CHANGED_SHARE

    def _resolve(self, time_s: float, picture: TinyPicture) -> SuspectedCut:
        if self._before is None:
            return SuspectedCut.NOTHING
        passed_s = time_s - self._suspected_at_s
        if passed_s <= _FLASH_S:
            change, _ = picture.change_from(self._before)
            if change < _FLASH_SHARE * self._jump:
                self._before = None
                return SuspectedCut.WAS_FLASH
            return SuspectedCut.NOTHING
        self._before = None
        return SuspectedCut.IS_CUT
