"""Pictures of a window, reduced to the means of blocks and compared with those kept in the tree.

A block of 8 by 8 pixels says where something lies and in which colour, and little of how a
computer smooths its letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

BLOCK_PX = 8
FAR = 24
"""Levels of 255 by which a block's mean may be off in any channel."""
MOST_FAR = 0.02
"""The share of blocks that may be further off: with another font it is some 1.5 %."""
SOLID = 4
"""So many blocks high and wide no text is: where all are far off, something else has changed."""

Blocks = NDArray[np.uint8]


def blocks_of(widget: QWidget) -> Blocks:
    """(H, W, 3) uint8: the mean colour of each block of what a widget shows now."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = lines[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
    height, width = image.height() // BLOCK_PX, image.width() // BLOCK_PX
    whole = pixels[: height * BLOCK_PX, : width * BLOCK_PX].astype(np.float32)
    means = whole.reshape(height, BLOCK_PX, width, BLOCK_PX, 3).mean((1, 3))
    return np.rint(means).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two pictures are apart: the share of blocks that differ, and where they lie.

    ``is_solid``: a whole square of blocks differs.
    """

    share: float
    where: str
    is_solid: bool = False

    @property
    def is_seen(self) -> bool:
        """True where something has moved, come, gone or changed its colour."""
        return self.is_solid or self.share > MOST_FAR


def difference(one: Blocks, other: Blocks) -> Difference:
    """How far two pictures of a window are apart; of another size they are all different."""
    if one.shape != other.shape:
        return Difference(1.0, f"{one.shape[1]} x {one.shape[0]} blocks for {other.shape[1::-1]}")
    far = np.abs(one.astype(np.int16) - other).max(2) > FAR
    rows, columns = np.nonzero(far)
    if not len(rows):
        return Difference(0.0, "")
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    left, top, right, low = (int(edge) * BLOCK_PX for edge in edges)
    squares = np.lib.stride_tricks.sliding_window_view(far, (SOLID, SOLID))
    return Difference(
        float(far.mean()),
        f"within x {left}–{right}, y {top}–{low}",
        bool(squares.all((2, 3)).any()),
    )


def read_blocks(path: Path) -> Blocks | None:
    """The blocks that are kept in a file; None where there is none."""
    if not path.exists():
        return None
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def write_blocks(path: Path, blocks: Blocks) -> None:
    """Keeps blocks in a PNG file, a pixel each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(blocks).save(path, optimize=True)
