"""The 66 odd videos of the shared test media, through the real pool."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from cocadesk.media.hashing import hash_file
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.scanning import scan
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    FoundFile,
)
from cocadesk.picture_input import InputSpec
from tests.support.shared import shared_path

pytestmark = pytest.mark.shared

SPEC = InputSpec(size_px=64)
PHOTOS = frozenset({"jpeg_named.mp4"})
# The container says one thing and its last frame another; the table follows the container.
DURATION_SLACK_S = {"cover_art.mp4": 0.15}

Result = DecodedPhoto | DecodedVideo | DecodeFailure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the pool made of every video, and the most address space a worker used."""

    results: dict[str, Result]
    peak_bytes: int


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The table of expected values."""
    with (shared_path("media/videos") / "videos.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One pool for all."""
    with DecoderPool(spec=SPEC, workers=2, deadline_s=60, limits=DecodeLimits()) as opened:
        yield opened


@pytest.fixture(scope="module")
def outcome(rows: list[dict[str, str]], pool: DecoderPool) -> Outcome:
    """Every video, decoded once."""
    folder = shared_path("media/videos")
    wanted = [
        DecodeRequest(token=token, path=os.fsencode(folder / row["path"]))
        for token, row in enumerate(rows)
    ]
    workers = [psutil.Process(pid) for pid in pool.worker_pids]
    results = {rows[result.token]["path"]: result for result in pool.decode(wanted)}
    peaks = [0]
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            peaks.append(worker.memory_info().vms)
    return Outcome(results, max(peaks))


def test_every_video_is_found_and_answered_by_living_workers(
    rows: list[dict[str, str]], outcome: Outcome, pool: DecoderPool
) -> None:
    """No crash, no hang: nobody had to be replaced."""
    folder = shared_path("media/videos")
    found = {item.path for item in scan([os.fsencode(folder)]) if isinstance(item, FoundFile)}
    assert {os.fsencode(folder / row["path"]) for row in rows} <= found
    assert len(outcome.results) == len(rows)
    failures = [r for r in outcome.results.values() if isinstance(r, DecodeFailure)]
    assert not [r for r in failures if "broke down" in r.reason or "took longer" in r.reason]
    assert all(r.reason[0].isupper() and r.reason.endswith(".") for r in failures)


def test_videos_that_play_are_read_and_others_are_not(
    rows: list[dict[str, str]], outcome: Outcome
) -> None:
    """As the table says; a JPEG stays a photo whatever its name, a GIF that moves is a video."""
    for row in rows:
        result = outcome.results[row["path"]]
        if row["path"] in PHOTOS:
            assert isinstance(result, DecodedPhoto), row["path"]
        elif row["expect"] == "fail":
            assert isinstance(result, DecodeFailure), row["path"]
        else:
            assert isinstance(result, DecodedVideo), (row["path"], result)


def test_size_length_and_shots_are_those_of_the_table(
    rows: list[dict[str, str]], outcome: Outcome
) -> None:
    """After rotation and pixel aspect; the length of the picture; cuts to a frame."""
    wrong = []
    for row in rows:
        result = outcome.results[row["path"]]
        if not isinstance(result, DecodedVideo):
            continue
        if (str(result.width), str(result.height)) != (row["width"], row["height"]):
            wrong.append(f"{row['path']}: {result.width} x {result.height}")
        slack_s = DURATION_SLACK_S.get(row["path"], 0.05)
        if row["duration_s"] and abs(result.duration_s - float(row["duration_s"])) > slack_s:
            wrong.append(f"{row['path']}: {result.duration_s} s")
        if row["shot_boundaries"]:
            cuts = [] if row["shot_boundaries"] == "none" else row["shot_boundaries"].split("|")
            starts = [moment.start_s for moment in result.moments[1:]]
            if starts != pytest.approx([float(cut) for cut in cuts], abs=0.05):
                wrong.append(f"{row['path']}: shots begin at {starts}")
    assert wrong == []


