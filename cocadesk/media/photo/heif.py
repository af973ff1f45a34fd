"""HEIC and AVIF: common pictures by libheif and libavif, the others by FFmpeg's decoders.

Pictures of a phone with 108 megapixels, coded whole or in tiles, would take a gigabyte in the
first way. FFmpeg's decoder keeps them in YUV, and they are scaled from there, tile by tile. In
the same way go pictures of a high dynamic range (PQ, HLG): their ten bits are tone-mapped as
those of a video are, where the other libraries give 8 bits as stored, which look pale. And all
photos in HEVC: FFmpeg reads 12 megapixels in 0.15 s, libheif in 0.35 s. Only what FFmpeg cannot
read of these is left to libheif.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from cocadesk.errors import kept
from cocadesk.media.formats import PhotoFormat
from cocadesk.media.photo.bands import LARGE_PIXELS
from cocadesk.media.photo.colour import rgb_to_srgb
from cocadesk.media.photo.hdr import Curve, wide_to_screen
from cocadesk.media.photo.heif_items import HeifItems, Item
from cocadesk.media.photo.pillow import PillowSource, open_with_pillow
from cocadesk.media.source import PhotoSource
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage
from cocadesk.media.video.frames import screen_rgb

_CODECS = {b"hvc1": ("hevc", b"hvcC"), b"av01": ("libdav1d", b"av1C")}
_STEPS = tuple(range(1, 65))
_CURVES = frozenset(curve.value for curve in Curve)
_BYTES_PER_PIXEL = 5
"""Of a picture coded whole: two frames of 10 bits, with what the decoder keeps beside them."""
_PHOTO_PIXELS = 1_000_000
"""From here on HEVC goes FFmpeg's way. It depends on the file alone, as the picture's hash must."""
_SMALL_TILE = 64
"""Coders pad the sides of pictures to such steps."""
_UNSPECIFIED, _BT601 = 2, 6  # matrices by the numbers of ISO/IEC 23091-2


def open_heif(
    data: bytes, photo_format: PhotoFormat, limits: DecodeLimits, large_pixels: int = LARGE_PIXELS
) -> PhotoSource:
    """The HEIC or AVIF picture in ``data``, its head read.

    Raises:
        PhotoError: the head is broken or the picture is too large.
    """
    common = open_with_pillow(data, photo_format, limits)
    items = HeifItems(data)
    main = items.main
    if main is None:
        return common
    is_hdr = main.nclx is not None and main.nclx.curve in _CURVES
    is_large = common.width * common.height >= large_pixels
    coded = items.tiles(main) if main.kind == b"grid" else [main]
    can_be_read = coded and all(item.kind in _CODECS for item in coded) and not common.has_alpha
    if can_be_read and (is_hdr or is_large):
        return CodedSource(common, items, main, limits)
    plain: PhotoSource = common
    if main.nclx is not None and common.icc is None:
        plain = WideSource(common, main.nclx.primaries)
    is_photo = common.width * common.height >= _PHOTO_PIXELS
    if can_be_read and is_photo and all(item.kind == b"hvc1" for item in coded):
        return CodedSource(common, items, main, limits, otherwise=plain)
    return plain


class WideSource(PhotoSource):
    """A common picture whose colours are given by numbers, not by a profile."""

    def __init__(self, common: PillowSource, primaries: int) -> None:
        self._common = common
        self._primaries = primaries
        self.format, self.steps, self.metadata = common.format, common.steps, common.metadata
        self.width, self.height = common.width, common.height

    def decode(self, reduction: int) -> RgbImage:
        return wide_to_screen(self._common.decode(reduction), self._primaries)


class CodedSource(PhotoSource):
    """A picture whose coded frames are decoded one by one, each made small at once.

    ``otherwise`` decodes what cannot be read in this way.
    """

    def __init__(
        self,
        common: PillowSource,
        items: HeifItems,
        main: Item,
        limits: DecodeLimits,
        *,
        otherwise: PhotoSource | None = None,
    ) -> None:
        self.format, self.metadata = common.format, common.metadata
        self.width, self.height = common.width, common.height
        # Light that is mapped to a screen is in the screen's colours already.
        is_hdr = main.nclx is not None and main.nclx.curve in _CURVES
        self._icc = None if is_hdr else common.icc
        self._items = items
        self._main = main
        self._limits = limits
        self._otherwise = otherwise
        self._reformatter = VideoReformatter()
        self.steps = _STEPS
        if otherwise is not None and main.kind == b"grid":
            self.steps = _whole_steps(items.tiles(main)) or _STEPS

    def decode(self, reduction: int) -> RgbImage:
        try:
            return self._decoded(reduction)
        except PhotoError:
            if self._otherwise is None:
                raise
            return self._otherwise.decode(reduction)

    def _decoded(self, reduction: int) -> RgbImage:
        main = self._main
        is_grid = main.kind == b"grid"
        self._limits.check_size(*main.size, (0 if is_grid else _BYTES_PER_PIXEL) + 3 / reduction**2)
        try:
            rgb = self._grid(reduction) if is_grid else next(self._scaled([main], reduction))
        except MemoryError as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except (av.error.FFmpegError, ValueError, IndexError, struct.error) as error:
            raise PhotoError(
                kept("The {name} data are broken or were cut short.", name=self.format.name)
            ) from error
        return self._turned(rgb, reduction)

    def _grid(self, reduction: int) -> RgbImage:
        """The tiles put together. Each is scaled by itself, to where its edges come to lie."""
        rows, columns, width, height = self._grid_head()
        tiles = self._items.tiles(self._main)[: rows * columns]
        across, down = tiles[0].size if tiles else (0, 0)
        # The rule of the standard also bounds what all tiles together cost: four pictures.
        if len(tiles) < rows * columns or any(tile.size != (across, down) for tile in tiles):
            raise ValueError("the grid lacks tiles, or they differ")
        for side, count, tile in ((width, columns, across), (height, rows, down)):
            if not (count - 1) * tile < side <= count * tile or tile > max(2 * side, _SMALL_TILE):
                raise ValueError("the tiles do not make up the picture")
        whole = np.full((-(-height // reduction), -(-width // reduction), 3), 255, np.uint8)
        for place, rgb in enumerate(self._scaled(tiles, reduction)):
            row, column = divmod(place, columns)
            top, left = row * down // reduction, column * across // reduction
            part = whole[top : top + len(rgb), left : left + rgb.shape[1]]
            part[:] = rgb[: part.shape[0], : part.shape[1]]
            self.on_part()
        return whole

    def _grid_head(self) -> tuple[int, int, int, int]:
        """Rows, columns, width and height of the grid; the size is that which was checked."""
        head = self._items.content(self._main)
        width, height = struct.unpack_from(">II" if head[1] & 1 else ">HH", head, 4)
        if (width, height) != self._main.size:
            raise ValueError("the grid is of another size than its picture")
        return head[2] + 1, head[3] + 1, width, height

    def _scaled(self, items: list[Item], reduction: int) -> Iterator[RgbImage]:
        nclx = self._main.nclx
        is_wide = nclx is not None and nclx.curve not in _CURVES
        for frame in self._frames(items):
            width, height = -(-frame.width // reduction), -(-frame.height // reduction)
            rgb = screen_rgb(self._reformatter, self._coloured(frame), width, height)
            if self._icc is not None:
                yield rgb_to_srgb(rgb, self._icc, is_grey=self._icc[16:20] == b"GRAY")
            else:
                yield wide_to_screen(rgb, nclx.primaries) if nclx and is_wide else rgb

    def _frames(self, items: list[Item]) -> Iterator[av.VideoFrame]:
        """The frame of each item, in order."""
        name, configuration = _CODECS[items[0].kind]
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.thread_count = 1
        context.extradata = items[0].property_of(configuration)
        given = 0
        most = [side + _SMALL_TILE for side in items[0].size]
        packets = (av.Packet(self._items.content(item)) for item in items)
        for packet in chain(packets, [None]):
            for frame in context.decode(packet):
                given += 1
                if given > len(items) or frame.width > most[0] or frame.height > most[1]:
                    raise ValueError("a coded picture is larger than the file says")
                yield frame
        if given < len(items):
            raise ValueError("a tile gave no picture")

    def _coloured(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame with the colours that the file gives it; those count before its own."""
        nclx = self._main.nclx
        if nclx is not None:
            frame.color_trc, frame.colorspace = nclx.curve, nclx.matrix
            frame.color_range = ColorRange.JPEG if nclx.is_full_range else ColorRange.MPEG
        elif frame.colorspace == _UNSPECIFIED:
            frame.colorspace = _BT601
        return frame

    def _turned(self, rgb_HWC: RgbImage, reduction: int) -> RgbImage:
        """The picture after the file's own turns, mirrors and cuts, in their order."""
        for kind, content in self._main.properties:
            if kind == b"irot" and content:
                rgb_HWC = np.rot90(rgb_HWC, content[0] & 3)
            elif kind == b"imir" and content:
                rgb_HWC = rgb_HWC[:, ::-1] if content[0] & 1 else rgb_HWC[::-1]
            elif kind == b"clap" and self.format.is_turned_by_decoder:  # libavif leaves that
                rgb_HWC = _cut(rgb_HWC, content, reduction)
        return np.ascontiguousarray(rgb_HWC)


def _whole_steps(tiles: list[Item]) -> tuple[int, ...]:
    """The reductions that leave tiles a whole number of pixels, so that none is shifted."""
    sides = {side for tile in tiles for side in tile.size}
    return tuple(step for step in _STEPS if not any(side % step for side in sides))


def _cut(rgb_HWC: RgbImage, clap: bytes, reduction: int) -> RgbImage:
    """The clean aperture: its size, and how far its middle lies from the picture's."""
    numbers = struct.unpack_from(">IIIIiIiI", clap)
    if not all(numbers[1::2]):
        return rgb_HWC
    width, height, right, down = (
        top / bottom / reduction for top, bottom in zip(numbers[::2], numbers[1::2], strict=True)
    )
    rows, columns = rgb_HWC.shape[:2]
    left, top = round((columns - width) / 2 + right), round((rows - height) / 2 + down)
    cut = rgb_HWC[max(0, top) : top + round(height), max(0, left) : left + round(width)]
    return cut if cut.size else rgb_HWC
