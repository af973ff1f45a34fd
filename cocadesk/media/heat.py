"""Heat maps over photos: as a layer for the window, and as a picture to keep.

Cold is dark and hot is bright, from violet over orange to yellow (OpenCV's inferno): people who
see colours otherwise, and prints in grey, tell them apart by lightness.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cocadesk.media.opencv import cv2
from cocadesk.media.types import RgbImage
from cocadesk.picture_input import Resize
from cocadesk.resources import resource_path

LAYER_PX = 512
"""The long side of a layer: heat is smooth."""
SHEET_PX = 1280
"""The long side of a photo under one map."""
SMALL_PX = 400
"""That of each of several maps."""
OPACITY = 0.55
_QUALITY = 90
_SPACE_PX = 16
_TEXT_PX = 22
_BAR_PX = (200, 14)
_PAPER, _INK = (250, 250, 250), (30, 30, 30)

Heat = NDArray[np.float32]


class Titled(NamedTuple):
    """A map with the words that it is of."""

    text: str
    heat_YX: Heat


def over_photo(heat_YX: Heat, resize: Resize, width: int, height: int) -> Heat:
    """The heat of a model's input as (height, width) over the whole photo; NaN where it saw none.

    A model that crops saw the square in the middle.
    """
    if resize is not Resize.CENTER_CROP:
        return _smooth(heat_YX, width, height)
    side = min(width, height)
    whole = np.full((height, width), np.nan, np.float32)
    top, left = (height - side) // 2, (width - side) // 2
    whole[top : top + side, left : left + side] = _smooth(heat_YX, side, side)
    return whole


def seen(resize: Resize, width: int, height: int) -> tuple[float, float, float, float]:
    """What a model saw of a photo: left, top, right and bottom in shares of it."""
    if resize is not Resize.CENTER_CROP:
        return 0.0, 0.0, 1.0, 1.0
    side = min(width, height)
    across, down = (width - side) / 2 / width, (height - side) / 2 / height
    return across, down, 1 - across, 1 - down


def peak(heat_YX: Heat, resize: Resize, width: int, height: int) -> tuple[float, float]:
    """The middle of the hottest cell in shares of the photo's width and height."""
    rows, columns = heat_YX.shape
    y, x = divmod(int(heat_YX.argmax()), columns)
    left, top, right, bottom = seen(resize, width, height)
    across, down = (x + 0.5) / columns, (y + 0.5) / rows
    return left + across * (right - left), top + down * (bottom - top)


def _smooth(heat_YX: Heat, width: int, height: int) -> Heat:
    grown = cv2.resize(heat_YX, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(grown, 0, 1), np.float32)


def layer_png(heat_YX: Heat, resize: Resize, width: int, height: int) -> bytes:
    """A PNG with an alpha channel to lay over a photo of this size, stretched to it."""
    width, height = _fitting(width, height, LAYER_PX)
    rgb_HWC, alpha_HW = _coloured(over_photo(heat_YX, resize, width, height))
    bgra_HWC = np.dstack((rgb_HWC[..., ::-1], np.round(alpha_HW * 255).astype(np.uint8)))
    return cv2.imencode(".png", bgra_HWC)[1].tobytes()


def _coloured(heat_HW: Heat) -> tuple[RgbImage, Heat]:
    """Colours, and how much of them covers the photo; what no model saw is grey."""
    unseen_HW = np.isnan(heat_HW)
    levels_HW = np.round(np.where(unseen_HW, 0, heat_HW) * 255).astype(np.uint8)
    bgr_HWC = cv2.applyColorMap(levels_HW, cv2.COLORMAP_INFERNO)
    bgr_HWC[unseen_HW] = 128
    return np.ascontiguousarray(bgr_HWC[..., ::-1]), np.full(heat_HW.shape, OPACITY, np.float32)


