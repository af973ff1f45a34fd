"""Pictures too large to be held whole: read band by band, each made small at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from cocadesk.media.photo.colour import image_to_srgb
from cocadesk.media.photo.modes import flatten_on_white, to_plain_mode
from cocadesk.media.types import RgbImage

LARGE_PIXELS = 40_000_000
"""From here on in pieces. It depends on the file alone, as the picture's hash must."""
BAND_PIXELS = 4_000_000
"""A band's size: work is done in large pieces, yet some tens of MB hold one."""


def join_bands(
    bands: Iterator[Image.Image],
    reduction: int,
    icc: bytes | None,
    on_part: Callable[[], None] = lambda: None,
) -> RgbImage:
    """(H, W, 3) sRGB on white at 1/``reduction``, from bands of full-size rows, top to bottom.

    Rows that fill no step of ``reduction`` wait for the next band, so that the result is the
    same as that of the whole picture.
    """
    parts: list[RgbImage] = []
    for plain in _in_whole_steps(bands, reduction):
        small = plain.reduce(reduction) if reduction > 1 else plain
        parts.append(flatten_on_white(small, lambda part: image_to_srgb(part, icc)))
        on_part()
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _in_whole_steps(bands: Iterator[Image.Image], step: int) -> Iterator[Image.Image]:
    """The rows of the bands, each time a multiple of ``step`` but for the last."""
    rest: Image.Image | None = None
    for band in bands:
        plain = to_plain_mode(band)
        if rest is not None:
            joined = Image.new(plain.mode, (plain.width, rest.height + plain.height))
            joined.paste(rest, (0, 0))
            joined.paste(plain, (0, rest.height))
            plain = joined
        rows = plain.height - plain.height % step
        rest = plain.crop((0, rows, plain.width, plain.height)) if rows < plain.height else None
        if rows:
            yield plain if rest is None else plain.crop((0, 0, plain.width, rows))
    if rest is not None:
        yield rest
