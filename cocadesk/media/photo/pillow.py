"""Every format but plain JPEG, through Pillow and pi-heif.

Pillow's many pixel modes are brought to plain 8-bit ones, and transparency is put on white.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module

import numpy as np
from PIL import Image

from cocadesk.media.formats import PhotoFormat
from cocadesk.media.metadata.raw import png_texts, raw_metadata
from cocadesk.media.photo.colour import image_to_srgb, turn_upright, upright_size
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import DecodeLimits, PhotoError, RgbImage

# DecodeLimits are checked on every picture; Pillow's own limit would only add warnings.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's many parsers raise on broken data; a decoder error must fail one file only.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    SyntaxError,
    OverflowError,
    RuntimeError,
    ZeroDivisionError,
    NotImplementedError,
    struct.error,
    zlib.error,
)

_PLAIN = frozenset({"L", "RGB", "RGBA", "CMYK", "LAB"})
_ONE_BYTE = frozenset({"1", "L", "P"})
_BITS_PER_SAMPLE = 258


@cache
def _load_plugin(name: str) -> None:
    plugin = import_module(name)
    if name == "pi_heif":  # Pillow's own register themselves
        plugin.register_heif_opener(
            thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
        )


class PillowSource(PhotoSource):
    """A photo that Pillow has opened but not decoded."""

    steps = tuple(range(1, 65))

    def __init__(
        self,
        image: Image.Image,
        photo_format: PhotoFormat,
        metadata: RawMetadata,
        limits: DecodeLimits,
    ) -> None:
        self._image = image
        self._limits = limits
        self._loaded: Image.Image | None = None
        self.format = photo_format
        icc = image.info.get("icc_profile")
        self._icc = icc if isinstance(icc, bytes) else None
        self.metadata = metadata
        is_turned = photo_format.is_turned_by_decoder
        self._orientation = 1 if is_turned else metadata.exif.orientation
        self.width, self.height = upright_size(*image.size, self._orientation)

    def decode(self, reduction: int) -> RgbImage:
        try:
            image = self._load()
            if reduction > 1:
                image = image.reduce(reduction)
            rgb = flatten_on_white(image, lambda part: image_to_srgb(part, self._icc))
        except PhotoError:
            raise
        except MemoryError as error:
            raise PhotoError("Decoding needs more memory than is allowed.") from error
        except _DECODER_ERRORS as error:
            raise PhotoError(_explain(self.format, error)) from error
        return turn_upright(rgb, self._orientation)

    def _load(self) -> Image.Image:
        """The whole picture in a mode that can be reduced; decoded once, then kept."""
        if self._loaded is None:
            needed = _peak_bytes_per_pixel(self._image, self.format)
            self._limits.check_size(*self._image.size, needed)
            self._image.load()
            texts = png_texts(self._image, self.format)  # they may stand behind the pixels
            self.metadata = replace(self.metadata, png_texts=texts)
            self._loaded = to_plain_mode(self._image)
        return self._loaded


def open_with_pillow(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> PillowSource:
    """The photo in ``data``, opened by the one Pillow plugin for its format.

    Raises:
        PhotoError: the header is broken or the picture is too large.
    """
    if photo_format.canvas is not None:
        limits.check_size(*photo_format.canvas(data), photo_format.decoder_bytes)
    _load_plugin(photo_format.plugin)
    try:
        names = photo_format.pillow_names or (photo_format.name.upper(),)
        image = Image.open(io.BytesIO(data), formats=names)
        metadata = raw_metadata(image, data, photo_format)
        source = PillowSource(image, photo_format, metadata, limits)
    except MemoryError as error:
        raise PhotoError("Opening it needs more memory than is allowed.") from error
    except _DECODER_ERRORS as error:
        raise PhotoError(_explain(photo_format, error)) from error
    limits.check_size(*image.size, 0)
    return source


def _explain(photo_format: PhotoFormat, error: BaseException) -> str:
    text = str(error).strip().rstrip(".")
    lowered = text.lower()
    if "truncated" in lowered or "unexpected end" in lowered or "not enough data" in lowered:
        return f"The {photo_format.name} data end too early: the file was cut short."
    if not text or "cannot identify image file" in lowered:
        return f"The {photo_format.name} header is broken or of a kind that cannot be read."
    return f"The {photo_format.name} data are broken ({text[:200]})."


def _peak_bytes_per_pixel(image: Image.Image, photo_format: PhotoFormat) -> int:
    """Estimated bytes for one pixel at the peak of loading and converting."""
    own = 1 if image.mode in _ONE_BYTE else 2 if image.mode.startswith("I;16") else 4
    converted = 0 if image.mode in _PLAIN else 4
    return own + converted + photo_format.decoder_bytes


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
    return image if image.mode in _PLAIN else image.convert("RGB")


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
