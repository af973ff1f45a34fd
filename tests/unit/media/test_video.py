"""The core for videos: moments, times, sizes, colours, metadata and what is broken."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocadesk.media.hashing import hash_file
from cocadesk.media.types import DecodedVideo, DecodeLimits, PhotoError
from cocadesk.media.video.decode import decode_video, read_video, sample_frames
from cocadesk.media.video.frame_at import decode_frame_at
from cocadesk.picture_input import InputSpec, Resize
from tests.support.photo_files import corner_colours, natural_picture, quadrants
from tests.support.videos import cut_short, make_clip_of_colours, make_sound, make_video

SPEC = InputSpec(size_px=48)


def frame_at(path: Path, time_s: float, spec: InputSpec = SPEC) -> np.ndarray:
    """The model's input for the frame shown at a time."""
    with path.open("rb") as file:
        return decode_frame_at(file, time_s, spec).input_HWC


def spans(video: DecodedVideo) -> list[tuple[float, float]]:
    """Beginning and end of each moment."""
    return [(round(one.start_s, 2), round(one.end_s, 2)) for one in video.moments]


def assert_sound(video: DecodedVideo) -> None:
    """Moments cover the video in order, each with its own frame and thumbnail."""
    assert video.frames_NHWC.shape[0] == video.whole_count + len(video.moments)
    assert 1 <= video.whole_count <= 16
    assert not video.frames_NHWC.flags.writeable
    ends = [0.0, *(one.end_s for one in video.moments)]
    assert [one.start_s for one in video.moments] == ends[:-1]
    assert ends[-1] == video.duration_s
    for one in video.moments:
        assert one.start_s <= one.time_s < one.end_s
        assert Image.open(io.BytesIO(one.thumbnail_jpeg)).format == "JPEG"


def test_every_shot_gives_a_moment_near_its_middle(tmp_path: Path) -> None:
    """Three colours, two seconds each."""
    video = decode_video(make_video(tmp_path / "a.mp4", ["red", "green", "blue"]), SPEC)
    assert_sound(video)
    assert spans(video) == [(0, 2), (2, 4), (4, 6)]
    assert all(abs(one.time_s - one.start_s - 1) <= 0.3 for one in video.moments)
    colours = video.frames_NHWC[video.whole_count :, 24, 24]
    assert np.argmax(colours, axis=1).tolist() == [0, 1, 2]
    assert video.whole_count == 16
    assert (video.width, video.height, video.format) == (320, 240, "MP4")


def test_the_midst_of_a_fade_stands_for_no_shot(tmp_path: Path) -> None:
    """Two scenes that melt into each other: the moment shows one of them."""
    one, other = (natural_picture(160, 120, seed).astype(float) for seed in (1, 2))
    shares = [0.0] * 24 + [step / 24 for step in range(24)] + [1.0] * 24
    pictures = [(one * (1 - share) + other * share).astype(np.uint8) for share in shares]
    video = decode_video(make_video(tmp_path / "a.mp4", pictures, 1 / 12, size=(160, 120)), SPEC)
    (moment,) = video.moments
    assert not 2 < moment.time_s < 4


def test_a_long_shot_gives_a_moment_every_ten_seconds(tmp_path: Path) -> None:
    """A rest too short for a moment of its own belongs to the one before."""
    video = decode_video(make_video(tmp_path / "a.mp4", ["red"], seconds_each=31, fps=4), SPEC)
    assert_sound(video)
    assert spans(video) == [(0, 10), (10, 20), (20, 31)]


def test_the_number_of_moments_is_bounded(tmp_path: Path) -> None:
    """A video with more shots than are allowed gets wider moments that still cover it."""
    path = make_clip_of_colours(tmp_path / "a.mp4", ["red", "green", "blue", "white"] * 6)
    video = decode_video(path, SPEC, limits=DecodeLimits(moments=5))
    assert_sound(video)
    assert len(video.moments) <= 5


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg"])
def test_a_moments_frame_can_be_fetched_again(tmp_path: Path, suffix: str) -> None:
    """By its time alone, from any container, to the last bit, and its picture with it."""
    pictures = [natural_picture(160, 120, seed=number) for number in range(4)]
    path = make_video(tmp_path / f"a{suffix}", pictures, 3, size=(160, 120), gop=30)
    video = decode_video(path, SPEC)
    assert len(video.moments) == 4
    for place, one in enumerate(video.moments):
        with path.open("rb") as file:
            fetched = decode_frame_at(file, float(np.float32(one.time_s)), SPEC)
        expected = video.frames_NHWC[video.whole_count + place]
        np.testing.assert_array_equal(fetched.input_HWC, expected)
        assert fetched.thumbnail_jpeg == one.thumbnail_jpeg


def test_times_count_from_the_videos_own_start(tmp_path: Path) -> None:
    """A broadcast's clock may begin anywhere."""
    path = make_video(tmp_path / "a.ts", ["red", "blue"], start_s=1000)
    video = decode_video(path, SPEC)
    assert spans(video) == [(0, 2), (2, 4)]
    assert np.argmax(frame_at(path, 3.0)[24, 24]) == 2


