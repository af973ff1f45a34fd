"""Pillow's many pixel modes as plain 8-bit ones, and transparency on white."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from cocadesk.media.types import RgbImage

PLAIN_MODES = frozenset({"L", "RGB", "RGBA", "CMYK", "LAB"})
_BITS_PER_SAMPLE = 258


def to_plain_mode(image: Image.Image) -> Image.Image:
    """A loaded picture in mode L, RGB, RGBA, CMYK or LAB, 8 bits a channel.

    Deep pixels are scaled, not clipped as ``convert`` does.
    """
    if image.mode.startswith(("I", "F")):
        return _deep_to_grey(image)
    if image.mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in PLAIN_MODES else image.convert("RGB")


def _deep_to_grey(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    grey = np.clip(values * (255.0 / _white_level(image, values)), 0, 255)
    eight_bit = Image.fromarray(np.nan_to_num(grey).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        alpha = Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8))
        return Image.merge("RGBA", (eight_bit, eight_bit, eight_bit, alpha))
    return eight_bit


def _white_level(image: Image.Image, values: np.ndarray) -> float:
    """The value that means white: by the file's bit depth, else by what the pixels hold."""
    if image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
        return float(2 ** min(max(int(bits[0]), 9), 16) - 1)
    highest = float(np.nan_to_num(values, posinf=0.0).max(initial=0))
    for level in (1.0, 255.0, 65535.0):
        if highest <= level and not (level == 1.0 and image.mode == "I"):
            return level
    return highest


def flatten_on_white(image: Image.Image, to_srgb: Callable[[Image.Image], Image.Image]) -> RgbImage:
    """(H, W, 3) of a picture in a plain mode; ``to_srgb`` manages the colours alone."""
    if image.mode != "RGBA":
        return np.array(to_srgb(image))
    alpha = image.getchannel("A")
    on_white = Image.new("RGB", image.size, (255, 255, 255))
    on_white.paste(to_srgb(image.convert("RGB")), mask=alpha)
    return np.array(on_white)
