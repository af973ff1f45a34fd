"""The index on real files and a real store: identity, failures, states, cancelling."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexOptions, IndexProgress, IndexStage
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from cocadesk.media.hashing import hash_file
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    photo_bytes,
    row_at,
    run_index,
    set_human_caption,
    write_photo,
)

IMAGE_ID = FakeInfo().image_id


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with three photos."""
    for seed in range(3):
        write_photo(tmp_path / "photos" / f"{seed}.jpg", seed)
    return tmp_path / "photos"


def test_a_folder_is_indexed_and_a_second_run_reads_nothing(library: Library, photos: Path) -> None:
    """Rule 1: same path, size and time is unchanged, nothing is read."""
    report = run_index(library, [photos])
    assert (report.indexed, report.unchanged, report.failed) == (3, 0, ())
    counts = library.counts()
    assert (counts.media, counts.photos, counts.views) == (3, 3, 3)
    decoder, backend = InProcessDecoder(), CountingBackend()
    again = run_index(library, [photos], decoder=decoder, backend=backend)
    assert (again.indexed, again.unchanged, again.failed) == (0, 3, ())
    assert (decoder.decoded, backend.embedded) == ([], 0)


def test_a_row_says_what_the_file_says_and_its_thumbnail_is_there(
    library: Library, photos: Path
) -> None:
    """Size, hash, format, metadata and thumbnail come with the commit."""
    write_photo(photos / "3.jpg", 3, comment="by the sea")
    run_index(library, [photos])
    row = row_at(library, photos / "3.jpg")
    assert (row.width, row.height, row.description) == (48, 32, "by the sea")
    assert row.file_hash == hash_file(row.path)
    assert row.size_bytes == (photos / "3.jpg").stat().st_size
    assert row.root == os.fsencode(photos)
    assert row.embedded == (IMAGE_ID,)
    assert library.thumbnails.path(row.picture_hash).read_bytes()[:2] == b"\xff\xd8"
    assert library.model == IMAGE_ID
    assert [root.path for root in library.roots.all()] == [os.fsencode(photos)]


def test_an_edited_file_keeps_its_key_and_human_annotations_and_is_embedded_again(
    library: Library, photos: Path
) -> None:
    """Rule 2: same path, another picture."""
    run_index(library, [photos])
    before = row_at(library, photos / "0.jpg")
    set_human_caption(library, before.key, "mine")
    library.media.set_captions({before.key: "a machine's"}, "m")
    write_photo(photos / "0.jpg", 77)
    backend = CountingBackend()
    report = run_index(library, [photos], backend=backend)
    after = row_at(library, photos / "0.jpg")
    assert (report.indexed, report.unchanged, backend.embedded) == (1, 2, 1)
    assert (after.key, after.human_caption, after.machine_caption) == (before.key, "mine", None)
    assert after.picture_hash != before.picture_hash
    assert after.added_utc == before.added_utc
    assert library.counts().views == 3


def test_a_file_whose_metadata_changed_is_read_but_not_embedded(
    library: Library, photos: Path
) -> None:
    """Rule 2: same path, other bytes, same picture; the machine's caption still fit."""
    run_index(library, [photos])
    before = row_at(library, photos / "0.jpg")
    library.media.set_captions({before.key: "a machine's"}, "m")
    write_photo(photos / "0.jpg", 0, comment="new words")
    backend = CountingBackend()
    report = run_index(library, [photos], backend=backend)
    after = row_at(library, photos / "0.jpg")
    assert (report.indexed, backend.embedded) == (1, 0)
    assert (after.key, after.description, after.picture_hash) == (
        before.key,
        "new words",
        before.picture_hash,
    )
    assert after.caption == "a machine's"


def test_a_touched_file_is_neither_decoded_nor_embedded(library: Library, photos: Path) -> None:
    """Same path and bytes under a new time: the bytes are hashed, no more."""
    run_index(library, [photos])
    os.utime(photos / "0.jpg", (1, 1))
    decoder = InProcessDecoder()
    run_index(library, [photos], decoder=decoder)
    assert decoder.decoded == []
    assert row_at(library, photos / "0.jpg").mtime_ns == 1_000_000_000
    assert run_index(library, [photos]).unchanged == 3