def test_a_time_between_frames_shows_the_frame_before_it(tmp_path: Path) -> None:
    """And one behind the end the last frame, one before the start the first."""
    path = make_video(tmp_path / "a.mp4", ["red", "green", "blue"], seconds_each=1, fps=1)
    shown = [int(np.argmax(frame_at(path, t)[24, 24])) for t in (-5, 0, 0.99, 1.0, 1.7, 2.5, 99)]
    assert shown == [0, 0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_a_video_is_turned_upright(tmp_path: Path, rotation: int, turns: int) -> None:
    """Stored lying, shown standing; the size is that of what is shown."""
    upright = quadrants(96, 64) if rotation == 180 else quadrants(64, 96)
    stored = np.ascontiguousarray(np.rot90(upright, -turns))
    size = (stored.shape[1], stored.shape[0])
    path = make_video(tmp_path / "a.mp4", [stored], 1, size=size, rotation=rotation)
    video = decode_video(path, SPEC)
    assert (video.width, video.height) == (upright.shape[1], upright.shape[0])
    expected = corner_colours(upright)
    assert np.abs(corner_colours(video.frames_NHWC[-1]) - expected).max() < 30


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    """The size is the shown one, and so is the thumbnail's shape."""
    path = make_video(tmp_path / "a.mp4", ["red"], size=(180, 144), pixel_aspect=Fraction(64, 45))
    video = decode_video(path, InputSpec(size_px=48, resize=Resize.CENTER_CROP))
    assert (video.width, video.height) == (256, 144)
    assert Image.open(io.BytesIO(video.thumbnail_jpeg)).size == (256, 144)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc", "bt2020c", "YCgCo", "ICtCp"])
def test_every_colour_matrix_gives_a_picture(tmp_path: Path, matrix: str) -> None:
    """Also those that FFmpeg's scaler refuses."""
    options = {"x264-params": f"colormatrix={matrix}:log-level=none"}
    video = decode_video(make_video(tmp_path / "a.mp4", ["red"], 1, options=options), SPEC)
    assert np.argmax(video.frames_NHWC[-1, 24, 24]) == 0


def test_the_length_is_that_of_the_picture(tmp_path: Path) -> None:
    """Sound that goes on does not count."""
    video = decode_video(make_video(tmp_path / "a.mp4", ["red"], sound_s=6), SPEC)
    assert video.duration_s == pytest.approx(2.0, abs=0.01)


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    """It has one moment and one frame for the whole."""
    video = decode_video(make_video(tmp_path / "a.mp4", ["red"], 0.1, fps=10), SPEC)
    assert_sound(video)
    assert (video.whole_count, len(video.moments)) == (1, 1)


def test_the_poster_is_not_black_where_anything_is_to_be_seen(tmp_path: Path) -> None:
    """Videos begin in the dark."""
    pictures = ["black", natural_picture(320, 240)]
    video = decode_video(make_video(tmp_path / "a.mp4", pictures), SPEC)
    assert video.thumbnail_jpeg == video.moments[1].thumbnail_jpeg


def test_the_whole_is_spread_evenly(tmp_path: Path) -> None:
    """Sixteen frames of four shots are four of each."""
    path = make_video(tmp_path / "a.mkv", ["red", "green", "blue", "white"])
    middles = sample_frames(path, SPEC)[:, 24, 24].astype(int)
    shown = ["white" if row.min() > 128 else "rgb"[int(row.argmax())] for row in middles]
    assert shown == ["r"] * 4 + ["g"] * 4 + ["b"] * 4 + ["white"] * 4
    assert len(sample_frames(path, SPEC, count=3)) == 3


def test_the_whole_does_not_trust_the_header(tmp_path: Path) -> None:
    """Cut in half, the video still gives sixteen frames."""
    path = make_video(tmp_path / "a.mkv", ["red", "green", "blue", "white"], 3)
    assert len(sample_frames(cut_short(path, 0.5), SPEC)) >= 14


def test_what_the_video_says_about_itself_is_read(tmp_path: Path) -> None:
    """Time with its zone, place and words; a clock never set is no date."""
    tags = {"creation_time": "2021-07-04T10:20:30Z", "title": "At the sea", "comment": "waves"}
    video = decode_video(make_video(tmp_path / "a.mp4", ["red"], metadata=tags), SPEC)
    assert video.metadata.taken_utc == datetime(2021, 7, 4, 10, 20, 30, tzinfo=UTC)
    assert (video.metadata.title, video.metadata.description) == ("At the sea", "waves")
    tags = {"creation_time": "1904-01-01T00:00:00Z"}
    assert decode_video(make_video(tmp_path / "b.mkv", ["red"], metadata=tags), SPEC).metadata == (
        type(video.metadata)()
    )


def test_hashes_tell_pictures_from_bytes(tmp_path: Path) -> None:
    """Another title keeps ``picture_hash``; other pictures behind the same first frame do not."""
    video = decode_video(make_video(tmp_path / "a.mp4", ["red", "green"]), SPEC)
    titled = decode_video(
        make_video(tmp_path / "b.mp4", ["red", "green"], metadata={"title": "x"}), SPEC
    )
    other = decode_video(make_video(tmp_path / "c.mp4", ["red", "blue"]), SPEC)
    at_other_size = decode_video(tmp_path / "a.mp4", InputSpec(size_px=96), thumbnail_px=64)
    assert (
        video.picture_hash
        == titled.picture_hash
        == at_other_size.picture_hash
        != other.picture_hash
    )
    assert video.file_hash != titled.file_hash
    assert video.file_hash == hash_file(os.fsencode(tmp_path / "a.mp4"))


def test_bytes_and_path_give_the_same(tmp_path: Path) -> None:
    """Shards hold videos in memory."""
    path = make_clip_of_colours(tmp_path / "a.mp4")
    from_bytes, from_path = decode_video(path.read_bytes(), SPEC), decode_video(path, SPEC)
    np.testing.assert_array_equal(from_bytes.frames_NHWC, from_path.frames_NHWC)
    assert from_bytes.file_hash == from_path.file_hash
    np.testing.assert_array_equal(
        sample_frames(path, SPEC), from_path.frames_NHWC[: from_path.whole_count]
    )


def broken(folder: Path, kind: str) -> Path:
    """A file that is no video to see."""
    path = folder / f"{kind}.mp4"
    if kind == "sound":
        return make_sound(path)
    if kind == "no_index":
        return cut_short(make_video(path, ["red"] * 2), 0.5)
    path.write_bytes(
        {
            "empty": b"",
            "text": b"Dear diary, today I made a video.\n" * 20,
            "zeros": bytes(5000),
            "playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
            "noise": np.random.default_rng(3).bytes(3000),
            "head": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(3000),
        }[kind]
    )
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sound", "has sound but no moving picture"),
        ("no_index", "index is missing"),
        ("empty", "is empty"),
        ("text", "no video but a text file"),
        ("zeros", "zero bytes"),
        ("playlist", "no video but a text file"),
        ("concat", "no video but a text file"),
        ("noise", "no video but"),
        ("head", "index is missing"),
    ],
)
def test_what_is_no_video_gives_one_sentence(tmp_path: Path, kind: str, words: str) -> None:
    """It names what is wrong; a playlist opens nothing else."""
    with pytest.raises(PhotoError, match=words) as caught:
        decode_video(broken(tmp_path, kind), SPEC)
    assert caught.value.reason.endswith(".")
    with pytest.raises(PhotoError):
        sample_frames(broken(tmp_path, kind), SPEC)


