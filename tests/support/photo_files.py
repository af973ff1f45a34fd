"""Small photos made on the spot, for tests that run without the shared media."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 160, 50), (40, 60, 210), (235, 210, 40)


def quadrants(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """(height, width, 3): red, green above blue, yellow."""
    picture = np.empty((height, width, 3), np.uint8)
    half_height, half_width = height // 2, width // 2
    picture[:half_height, :half_width], picture[:half_height, half_width:] = RED, GREEN
    picture[half_height:, :half_width], picture[half_height:, half_width:] = BLUE, YELLOW
    return picture


def corner_colours(rgb_HWC: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(4, 3): the mean of each quadrant's middle, row by row."""
    rows, columns = rgb_HWC.shape[:2]
    boxes = [
        rgb_HWC[
            rows * (4 * y + 1) // 8 : max(rows * (4 * y + 3) // 8, 1 + rows * (4 * y + 1) // 8),
            columns * (4 * x + 1) // 8 : max(
                columns * (4 * x + 3) // 8, 1 + columns * (4 * x + 1) // 8
            ),
        ]
        for y in (0, 1)
        for x in (0, 1)
    ]
    return np.stack([box.reshape(-1, 3).mean(0) for box in boxes])


def natural_picture(width: int, height: int, seed: int = 5) -> NDArray[np.uint8]:
    """A smooth random picture with some detail, nearer to a photo than noise is."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for cells in (4, 16, 64):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        layers += np.asarray(layer, np.float64) / cells
    layers *= 255 / layers.max()
    return layers.astype(np.uint8)


def encode(picture: NDArray[Any] | Image.Image, format_name: str, **options: Any) -> bytes:
    """The picture as a file of Pillow's ``format_name``."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def exif_block(tags: dict[int, Any], photo: dict[int, Any] | None = None) -> bytes:
    """An EXIF block with the main tags and, if given, those of the photo directory."""
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    if photo:
        exif.get_ifd(0x8769).update(photo)
    return exif.tobytes()


def store_turned(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The pixels that a camera stores so that ``orientation`` shows ``upright``."""
    undo = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    return np.ascontiguousarray(undo[orientation])