def test_a_moved_file_keeps_its_key_and_caption_without_reading_the_picture(
    library: Library, photos: Path
) -> None:
    """Rule 3: a new path with the bytes of a medium that is gone from its place."""
    run_index(library, [photos])
    before = row_at(library, photos / "0.jpg")
    set_human_caption(library, before.key, "mine")
    (photos / "sub").mkdir()
    (photos / "0.jpg").rename(photos / "sub" / "it's moved.jpg")
    decoder, backend = InProcessDecoder(), CountingBackend()
    report = run_index(library, [photos], decoder=decoder, backend=backend)
    after = row_at(library, photos / "sub" / "it's moved.jpg")
    assert (report.moved, report.indexed, report.missing) == (1, 0, 0)
    assert (decoder.decoded, backend.embedded) == ([], 0)
    assert (after.key, after.caption) == (before.key, "mine")
    assert library.counts().media == 3
    view = library.views.of_keys(IMAGE_ID, [after.key])[after.key][0]
    assert view.folder_text == f"{photos}/sub/".lower()


def test_a_file_moved_to_another_root_follows_it(library: Library, photos: Path) -> None:
    """Both the row and the view name the new root."""
    run_index(library, [photos])
    before = row_at(library, photos / "0.jpg")
    other = photos.parent / "other"
    other.mkdir()
    (photos / "0.jpg").rename(other / "0.jpg")
    report = run_index(library, [other])
    after = row_at(library, other / "0.jpg")
    assert (report.moved, after.key, after.root) == (1, before.key, os.fsencode(other))
    view = library.views.of_keys(IMAGE_ID, [after.key])[after.key][0]
    assert view.root == os.fsencode(other)


def test_a_copy_has_its_own_key_and_borrows_the_vectors(library: Library, photos: Path) -> None:
    """Rule 4: the original is still in place; a person's caption stays with it alone."""
    run_index(library, [photos])
    before = row_at(library, photos / "0.jpg")
    set_human_caption(library, before.key, "mine")
    library.media.set_captions({before.key: "a machine's"}, "m")
    shutil.copy(photos / "0.jpg", photos / "copy.jpg")
    decoder, backend = InProcessDecoder(), CountingBackend()
    report = run_index(library, [photos], decoder=decoder, backend=backend)
    copy = row_at(library, photos / "copy.jpg")
    assert (report.copied, report.indexed, decoder.decoded, backend.embedded) == (1, 1, [], 0)
    assert copy.key != before.key
    assert (copy.human_caption, copy.caption) == (None, "a machine's")
    views = library.views.of_keys(IMAGE_ID, [before.key, copy.key])
    np.testing.assert_array_equal(views[before.key][0].vector, views[copy.key][0].vector)


def test_equal_new_files_are_embedded_once(library: Library, photos: Path) -> None:
    """Copies find each other within one run."""
    for number in range(5):
        shutil.copy(photos / "0.jpg", photos / f"copy {number}.jpg")
    write_photo(photos / "same picture.jpg", 0, comment="other bytes")
    backend = CountingBackend()
    report = run_index(library, [photos], backend=backend)
    assert (report.indexed, report.copied, backend.embedded) == (9, 5, 3)
    assert library.counts().views == 9