def test_moments_cover_each_video_with_frames_that_exist(outcome: Outcome) -> None:
    """Also where twelve hours have two frames."""
    for name, result in outcome.results.items():
        if isinstance(result, DecodedVideo):
            ends = [0.0, *(moment.end_s for moment in result.moments)]
            assert [moment.start_s for moment in result.moments] == ends[:-1], name
            assert ends[-1] == result.duration_s, name
            assert len(result.frames_NHWC) == result.whole_count + len(result.moments), name
    slow = outcome.results["two_frames_12h.mp4"]
    assert isinstance(slow, DecodedVideo)
    assert len(slow.moments) == 2


def test_date_place_and_title_are_those_of_the_table(
    rows: list[dict[str, str]], outcome: Outcome
) -> None:
    """QuickTime's own date keeps its zone; a clock at 1904 is no date."""
    for row in rows:
        result = outcome.results[row["path"]]
        if not isinstance(result, DecodedVideo):
            continue
        told = result.metadata
        assert (told.taken_utc is None) == (not row["taken"]), row["path"]
        if told.taken_local is not None and told.utc_offset_min is not None:
            minutes = told.utc_offset_min
            zone = f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
            written = told.taken_local.strftime("%Y-%m-%dT%H:%M:%S") + (zone if minutes else "Z")
            assert written == row["taken"], row["path"]
        if row["lat"]:
            assert (told.latitude, told.longitude) == (float(row["lat"]), float(row["lon"]))
        if row["title"]:
            assert told.title == row["title"]


def test_the_frame_fetched_at_a_moment_is_the_frame_embedded(
    rows: list[dict[str, str]], outcome: Outcome, pool: DecoderPool
) -> None:
    """For every moment of every video that can be read, to the last bit of input and thumbnail."""
    folder = shared_path("media/videos")
    wanted, expected = [], []
    for row in rows:
        result = outcome.results[row["path"]]
        if not isinstance(result, DecodedVideo):
            continue
        for place, moment in enumerate(result.moments):
            path = os.fsencode(folder / row["path"])
            wanted.append(DecodeRequest(token=len(wanted), path=path, time_s=moment.time_s))
            frame = result.frames_NHWC[result.whole_count + place]
            expected.append((row["path"], frame, moment.thumbnail_jpeg))
    assert len(wanted) > 60
    fetched = 0
    for answer in pool.decode(wanted):
        name, frame, thumbnail = expected[answer.token]
        assert isinstance(answer, DecodedPhoto), (name, answer)
        np.testing.assert_array_equal(answer.input_HWC, frame, err_msg=name)
        assert answer.thumbnail_jpeg == thumbnail, name
        fetched += 1
    assert fetched == len(wanted)


def test_hdr_frames_are_not_grey(outcome: Outcome) -> None:
    """Tone mapped, the two clips use the range of a screen as others do."""
    for name in ("hdr10_pq_bird.mp4", "hlg_traffic.mp4"):
        result = outcome.results[name]
        assert isinstance(result, DecodedVideo)
        frame = result.frames_NHWC[-1]
        assert np.percentile(frame, 99) > 215, name
        assert frame.astype(float).std() > 25, name


def test_hashes_agree_with_those_of_the_room(rows: list[dict[str, str]], outcome: Outcome) -> None:
    """A moved video is known by the same name; every video's picture has its own."""
    folder = shared_path("media/videos")
    picture_hashes = {}
    for row in rows:
        result = outcome.results[row["path"]]
        if isinstance(result, DecodedVideo):
            assert result.file_hash == hash_file(os.fsencode(folder / row["path"]))
            picture_hashes[row["path"]] = result.picture_hash
    twins = (
        ("webm_named.mp4", "vp9_bird.webm"),
        ("broken_index.avi", "mpeg4_woman.avi"),
        ("truncated.mkv", "truncated_faststart.mp4"),
    )
    for one, other in twins:
        assert picture_hashes.pop(one) == picture_hashes[other]
    assert len(set(picture_hashes.values())) == len(picture_hashes)


def test_workers_stay_within_their_address_space(outcome: Outcome) -> None:
    """With room to spare, an 8192 x 4320 video among the others."""
    assert outcome.peak_bytes < 1300 << 20


def test_no_video_was_touched(rows: list[dict[str, str]], outcome: Outcome) -> None:
    """Reading leaves sizes as they were."""
    for row in rows:
        assert (shared_path("media/videos") / row["path"]).stat().st_size == int(row["bytes"])
        assert Path(os.fsdecode(outcome.results[row["path"]].path)).name == row["path"]
