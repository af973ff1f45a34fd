"""Files of one shot: a JPEG and a RAW that say when they were taken."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.photo_files import encode, exif_block
from tests.support.raw_files import dng

TAKEN = "2021:06:01 10:20:30"


def raw_bytes(seed: int, taken: str = TAKEN) -> bytes:
    """A small RAW file."""
    colour = np.random.default_rng(seed).integers(40, 200, 3)
    return dng(np.full((32, 48, 3), colour, np.uint8), taken=taken)


def jpeg_bytes(seed: int, taken: str = TAKEN) -> bytes:
    """A small JPEG that says when it was taken."""
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 6, 3)).repeat(8, 0).repeat(8, 1)
    return encode(pixels.astype(np.uint8), "JPEG", exif=exif_block({}, {0x9003: taken}))


def write_shot(folder: Path, stem: str, seed: int) -> tuple[Path, Path]:
    """Write JPEG and RAW of one shot; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    jpeg, raw = folder / f"{stem}.jpg", folder / f"{stem}.dng"
    jpeg.write_bytes(jpeg_bytes(seed))
    raw.write_bytes(raw_bytes(seed))
    return jpeg, raw


def media(library: Library) -> dict[str, list[str]]:
    """The names of the files of all media that are there, by the name of the shown file."""
    return {
        Path(os.fsdecode(row.path)).name: [os.fsdecode(part.name) for part in row.parts]
        for row in library.media.iter_rows()
        if row.state is MediaState.PRESENT
    }
