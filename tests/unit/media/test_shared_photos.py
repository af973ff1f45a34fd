"""The 390 odd files of the shared media, each against what its table expects."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.media.photo.decode import decode_photo, decode_rgb, photo_facts
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
)
from cocadesk.picture_input import InputSpec, Resize
from tests.support.photo_table import (
    REQUIRED,
    Outcome,
    PhotoTable,
    as_table,
    decoded,
    has_marker,
    wrong_markers,
    wrong_metadata,
    wrong_sizes,
)
from tests.support.shared import shared_path

pytestmark = pytest.mark.shared

MEMORY_LIMIT_BYTES = 1536 << 20
# The table's tools show the colour below the transparent pixels, we put them on white; and a
# picture in PQ as it is stored, we as a common screen shows it.
OTHER_COLOURS = {"f_png_rgb_trns.png", "f_avif_hdr_pq.avif"}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> PhotoTable:
    """The table, and its strangely named files, unpacked."""
    return PhotoTable(shared_path("media/photos"), tmp_path_factory.mktemp("names"))


@pytest.fixture(scope="module")
def outcome(table: PhotoTable) -> Outcome:
    """Everything scanned and decoded once."""
    return decoded(table)


def test_every_photo_that_should_decode_has_the_tables_size(
    table: PhotoTable, outcome: Outcome
) -> None:
    """Width and height after orientation, for every format that is promised."""
    assert wrong_sizes(table, outcome) == []


def test_every_marker_stands_as_it_should(table: PhotoTable, outcome: Outcome) -> None:
    """Four coloured quadrants: a picture turned twice or not at all shows them elsewhere."""
    assert wrong_markers(table, outcome) == []
    assert sum(has_marker(row) for row in table.rows) > 80


def test_metadata_are_those_of_the_table(table: PhotoTable, outcome: Outcome) -> None:
    """Time with zone, position, words and rating, where the table does not leave them open."""
    assert wrong_metadata(table, outcome) == []


def test_every_file_that_should_fail_does_so_with_a_sentence(
    table: PhotoTable, outcome: Outcome
) -> None:
    """And every other failure has a sentence too. A video with a photo's name is a video."""
    for row in table.rows:
        if row["expect"] == "fail" and row["format"] != "MP4":
            assert isinstance(outcome.results[table.path(row)], DecodeFailure), row["path"]
    for result in outcome.results.values():
        if isinstance(result, DecodeFailure):
            assert result.reason[0].isupper(), result
            assert result.reason.endswith("."), result


def test_what_is_no_photo_is_not_even_found(table: PhotoTable, outcome: Outcome) -> None:
    """Sidecars, caches and dangling links are passed over; the loop alone is reported."""
    skipped = [row for row in table.rows if row["expect"] == "skip"]
    assert all(table.path(row) not in outcome.results for row in skipped)
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


def test_colours_are_those_of_the_table(table: PhotoTable, outcome: Outcome) -> None:
    """Mean sRGB on white, colour-managed, of the full decode and of the model's input."""
    folder = shared_path("media/photos")
    wrong = []
    for path, expected in _with_mean(table.rows):
        result = outcome.results[os.fsencode(folder / path)]
        assert isinstance(result, DecodedPhoto | DecodedVideo), path
        full = _mean(decode_rgb((folder / path).read_bytes()).rgb_HWC)
        small = _mean(result.input_HWC) if isinstance(result, DecodedPhoto) else full
        if np.abs(full - expected).max() > 8 or np.abs(small - full).max() > 5:
            wrong.append((path, full.round().tolist(), small.round().tolist(), expected))
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
        found = as_table(result.metadata)
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


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("d24_lg.jpg", datetime(2015, 8, 22, 0, 8, 19)),
        ("d_sec60.jpg", datetime(2016, 12, 31, 23, 59, 59)),
        ("d_space.jpg", datetime(2008, 1, 2, 9, 5, 3)),
        ("d_month_only.jpg", datetime(1985, 7, 1)),
    ],
)
def test_of_a_date_that_is_partly_wrong_the_rest_is_read(name: str, taken: datetime) -> None:
    """As cameras and programs write them."""
    path = shared_path(f"faults/photos/{name}")
    assert photo_facts(os.fsencode(path), DecodeLimits())[0].taken_local == taken
