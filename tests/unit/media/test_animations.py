"""Animated pictures as short videos, through the pool; still ones stay photos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocadesk.media.hashing import hash_bytes
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
)
from cocadesk.media.video.animation import open_animation
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, exif_block, quadrants

SPEC = InputSpec(size_px=32)
COLOURS = ("red", "blue", "lime")
RGB = np.array([(255, 0, 0), (0, 0, 255), (0, 255, 0)])
KINDS = {"GIF": ".gif", "WEBP": ".webp", "PNG": ".png", "AVIF": ".avif"}


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    """One worker for all."""
    with DecoderPool(spec=SPEC, workers=1) as opened:
        yield opened


def animated(
    kind: str, durations_ms: tuple[int, ...] = (2000, 1000, 3000), **options: object
) -> bytes:
    """Red, blue and green, each for its time."""
    frames = [Image.new("RGB", (64, 48), colour) for colour in COLOURS]
    if kind == "WEBP":
        options = {"lossless": True, **options}
    return encode(
        frames[0],
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=list(durations_ms),
        **options,
    )


def decoded(
    pool: DecoderPool, path: Path, time_s: float | None = None
) -> DecodedPhoto | DecodedVideo | DecodeFailure:
    """What the pool makes of one file."""
    request = DecodeRequest(token=0, path=os.fsencode(path), time_s=time_s)
    (answer,) = list(pool.decode([request]))
    return answer


def colours_of(video: DecodedVideo) -> np.ndarray:
    """The mean colour of each moment's frame."""
    frames = video.frames_NHWC[video.whole_count :]
    return frames.reshape(len(frames), -1, 3).mean(1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_is_a_video_with_its_own_times(
    pool: DecoderPool, tmp_path: Path, kind: str
) -> None:
    """Each picture is a shot that lasts as long as the file says."""
    path = tmp_path / f"a{KINDS[kind]}"
    data = animated(kind)
    path.write_bytes(data)
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert (video.width, video.height, video.duration_s) == (64, 48, pytest.approx(6))
    spans = [(moment.start_s, moment.end_s) for moment in video.moments]
    assert spans == [pytest.approx(span) for span in [(0, 2), (2, 3), (3, 6)]]
    assert np.abs(colours_of(video) - RGB).max() < 12
    assert video.file_hash == hash_bytes(data)
    assert video.thumbnail_jpeg
    video.close()


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_moments_picture_is_found_again_by_its_time(
    pool: DecoderPool, tmp_path: Path, kind: str
) -> None:
    """To the last bit, as it was embedded."""
    path = tmp_path / f"a{KINDS[kind]}"
    path.write_bytes(animated(kind))
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    for number, moment in enumerate(video.moments):
        frame = decoded(pool, path, moment.time_s)
        assert isinstance(frame, DecodedPhoto)
        np.testing.assert_array_equal(
            frame.input_HWC, video.frames_NHWC[video.whole_count + number]
        )
    video.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_still_picture_of_these_formats_is_a_photo(
    pool: DecoderPool, tmp_path: Path, kind: str
) -> None:
    """One frame does not move."""
    path = tmp_path / f"a{KINDS[kind]}"
    path.write_bytes(encode(quadrants(), kind))
    assert isinstance(decoded(pool, path), DecodedPhoto)


def test_frames_that_no_screen_can_show_last_as_long_as_in_a_browser(
    pool: DecoderPool, tmp_path: Path
) -> None:
    """Old programs wrote a time of zero; browsers take a tenth of a second."""
    path = tmp_path / "a.gif"
    path.write_bytes(animated("GIF", (0, 0, 0)))
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert video.duration_s == pytest.approx(0.3)
    video.close()


def test_an_animation_is_turned_upright_and_keeps_its_metadata(
    pool: DecoderPool, tmp_path: Path
) -> None:
    """EXIF counts for each of its pictures."""
    path = tmp_path / "a.webp"
    block = exif_block({0x0112: 6}, {0x9003: "2022:03:04 05:06:07"})
    path.write_bytes(animated("WEBP", exif=block))
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert (video.width, video.height) == (48, 64)
    assert str(video.metadata.taken_local) == "2022-03-04 05:06:07"
    video.close()


def test_an_animation_that_breaks_off_gives_what_there_is(
    pool: DecoderPool, tmp_path: Path
) -> None:
    """As a video does; only one whose first picture is broken fails."""
    noise = np.random.default_rng(3).integers(0, 256, (3, 48, 64, 3), np.uint8)
    frames = [Image.fromarray(picture) for picture in noise]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=1000)
    path = tmp_path / "a.gif"
    path.write_bytes(data[: int(len(data) * 0.8)])
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert 1 <= video.duration_s <= 3
    video.close()
    path.write_bytes(data[: int(len(data) * 0.1)])
    failure = decoded(pool, path)
    assert isinstance(failure, DecodeFailure)
    assert failure.reason.endswith(".")


def test_a_png_whose_first_picture_is_no_part_of_it_begins_with_the_second(
    pool: DecoderPool, tmp_path: Path
) -> None:
    """The first is for programs that know no animations."""
    still = Image.new("RGB", (64, 48), "black")
    frames = [Image.new("RGB", (64, 48), colour) for colour in COLOURS]
    path = tmp_path / "a.png"
    still.save(path, "PNG", save_all=True, default_image=True, append_images=frames, duration=1000)
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert video.duration_s == pytest.approx(3)
    assert np.abs(colours_of(video) - RGB).max() < 12
    video.close()


def test_what_is_transparent_in_an_animation_lies_on_white(
    pool: DecoderPool, tmp_path: Path
) -> None:
    """As in any other picture."""
    frames = [Image.new("RGBA", (64, 48), (0, 0, 0, 0)), Image.new("RGBA", (64, 48), "red")]
    path = tmp_path / "a.webp"
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    video = decoded(pool, path)
    assert isinstance(video, DecodedVideo)
    assert video.frames_NHWC[0].min() == 255
    video.close()


def test_an_animation_too_large_to_be_played_is_the_photo_that_it_was(tmp_path: Path) -> None:
    """Frames take more memory than one picture does; the first is shown all the same."""
    path = tmp_path / "large.gif"
    path.write_bytes(animated("GIF"))
    limits = DecodeLimits(memory_bytes=64 * 48 * 9)
    with DecoderPool(spec=SPEC, workers=1, limits=limits) as small:
        photo = decoded(small, path)
        again = decoded(small, path, time_s=0.0)
    assert isinstance(photo, DecodedPhoto), photo
    assert isinstance(again, DecodedPhoto), again
    assert np.abs(photo.input_HWC.reshape(-1, 3).mean(0) - RGB[0]).max() < 12


def test_an_animation_with_more_pixels_than_its_bytes_allow_is_cut() -> None:
    """Some kilobytes may claim a thousand frames of the largest size."""
    frames = [Image.new("RGB", (400, 300), (0, 0, number)) for number in range(60)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    animation = open_animation(data, DecodeLimits(), free_pixels=-1000 * len(data) + 5 * 120_000)
    assert animation is not None
    assert len(list(animation.frames())) == 5
    assert animation.end_s == pytest.approx(0.5)
    animation.close()
