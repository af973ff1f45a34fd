"""Most formats, through Pillow and pi-heif.

Pillow's many pixel modes are brought to plain 8-bit ones, and transparency is put on white.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from functools import cache
from importlib import import_module

from PIL import Image

from cocadesk.errors import kept
from cocadesk.media.formats import MetadataBlocks, PhotoFormat
from cocadesk.media.metadata.raw import png_texts, raw_metadata
from cocadesk.media.photo.colour import image_to_srgb, turn_upright, upright_size
from cocadesk.media.photo.modes import PLAIN_MODES, flatten_on_white, to_plain_mode
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage

# DecodeLimits are checked on every picture; Pillow's own limit would only add warnings.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's many parsers raise on broken data; a decoder error must fail one file only.
DECODER_ERRORS = (
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

_ONE_BYTE = frozenset({"1", "L", "P"})


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
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except DECODER_ERRORS as error:
            raise PhotoError(explain(self.format, error)) from error
        return turn_upright(rgb, self._orientation)

    def whole_metadata(self) -> RawMetadata:
        if self.format.metadata is MetadataBlocks.PILLOW_INFO_AND_TEXTS:
            self.decode(1)
        return self.metadata

    @property
    def icc(self) -> bytes | None:
        """The colour profile that the file brings."""
        return self._icc

    @property
    def has_own_white(self) -> bool:
        """True where only all its pixels together tell which number means white."""
        return self._image.mode in ("F", "I")

    @property
    def bytes_per_pixel(self) -> int:
        """Estimated bytes for one pixel at the peak of loading and converting."""
        mode = self._image.mode
        own = 1 if mode in _ONE_BYTE else 2 if mode.startswith("I;16") else 4
        converted = 0 if mode in PLAIN_MODES else 4
        return own + converted + self.format.decoder_bytes

    @property
    def has_alpha(self) -> bool:
        """True where parts of it may be transparent."""
        return self._image.mode.endswith("A")

    @property
    def frame_count(self) -> int:
        """The number of frames of an animated picture, 1 for a still one.

        Raises:
            PhotoError: the data are broken.
        """
        try:
            if not getattr(self._image, "is_animated", False):
                return 1
            return int(getattr(self._image, "n_frames", 1)) - self._first_frame
        except DECODER_ERRORS as error:
            raise PhotoError(explain(self.format, error)) from error

    def frame(self, number: int) -> tuple[RgbImage, float]:
        """A frame as ``decode`` gives pictures, and the seconds that it is shown.

        Raises:
            PhotoError: the data are broken or need too much memory.
        """
        self._limits.check_size(*self._image.size, self.bytes_per_pixel + 8)
        try:
            self._image.seek(number + self._first_frame)
            self._image.load()
            plain = to_plain_mode(self._image)
            rgb = flatten_on_white(plain, lambda part: image_to_srgb(part, self._icc))
            shown_s = float(self._image.info.get("duration", 0)) / 1000
        except MemoryError as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except DECODER_ERRORS as error:
            raise PhotoError(explain(self.format, error)) from error
        return turn_upright(rgb, self._orientation), shown_s

    def close(self) -> None:
        """Lets go of the picture."""
        self._image.close()

    @property
    def _first_frame(self) -> int:
        """1 where the picture for programs that know no animations stands before the frames."""
        return int(bool(getattr(self._image, "default_image", False)))

    def _load(self) -> Image.Image:
        """The whole picture in a mode that can be reduced; decoded once, then kept."""
        if self._loaded is None:
            self._limits.check_size(*self._image.size, self.bytes_per_pixel)
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
        raise PhotoError(kept("Opening it needs more memory than is allowed.")) from error
    except DECODER_ERRORS as error:
        raise PhotoError(explain(photo_format, error)) from error
    limits.check_size(*image.size, 0)
    return source


def explain(photo_format: PhotoFormat, error: BaseException) -> str:
    """The sentence for an error of a decoder."""
    text = str(error).strip().rstrip(".")
    lowered = text.lower()
    if "truncated" in lowered or "unexpected end" in lowered or "not enough data" in lowered:
        return kept(
            "The {name} data end too early: the file was cut short.", name=photo_format.name
        )
    if not text or "cannot identify image file" in lowered:
        return kept(
            "The {name} header is broken or of a kind that cannot be read.", name=photo_format.name
        )
    return kept("The {name} data are broken ({fault}).", name=photo_format.name, fault=text[:200])
