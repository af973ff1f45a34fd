"""Pictures too large to be held whole: read band by band, each made small at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from cocadesk.media.photo.colour import image_to_srgb
from cocadesk.media.photo.modes import flatten_on_white, to_plain_mode
from cocadesk.media.types import RgbImage

BAND_PIXELS = 4_000_000
"""A band's size: work is done in large pieces, yet some tens of MB hold one."""


def join_bands(
    bands: Iterator[Image.Image],
    reduction: int,
    icc: bytes | None,
    on_part: Callable[[], None] = lambda: None,
) -> RgbImage:
    """(H, W, 3) sRGB on white at 1/``reduction``, from bands of full-size rows, top to bottom.

    All bands but the last have a multiple of ``reduction`` rows, so that the result is the same
    as that of the whole picture.
    """
    parts = []
    for band in bands:
        plain = to_plain_mode(band)
        if reduction > 1:
            plain = plain.reduce(reduction)
        parts.append(flatten_on_white(plain, lambda part: image_to_srgb(part, icc)))
        on_part()
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
