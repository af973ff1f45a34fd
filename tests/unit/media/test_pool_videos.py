"""Videos through the pool: real workers, real files, real deaths."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cocadesk.media.pool.deadline import WorkDone
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    ReadMetadata,
)
from cocadesk.media.video.decode import decode_video
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, quadrants
from tests.support.videos import make_clip_of_colours, make_sound, make_video
from tests.support.xmp_packets import xmp

SPEC = InputSpec(size_px=48)
BREAKING = "tests.support.breaking_worker"


def requests(*paths: Path) -> list[DecodeRequest]:
    """One request a path; the token is its place."""
    return [DecodeRequest(token=token, path=os.fsencode(path)) for token, path in enumerate(paths)]


def spooled(parent: Path) -> list[str]:
    """The files that wait in the pool's folder."""
    return sorted(name for _, _, names in os.walk(parent) for name in names)


def test_a_videos_sidecar_counts_before_the_video(tmp_path: Path) -> None:
    """With the decode, and without one."""
    video = make_clip_of_colours(tmp_path / "video.mp4")
    (tmp_path / "video.mp4.xmp").write_bytes(xmp(xmp_Rating="4", dc_subject=["party"]))
    with DecoderPool(spec=SPEC, workers=1, spool_parent=tmp_path / ".") as pool:
        (decoded,) = pool.decode(requests(video))
        (read,) = pool.metadata(requests(video))
    assert isinstance(decoded, DecodedVideo)
    assert isinstance(read, ReadMetadata)
    with decoded:
        assert (decoded.metadata.rating, decoded.metadata.keywords) == (4, ("party",))
    assert read.metadata == decoded.metadata


def test_the_pool_gives_of_videos_what_the_core_gives(tmp_path: Path) -> None:
    """Photos and videos in one stream; the frames are a read-only map without a name."""
    video = make_clip_of_colours(tmp_path / "video.mp4")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encode(quadrants(), "JPEG"))
    with DecoderPool(spec=SPEC, workers=1, spool_parent=tmp_path / ".") as pool:
        results = sorted(pool.decode(requests(video, photo)), key=lambda result: result.token)
        assert spooled(tmp_path) == ["photo.jpg", "video.mp4"]
    decoded, still = results
    assert isinstance(decoded, DecodedVideo)
    assert isinstance(still, DecodedPhoto)
    expected = decode_video(video, SPEC)
    np.testing.assert_array_equal(decoded.frames_NHWC, expected.frames_NHWC)
    assert not decoded.frames_NHWC.flags.writeable
    for name in ("whole_count", "moments", "duration_s", "width", "height", "format", "metadata"):
        assert getattr(decoded, name) == getattr(expected, name), name
    for name in ("file_hash", "picture_hash", "thumbnail_jpeg", "path"):
        assert getattr(decoded, name) == getattr(expected, name), name
    slice_of_it = decoded.frames_NHWC[:1]
    with decoded:
        pass
    decoded.close()
    assert decoded.frames_NHWC.shape == (0, 48, 48, 3)
    np.testing.assert_array_equal(slice_of_it, expected.frames_NHWC[:1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg", "video.mp4"]


def test_one_frame_of_a_video_comes_as_a_photo(tmp_path: Path) -> None:
    """The one embedded for a moment with that time; of a photo the time means nothing."""
    path = make_clip_of_colours(tmp_path / "video.mp4")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encode(quadrants(), "JPEG"))
    video = decode_video(path, SPEC)
    wanted = [
        DecodeRequest(token=place, path=os.fsencode(path), time_s=moment.time_s)
        for place, moment in enumerate(video.moments)
    ]
    wanted.append(DecodeRequest(token=9, path=os.fsencode(photo), time_s=3.0))
    with DecoderPool(spec=SPEC, workers=1) as pool:
        results = {result.token: result for result in pool.decode(wanted)}
    for place, moment in enumerate(video.moments):
        frame = results[place]
        assert isinstance(frame, DecodedPhoto)
        np.testing.assert_array_equal(frame.input_HWC, video.frames_NHWC[video.whole_count + place])
        assert frame.thumbnail_jpeg == moment.thumbnail_jpeg
    assert isinstance(results[9], DecodedPhoto)


def test_broken_videos_are_answered_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A sentence each, and no file left in the spool."""
    sound = make_sound(tmp_path / "sound.mp4")
    text = tmp_path / "text.mov"
    text.write_bytes(b"words and words\n" * 30)
    good = make_clip_of_colours(tmp_path / "good.webm")
    spool = tmp_path / "spool"
    spool.mkdir()
    with DecoderPool(spec=SPEC, workers=1, spool_parent=spool) as pool:
        results = {result.token: result for result in pool.decode(requests(sound, text, good))}
        assert spooled(spool) == []
    assert isinstance(results[2], DecodedVideo)
    reasons = [result.reason for result in results.values() if isinstance(result, DecodeFailure)]
    assert reasons == [
        "The file has sound but no moving picture.",
        "This is no video but a text file.",
    ]
    assert list(spool.iterdir()) == []


class AnswerClock:
    """Seconds that pass only with the words of workers: ``step_s`` before each of them."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._now_s = 0.0

    def __call__(self) -> float:
        if threading.current_thread() is not threading.main_thread():  # a worker's reader
            self._now_s += self._step_s
        return self._now_s


class Worked:
    """A stand-in for the system's count of work: each look finds ``step_s`` more computed."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._computed_s = 0.0

    def __call__(self, pid: int) -> WorkDone:
        self._computed_s += self._step_s
        return WorkDone(self._computed_s)


@pytest.mark.parametrize(
    ("name", "video_deadline_s", "reason"),
    [
        ("slow.mp4", 1e6, ""),
        ("slow.mp4", 3.0, "Decoding took more than 3 seconds of computing."),
        ("endless.mp4", 3.0, "Decoding took more than 3 seconds of computing."),
    ],
)
def test_signs_of_life_renew_the_deadline_but_not_for_ever(
    tmp_path: Path, name: str, video_deadline_s: float, reason: str
) -> None:
    """A video may take far longer than a photo; a worker that only pretends is ended."""
    # A look at every answer, each with 0.4 s computed: 15 heartbeats of the slow one are
    # 6 s and more at a deadline of 0.5 s.
    with DecoderPool(
        spec=SPEC,
        workers=1,
        deadline_s=0.5,
        video_deadline_s=video_deadline_s,
        worker_module=BREAKING,
        work_of=Worked(0.4),
        clock=AnswerClock(0.4),
        look_s=0.3,
    ) as pool:
        (result,) = pool.decode(requests(make_clip_of_colours(tmp_path / name)))
    assert isinstance(result, DecodedVideo if not reason else DecodeFailure)
    assert getattr(result, "reason", "") == reason
    assert not getattr(result, "is_passing", False)


def test_a_video_in_hand_does_not_outlive_the_wish_for_it(tmp_path: Path) -> None:
    """After a cancel the next file does not wait for the old video's end."""
    endless = make_clip_of_colours(tmp_path / "endless.mp4")
    good = make_clip_of_colours(tmp_path / "good.mp4")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encode(quadrants(), "JPEG"))
    with DecoderPool(
        spec=SPEC, workers=2, deadline_s=2.0, video_deadline_s=3600, worker_module=BREAKING
    ) as pool:
        before = set(pool.worker_pids)

        def is_in_video() -> bool:
            return any(worker.is_in_video for worker in pool._workers)

        def wanted() -> Iterator[DecodeRequest]:
            yield from requests(endless)
            while not is_in_video():  # photos keep the other worker's answers coming
                yield from requests(photo)

        answers = pool.decode(wanted())
        while not is_in_video():
            next(answers)
        answers.close()
        assert len(before & set(pool.worker_pids)) == 1
        assert isinstance(next(pool.decode(requests(good))), DecodedVideo)


