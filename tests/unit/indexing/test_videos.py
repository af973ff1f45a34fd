"""Videos through the index: one medium, a view of the whole and one of each moment."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cocadesk.errors import UserError
from cocadesk.indexing.index import index_steps
from cocadesk.indexing.pictures import embed_video
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaKind, ViewShows
from cocadesk.media.hashing import hash_file
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeRequest,
    VideoMoment,
)
from cocadesk.media.video.decode import decode_video
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import (
    SPEC,
    CountingBackend,
    InProcessDecoder,
    row_at,
    run_index,
    set_human_caption,
    views_at,
    write_photo,
    write_video,
)
from tests.support.other_model import OTHER, OtherBackend, check_filled, switch_model
from tests.support.videos import make_sound

IMAGE_ID = FakeInfo().image_id


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder with two videos and a photo."""
    folder = tmp_path / "videos"
    write_video(folder / "three.mp4", "red", "green", "blue")
    write_video(folder / "two.mp4", "white", "blue")
    write_photo(folder / "photo.jpg", 1)
    return folder


def test_a_picture_that_moves_is_a_video_in_the_library(library: Library, tmp_path: Path) -> None:
    """With its moments and length; the same format without movement stays a photo."""
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    moving, still = tmp_path / "moving.gif", tmp_path / "still.gif"
    frames[0].save(moving, save_all=True, append_images=frames[1:], duration=[1000, 2000])
    frames[1].save(still)
    report = run_index(library, [tmp_path], own_pool=True)
    assert (report.indexed, report.videos, report.failed) == (2, 1, ())
    row = row_at(library, moving)
    assert (row.kind, row.format, row.duration_s) == (MediaKind.VIDEO, "GIF", 3.0)
    spans = [(view.start_s, view.end_s) for view in views_at(library, moving)[1:]]
    assert spans == [(0.0, 1.0), (1.0, 3.0)]
    assert row_at(library, still).kind is MediaKind.PHOTO


def test_a_moving_picture_that_an_older_program_took_for_a_photo_becomes_a_video(
    library: Library, tmp_path: Path
) -> None:
    """By the next plain index, once; its key and what a person wrote of it stay."""
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    moving = tmp_path / "moving.gif"
    frames[0].save(moving, save_all=True, append_images=frames[1:], duration=[1000, 2000])
    still = write_photo(tmp_path / "still.jpg", 1)
    run_index(library, [tmp_path])  # takes each picture for a photo
    photo = row_at(library, moving)
    assert photo.kind is MediaKind.PHOTO
    set_human_caption(library, photo.key, "the blinking sign")
    rows = [row_at(library, path) for path in (moving, still)]
    aged = [dataclasses.replace(row, metadata_mark="2") for row in rows]
    library.media.commit([MediaChange(row=row, is_new=False) for row in aged])
    report = run_index(library, [tmp_path], own_pool=True)
    assert (report.indexed, report.videos, report.unchanged, report.failed) == (1, 1, 1, ())
    video = row_at(library, moving)
    assert (video.key, video.kind, video.duration_s) == (photo.key, MediaKind.VIDEO, 3.0)
    assert video.caption == "the blinking sign"
    assert len(views_at(library, moving)) == 3
    again = run_index(library, [tmp_path], own_pool=True)
    assert (again.indexed, again.unchanged, again.refreshed) == (0, 2, 0)


