"""Another model takes over: its vectors are filled while the old one answers, then one write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.indexing.index import index_steps
from cocadesk.indexing.pipeline import read_steps
from cocadesk.indexing.reembed import reembed_steps
from cocadesk.indexing.types import Again, IndexOptions, IndexProgress
from cocadesk.library.in_hand import left_in_hand
from cocadesk.library.layout import MEDIA, read_manifest
from cocadesk.library.library import Library
from cocadesk.library.rows import EMBED, MediaChange
from cocadesk.library.store import Store
from cocadesk.media.types import FoundFile
from cocadesk.search.searcher import Searcher
from tests.support.annotated_library import record_deadly
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    run_index,
    stored_vectors,
    write_photo,
)
from tests.support.other_model import OTHER, SMALL, OtherBackend, check_filled, switch_model

OLD_ID, NEW_ID = FakeInfo().image_id, OTHER.image_id
REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of ten photos, two of them one picture in two files."""
    folder = tmp_path / "photos"
    for seed in range(9):
        write_photo(folder / f"{seed}.jpg", seed)
    shutil.copy(folder / "0.jpg", folder / "copy of 0.jpg")
    return folder


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Iterator[Library]:
    """A library of them."""
    with Library.open(tmp_path / "library") as opened:
        run_index(opened, [photos])
        yield opened


def test_a_switch_fills_the_new_views_and_then_the_new_model_answers(
    library: Library,
) -> None:
    """Each picture is read and embedded once; copies borrow; the source is remembered."""
    backend, progress = OtherBackend(), list[IndexProgress]()
    report = switch_model(library, backend, progress=progress)
    assert (report.filled, report.had, report.unreadable) == (10, 0, ())
    assert backend.embedded == 9
    assert (library.model, library.manifest.model_source) == (NEW_ID, "other")
    check_filled(library)
    assert len(Searcher(library, OtherBackend()).search("red", limit=99)) == 10
    assert [step.done for step in progress] == sorted(step.done for step in progress)
    assert (progress[-1].done, progress[-1].total) == (10, 10)


def test_the_old_model_answers_until_the_last_step(library: Library) -> None:
    """Nothing of what searches use changes meanwhile."""
    searcher = Searcher(library, FakeBackend())
    before = searcher.search("red", limit=99)
    for _ in reembed_steps(
        library, OtherBackend(), source="other", pool=InProcessDecoder(), options=SMALL
    ):
        assert library.model == OLD_ID
        assert searcher.search("red", limit=99) == before
    assert library.model == NEW_ID


def test_a_model_with_the_same_vectors_takes_over_at_once(library: Library) -> None:
    """Only the text side has learned: no file is read."""
    taught = OtherBackend(FakeInfo(model_id="taught-1", image_id=OLD_ID))
    decoder = InProcessDecoder()
    report = switch_model(library, taught, decoder=decoder, source="run:1")
    assert (report.filled, taught.embedded, decoder.decoded) == (0, 0, [])
    manifest = read_manifest(library.folder)
    assert manifest is not None
    assert (manifest.image_id, manifest.model_id, manifest.model_source) == (
        OLD_ID,
        "taught-1",
        "run:1",
    )


def test_an_empty_library_changes_over_at_once(tmp_path: Path) -> None:
    """There is nothing to fill."""
    with Library.open(tmp_path / "empty") as library:
        assert switch_model(library).filled == 0
        assert library.model == NEW_ID


@pytest.mark.parametrize("stop_after", [1, 2, 4, 7, 11])
def test_a_closed_switch_goes_on_where_it_was(library: Library, stop_after: int) -> None:
    """Nothing that was committed is embedded again."""
    first = OtherBackend()
    steps = reembed_steps(library, first, source="other", pool=InProcessDecoder(), options=SMALL)
    for _ in range(stop_after):
        if next(steps, None) is None:
            break
    steps.close()
    stored = library.views.count(NEW_ID)
    is_over = library.model == NEW_ID
    second = OtherBackend()
    report = switch_model(library, second)
    assert is_over or report.had + report.filled == 10
    assert second.embedded <= 9 - max(0, stored - 1)
    check_filled(library)
    assert library.model == NEW_ID