def test_a_file_that_is_gone_is_missing_keeps_its_caption_and_returns(
    library: Library, photos: Path
) -> None:
    """Rule 5, and back."""
    run_index(library, [photos])
    key = row_at(library, photos / "0.jpg").key
    set_human_caption(library, key, "mine")
    status = (photos / "0.jpg").stat()
    (photos / "0.jpg").unlink()
    report = run_index(library, [photos])
    assert (report.missing, report.unchanged, library.counts().missing) == (1, 2, 1)
    assert library.media.rows([key])[0].caption == "mine"
    write_photo(photos / "0.jpg", 0)
    os.utime(photos / "0.jpg", ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert run_index(library, [photos]).unchanged == 3
    row = library.media.rows([key])[0]
    assert (row.state, row.caption) == (MediaState.PRESENT, "mine")


def test_a_folder_without_any_of_its_files_is_offline(library: Library, photos: Path) -> None:
    """An emptied folder looks like a disk that is away: nothing counts as deleted."""
    run_index(library, [photos])
    for path in photos.iterdir():
        path.unlink()
    report = run_index(library, [photos])
    assert (report.missing, report.offline) == (0, 3)


@pytest.mark.parametrize("leaves_mount_point", [False, True])
def test_media_on_an_absent_disk_are_offline_and_come_back_unchanged(
    library: Library, photos: Path, leaves_mount_point: bool
) -> None:
    """A root that does not exist, or is an empty folder in its place."""
    run_index(library, [photos])
    away = photos.parent / "unplugged"
    photos.rename(away)
    if leaves_mount_point:
        photos.mkdir()
    report = run_index(library, [photos])
    counts = library.counts()
    assert (report.offline, report.missing, counts.offline, counts.missing) == (3, 0, 3, 0)
    if leaves_mount_point:
        photos.rmdir()
    away.rename(photos)
    report = run_index(library, [photos])
    assert (report.unchanged, report.indexed, library.counts().offline) == (3, 0, 0)


def test_a_file_whose_twin_is_on_an_absent_disk_is_a_copy(library: Library, photos: Path) -> None:
    """An unplugged disk has not lost its files to another folder."""
    run_index(library, [photos])
    key = row_at(library, photos / "0.jpg").key
    photos.rename(photos.parent / "unplugged")
    other = photos.parent / "other"
    write_photo(other / "0.jpg", 0)
    report = run_index(library, [other])
    assert (report.moved, report.copied) == (0, 1)
    assert row_at(library, other / "0.jpg").key != key


def test_bad_files_are_recorded_and_read_again_only_when_they_change(
    library: Library, photos: Path
) -> None:
    """One reason a file; the rest goes on; healing forgets the failure."""
    bad = photos / "bad.jpg"
    bad.write_bytes(photo_bytes(5)[:200])
    (photos / "empty.jpg").touch()
    report = run_index(library, [photos])
    assert report.indexed == 3
    assert [os.fsdecode(f.path) for f in report.failed] == [str(bad), str(photos / "empty.jpg")]
    assert all(failed.reason and not failed.is_known for failed in report.failed)
    assert library.counts().failed == 2
    decoder = InProcessDecoder()
    again = run_index(library, [photos], decoder=decoder)
    assert (again.indexed, again.unchanged, decoder.decoded) == (0, 3, [])
    assert [failed.is_known for failed in again.failed] == [True, True]
    bad.write_bytes(photo_bytes(5))
    healed = run_index(library, [photos])
    assert (healed.indexed, len(healed.failed), library.counts().failed) == (1, 1, 1)
    (photos / "empty.jpg").unlink()
    assert run_index(library, [photos]).failed == ()
    assert library.counts().failed == 0


def test_what_an_older_program_could_not_read_is_tried_once_more(
    library: Library, photos: Path
) -> None:
    """A later one reads more formats; what it can't read either is left alone after that."""
    (photos / "new.jpg").write_bytes(photo_bytes(5)[:200])
    run_index(library, [photos])
    (failure,) = library.media.failures()
    library.media.record_failures([dataclasses.replace(failure, reader=0)])
    decoder = InProcessDecoder()
    first = run_index(library, [photos], decoder=decoder)
    second = run_index(library, [photos], decoder=decoder)
    assert decoder.decoded == [os.fsencode(photos / "new.jpg")]
    assert [report.failed[0].is_known for report in (first, second)] == [False, True]


def test_a_file_that_breaks_keeps_its_medium(library: Library, photos: Path) -> None:
    """A photo that was searchable and is now damaged is a failure, not a loss."""
    run_index(library, [photos])
    key = row_at(library, photos / "0.jpg").key
    (photos / "0.jpg").write_bytes(b"\xff\xd8 broken")
    report = run_index(library, [photos])
    assert [failed.path for failed in report.failed] == [os.fsencode(photos / "0.jpg")]
    assert row_at(library, photos / "0.jpg").key == key
    assert library.counts().views == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows names are Unicode")
def test_names_that_are_not_utf8_are_indexed(library: Library, tmp_path: Path) -> None:
    """Paths are bytes all the way."""
    folder = os.fsencode(tmp_path) + b"/\xff folder"
    os.mkdir(folder)  # noqa: PTH102
    with open(folder + b"/ph\xf6to's.jpg", "wb") as file:  # noqa: PTH123
        file.write(photo_bytes(1))
    report = run_index(library, [Path(os.fsdecode(folder))])
    assert report.indexed == 1
    assert library.media.row_by_path(folder + b"/ph\xf6to's.jpg") is not None
    assert run_index(library, [Path(os.fsdecode(folder))]).unchanged == 1


def test_single_files_can_be_indexed_and_go_missing(library: Library, photos: Path) -> None:
    """A root may be a file; the rest of its folder is left alone."""
    report = run_index(library, [photos / "1.jpg"])
    assert (report.indexed, library.counts().media) == (1, 1)
    (photos / "1.jpg").unlink()
    assert run_index(library, [photos / "1.jpg"]).missing == 1


def test_overlapping_roots_give_each_file_one_key(library: Library, photos: Path) -> None:
    """A folder and its subfolder, together and one after the other."""
    write_photo(photos / "sub" / "4.jpg", 4)
    report = run_index(library, [photos / "sub", photos, photos])
    assert (report.indexed, library.counts().media) == (4, 4)
    write_photo(photos / "sub" / "5.jpg", 5)
    report = run_index(library, [photos / "sub"])
    assert (report.indexed, report.unchanged, report.missing) == (1, 1, 0)
    assert run_index(library, [photos]).unchanged == 5


def test_a_folder_that_does_not_exist_is_a_sentence(library: Library, photos: Path) -> None:
    """Alone it is an error; beside a good one it is a failure in the report."""
    nowhere = photos / "nowhere"
    with pytest.raises(UserError, match="nowhere"):
        run_index(library, [nowhere])
    report = run_index(library, [nowhere, photos])
    assert (report.indexed, [failed.path for failed in report.failed]) == (
        3,
        [os.fsencode(nowhere)],
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_recorded_and_its_media_are_not_missing(
    library: Library, photos: Path
) -> None:
    """A closed folder leaves its files unknown, not missing."""
    write_photo(photos / "closed" / "4.jpg", 4)
    run_index(library, [photos])
    (photos / "closed").chmod(0)
    try:
        report = run_index(library, [photos])
    finally:
        (photos / "closed").chmod(0o755)
    assert (report.missing, [f.path for f in report.failed]) == (
        0,
        [os.fsencode(photos / "closed")],
    )
    assert run_index(library, [photos]).failed == ()
    assert library.counts().failed == 0


def test_closing_the_steps_cancels_and_the_next_index_finishes(
    library: Library, tmp_path: Path
) -> None:
    """Nothing that was committed is read again, nothing is lost or doubled."""
    for seed in range(40):
        write_photo(tmp_path / "many" / f"{seed}.jpg", seed)
    root = os.fsencode(tmp_path / "many")
    options = IndexOptions(embed_batch=4, commit_rows=4)
    backend = CountingBackend()
    steps = index_steps(library, backend, [root], pool=InProcessDecoder(), options=options)
    for step in steps:
        if step.stage is IndexStage.EMBED and step.done >= 12:
            break
    steps.close()
    committed = library.counts().media
    assert 12 <= committed < 40
    rest = CountingBackend()
    report = run_index(library, [tmp_path / "many"], backend=rest)
    assert (report.indexed, report.unchanged) == (40 - committed, committed)
    assert (library.counts().media, library.counts().views) == (40, 40)


def test_progress_goes_forward_and_ends_at_the_total(library: Library, tmp_path: Path) -> None:
    """Stages in order, done never falls, the time left is said once something is done."""
    for seed in range(30):
        write_photo(tmp_path / "many" / f"{seed}.jpg", seed)
    progress: list[IndexProgress] = []
    options = IndexOptions(embed_batch=4, commit_rows=8)
    run_index(library, [tmp_path / "many"], options=options, progress=progress)
    stages = [step.stage for step in progress]
    assert stages == sorted(stages, key=list(IndexStage).index)
    embedding = [step for step in progress if step.stage is IndexStage.EMBED]
    done = [step.done for step in embedding]
    assert done == sorted(done)
    assert (done[-1], embedding[-1].total, progress[-1].seconds_left) == (30, 30, 0.0)
    assert all(step.seconds_left is not None for step in embedding if step.done)


def test_two_indexes_of_one_library_do_not_run_at_once(library: Library, photos: Path) -> None:
    """The second is told so; when the first is closed it may run."""
    roots = [os.fsencode(photos)]
    first = index_steps(library, CountingBackend(), roots, pool=InProcessDecoder())
    next(first)
    with pytest.raises(UserError, match="indexed already"):
        run_index(library, [photos])
    first.close()
    assert run_index(library, [photos]).indexed == 3


class _FailingBackend(CountingBackend):
    """Gives up after some pictures."""

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds until it has had four."""
        if self.embedded >= 4:
            raise RuntimeError("out of memory")
        return super().embed_images(images_BHWC)


def test_a_model_that_fails_ends_the_index_and_keeps_what_was_embedded(
    library: Library, tmp_path: Path
) -> None:
    """The error reaches the caller; the next index goes on behind the last commit."""
    for seed in range(12):
        write_photo(tmp_path / "many" / f"{seed}.jpg", seed)
    options = IndexOptions(embed_batch=2)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_index(library, [tmp_path / "many"], backend=_FailingBackend(), options=options)
    assert library.counts().media == 4
    assert run_index(library, [tmp_path / "many"]).indexed == 8


@pytest.fixture
def interrupted(library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library whose index died between views and media."""

    def die(changes: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(library.media, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            run_index(library, [photos])
    counts = library.counts()
    assert (counts.media, counts.views) == (0, 3)
    return library


def test_vectors_that_a_crash_left_without_a_row_are_used_again(
    interrupted: Library, photos: Path
) -> None:
    """Orphans are found by their picture: no embedding, no second view."""
    backend = CountingBackend()
    report = run_index(interrupted, [photos], backend=backend)
    counts = interrupted.counts()
    assert (report.indexed, backend.embedded, counts.media, counts.views) == (3, 0, 3, 3)


def test_vectors_of_a_crash_whose_files_are_gone_are_removed(
    interrupted: Library, photos: Path
) -> None:
    """Vectors that nobody claims under the indexed roots are dropped, others wait."""
    other = write_photo(photos.parent / "other" / "9.jpg", 9)
    run_index(interrupted, [other.parent])
    assert interrupted.counts().views == 4
    (photos / "0.jpg").unlink()
    run_index(interrupted, [photos])
    counts = interrupted.counts()
    assert (counts.media, counts.views) == (3, 3)


def test_a_crash_while_an_edited_file_was_committed_does_not_leave_the_wrong_vector(
    library: Library, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when the old file comes back with its old time before the next index."""
    run_index(library, [photos])
    path = photos / "0.jpg"
    status, original = path.stat(), path.read_bytes()
    key = row_at(library, path).key
    wanted = library.views.of_keys(IMAGE_ID, [key])[key][0].vector
    write_photo(path, 99)

    def die(changes: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(library.media, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            run_index(library, [photos])
    path.write_bytes(original)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    run_index(library, [photos])
    healed = library.views.of_keys(IMAGE_ID, [key])[key]
    assert len(healed) == 1
    np.testing.assert_array_equal(healed[0].vector, wanted)


class _OtherInfo(FakeInfo):
    """Another image encoder."""


class _OtherBackend(CountingBackend):
    """A model with another image id."""

    def info(self) -> FakeInfo:
        """The other id."""
        return _OtherInfo(image_id="other-222222222222")


def test_another_model_fills_its_own_views_and_the_old_ones_stay(
    library: Library, photos: Path
) -> None:
    """Keys stay; vectors of two image ids never share a table."""
    run_index(library, [photos])
    keys = sorted(library.media.all_keys())
    report = run_index(library, [photos], backend=_OtherBackend())
    assert (report.indexed, sorted(library.media.all_keys())) == (3, keys)
    assert (library.counts(IMAGE_ID).views, library.counts("other-222222222222").views) == (3, 3)
    assert library.model == IMAGE_ID
    assert set(library.media.rows(keys)[0].embedded) == {IMAGE_ID, "other-222222222222"}
    assert run_index(library, [photos]).unchanged == 3
    assert run_index(library, [photos], backend=_OtherBackend()).unchanged == 3


def test_photos_are_indexed_through_the_real_decoder_processes(
    library: Library, photos: Path
) -> None:
    """Without a pool of the caller's the index starts its own and ends it."""
    (photos / "bad.png").write_bytes(b"not a png")
    report = run_index(library, [photos], own_pool=True)
    assert (report.indexed, len(report.failed)) == (3, 1)
