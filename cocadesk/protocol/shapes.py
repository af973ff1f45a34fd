"""The shapes of pictures as one byte each, so that a million of them travel with their keys."""

from __future__ import annotations

import math

UNKNOWN_SHAPE = 0
"""The shape of a medium whose size is not known."""
STEPS_AN_OCTAVE = 32
SQUARE_SHAPE = 128
_USUAL = 3 / 2


def shape_of(width: float, height: float) -> int:
    """The shape of a picture of this size: 1 to 255 in steps of 2.2 %, or ``UNKNOWN_SHAPE``.

    Pictures longer than 1 : 15 count as being so.
    """
    if not width > 0 or not height > 0:
        return UNKNOWN_SHAPE
    steps = math.log2(width / height) * STEPS_AN_OCTAVE
    return min(255, max(1, SQUARE_SHAPE + round(steps)))


ASPECTS = (_USUAL, *(2 ** ((code - SQUARE_SHAPE) / STEPS_AN_OCTAVE) for code in range(1, 256)))
"""Width by height for each shape; an unknown one counts as a usual photo, 3 : 2."""
