"""From an upright picture to what a model or a screen wants. Pure functions."""

from __future__ import annotations

import numpy as np
import xxhash
from PIL import Image

from cocadesk.media.opencv import cv2
from cocadesk.media.source import FULL_PX
from cocadesk.media.types import RgbImage
from cocadesk.picture_input import InputSpec, Resize, Scaling

THUMBNAIL_QUALITY = 82
FULL_QUALITY = 93
# A picture that is still so many times as large may be halved before it is shrunk.
_HALVED_SIDES = 1.8
_HASH_SIDE_PX = 128


def resize(rgb_HWC: RgbImage, width: int, height: int) -> RgbImage:
    """The picture at exactly ``width`` x ``height``.

    Shrinks by area average and enlarges by cubic curves, each axis for itself:
    OpenCV's INTER_AREA drops to plain bilinear when one axis grows, which
    would alias the other.
    """
    rows, columns = rgb_HWC.shape[:2]
    shrunk_size = (min(width, columns), min(height, rows))
    if shrunk_size != (columns, rows):
        rgb_HWC = cv2.resize(rgb_HWC, shrunk_size, interpolation=cv2.INTER_AREA)
    if shrunk_size != (width, height):
        rgb_HWC = cv2.resize(rgb_HWC, (width, height), interpolation=cv2.INTER_CUBIC)
    return rgb_HWC


def shrink(rgb_HWC: RgbImage, width: int, height: int) -> RgbImage:
    """As ``resize``, but what is much larger is halved first. Not for the picture's hash.

    Means of means are rounded twice.
    """
    return resize(halved(rgb_HWC, width, height), width, height)


def halved(rgb_HWC: RgbImage, width: int, height: int) -> RgbImage:
    """The picture halved as often as it stays much larger than ``width`` x ``height``.

    OpenCV does that ten times as fast as any other shrinking. Means of 2 x 2 pixels come out
    whole, so that an odd side is not halved.
    """
    rows, columns = rgb_HWC.shape[:2]
    while (
        not (rows | columns) & 1
        and columns >= 2 * _HALVED_SIDES * width
        and rows >= 2 * _HALVED_SIDES * height
    ):
        rows, columns = rows // 2, columns // 2
        rgb_HWC = cv2.resize(rgb_HWC, (columns, rows), interpolation=cv2.INTER_AREA)
    return rgb_HWC


def prepare_input(
    rgb_HWC: RgbImage, spec: InputSpec, full_size: tuple[int, int] | None = None
) -> RgbImage:
    """The model's input, (S, S, 3) uint8, contiguous and owning its memory.

    The same function serves training, tuning and indexing. ``rgb_HWC`` is an
    upright picture of any size, whole or reduced; of a reduced one ``full_size``
    (width, height) is that of the whole, so that both are cut alike.
    """
    rows, columns = rgb_HWC.shape[:2]
    match spec.resize:
        case Resize.CENTER_CROP:
            return _centre_crop(rgb_HWC, spec, full_size or (columns, rows))
        case Resize.LONGEST:
            return _with_margins(rgb_HWC, spec, full_size or (columns, rows))
        case Resize.SQUASH:
            return _squashed(rgb_HWC, spec)


def input_and_thumbnail(
    rgb_HWC: RgbImage,
    spec: InputSpec,
    full_size: tuple[int, int],
    thumbnail_px: int,
    *,
    is_input_only: bool = False,
) -> tuple[RgbImage, bytes]:
    """What ``prepare_input`` and ``thumbnail_jpeg`` give of one picture, which is halved once.

    No thumbnail where ``is_input_only``.
    """
    rows, columns = rgb_HWC.shape[:2]
    width, height = fit_within(columns, rows, thumbnail_px)
    small_HWC = halved(rgb_HWC, max(width, spec.size_px), max(height, spec.size_px))
    is_usual = spec.resize is Resize.SQUASH and spec.scaling is Scaling.USUAL
    whole_HWC = small_HWC if is_usual else rgb_HWC
    thumbnail = b"" if is_input_only else thumbnail_jpeg(small_HWC, thumbnail_px)
    return prepare_input(whole_HWC, spec, full_size), thumbnail


def prepare_boxes(
    rgb_HWC: RgbImage, spec: InputSpec, full_size: tuple[int, int]
) -> tuple[RgbImage, ...]:
    """The inputs for the boxes of a long photo (``InputSpec.boxes``), as ``prepare_input`` gives.

    A scale that covers the input of the whole covers those of the boxes: both ask for pixels
    along the short side, and a box is no shorter than that.
    """
    rows, columns = rgb_HWC.shape[:2]
    inputs = []
    for box in spec.boxes(*full_size):
        left, top = round(box.left * columns), round(box.top * rows)
        right, bottom = round(box.right * columns), round(box.bottom * rows)
        part = rgb_HWC[top : max(bottom, top + 1), left : max(right, left + 1)]
        if spec.resize is Resize.LONGEST:
            inputs.append(_with_margins(part, spec, (part.shape[1], part.shape[0])))
        else:
            inputs.append(_squashed(part, spec))
    return tuple(inputs)