def test_a_worker_killed_in_a_video_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its file is tried once more and then answered; the spool is empty."""
    spool = tmp_path / "spool"
    spool.mkdir()
    crash = make_clip_of_colours(tmp_path / "crash.mp4")
    with DecoderPool(spec=SPEC, workers=1, spool_parent=spool, worker_module=BREAKING) as pool:
        (result,) = pool.decode(requests(crash))
        assert isinstance(result, DecodeFailure)
        assert spooled(spool) == []


def test_frames_of_pools_that_were_killed_are_swept_away(tmp_path: Path) -> None:
    """The next pool removes the folder of a process that is gone, and no other."""
    gone = tmp_path / "cocadesk-frames-4000000000-x"
    alive = tmp_path / f"cocadesk-frames-{os.getppid()}-x"
    for folder in (gone, alive):
        folder.mkdir()
        (folder / "0.frames").write_bytes(b"x")
    DecoderPool(spec=SPEC, workers=1, spool_parent=tmp_path).close()
    assert not gone.exists()
    assert alive.exists()


def test_a_video_with_more_frames_than_there_is_room_for_is_bounded(tmp_path: Path) -> None:
    """The room decides how many moments a video may have."""
    path = make_video(tmp_path / "a.mp4", ["red", "green", "blue", "white"] * 3, 1)
    limits = DecodeLimits(frame_bytes=5 * 3 * 48**2)
    with DecoderPool(spec=SPEC, workers=1, limits=limits) as pool:
        (video,) = pool.decode(requests(path))
    assert isinstance(video, DecodedVideo)
    assert len(video.moments) <= 5
    assert video.moments[-1].end_s == video.duration_s


@pytest.mark.skipif(os.name == "nt", reason="no such limit on Windows")
def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    """Where the frames cannot be written the file fails and the worker lives on."""
    path = make_clip_of_colours(tmp_path / "a.mp4")
    spool = tmp_path / "spool"
    spool.mkdir()
    with DecoderPool(spec=SPEC, workers=1, spool_parent=spool) as pool:
        (folder,) = spool.iterdir()
        folder.rmdir()
        (result,) = pool.decode(requests(path))
    assert isinstance(result, DecodeFailure)
    assert result.reason.endswith(".")


def test_a_video_says_how_much_of_it_is_decoded(tmp_path: Path) -> None:
    """Any thread may look while it is under way; afterwards there is nothing to say."""
    path = make_clip_of_colours(tmp_path / "slow.mp4")
    with DecoderPool(spec=SPEC, workers=1, deadline_s=1.0, worker_module=BREAKING) as pool:
        reading = threading.Thread(target=lambda: list(pool.decode(requests(path))))
        reading.start()
        shares = set[float]()
        while reading.is_alive() and not any(shares):
            shares.add(pool.under_way().get(os.fsencode(path), 0.0))
            reading.join(0.01)
        reading.join()
        assert any(0 < share < 1 for share in shares)
        assert pool.under_way() == {}