def tables_written(library: Library, backend: OtherBackend) -> list[str]:
    """The tables that a switch in commits of two writes rows into, one name a write."""
    merge, names = Store.merge, list[str]()

    def noted(self: Store, name: str, *args: Any, **named: Any) -> None:
        names.append(name)
        merge(self, name, *args, **named)

    options = replace(SMALL, commit_rows=2, embed_batch=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "merge", noted)
        steps = reembed_steps(
            library, backend, source="other", pool=InProcessDecoder(), options=options
        )
        for _ in steps:
            pass
    check_filled(library, backend.info().image_id)
    return names


def test_rows_are_marked_together_while_the_old_vectors_answer(library: Library) -> None:
    """And at each commit where they do not: whoever waits for a photo's vectors looks there."""
    assert tables_written(library, OtherBackend()).count(MEDIA) == 2  # what was read, the copy
    library.views.keep_only(())
    third = OtherBackend(FakeInfo(model_id="third-0", image_id="third-1"))
    assert tables_written(library, third).count(MEDIA) >= 5


def test_a_switch_writes_no_thumbnail(library: Library) -> None:
    """They are of the pictures, whatever the model."""
    for row in library.media.iter_rows():
        library.thumbnails.path(row.picture_hash).unlink(missing_ok=True)
    assert switch_model(library).filled == 10
    there = [library.thumbnails.path(row.picture_hash) for row in library.media.iter_rows()]
    assert not any(path.exists() for path in there)


def test_unreadable_missing_and_offline_media_are_counted_and_do_not_block(
    library: Library, photos: Path, tmp_path: Path
) -> None:
    """They are found again by the new model once an index can read them."""
    write_photo(tmp_path / "stick" / "a.jpg", 70)
    run_index(library, [tmp_path / "stick"])
    (photos / "1.jpg").unlink()
    run_index(library, [photos])
    (photos / "2.jpg").unlink()
    (photos / "3.jpg").write_bytes(b"\xff\xd8 no longer a photo")
    (tmp_path / "stick").rename(tmp_path / "unplugged")
    report = switch_model(library)
    assert (report.filled, report.missing, report.offline) == (7, 1, 1)
    reasons = {Path(os.fsdecode(f.path)).name: f.reason for f in report.unreadable}
    assert set(reasons) == {"2.jpg", "3.jpg"}
    assert reasons["2.jpg"] == "The file is no longer in its place."
    assert library.model == NEW_ID
    (tmp_path / "unplugged").rename(tmp_path / "stick")
    write_photo(photos / "3.jpg", 3)
    backend = OtherBackend()
    run_index(library, [photos, tmp_path / "stick"], backend=backend)
    assert backend.embedded == 2
    assert len(Searcher(library, OtherBackend()).search("red", limit=99)) == 9


def test_a_copy_of_an_unreadable_file_is_read_in_its_place(library: Library, photos: Path) -> None:
    """Equal pictures are read once, from whichever file still gives them."""
    (photos / "0.jpg").write_bytes(b"\xff\xd8 no longer a photo")
    report = switch_model(library)
    assert (report.filled, len(report.unreadable)) == (9, 1)


def test_a_file_edited_since_the_last_index_is_found_by_what_it_shows_now(
    library: Library, photos: Path
) -> None:
    """Its row is left to the next index, which need not embed it again."""
    write_photo(photos / "4.jpg", 444)
    assert switch_model(library).filled == 10
    row = library.media.row_by_path(os.fsencode(photos / "4.jpg"))
    assert row is not None
    assert NEW_ID not in row.embedded
    backend = OtherBackend()
    report = run_index(library, [photos], backend=backend)
    assert (report.indexed, backend.embedded) == (1, 0)
    check_filled(library)


def test_a_photo_that_an_index_finds_changed_meanwhile_is_read_again(
    library: Library, photos: Path
) -> None:
    """Its old picture was read but not yet committed; the switch gives the new one's vectors."""
    path, decoder = photos / "1.jpg", InProcessDecoder()
    options = IndexOptions(commit_s=60, progress_s=0.001)
    steps = reembed_steps(library, OtherBackend(), source="other", pool=decoder, options=options)
    while os.fsencode(path) not in decoder.decoded[:-1]:
        next(steps)
    write_photo(path, 51)
    assert run_index(library, [photos], backend=CountingBackend()).indexed == 1
    for _ in steps:
        pass
    check_filled(library)


