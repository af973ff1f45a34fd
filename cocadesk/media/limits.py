"""Refuses a picture that would cost too much, before it is decoded."""

from __future__ import annotations

from cocadesk.media.types import DecodeLimits, PhotoError


def check_size(width: int, height: int, needed_bytes: int, limits: DecodeLimits) -> None:
    """Nothing, when the picture may be decoded.

    Raises:
        PhotoError: it has no pixels, or more than the limits allow.
    """
    if width < 1 or height < 1:
        raise PhotoError("The picture has no pixels: its header gives a size of zero.")
    pixels = width * height
    if pixels > limits.pixels:
        raise PhotoError(
            f"The picture claims {width} x {height} pixels ({pixels / 1e6:,.0f} megapixels);"
            f" the limit is {limits.pixels / 1e6:,.0f}."
        )
    if needed_bytes > limits.memory_bytes:
        raise PhotoError(
            f"Decoding {width} x {height} pixels would need about {needed_bytes / 2**20:,.0f} MB"
            f" of memory; the limit is {limits.memory_bytes / 2**20:,.0f} MB."
        )
