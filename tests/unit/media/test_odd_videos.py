"""Videos whose head, clock or tracks are not what players expect."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cocadesk.media.types import DecodedVideo, PhotoError
from cocadesk.media.video.decode import decode_video, sample_frames
from cocadesk.media.video.frame_at import decode_frame_at
from cocadesk.media.video.lenses import side_by_side
from cocadesk.picture_input import InputSpec
from tests.support.shared import shared_path
from tests.support.videos import make_video

SPEC = InputSpec(size_px=32)


def claiming(path: Path, duration_s: float) -> bytes:
    """The Matroska file with another duration in its head (an EBML float of milliseconds)."""
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3
    return data[:at] + struct.pack(">d", duration_s * 1000) + data[at + 8 :]


def test_a_head_that_claims_a_day_does_not_starve_a_short_video(tmp_path: Path) -> None:
    """The same moments and frames as with a true head."""
    path = make_video(tmp_path / "a.mkv", ["red", "blue"], seconds_each=4)
    true = decode_video(path, SPEC)
    false = decode_video(claiming(path, 26 * 3600), SPEC)
    assert len(false.moments) == len(true.moments) == 2
    assert false.whole_count == true.whole_count == 16
    np.testing.assert_array_equal(false.frames_NHWC, true.frames_NHWC)


def test_frames_for_training_do_not_trust_the_head_either(tmp_path: Path) -> None:
    """As many as are asked for."""
    path = make_video(tmp_path / "a.mkv", ["red", "blue"], seconds_each=4)
    assert len(sample_frames(claiming(path, 26 * 3600), SPEC, 8)) == 8


def joined(folder: Path) -> bytes:
    """Two recordings one after the other, each with its own clock."""
    parts = [
        make_video(folder / f"{number}.ts", colours, seconds_each=2)
        for number, colours in enumerate([("red", "blue"), ("lime", "yellow")])
    ]
    return b"".join(part.read_bytes() for part in parts)


def test_joined_recordings_are_one_after_the_other(tmp_path: Path) -> None:
    """The clock of the second begins anew; it is not lost."""
    video = decode_video(joined(tmp_path), SPEC)
    assert video.duration_s == pytest.approx(8, abs=0.2)
    starts = [moment.start_s for moment in video.moments]
    assert starts == pytest.approx([0, 2, 4, 6], abs=0.2)
    assert_times_are_found(video, joined(tmp_path))


def test_a_time_that_two_joined_recordings_have_is_found_in_the_first(tmp_path: Path) -> None:
    """Going to a time by the file's clock would end in the second."""
    data = joined(tmp_path)
    for time_s, red, green, blue in ((3.2, 0, 0, 255), (3.6, 0, 0, 255), (5.0, 0, 255, 0)):
        frame = decode_frame_at(io.BytesIO(data), time_s, SPEC, duration_s=8.0)
        mean = frame.input_HWC.reshape(-1, 3).mean(0)
        assert np.abs(mean - (red, green, blue)).max() < 40, time_s


def assert_times_are_found(video: DecodedVideo, data: bytes) -> None:
    """Each moment's frame comes again by its time."""
    for number, moment in enumerate(video.moments):
        frame = decode_frame_at(io.BytesIO(data), moment.time_s, SPEC)
        kept = video.frames_NHWC[video.whole_count + number]
        np.testing.assert_array_equal(frame.input_HWC, kept)


def two_tracks(path: Path, sizes: tuple[tuple[int, int], tuple[int, int]]) -> Path:
    """An MP4 with a red and a blue track of these sizes."""
    with av.open(str(path), "w", format="mp4") as video:
        streams = []
        for width, height in sizes:
            stream = video.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for number in range(20):
            for stream, colour in zip(streams, ((255, 0, 0), (0, 0, 255)), strict=True):
                rgb = np.full((stream.height, stream.width, 3), colour, np.uint8)
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                video.mux(stream.encode(frame))
        for stream in streams:
            video.mux(stream.encode(None))
    return path


def test_both_lenses_of_a_camera_are_seen_side_by_side(tmp_path: Path) -> None:
    """Two tracks alike in size, rate and length are two views of one time."""
    path = two_tracks(tmp_path / "a.insv", ((64, 64), (64, 64)))
    video = decode_video(path, SPEC)
    assert (video.width, video.height, video.duration_s) == (128, 64, pytest.approx(2))
    left, right = video.frames_NHWC[0][:, :14], video.frames_NHWC[0][:, 18:]
    assert left[..., 0].mean() > 200 > 60 > left[..., 2].mean()
    assert right[..., 2].mean() > 200 > 60 > right[..., 0].mean()
    assert_times_are_found(video, path.read_bytes())


def test_a_frame_of_two_lenses_keeps_what_its_halves_say() -> None:
    """Whether a search may begin with it, and the curve of its light."""
    halves = [av.VideoFrame(32, 32, "yuv420p") for _ in range(2)]
    for half in halves:
        half.pts, half.time_base = 0, Fraction(1, 10)
        half.key_frame, half.color_trc, half.color_primaries = True, 16, 9
    whole = side_by_side(halves)
    assert (whole.width, whole.key_frame) == (64, True)
    assert (int(whole.color_trc), int(whole.color_primaries)) == (16, 9)
    halves[1].key_frame = False
    assert not side_by_side(halves).key_frame


def test_a_smaller_second_track_is_a_preview(tmp_path: Path) -> None:
    """The large one alone counts."""
    video = decode_video(two_tracks(tmp_path / "a.mp4", ((64, 64), (32, 32))), SPEC)
    assert (video.width, video.height) == (64, 64)


@pytest.mark.shared
def test_an_encrypted_video_is_called_encrypted() -> None:
    """Not broken: nothing is wrong with it."""
    with pytest.raises(PhotoError, match="encrypted"):
        decode_video(shared_path("faults/videos") / "encrypted_cenc.mp4", SPEC)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "duration_s", "moments"),
    [
        ("claims_26_hours.mkv", 8, 2),
        ("joined_clock_restarts.ts", 8, 2),
        ("joined_one_clock.mp4", 8, 2),
        ("two_lenses.insv", None, None),
        ("tape.dv", None, None),
        ("film.ogg", None, None),
        ("camera.264", None, None),
        ("starts_mid_packet.ts", None, None),
    ],
)
def test_the_videos_of_the_faults_are_read(
    name: str, duration_s: float | None, moments: int | None
) -> None:
    """Each was lost, in part or whole."""
    video = decode_video(shared_path("faults/videos") / name, SPEC)
    if duration_s is not None:
        assert video.duration_s == pytest.approx(duration_s, abs=0.3)
        assert len(video.moments) == moments
        assert video.whole_count == 16