def _squashed(rgb_HWC: RgbImage, spec: InputSpec) -> RgbImage:
    if spec.resize is Resize.SQUASH and spec.scaling is Scaling.USUAL:
        return squash(rgb_HWC, spec.size_px)
    side = (spec.size_px, spec.size_px)
    return np.array(Image.fromarray(rgb_HWC).resize(side, _filter(spec)))


def _filter(spec: InputSpec) -> Image.Resampling:
    is_bilinear = spec.scaling is Scaling.BILINEAR
    return Image.Resampling.BILINEAR if is_bilinear else Image.Resampling.BICUBIC


def _with_margins(rgb_HWC: RgbImage, spec: InputSpec, full_size: tuple[int, int]) -> RgbImage:
    """All of the picture with its long side at the square's, in the middle of it.

    The sizes and margins are those of open_clip's ``ResizeKeepRatio`` and ``CenterCropOrPad``.
    """
    side, longest = spec.size_px, max(full_size)
    width, height = (max(1, round(length * side / longest)) for length in full_size)
    scaled = Image.fromarray(rgb_HWC).resize((width, height), _filter(spec))
    whole = np.full((side, side, 3), spec.fill, np.uint8)
    left, top = (side - width) // 2, (side - height) // 2
    whole[top : top + height, left : left + width] = np.asarray(scaled)
    return whole


def squash(rgb_HWC: RgbImage, side_px: int) -> RgbImage:
    """The whole picture as a square, contiguous and owning its memory."""
    resized = shrink(rgb_HWC, side_px, side_px)
    if resized is rgb_HWC or not resized.flags.owndata:
        resized = resized.copy()
    return np.ascontiguousarray(resized)


def _centre_crop(rgb_HWC: RgbImage, spec: InputSpec, full_size: tuple[int, int]) -> RgbImage:
    """The square in the middle, by Pillow's antialiased filters as CLIP is trained.

    CLIP's transform shrinks the shorter side to ``side_px``, cuts the longer one down to
    whole pixels and rounds the margins there. The same rounding is done here, but in
    one resize from fractions of the source's pixels, so that a reduced decode gives the
    same cut. Half a pixel off, fine textures moved a vector to cosine .985.
    """
    side_px = spec.size_px
    rows, columns = rgb_HWC.shape[:2]
    full_width, full_height = full_size
    short = min(full_size)
    width, height = side_px * full_width // short, side_px * full_height // short
    left, top = round((width - side_px) / 2), round((height - side_px) / 2)
    across, down = columns / width, rows / height
    right = min((left + side_px) * across, columns)  # a product may exceed it by a rounding
    bottom = min((top + side_px) * down, rows)
    box = (left * across, top * down, right, bottom)
    cropped = Image.fromarray(rgb_HWC).resize((side_px, side_px), _filter(spec), box=box)
    return np.array(cropped)


def fit_within(width: int, height: int, long_side: int) -> tuple[int, int]:
    """The size with the same shape whose long side is at most ``long_side``."""
    longest = max(width, height)
    if longest <= long_side:
        return width, height
    scale = long_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def thumbnail_jpeg(rgb_HWC: RgbImage, long_side: int) -> bytes:
    """A JPEG of the picture whose long side is at most ``long_side``; never enlarged.

    One of ``FULL_PX`` is for looking at single pixels: finer, and with all of the colour.
    """
    rows, columns = rgb_HWC.shape[:2]
    small = shrink(rgb_HWC, *fit_within(columns, rows, long_side))
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    how = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    if long_side >= FULL_PX:
        how = [cv2.IMWRITE_JPEG_QUALITY, FULL_QUALITY]
        how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    ok, encoded = cv2.imencode(".jpg", bgr, how)
    if not ok:
        raise RuntimeError("OpenCV could not write a JPEG thumbnail")
    return bytes(encoded)


def start_picture_hash(rgb_HWC: RgbImage, width: int, height: int) -> xxhash.xxh3_128:
    """The hash of a picture by its full size and by its pixels, very small."""
    hasher = xxhash.xxh3_128(f"{width}x{height}".encode())
    hasher.update(np.ascontiguousarray(resize(rgb_HWC, _HASH_SIDE_PX, _HASH_SIDE_PX)).data)
    return hasher