def _laid_over(rgb_HWC: RgbImage, heat_YX: Heat, resize: Resize) -> RgbImage:
    """The photo in grey, whose own colours would be taken for heat, under the map."""
    height, width = rgb_HWC.shape[:2]
    rgb_HWC = cv2.cvtColor(cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    colours_HWC, alpha_HW = _coloured(over_photo(heat_YX, resize, width, height))
    share_HW1 = alpha_HW[..., None]
    mixed_HWC = rgb_HWC * (1 - share_HW1) + colours_HWC * share_HW1
    return np.asarray(np.round(mixed_HWC), np.uint8)


def sheet_jpeg(
    photo_jpeg: bytes,
    caption: str,
    maps: Sequence[Titled],
    resize: Resize,
    legend: tuple[str, str],
) -> bytes:
    """A photo (JPEG of ours) under its maps, with their words, and a legend of cold and hot.

    One map is as large as the photo; of several each is small, beside the photo itself with
    its ``caption``.
    """
    photo_HWC = np.asarray(Image.open(io.BytesIO(photo_jpeg)).convert("RGB"))
    height, width = photo_HWC.shape[:2]
    is_one = len(maps) == 1
    fitting = _fitting(width, height, SHEET_PX if is_one else SMALL_PX)
    small_HWC = cv2.resize(photo_HWC, fitting, interpolation=cv2.INTER_AREA)
    tiles = [(each.text, _laid_over(small_HWC, each.heat_YX, resize)) for each in maps]
    if not is_one:
        tiles.insert(0, ("", small_HWC))
    return _drawn(tiles, caption, legend)


def _drawn(tiles: Sequence[tuple[str, RgbImage]], caption: str, legend: tuple[str, str]) -> bytes:
    """The tiles in rows, each with its text below, the caption on top and the legend at the end."""
    height, width = tiles[0][1].shape[:2]
    columns = min(len(tiles), max(1, SHEET_PX // width))
    rows = -(-len(tiles) // columns)
    step_x, step_y = width + _SPACE_PX, height + _TEXT_PX + 2 * _SPACE_PX
    whole_width = max(columns * step_x + _SPACE_PX, 2 * _BAR_PX[0] + 2 * _SPACE_PX)
    packed = resource_path("fonts", "Inter-Regular.ttf.gz").read_bytes()
    font = ImageFont.truetype(io.BytesIO(gzip.decompress(packed)), _TEXT_PX)
    lines = _wrapped(caption, font, whole_width - 2 * _SPACE_PX)
    top = _SPACE_PX + len(lines) * (_TEXT_PX + 8) + (_SPACE_PX if lines else 0)
    whole_height = top + rows * step_y + _TEXT_PX + 2 * _SPACE_PX
    sheet = Image.new("RGB", (whole_width, whole_height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((_SPACE_PX, _SPACE_PX + number * (_TEXT_PX + 8)), line, _INK, font)
    for place, (text, rgb_HWC) in enumerate(tiles):
        row, column = divmod(place, columns)
        x, y = _SPACE_PX + column * step_x, top + row * step_y
        sheet.paste(Image.fromarray(np.ascontiguousarray(rgb_HWC)), (x, y))
        draw.text((x, y + height + 6), _cut(text, font, width), _INK, font)
    _draw_legend(sheet, draw, font, legend, top + rows * step_y)
    return cv2.imencode(".jpg", np.asarray(sheet)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[
        1
    ].tobytes()


def _draw_legend(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    legend: tuple[str, str],
    y: int,
) -> None:
    """A bar of the colours between the words for cold and for hot."""
    cold, hot = legend
    draw.text((_SPACE_PX, y), cold, _INK, font)
    x = _SPACE_PX + round(font.getlength(cold)) + _SPACE_PX
    width, height = _BAR_PX
    ramp = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    sheet.paste(Image.fromarray(_coloured(ramp)[0]), (x, y + (_TEXT_PX - height) // 2 + 4))
    draw.text((x + width + _SPACE_PX, y), hot, _INK, font)


def _fitting(width: int, height: int, long_px: int) -> tuple[int, int]:
    """The size with this long side; neither side is below one pixel."""
    scale = long_px / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of a text that fit this width; at most four."""
    lines = list[str]()
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(_cut(word, font, width))
    return lines[:4]


def _cut(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text, with an ellipsis where it does not fit."""
    if font.getlength(text) <= width:
        return text
    kept = text
    while kept and font.getlength(f"{kept}…") > width:
        kept = kept[:-1]
    return f"{kept}…"
