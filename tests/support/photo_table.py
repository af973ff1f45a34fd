"""The table of the shared photos: the size, orientation and metadata that each should have."""

from __future__ import annotations

import csv
import os
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.scanning import scan
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    FoundFile,
    PhotoMetadata,
    ScanProblem,
)
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import corner_colours
from tests.support.worker_memory import peak_bytes

SPEC = InputSpec(size_px=256)
REQUIRED = {"JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "HEIC", "AVIF", "MPO", "PSD", "JPEG XL"}
# The table leaves open what only a developer of camera RAW can read.
RAW_ROWS = {"dng_cfa.dng", "dng_cfa_orient8.dng"}
MARKER = "TL red, TR green, BL blue, BR yellow"
# Each is one of the ways that the table's own notes leave open.
OPEN_METADATA = {
    "gps_zero_zero.jpg": {"position"},
    "rating_99.jpg": {"rating"},
    "sidecar_full.jpg": {"taken", "position", "title", "description", "keywords", "rating"},
    "sidecar_stem.jpg": {"taken", "position", "title", "description", "keywords", "rating"},
    "f_heic_xmp_latin1.heic": {"title", "description"},
    "f_et_xmp.jpg": {"description"},
    "f_et_mwg.jpg": {"description", "keywords"},
    "f_long_description.jpg": {"taken"},
}


# Their tables say no zone; it follows from the time of the position.
ZONES = {"gps_with_utc_time.jpg": "+09:00", "f_gps_thompson.jpg": "-06:00"}


class PhotoTable:
    """The rows of ``photos.csv`` in a folder; strangely named files are unpacked into another."""

    def __init__(self, folder: Path, names: Path) -> None:
        self.folder = folder
        self.names = names
        with tarfile.open(folder / "names.tar") as archive:
            archive.extraction_filter = lambda member, _: member
            archive.extractall(names)

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """One dictionary a file."""
        with (self.folder / "photos.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def path(self, row: dict[str, str]) -> bytes:
        """The path of a row's file."""
        if "::" in row["path"]:
            return os.fsencode(self.names) + b"/" + unquote_to_bytes(row["path"].split("::", 1)[1])
        return os.fsencode(self.folder / row["path"])


@dataclass(frozen=True)
class Outcome:
    """What the pool made of every file, and what its workers cost at most."""

    results: dict[bytes, DecodedPhoto | DecodedVideo | DecodeFailure]
    problems: list[ScanProblem]
    peak_bytes: int


def decoded(table: PhotoTable) -> Outcome:
    """Everything scanned and decoded once."""
    found = list(scan([os.fsencode(table.folder), os.fsencode(table.names)]))
    files = [item.path for item in found if isinstance(item, FoundFile)]
    with DecoderPool(spec=SPEC, workers=2, limits=DecodeLimits()) as pool:
        answers = pool.decode(DecodeRequest(token=i, path=p) for i, p in enumerate(files))
        results = {result.path: result for result in answers}
        most_bytes = sum(peak_bytes(pid) for pid in pool.worker_pids)
    assert sorted(results) == sorted(files)
    problems = [item for item in found if isinstance(item, ScanProblem)]
    return Outcome(results, problems, most_bytes)


def is_required(row: dict[str, str]) -> bool:
    """True where the file must be read."""
    return (row["expect"] == "ok" and row["format"] in REQUIRED) or row["path"] in RAW_ROWS


def has_marker(row: dict[str, str]) -> bool:
    """True where the file shows four coloured quadrants and must be read."""
    return row["marker"].startswith(MARKER) and is_required(row)


def wrong_sizes(table: PhotoTable, outcome: Outcome) -> list[str]:
    """The files whose size is another, or that are not read."""
    wrong = []
    for row in filter(is_required, table.rows):
        result = outcome.results.get(table.path(row))
        if not isinstance(result, DecodedPhoto | DecodedVideo):
            wrong.append(f"{row['path']}: {getattr(result, 'reason', 'not found')}")
        elif (str(result.width), str(result.height)) != (row["width"], row["height"]):
            wrong.append(f"{row['path']}: {result.width} x {result.height}")
    return wrong


COLOUR_NAMES = ["red", "green", "blue", "yellow"]


def wrong_markers(table: PhotoTable, outcome: Outcome) -> list[str]:
    """The files whose quadrants stand elsewhere."""
    wrong = []
    for row in filter(has_marker, table.rows):
        result = outcome.results.get(table.path(row))
        if isinstance(result, DecodedPhoto | DecodedVideo):
            is_photo = isinstance(result, DecodedPhoto)
            frame = result.input_HWC if is_photo else result.frames_NHWC[0]
            if [_colour_name(corner) for corner in corner_colours(frame)] == COLOUR_NAMES:
                continue
        wrong.append(row["path"])
    return wrong


def _colour_name(colour: NDArray[np.float64]) -> str:
    red, green, blue = colour
    if min(red, green) > 1.4 * blue:
        return "yellow"
    return COLOUR_NAMES[int(np.argmax(colour))]


def as_table(metadata: PhotoMetadata) -> dict[str, str]:
    """Metadata as the table writes them."""
    taken, position = "", ""
    if metadata.taken_local is not None:
        taken = metadata.taken_local.replace(microsecond=0).isoformat()
        if (offset := metadata.utc_offset_min) is not None:
            taken += f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    if metadata.latitude is not None and metadata.longitude is not None:
        position = f"{metadata.latitude:.3f} {metadata.longitude:.3f}"
    return {
        "taken": taken,
        "position": position,
        "title": metadata.title or "",
        "description": (metadata.description or "")[:200].strip(),
        "keywords": "|".join(metadata.keywords),
        "rating": "" if metadata.rating is None else str(metadata.rating),
    }


def wrong_metadata(table: PhotoTable, outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """File, field, what was read and what should be, where the table does not leave it open."""
    wrong = []
    for row in table.rows:
        result = outcome.results.get(table.path(row))
        is_read = isinstance(result, DecodedPhoto | DecodedVideo)
        if row["expect"] != "ok" or not is_read or "::" in row["path"]:
            continue
        position = f"{float(row['lat']):.3f} {float(row['lon']):.3f}" if row["lat"] else ""
        expected = {
            "taken": row["taken"].replace("Z", "+00:00") + ZONES.get(row["path"], ""),
            "position": position,
            "title": row["title"],
            "description": row["description"][:200].strip(),
            "keywords": row["keywords"],
            "rating": row["rating"],
        }
        for name, value in as_table(result.metadata).items():
            if value != expected[name] and name not in OPEN_METADATA.get(row["path"], set()):
                wrong.append((row["path"], name, value, expected[name]))
    return wrong