def test_a_video_has_a_view_of_the_whole_and_one_of_each_shot(
    library: Library, videos: Path
) -> None:
    """Times from the container, the mean of the sampled frames, thumbnails of all."""
    report = run_index(library, [videos])
    assert (report.indexed, report.videos, report.failed) == (3, 2, ())
    counts = library.counts()
    assert (counts.media, counts.photos, counts.videos, counts.views) == (3, 1, 2, 1 + 4 + 3)
    path = videos / "three.mp4"
    row, views = row_at(library, path), views_at(library, path)
    assert (row.kind, row.width, row.height, row.duration_s) == (MediaKind.VIDEO, 64, 48, 1.5)
    assert [view.shows for view in views] == [ViewShows.WHOLE, *[ViewShows.SPAN] * 3]
    spans = [(view.start_s, view.end_s) for view in views[1:]]
    assert spans == [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)]
    assert all((v.start_s or 0) <= (v.time_s or 0) < (v.end_s or 0) for v in views[1:])
    assert all(view.kind is MediaKind.VIDEO for view in views)
    assert library.thumbnails.path(row.picture_hash).read_bytes()[:2] == b"\xff\xd8"
    for view in views[1:]:
        thumbnail = library.thumbnails.moment_path(row.picture_hash, view.view)
        assert thumbnail.read_bytes()[:2] == b"\xff\xd8"
    again, decoder = CountingBackend(), InProcessDecoder()
    report = run_index(library, [videos], backend=again, decoder=decoder)
    assert (report.unchanged, again.embedded, decoder.decoded) == (3, 0, [])


def test_a_check_misses_the_thumbnail_of_a_moment(library: Library, videos: Path) -> None:
    """As it does that of a photo or of the whole; all are drawn again by the same command."""
    run_index(library, [videos])
    assert not any("Thumbnails" in text for text in library.care.problems())
    row = row_at(library, videos / "three.mp4")
    library.thumbnails.moment_path(row.picture_hash, 2).unlink()
    assert any("Thumbnails lost or damaged: 1." in text for text in library.care.problems())


