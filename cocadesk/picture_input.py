"""A network's picture input: what the decoder makes and the model reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

LONG = 2.4
"""A picture that is so many times as long as short, or more, is seen in boxes, too.

No camera's own frame is, and no phone's screen: 21:9, the longest, stays below. From here on
are panoramas and strips of screen: squashed, they lose more than half of what lies along their
long side.
"""
MOST_BOXES = 8
"""Of one picture: a longer one than 8:1 gets longer boxes, so that work and memory stay bounded."""
_OVERLAP = 0.25
"""The least share of a box that the next one shows again: what one cuts, the other has whole."""


class Resize(StrEnum):
    """The way from a picture of any shape to the square that the network sees.

    LONGEST shows all of it in its shape, with a margin along the long sides.
    """

    SQUASH = "squash"
    CENTER_CROP = "center_crop"
    LONGEST = "longest"


class Scaling(StrEnum):
    """The filter by which a picture is scaled.

    USUAL is area averages where it is squashed, quick and as the starter was trained, and
    bicubic elsewhere, as CLIP is. The others are Pillow's, with antialiasing.
    """

    USUAL = "usual"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


# Of a box, its length by the picture's short side: the shape of the photos that a network which
# squashes was trained on, and a square for one that never sees anything but squares.
_BOX_LENGTH = {Resize.SQUASH: 4 / 3, Resize.CENTER_CROP: 1.0, Resize.LONGEST: 4 / 3}


class Box(NamedTuple):
    """A rectangle in a picture, in shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """A model's picture input: a square of ``size_px``; margins are grey of ``fill``, 0 to 255."""

    size_px: int
    resize: Resize = Resize.SQUASH
    scaling: Scaling = Scaling.USUAL
    fill: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.size_px <= 4096:
            raise ValueError(f"size_px must lie between 1 and 4096, not {self.size_px}")
        if not 0 <= self.fill <= 255:
            raise ValueError(f"fill must lie between 0 and 255, not {self.fill}")

    def boxes(self, width: int, height: int) -> list[Box]:
        """The boxes of a long photo, from its left or top on; none of any other.

        They are of one size, equally far apart, and cover the photo together. Frames of videos
        have none, however long: a video has many views as it is.
        """
        shape = max(width, height) / min(width, height)
        if shape < LONG:
            return []
        step = 1 - _OVERLAP
        length = max(_BOX_LENGTH[self.resize], shape / (1 + (MOST_BOXES - 1) * step))
        count = min(MOST_BOXES, 1 + math.ceil((shape - length) / (length * step)))
        share = length / shape
        starts = [(1 - share) * number / (count - 1) for number in range(count)]
        ends = [*(start + share for start in starts[:-1]), 1.0]
        spans = list(zip(starts, ends, strict=True))
        if width > height:
            return [Box(start, 0.0, end, 1.0) for start, end in spans]
        return [Box(0.0, start, 1.0, end) for start, end in spans]