def test_an_index_with_the_old_model_runs_between_two_steps(library: Library, photos: Path) -> None:
    """All that it adds, changes and moves is filled before the switch; keys stay."""
    steps = reembed_steps(
        library, OtherBackend(), source="other", pool=InProcessDecoder(), options=SMALL
    )
    for _ in range(6):
        next(steps)
    write_photo(photos / "new.jpg", 50)
    write_photo(photos / "1.jpg", 51)
    (photos / "2.jpg").rename(photos / "moved.jpg")
    report = run_index(library, [photos], backend=CountingBackend())
    assert (report.indexed, report.moved) == (2, 1)
    for _ in steps:
        pass
    check_filled(library)
    assert library.model == NEW_ID
    assert run_index(library, [photos], backend=OtherBackend()).indexed == 0
    places = {
        view.folder_text
        for views in library.views.of_keys(NEW_ID, library.media.all_keys()).values()
        for view in views
    }
    assert places == {f"{photos}/".lower()}


def test_old_views_stay_until_the_next_switch(library: Library) -> None:
    """Going back is quick; of three models the oldest goes."""
    switch_model(library)
    assert library.views.has(OLD_ID)
    third = OtherBackend(FakeInfo(model_id="third-0", image_id="third-1"))
    switch_model(library, third)
    assert (library.model, library.views.has(OLD_ID), library.views.has(NEW_ID)) == (
        "third-1",
        False,
        True,
    )
    backend = OtherBackend()
    report = switch_model(library, backend)
    assert (report.had, backend.embedded) == (10, 0)
    # The first model's marks are in the rows, but its views are gone: it fills them again.
    first = CountingBackend()
    steps = reembed_steps(library, first, source="starter", pool=InProcessDecoder(), options=SMALL)
    for _ in steps:
        pass
    assert first.embedded == 9
    check_filled(library, OLD_ID)


def test_a_full_disk_is_a_sentence_and_the_old_model_goes_on(library: Library) -> None:
    """Everything filled by then stays."""
    merge, writes = Store.merge, 0

    def merge_on_a_full_disk(self: Store, *args: object, **named: object) -> None:
        nonlocal writes
        writes += 1
        if writes > 3:
            raise UserError("The library can't write.", "The reason: the disk is full.")
        merge(self, *args, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "merge", merge_on_a_full_disk)
        with pytest.raises(UserError, match="the disk is full"):
            switch_model(library)
    assert library.model == OLD_ID
    assert len(Searcher(library, FakeBackend()).search("red", limit=99)) == 10
    stored = library.views.count(NEW_ID)
    backend = OtherBackend()
    switch_model(library, backend)
    assert stored > 0
    assert backend.embedded <= 9 - stored + 1
    check_filled(library)


def test_only_one_switch_runs_at_a_time(library: Library) -> None:
    """A second one says so, and nothing else happens."""
    steps = reembed_steps(library, OtherBackend(), source="other", pool=InProcessDecoder())
    next(steps)
    with pytest.raises(UserError, match="already"):
        switch_model(library)
    steps.close()
    assert switch_model(library).filled == 10


def vectors_by_key(library: Library) -> dict[str, NDArray[np.float32]]:
    """The new model's vector of each photo."""
    return {key: vector for (key, _), vector in stored_vectors(library, NEW_ID).items()}


def test_vectors_of_the_new_model_are_those_of_an_index_with_it(
    library: Library, photos: Path, tmp_path: Path
) -> None:
    """Filling is indexing by another way."""
    switch_model(library)
    with Library.open(tmp_path / "fresh") as fresh:
        run_index(fresh, [photos], backend=OtherBackend())
        wanted = vectors_by_key(fresh)
        paths = {row.path: row.key for row in fresh.media.iter_rows()}
        found = vectors_by_key(library)
        for row in library.media.iter_rows():
            np.testing.assert_array_equal(found[row.key], wanted[paths[row.path]])


def test_an_index_with_a_model_not_in_use_leaves_the_switch_to_the_switch(
    library: Library, photos: Path
) -> None:
    """It fills that model's views, and a switch then has nothing left to read."""
    run_index(library, [photos], backend=OtherBackend())
    assert library.model == OLD_ID
    backend = OtherBackend()
    assert switch_model(library, backend).had == 10
    assert backend.embedded == 0