def test_a_video_that_breaks_off_gives_what_there_is(tmp_path: Path) -> None:
    """Its length is that of what can be seen."""
    path = cut_short(make_video(tmp_path / "a.mkv", ["red", "green", "blue"], 3, gop=6), 0.6)
    video = decode_video(path, SPEC)
    assert_sound(video)
    assert 3 < video.duration_s < 9


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    """Frames behind the damage still count, and moments can be fetched all the same."""
    path = make_video(tmp_path / "a.avi", [natural_picture(160, 120, s) for s in range(5)], 2)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 400] = b"\xa5" * 400
    path.write_bytes(data)
    video = decode_video(path, SPEC)
    assert_sound(video)
    assert video.duration_s > 8
    for place, one in enumerate(video.moments):
        np.testing.assert_array_equal(
            frame_at(path, one.time_s), video.frames_NHWC[video.whole_count + place]
        )


def test_a_video_whose_first_picture_comes_late_is_covered_from_its_start(tmp_path: Path) -> None:
    """Sound or nothing comes first; the first moment takes in what was before."""
    path = make_video(tmp_path / "a.mkv", ["red", "blue"], sound_s=1, start_s=15)
    video = decode_video(path, SPEC)
    assert_sound(video)
    assert len(video.moments) == 2


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (DecodeLimits(pixels=10_000), "megapixels"),
        (DecodeLimits(memory_bytes=100_000), "MB of memory"),
        (DecodeLimits(frames=5), "more than 5 frames"),
    ],
)
def test_a_video_above_a_limit_is_refused(tmp_path: Path, limits: DecodeLimits, words: str) -> None:
    """Before it costs anything."""
    path = make_video(tmp_path / "a.mp4", ["red"])
    with pytest.raises(PhotoError, match=words):
        decode_video(path, SPEC, limits=limits)


class _NoStore:
    """Keeps no frame."""

    def start_again(self) -> None:
        """Nothing to forget."""

    def keep_moment(self, input_HWC: np.ndarray) -> None:
        """Nothing to keep."""

    def keep_whole(self, inputs: list[np.ndarray]) -> None:
        """Nothing to keep."""


def test_a_pass_says_after_each_frame_how_much_of_the_video_is_done(tmp_path: Path) -> None:
    """By its seconds: it only grows, from the first frame to the last."""
    shares: list[float] = []
    with make_video(tmp_path / "a.mp4", ["red", "green"]).open("rb") as file:
        read_video(file, SPEC, _NoStore(), on_frame=shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.9 < shares[-1] <= 1
