"""The 390 odd files of the shared media, each against what its table expects."""

from __future__ import annotations

import csv
import itertools
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.photo.resize import prepare_input
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
from cocadesk.picture_input import InputSpec, Resize
from tests.support.photo_files import corner_colours
from tests.support.shared import shared_path
from tests.support.worker_memory import peak_bytes

pytestmark = pytest.mark.shared

SPEC = InputSpec(size_px=256)
REQUIRED = {"JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "HEIC", "AVIF", "MPO", "PSD", "JPEG XL"}
# The table leaves open what only a developer of camera RAW can read.
RAW_ROWS = {"dng_cfa.dng", "dng_cfa_orient8.dng"}
MARKER = "TL red, TR green, BL blue, BR yellow"
MEMORY_LIMIT_BYTES = 1536 << 20
# The table's tools show the colour below the transparent pixels, we put them on white; and a
# picture in PQ as it is stored, we as a common screen shows it.
OTHER_COLOURS = {"f_png_rgb_trns.png", "f_avif_hdr_pq.avif"}
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


@dataclass(frozen=True)
class Outcome:
    """What the pool made of every file, and what its workers cost at most."""

    results: dict[bytes, DecodedPhoto | DecodedVideo | DecodeFailure]
    problems: list[ScanProblem]
    peak_bytes: int


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The table, one dictionary a file."""
    with (shared_path("media/photos") / "photos.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The strangely named files, unpacked."""
    folder = tmp_path_factory.mktemp("names")
    with tarfile.open(shared_path("media/photos") / "names.tar") as archive:
        archive.extraction_filter = lambda member, _: member
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def outcome(names: Path) -> Outcome:
    """Everything scanned and decoded once."""
    found = list(scan([os.fsencode(shared_path("media/photos")), os.fsencode(names)]))
    files = [item.path for item in found if isinstance(item, FoundFile)]
    with DecoderPool(spec=SPEC, workers=2, limits=DecodeLimits()) as pool:
        answers = pool.decode(DecodeRequest(token=i, path=p) for i, p in enumerate(files))
        results = {result.path: result for result in answers}
        most_bytes = sum(peak_bytes(pid) for pid in pool.worker_pids)
    assert sorted(results) == sorted(files)
    problems = [item for item in found if isinstance(item, ScanProblem)]
    return Outcome(results, problems, most_bytes)


def _is_required(row: dict[str, str]) -> bool:
    return (row["expect"] == "ok" and row["format"] in REQUIRED) or row["path"] in RAW_ROWS


def _path(row: dict[str, str], names: Path) -> bytes:
    if "::" in row["path"]:
        return os.fsencode(names) + b"/" + unquote_to_bytes(row["path"].split("::", 1)[1])
    return os.fsencode(shared_path("media/photos") / row["path"])


def test_every_photo_that_should_decode_has_the_tables_size(
    rows: list[dict[str, str]], outcome: Outcome, names: Path
) -> None:
    """Width and height after orientation, for every format that is promised."""
    wrong = []
    for row in rows:
        if not _is_required(row):
            continue
        result = outcome.results.get(_path(row, names))
        if not isinstance(result, DecodedPhoto | DecodedVideo):
            wrong.append(f"{row['path']}: {getattr(result, 'reason', 'not found')}")
        elif (str(result.width), str(result.height)) != (row["width"], row["height"]):
            wrong.append(f"{row['path']}: {result.width} x {result.height}")
    assert wrong == []


def test_every_marker_stands_as_it_should(
    rows: list[dict[str, str]], outcome: Outcome, names: Path
) -> None:
    """Four coloured quadrants: a picture turned twice or not at all shows them elsewhere."""
    wrong, seen = [], 0
    for row in rows:
        result = outcome.results.get(_path(row, names))
        if not row["marker"].startswith(MARKER) or not _is_required(row):
            continue
        frame = result.input_HWC if isinstance(result, DecodedPhoto) else result.frames_NHWC[0]
        seen += 1
        if [_colour_name(corner) for corner in corner_colours(frame)] != COLOUR_NAMES:
            wrong.append(row["path"])
    assert wrong == []
    assert seen > 80


COLOUR_NAMES = ["red", "green", "blue", "yellow"]


def _colour_name(colour: NDArray[np.float64]) -> str:
    red, green, blue = colour
    if min(red, green) > 1.4 * blue:
        return "yellow"
    return COLOUR_NAMES[int(np.argmax(colour))]


def test_every_file_that_should_fail_does_so_with_a_sentence(
    rows: list[dict[str, str]], outcome: Outcome, names: Path
) -> None:
    """And every other failure has a sentence too. A video with a photo's name is a video."""
    for row in rows:
        if row["expect"] == "fail" and row["format"] != "MP4":
            assert isinstance(outcome.results[_path(row, names)], DecodeFailure), row["path"]
    for result in outcome.results.values():
        if isinstance(result, DecodeFailure):
            assert result.reason[0].isupper(), result
            assert result.reason.endswith("."), result


def test_what_is_no_photo_is_not_even_found(
    rows: list[dict[str, str]], outcome: Outcome, names: Path
) -> None:
    """Sidecars, caches and dangling links are passed over; the loop alone is reported."""
    skipped = [row for row in rows if row["expect"] == "skip"]
    assert all(_path(row, names) not in outcome.results for row in skipped)
    assert [problem.path.rpartition(b"/")[2] for problem in outcome.problems] == [b"loop"]


def test_the_workers_stay_within_the_promised_memory(outcome: Outcome) -> None:
    """Bombs included: the peaks of both workers together."""
    assert outcome.peak_bytes <= MEMORY_LIMIT_BYTES


def _with_mean(rows: list[dict[str, str]]) -> Iterator[tuple[str, list[int]]]:
    for row in rows:
        mean = row["mean_rgb"]
        if "profile gives mean" in row["note"]:
            mean = row["note"].split("profile gives mean ")[1].split(";")[0]
        usable = row["expect"] == "ok" and row["format"] in REQUIRED
        if mean and usable and row["path"] not in OTHER_COLOURS:
            yield row["path"], [int(value) for value in mean.split(",")]


def _mean(rgb_HWC: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean of each channel; channel by channel, as numpy is slow over short last axes."""
    return np.array([np.ascontiguousarray(rgb_HWC[:, :, c]).mean() for c in range(3)])


def test_colours_are_those_of_the_table(rows: list[dict[str, str]], outcome: Outcome) -> None:
    """Mean sRGB on white, colour-managed, of the full decode and of the model's input."""
    folder = shared_path("media/photos")
    wrong = []
    for path, expected in _with_mean(rows):
        result = outcome.results[os.fsencode(folder / path)]
        assert isinstance(result, DecodedPhoto | DecodedVideo), path
        full = _mean(decode_rgb((folder / path).read_bytes()).rgb_HWC)
        small = _mean(result.input_HWC) if isinstance(result, DecodedPhoto) else full
        if np.abs(full - expected).max() > 8 or np.abs(small - full).max() > 5:
            wrong.append((path, full.round().tolist(), small.round().tolist(), expected))
    assert wrong == []


def _as_table(metadata: PhotoMetadata) -> dict[str, str]:
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


def test_metadata_are_those_of_the_table(
    rows: list[dict[str, str]], outcome: Outcome, names: Path
) -> None:
    """Time with zone, position, words and rating, where the table does not leave them open."""
    wrong = []
    for row in rows:
        result = outcome.results.get(_path(row, names))
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
        for name, value in _as_table(result.metadata).items():
            if value != expected[name] and name not in OPEN_METADATA.get(row["path"], set()):
                wrong.append((row["path"], name, value, expected[name]))
    assert wrong == []


def test_sidecars_count_before_their_photos(outcome: Outcome) -> None:
    """In both ways of naming, where the table leaves open which of the two counts."""
    folder = shared_path("media/photos")
    for name, *expected in (
        ("sidecar_full.jpg", "From the full sidecar", "5"),
        ("sidecar_stem.jpg", "From the sidecar", "2"),
    ):
        result = outcome.results[os.fsencode(folder / name)]
        assert isinstance(result, DecodedPhoto)
        found = _as_table(result.metadata)
        assert [found["title"], found["rating"]] == expected, name


def test_reduced_decodes_of_camera_photos_are_close_to_full_ones() -> None:
    """The model sees the same picture, whichever DCT scale it came from."""
    for path in sorted(shared_path("media/large").glob("*.jpg")):
        data = path.read_bytes()
        whole_HWC = decode_rgb(data).rgb_HWC
        for size_px, resize in itertools.product((224, 256, 288), Resize):
            spec = InputSpec(size_px=size_px, resize=resize)
            reduced = decode_photo(data, spec).input_HWC.astype(float)
            full = prepare_input(whole_HWC, spec).astype(float)
            error = float(np.sqrt(np.mean((reduced - full) ** 2)))
            correlation = np.corrcoef(reduced.ravel(), full.ravel())[0, 1]
            assert error < 4, (path.name, spec, error)
            assert correlation > 0.998, (path.name, spec, correlation)
