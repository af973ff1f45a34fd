"""From a decoded frame to an upright picture, and to the tiny one that shots are found with."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from cocadesk.media.opencv import cv2
from cocadesk.media.photo.colour import turn_upright, upright_size
from cocadesk.media.photo.hdr import Curve, to_screen
from cocadesk.media.photo.resize import input_and_thumbnail, prepare_input, resize
from cocadesk.media.source import Coverage, coverage_for
from cocadesk.media.types import RgbImage
from cocadesk.media.video.shots import (
    CHROMA_HEIGHT,
    CHROMA_WIDTH,
    LUMA_HEIGHT,
    LUMA_WIDTH,
    TinyPicture,
)
from cocadesk.picture_input import InputSpec

_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
# Without scaling, swscale's plain way is eight times as fast as its exact one and 1 or 2 of 255
# off; full chroma interpolation (FULL_CHR_H_INT) overflows with 16 bits (FFmpeg 8, rgb48).
_FAST = Interpolation.AREA
_EXACT = Interpolation.AREA | Interpolation.ACCURATE_RND
_CURVES = {curve.value: curve for curve in Curve}
_UNSPECIFIED_MATRIX = 2
_KNOWN_MATRICES = frozenset({0, 1, 4, 5, 6, 7, 9})  # numbers of ISO/IEC 23091-2
_WIDE_MATRICES = frozenset({10, 13, 14})
_SD_HEIGHT = 576
_PLANAR_BITS = {
    **{f"yuv{form}p": 8 for form in ("420", "422", "444", "440", "411", "410")},
    **{f"yuvj{form}p": 8 for form in ("420", "422", "444", "440", "411")},
    **{f"yuv{form}p{n}le": n for form in ("420", "422", "444") for n in (9, 10, 12, 14, 16)},
}
"""Bits of a sample in the formats whose planes are read as they are."""


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A frame as it is stored: the model's input, (S, S, 3) uint8, and a JPEG thumbnail."""

    input_HWC: RgbImage
    thumbnail_jpeg: bytes


class FramePainter:
    """Turns the frames of one video into pictures, always the same frame into the same picture.

    ``pixel_aspect`` is the width of a pixel divided by its height.
    """

    def __init__(self, spec: InputSpec, thumbnail_px: int, pixel_aspect: float) -> None:
        self._spec = spec
        self._thumbnail_px = thumbnail_px
        self._aspect = pixel_aspect
        self._coverage = coverage_for(spec.size_px, thumbnail_px)
        self._to_rgb = VideoReformatter()
        self._to_tiny = VideoReformatter()

    def size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Width and height of the full picture: upright, with the pixel aspect applied."""
        return upright_size(self._shown_width(frame), frame.height, orientation_of(frame))

    def picture(self, frame: av.VideoFrame) -> KeptFrame:
        """The frame as it is embedded, and as it is shown in a grid."""
        rgb = self.rgb(frame, self._coverage)
        both = input_and_thumbnail(rgb, self._spec, self.size(frame), self._thumbnail_px)
        return KeptFrame(*both)

    def input(self, frame: av.VideoFrame) -> RgbImage:
        """The same frame's ``KeptFrame.input_HWC`` alone."""
        return prepare_input(self.rgb(frame, self._coverage), self._spec, self.size(frame))

    def rgb(self, frame: av.VideoFrame, coverage: Coverage) -> RgbImage:
        """Upright sRGB, perhaps at a reduced scale that still covers ``coverage``."""
        step = coverage.reduction(frame.width, frame.height, _STEPS)
        width, height = -(-frame.width // step), -(-frame.height // step)
        rgb = screen_rgb(self._to_rgb, frame, width, height)
        if self._aspect != 1:
            rgb = resize(rgb, max(1, round(width * self._aspect)), height)
        return turn_upright(rgb, orientation_of(frame))

    def tiny(self, frame: av.VideoFrame) -> TinyPicture:
        """The frame as stored, very small; straight from its planes where that can be done."""
        bits = _PLANAR_BITS.get(frame.format.name)
        if bits is None:
            bits = 8
            frame = self._to_tiny.reformat(
                frame,
                LUMA_WIDTH,
                LUMA_HEIGHT,
                "yuv444p",
                src_colorspace=_matrix(frame),
                interpolation=Interpolation.BILINEAR,
                threads=1,
            )
        return TinyPicture.of(*(_small_plane(frame, number, bits) for number in range(3)))

    def _shown_width(self, frame: av.VideoFrame) -> int:
        return max(1, round(frame.width * self._aspect))


def screen_rgb(
    reformatter: VideoReformatter, frame: av.VideoFrame, width: int, height: int
) -> RgbImage:
    """The frame as stored, at this size, in sRGB by the colours that it says it has."""
    curve = _CURVES.get(frame.color_trc)
    reformatted = reformatter.reformat(
        frame,
        width,
        height,
        "rgb24" if curve is None else "rgb48le",
        src_colorspace=_matrix(frame),
        dst_color_range=ColorRange.JPEG,
        interpolation=_FAST if curve is None else _EXACT,
        threads=1,
    )
    stored = reformatted.to_ndarray()
    if curve is None:
        return np.ascontiguousarray(stored, dtype=np.uint8)
    return to_screen(stored.astype(np.uint16, copy=False), curve)


def orientation_of(frame: av.VideoFrame) -> int:
    """The turn that makes a frame upright, as EXIF's orientation 1 to 8.

    Read from the display matrix, which maps stored to shown coordinates and
    may also mirror; PyAV's ``rotation`` is blind to that.
    """
    matrix = bytes(cast(bytes, frame.side_data.get("DISPLAYMATRIX", b"")))
    if len(matrix) < 36:
        return 1
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[
            (a >= 0, d >= 0)
        ]
    return {(True, True): 5, (True, False): 6, (False, False): 7, (False, True): 8}[
        (b >= 0, c >= 0)
    ]


def _matrix(frame: av.VideoFrame) -> int | None:
    """The colour matrix to assume; None for the frame's own.

    Where a file is silent, players take BT.601 for small pictures and BT.709
    for large ones; FFmpeg would take BT.601 for all. A matrix that swscale
    does not know would be an error: the nearest gives a picture at least.
    """
    stated = frame.colorspace
    if stated == _UNSPECIFIED_MATRIX:
        return Colorspace.ITU709 if frame.height > _SD_HEIGHT else None
    if stated in _KNOWN_MATRICES:
        return None
    return Colorspace.BT2020 if stated in _WIDE_MATRICES else Colorspace.ITU709


def _small_plane(frame: av.VideoFrame, number: int, bits: int) -> NDArray[np.uint8]:
    """One plane, averaged down. Rows are skipped first: a cut shows in a quarter of them too."""
    plane = frame.planes[number]
    width, height = (LUMA_WIDTH, LUMA_HEIGHT) if number == 0 else (CHROMA_WIDTH, CHROMA_HEIGHT)
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    stored = np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype.itemsize)
    rows = stored[: plane.height : max(1, plane.height // (4 * height)), : plane.width]
    small: NDArray[np.uint8] = cv2.resize(rows, (width, height), interpolation=cv2.INTER_AREA)
    return small if bits == 8 else (small >> (bits - 8)).astype(np.uint8)
