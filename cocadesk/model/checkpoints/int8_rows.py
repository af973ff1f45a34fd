"""Matrices whose rows lie on a grid, stored without loss as int8 and one float32 scale a row.

A row of 384 numbers takes 388 bytes instead of 768 in float16.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.checkpoints.weight_files import SCALE, map_safetensors, read_header

if TYPE_CHECKING:
    import torch

    from cocadesk.model.network.coca import CoCa

#: The table of words.
TABLE = "unimodal.embedding.weight"
#: The weights whose matrices are stored so where they can be: the text side's. Image vectors
#: stand in people's libraries, and are not changed for a smaller file. The banks of the
#: hubness correction are put on the grid when they are made.
GRID_PREFIXES = ("unimodal.", "multimodal.", "image_hubness.", "text_hubness.")
_LARGEST = np.float32(127)
#: Steps of the last bit around a row's largest number / 127. The product of a scale and
#: 127 is rounded, so that dividing it by 127 may miss the scale by one.
_STEPS = (0, 1, -1, 2, -2)
_CHUNK = 1024

Grid = tuple[NDArray[np.int8], NDArray[np.float32]]


def on_grid(table_VD: NDArray[np.float32]) -> Grid | None:
    """Whole numbers in -127 to 127 and a scale for each row whose product is the table exactly.

    None where a row is no such product. The largest number of each row is ±127. Equal
    tables give equal grids: a model that is loaded and saved keeps its id.
    """
    chunks: list[Grid] = []
    for start in range(0, len(table_VD), _CHUNK):
        chunk = _grid_of(table_VD[start : start + _CHUNK])
        if chunk is None:
            return None
        chunks.append(chunk)
    if not chunks:
        return None
    numbers, scales = zip(*chunks, strict=True)
    return np.concatenate(numbers), np.concatenate(scales)


def _grid_of(rows_VD: NDArray[np.float32]) -> Grid | None:
    if not np.isfinite(rows_VD).all():
        return None
    numbers = np.zeros(rows_VD.shape, np.int8)
    middle = np.abs(rows_VD).max(1, initial=0) / _LARGEST
    scales = np.zeros_like(middle)  # a row of zeros has the scale 0
    rest = np.flatnonzero(middle)
    for step in _STEPS:
        rows = rows_VD[rest]
        scale = (middle[rest].view(np.int32) + np.int32(step)).view(np.float32)[:, None]
        with np.errstate(all="ignore"):  # a scale may be too small to divide by
            whole = np.rint(rows / scale)
            fits = (whole * scale == rows).all(1) & (np.abs(whole) <= _LARGEST).all(1)
        numbers[rest[fits]], scales[rest[fits]] = whole[fits], scale[fits, 0]
        rest = rest[~fits]
    return None if len(rest) else (numbers, scales)


def put_on_grid(model: CoCa) -> None:
    """Rounds the text side's matrices to the nearest grid, for the smallest file."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and name.startswith(GRID_PREFIXES):
                weight.copy_(rounded_to_grid(weight))


def rounded_to_grid(table_VD: torch.Tensor) -> torch.Tensor:
    """Each row rounded to 255 steps: stored as int8 it loses nothing more."""
    step = table_VD.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
    return (table_VD / step).round() * step


def floats_of(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The weights in float32 as ``as_floats``; the table of words stays as it is stored."""
    return {
        name: w if name.startswith(TABLE) else rows_of(weights, name, ...)
        for name, w in weights.items()
        if name.startswith(TABLE) or not name.endswith(SCALE)
    }


class MappedFloats(Mapping[str, NDArray[np.float32]]):
    """The weights of a file whose names start so in float32, each mapped anew when asked for.

    Whoever reads them one by one, and keeps none, never has more than one in memory.
    """

    def __init__(self, path: Path, prefixes: tuple[str, ...]) -> None:
        self._path = path
        header = read_header(path)
        self._stored = {name for name in header if name.startswith(prefixes)}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._stored:
            raise KeyError(name)
        wanted = (name, name + SCALE) if name + SCALE in self._stored else (name,)
        return rows_of(map_safetensors(self._path, wanted), name, ...)

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._stored if not name.endswith(SCALE))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def as_floats(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights in float32: int8 tables times their scales, which then are left out."""
    import torch

    tables = {name for name, weight in weights.items() if weight.dtype is torch.int8}
    scales = {name + SCALE for name in tables}
    return {
        name: weight.float() * weights[name + SCALE][:, None] if name in tables else weight.float()
        for name, weight in weights.items()
        if name not in scales
    }


def rows_of(
    weights: Mapping[str, NDArray[Any]], name: str, wanted: NDArray[Any] | EllipsisType
) -> NDArray[np.float32]:
    """The wanted rows of a table in float32 (all with ``...``); the rest is not touched."""
    rows: NDArray[np.float32] = weights[name][wanted].astype(np.float32, copy=False)
    if weights[name].dtype == np.int8:
        rows *= weights[name + SCALE][wanted][..., None]
    return rows
