"""Every format but plain JPEG, through Pillow and pi-heif."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from functools import cache
from importlib import import_module

from PIL import Image

from cocadesk.media.formats import PhotoFormat
from cocadesk.media.limits import check_size
from cocadesk.media.metadata.raw import png_texts, raw_metadata
from cocadesk.media.photo.colour import image_to_srgb, turn_upright, upright_size
from cocadesk.media.photo.pillow_modes import flatten_on_white, peak_bytes_per_pixel, to_plain_mode
from cocadesk.media.source import Coverage, RawMetadata
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


@cache
def _load_plugin(name: str) -> None:
    plugin = import_module(name)
    if name == "pi_heif":  # Pillow's own register themselves
        plugin.register_heif_opener(
            thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
        )


class PillowSource:
    """A photo that Pillow has opened but not decoded."""

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

    def reduction(self, coverage: Coverage) -> int:
        return coverage.reduction(self.width, self.height, tuple(range(1, 65)))

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
            width, height = self._image.size
            needed = width * height * peak_bytes_per_pixel(self._image, self.format)
            check_size(width, height, needed, self._limits)
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
        width, height = photo_format.canvas(data)
        check_size(width, height, width * height * photo_format.decoder_bytes, limits)
    _load_plugin(photo_format.plugin)
    try:
        image = Image.open(io.BytesIO(data), formats=photo_format.pillow_names)
        metadata = raw_metadata(image, data, photo_format)
        source = PillowSource(image, photo_format, metadata, limits)
    except MemoryError as error:
        raise PhotoError("Opening it needs more memory than is allowed.") from error
    except _DECODER_ERRORS as error:
        raise PhotoError(_explain(photo_format, error)) from error
    check_size(*image.size, 0, limits)
    return source


def _explain(photo_format: PhotoFormat, error: BaseException) -> str:
    text = str(error).strip().rstrip(".")
    lowered = text.lower()
    if "truncated" in lowered or "unexpected end" in lowered or "not enough data" in lowered:
        return f"The {photo_format.name} data end too early: the file was cut short."
    if not text or "cannot identify image file" in lowered:
        return f"The {photo_format.name} header is broken or of a kind that cannot be read."
    return f"The {photo_format.name} data are broken ({text[:200]})."