def test_the_whole_is_the_mean_of_its_frames_and_moments_follow(videos: Path) -> None:
    """In bounded batches, whatever their size."""
    video = decode_video(videos / "three.mp4", SPEC)
    backend = FakeBackend()
    each = backend.embed_images(np.array(video.frames_NHWC))
    mean = each[: video.whole_count].mean(0)
    for batch in (1, 4, 128):
        embedded = embed_video(backend, video, batch=batch)
        np.testing.assert_allclose(
            embedded.vectors_VD[0], mean / np.linalg.norm(mean), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(embedded.vectors_VD[1:], each[video.whole_count :], atol=1e-6)
        assert [span.time_s for span in embedded.spans] == [m.time_s for m in video.moments]


def test_videos_go_through_the_decoder_processes(library: Library, videos: Path) -> None:
    """The same rows and views as when decoded here."""
    run_index(library, [videos], own_pool=True)
    pooled = views_at(library, videos / "three.mp4")
    with Library.open(library.folder.parent / "other") as other:
        run_index(other, [videos])
        here = views_at(other, videos / "three.mp4")
    assert [(v.time_s, v.start_s, v.end_s, v.picture_hash) for v in pooled] == [
        (v.time_s, v.start_s, v.end_s, v.picture_hash) for v in here
    ]


def test_moved_copied_and_touched_videos_are_not_embedded_and_copies_have_all_views(
    library: Library, videos: Path
) -> None:
    """The identity rules hold for videos; nothing is even decoded."""
    run_index(library, [videos])
    before = {path: views_at(library, videos / path) for path in ("three.mp4", "two.mp4")}
    keys = {path: row_at(library, videos / path).key for path in before}
    (videos / "three.mp4").rename(videos / "moved.mp4")
    shutil.copy(videos / "two.mp4", videos / "copy.mp4")
    os.utime(videos / "two.mp4", (1, 1))
    backend, decoder = CountingBackend(), InProcessDecoder()
    report = run_index(library, [videos], backend=backend, decoder=decoder)
    assert (report.moved, report.copied, backend.embedded, decoder.decoded) == (1, 1, 0, [])
    assert row_at(library, videos / "moved.mp4").key == keys["three.mp4"]
    copy = row_at(library, videos / "copy.mp4")
    assert (copy.kind, copy.duration_s) == (MediaKind.VIDEO, 1.0)
    assert copy.key != keys["two.mp4"]
    for original, other in zip(
        before["two.mp4"], views_at(library, videos / "copy.mp4"), strict=True
    ):
        assert (other.view, other.shows, other.time_s) == (
            original.view,
            original.shows,
            original.time_s,
        )
        np.testing.assert_array_equal(other.vector, original.vector)


def test_a_video_that_is_cut_anew_keeps_its_key_and_human_annotations_and_loses_old_moments(
    library: Library, videos: Path
) -> None:
    """Fewer moments than before leave none behind; the machine's caption are cleared."""
    run_index(library, [videos])
    path = videos / "three.mp4"
    before = row_at(library, path)
    set_human_caption(library, before.key, "mine")
    library.media.set_captions({before.key: "a machine's"}, "m")
    write_video(path, "white")
    run_index(library, [videos])
    after = row_at(library, path)
    assert (after.key, after.human_caption, after.machine_caption) == (before.key, "mine", None)
    assert len(views_at(library, path)) == 2


def test_a_video_with_other_metadata_is_read_but_not_embedded(
    library: Library, videos: Path
) -> None:
    """The same pictures in another file."""
    run_index(library, [videos])
    before = row_at(library, videos / "three.mp4")
    write_video(videos / "three.mp4", "red", "green", "blue", title="holiday")
    backend = CountingBackend()
    report = run_index(library, [videos], backend=backend)
    after = row_at(library, videos / "three.mp4")
    assert (report.indexed, backend.embedded) == (1, 0)
    assert after.picture_hash == before.picture_hash
    assert after.file_hash != before.file_hash
    assert len(views_at(library, videos / "three.mp4")) == 4


def test_a_file_may_become_a_video_and_a_photo_again(library: Library, videos: Path) -> None:
    """Content counts, not the name; the key and its place stay."""
    path = videos / "photo.jpg"
    run_index(library, [videos])
    key = row_at(library, path).key
    write_video(path, "green", "white")
    run_index(library, [videos])
    row = row_at(library, path)
    assert (row.key, row.kind, len(views_at(library, path))) == (key, MediaKind.VIDEO, 3)
    write_photo(path, 5)
    run_index(library, [videos])
    row = row_at(library, path)
    assert (row.key, row.kind, row.duration_s) == (key, MediaKind.PHOTO, None)
    assert len(views_at(library, path)) == 1


def test_a_broken_video_is_recorded_and_the_rest_goes_on(library: Library, videos: Path) -> None:
    """Truncated, sound without pictures, empty: each with its reason, none asked again."""
    data = (videos / "two.mp4").read_bytes()
    (videos / "cut.mp4").write_bytes(data[: len(data) // 3])
    (videos / "nothing.mp4").write_bytes(b"")
    make_sound(videos / "sound.mp4")
    report = run_index(library, [videos])
    assert report.indexed == 3
    names = {Path(os.fsdecode(failed.path)).name for failed in report.failed}
    assert names == {"cut.mp4", "nothing.mp4", "sound.mp4"}
    assert all(failed.reason.endswith(".") for failed in report.failed)
    decoder = InProcessDecoder()
    again = run_index(library, [videos], decoder=decoder)
    assert (again.indexed, decoder.decoded, len(again.failed)) == (0, [], 3)


class _FullSpool(InProcessDecoder):
    """Has no room for the frames of videos."""

    def decode(
        self, requests: Iterable[DecodeRequest]
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """As a worker answers whose temporary folder is full."""
        for answer in super().decode(requests):
            if isinstance(answer, DecodedVideo):
                yield DecodeFailure(
                    token=answer.token, path=answer.path, reason="No room.", is_passing=True
                )
            else:
                yield answer


def test_videos_for_whose_frames_there_was_no_room_are_read_again_next_time(
    library: Library, videos: Path
) -> None:
    """A refusal by the system says nothing of the file; until then it is listed."""
    report = run_index(library, [videos], decoder=_FullSpool())
    assert (report.indexed, [failed.reason for failed in report.failed]) == (1, ["No room."] * 2)
    assert library.counts().failed == 2
    report = run_index(library, [videos], decoder=_FullSpool())
    assert (report.indexed, len(report.failed), library.counts().failed) == (0, 2, 2)
    report = run_index(library, [videos])
    assert (report.videos, report.failed, library.counts().failed) == (2, (), 0)


@dataclass(slots=True)
class LongVideos:
    """Answers each file with a video of many frames, and counts how many are open."""

    frames: int
    open: set[int] = field(default_factory=set)
    most_open: int = 0

    def decode(self, requests: Iterable[DecodeRequest]) -> Iterator[DecodedVideo]:
        """One video after the other, as the pool would."""
        for request in requests:
            self.open.add(request.token)
            self.most_open = max(self.most_open, len(self.open))
            yield self._video(request)

    def _video(self, request: DecodeRequest) -> DecodedVideo:
        moments = tuple(
            VideoMoment(time_s=at + 0.5, start_s=at, end_s=at + 1.0, thumbnail_jpeg=b"\xff\xd8")
            for at in map(float, range(self.frames))
        )
        frames = np.zeros((16 + self.frames, 64, 64, 3), np.uint8)
        frames[...] = (request.token * 17) % 256
        return _CountedVideo(
            token=request.token,
            path=request.path,
            frames_NHWC=frames,
            whole_count=16,
            moments=moments,
            duration_s=float(self.frames),
            width=64,
            height=64,
            format="MP4",
            file_hash=hash_file(request.path) or "",
            picture_hash=f"{request.token:032x}",
            thumbnail_jpeg=b"\xff\xd8",
            on_close=lambda: self.open.discard(request.token),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CountedVideo(DecodedVideo):
    """Says when its frames are let go."""

    on_close: Callable[[], None]

    def close(self) -> None:
        """Let go."""
        self.on_close()


class _SmallBatches(FakeBackend):
    """Remembers the largest batch that it was given."""

    def __init__(self) -> None:
        self.largest = 0

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake."""
        self.largest = max(self.largest, len(images_BHWC))
        return super().embed_images(images_BHWC)


def test_long_videos_are_embedded_in_batches_and_few_wait_at_a_time(
    library: Library, tmp_path: Path
) -> None:
    """Memory and disk stay bounded whatever the number and the length of the videos."""
    for number in range(9):
        write_video(tmp_path / "videos" / f"{number}.mp4", "red", title=str(number))
    decoder, backend = LongVideos(frames=100), _SmallBatches()
    options = IndexOptions(embed_batch=32, queue_videos=2)
    report = run_index(
        library, [tmp_path / "videos"], backend=backend, decoder=decoder, options=options
    )
    assert report.videos == 9
    assert library.counts().views == 9 * 101
    assert backend.largest == 32
    # Two wait, one is embedded, one is in the hands of the decoding thread.
    assert decoder.most_open <= 4
    assert decoder.open == set()


def test_a_disk_that_fills_under_the_thumbnails_is_a_sentence_and_what_was_kept_stays(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frames that waited are let go, and the next index goes on."""
    for number in range(6):
        write_video(tmp_path / "videos" / f"{number}.mp4", "red", title=str(number))
    decoder, written = LongVideos(frames=3), 0

    write = library.thumbnails.write

    def write_until_full(picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        nonlocal written
        written += 1
        if written > 14:
            raise UserError("The library can't write.", "The reason: No space left on device.")
        write(picture_hash, jpeg, view)

    with monkeypatch.context() as patch:
        patch.setattr(library.thumbnails, "write", write_until_full)
        with pytest.raises(UserError, match="No space left"):
            run_index(library, [tmp_path / "videos"], decoder=decoder)
    kept = library.counts().videos
    assert kept == 3
    report = run_index(library, [tmp_path / "videos"], decoder=LongVideos(frames=3))
    assert (report.videos, report.unchanged) == (3, 3)
    assert library.counts().views == 6 * 4


def test_a_cancelled_index_lets_go_of_the_videos_that_waited(
    library: Library, tmp_path: Path
) -> None:
    """Closed at any step, nothing stays open and the next index goes on."""
    for number in range(6):
        write_video(tmp_path / "videos" / f"{number}.mp4", "red", title=str(number))
    decoder = LongVideos(frames=10)
    options = IndexOptions(embed_batch=4, commit_rows=1, queue_videos=3, progress_s=0.001)
    steps = index_steps(
        library,
        FakeBackend(),
        [os.fsencode(tmp_path / "videos")],
        pool=decoder,
        options=options,
    )
    for step in steps:
        if step.done:
            break
    steps.close()
    assert decoder.open == set()
    before = library.counts().media
    report = run_index(library, [tmp_path / "videos"], decoder=LongVideos(frames=10))
    assert report.indexed + before == 6


def test_an_index_is_cancelled_while_a_video_is_being_decoded(
    library: Library, videos: Path
) -> None:
    """A cancel need not wait for the video's end; the next index has the pool for itself."""
    write_video(videos / "0 endless.mp4", "red")
    with DecoderPool(spec=SPEC, workers=1, worker_module="tests.support.breaking_worker") as pool:
        steps = index_steps(
            library,
            FakeBackend(),
            [os.fsencode(videos)],
            pool=pool,
            options=IndexOptions(progress_s=0.05),
        )
        for _ in range(6):
            next(steps)
        steps.close()
        (videos / "0 endless.mp4").unlink()
        assert run_index(library, [videos], decoder=pool).indexed == 3


def test_a_switch_fills_all_moments_of_videos(library: Library, videos: Path) -> None:
    """Also of copies, and of videos that were cut again since a first try."""
    shutil.copy(videos / "two.mp4", videos / "copy.mp4")
    run_index(library, [videos])
    steps_backend = OtherBackend()
    assert switch_model(library, steps_backend).filled == 4
    check_filled_videos(library, videos)
    write_video(videos / "three.mp4", "white")
    with Library.open(library.folder.parent / "second") as second:
        run_index(second, [videos])
        write_video(videos / "three.mp4", "red", "green", "blue")
        run_index(second, [videos], backend=OtherBackend())
        write_video(videos / "three.mp4", "blue")
        run_index(second, [videos])
        switch_model(second)
        check_filled(second)
        assert len(views_at(second, videos / "three.mp4", OTHER.image_id)) == 2


def check_filled_videos(library: Library, videos: Path) -> None:
    """The new views stand for the same moments as the old ones."""
    check_filled(library)
    for name in ("three.mp4", "two.mp4", "copy.mp4", "photo.jpg"):
        old = views_at(library, videos / name)
        new = views_at(library, videos / name, OTHER.image_id)
        assert [(v.view, v.time_s, v.start_s, v.end_s) for v in old] == [
            (v.view, v.time_s, v.start_s, v.end_s) for v in new
        ]


def test_the_frame_at_a_moments_time_is_the_frame_that_was_embedded(
    library: Library, videos: Path
) -> None:
    """Fetched again by the time in the store, it gives the very vector."""
    run_index(library, [videos])
    path = videos / "three.mp4"
    with DecoderPool(spec=SPEC, workers=1) as pool:
        for view in views_at(library, path)[1:]:
            request = DecodeRequest(token=0, path=os.fsencode(path), time_s=view.time_s)
            answer = next(iter(list(pool.decode([request]))))
            assert not isinstance(answer, DecodedVideo)
            vector = FakeBackend().embed_images(answer.input_HWC[None])[0]  # type: ignore[union-attr]
            np.testing.assert_allclose(vector, view.vector, atol=2e-3)