def test_an_index_during_the_step_of_finishing_is_filled_before_the_switch(
    library: Library, photos: Path
) -> None:
    """The last look happens in the same breath as the switch."""
    steps = reembed_steps(
        library, OtherBackend(), source="other", pool=InProcessDecoder(), options=SMALL
    )
    for step in steps:
        if step.stage == "finish":
            write_photo(photos / "late.jpg", 60)
            for _ in index_steps(
                library, FakeBackend(), [os.fsencode(photos)], pool=InProcessDecoder()
            ):
                pass
    check_filled(library)


def test_media_that_wait_for_their_first_index_are_read_together(library: Library) -> None:
    """Of none of them the picture is known: they are not copies of each other."""
    rows = list(library.media.iter_rows())
    waiting = [replace(row, size_bytes=-1, mtime_ns=0, picture_hash="0" * 32) for row in rows]
    library.media.commit([MediaChange(row=row, is_new=False) for row in waiting])
    reads: list[int] = []

    def read(files: Sequence[FoundFile], **options: Any) -> Iterator[IndexProgress]:
        reads.append(len(files))
        return read_steps(files, **options)

    steps = reembed_steps(
        library, OtherBackend(), source="x", pool=InProcessDecoder(), options=SMALL, read=read
    )
    assert list(steps)[-1].failed == 0
    assert reads == [10]


class _Watched(OtherBackend):
    """Remembers which files were noted as in hand each time it was asked for vectors."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.in_hand: list[tuple[bytes, ...]] = []
        self._folder = folder

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.in_hand.append(left_in_hand(self._folder))
        return super().embed_images(images_BHWC)


@pytest.mark.parametrize("is_careful", [False, True])
def test_the_files_that_the_new_model_looks_at_are_noted(
    library: Library, *, is_careful: bool
) -> None:
    """After crashes one at a time, so that one file is to blame."""
    backend, options = _Watched(library.folder), replace(SMALL, is_careful=is_careful)
    steps = reembed_steps(
        library, backend, source="other", pool=InProcessDecoder(), options=options
    )
    for _ in steps:
        assert library.model == OLD_ID
    assert library.model == NEW_ID
    assert all(backend.in_hand)
    assert (max(map(len, backend.in_hand)) == 1) is is_careful
    assert left_in_hand(library.folder) == ()


def test_a_file_that_ended_the_engine_is_left_out_of_the_switch(library: Library) -> None:
    """With all copies of its picture; an index that is told to read again takes it back in."""
    rows = {Path(os.fsdecode(row.path)).name: row for row in library.media.iter_rows()}
    record_deadly(library, rows["0.jpg"], EMBED)
    report = switch_model(library)
    assert (report.filled, library.model) == (8, NEW_ID)
    left = sorted(Path(os.fsdecode(item.path)).name for item in report.unreadable)
    assert left == ["0.jpg", "copy of 0.jpg"]
    assert {item.reason for item in report.unreadable} == {"CocaDesk ended over it."}
    root = Path(os.fsdecode(rows["0.jpg"].root))
    assert run_index(library, [root], backend=OtherBackend()).failed[0].is_known
    options = IndexOptions(again=Again.FAILED)
    run_index(library, [root], backend=OtherBackend(), options=options)
    check_filled(library)
    assert library.media.failures() == []


@pytest.mark.parametrize("stops", ["between two steps", "in the last step"])
def test_a_switch_that_nobody_wants_any_more_ends_and_writes_no_name(
    library: Library, stops: str
) -> None:
    """What is read by then stays for the next one."""
    seen: list[str] = []
    answers = iter([stops == "in the last step", False, False])

    def is_wanted() -> bool:
        return seen[-1:] != ["finish"] or next(answers)

    before = read_manifest(library.folder)
    for step in reembed_steps(
        library,
        OtherBackend(),
        source="other",
        pool=InProcessDecoder(),
        options=SMALL,
        is_wanted=is_wanted,
    ):
        seen.append(step.stage)
    assert read_manifest(library.folder) == before
    assert switch_model(library).had == 10
