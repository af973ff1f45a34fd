"""A batch is written thumbnails first, then views, then rows: the row is the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from cocadesk.indexing.commit import Committer
from cocadesk.indexing.identity import MatchKind, Verdict
from cocadesk.indexing.known_files import (
    FileMatch,
    KnownFiles,
    MatchedFile,
    Unreadable,
)
from cocadesk.indexing.pictures import Embedded, Facts, Span
from cocadesk.indexing.pipeline import Batch
from cocadesk.library.rows import (
    FailureRow,
    Identity,
    MediaChange,
    MediaKind,
    MediaRow,
    Tag,
    ViewRow,
)
from cocadesk.media.types import FoundFile, PhotoMetadata, ScanProblem

MODEL = "model-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = Facts(
    kind=MediaKind.PHOTO,
    format="JPEG",
    width=4,
    height=3,
    duration_s=None,
    metadata=PhotoMetadata(camera="Box"),
)


class Tables:
    """A library as far as commits need one: tables that remember what is done to them."""

    model = MODEL

    def __init__(self, *rows: MediaRow) -> None:
        self._rows = {row.key: row for row in rows}
        self._views = {row.key: [view(row)] for row in rows}
        self.calls: list[str] = []
        self.changes: list[MediaChange] = []
        self.views_written: list[ViewRow] = []
        self.fewer: dict[str, int] = {}
        self.failures: list[FailureRow] = []
        self.forgotten: list[bytes] = []
        self.places: list[str] = []

    @property
    def media(self) -> Tables:
        """The table of media."""
        return self

    def writing(self) -> AbstractContextManager[None]:
        """Nobody else writes here."""
        return nullcontext()

    @property
    def views(self) -> Views:
        """The tables of views."""
        return Views(self)

    @property
    def thumbnails(self) -> Tables:
        """The pictures that are on their way."""
        return self

    def settle(self) -> None:
        """They have arrived."""
        self.calls.append("thumbnails")

    def rows(self, keys: Sequence[str]) -> list[MediaRow]:
        """Those that are stored."""
        return [self._rows[key] for key in keys if key in self._rows]

    def stored_views(self, keys: Sequence[str]) -> dict[str, list[ViewRow]]:
        """Those that are stored."""
        return {key: self._views[key] for key in keys if key in self._views}

    def commit(self, changes: Sequence[MediaChange]) -> None:
        """Rows are written."""
        self.calls.append("media")
        self.changes += changes

    def record_failures(self, failures: Sequence[FailureRow]) -> None:
        """Failures are written."""
        self.calls.append("failures")
        self.failures += failures

    def forget_failures(self, paths: Sequence[bytes]) -> None:
        """Failures are deleted."""
        self.forgotten += paths

    def lose(self, key: str) -> None:
        """A row vanishes behind the index's back."""
        del self._rows[key]

    def row(self, key: str) -> MediaRow:
        """The row that was written of a key."""
        (change,) = [change for change in self.changes if change.row.key == key]
        return change.row


class Views:
    """The views' half of ``Tables``."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of_keys(self, image_id: str, keys: Sequence[str]) -> dict[str, list[ViewRow]]:
        """Those that are stored."""
        assert image_id == MODEL
        return self._tables.stored_views(keys)

    def commit(self, image_id: str, views: Sequence[ViewRow]) -> None:
        """Views are written."""
        self._tables.calls.append("views")
        self._tables.views_written += views

    def remove_from(self, image_id: str, fewer: Mapping[str, int]) -> None:
        """Views beyond a number are deleted."""
        self._tables.fewer |= fewer

    def set_places(self, rows: Sequence[MediaRow]) -> None:
        """Views follow their rows."""
        self._tables.places += [row.key for row in rows]


def stored(key: str, **values: object) -> MediaRow:
    """A row of the library whose picture is named like its key."""
    row = MediaRow(
        key=key,
        root=b"/p",
        path=f"/p/{key}".encode(),
        size_bytes=1,
        mtime_ns=1,
        volume="disk",
        file_hash=f"bytes of {key}",
        picture_hash=key,
        embedded=(MODEL,),
        added_utc=NOW,
        camera="Reflex",
        human_caption="mine",
        human_tags_added=("family",),
        machine_caption="a machine's",
        machine_tags=(Tag(tag="dog", score=0.9),),
    )
    return replace(row, **values)  # type: ignore[arg-type]


def view(row: MediaRow, number: int = 0) -> ViewRow:
    """A view of a row's picture."""
    return ViewRow(
        key=row.key,
        view=number,
        picture_hash=row.picture_hash,
        vector=np.full(4, number, np.float32),
        root=row.root,
        folder_text=row.folder_text,
    )


def identity_of(row: MediaRow) -> Identity:
    """The part of a row by which files are known."""
    return Identity(
        row.key,
        row.root,
        row.path,
        row.size_bytes,
        row.mtime_ns,
        row.ctime_ns,
        row.volume,
        row.file_hash,
        row.picture_hash,
        row.kind.value,
        row.state.value,
        row.embedded,
    )


class Case:
    """Files that are matched against a library and committed to it."""

    def __init__(self, *rows: MediaRow, gone: Sequence[str] = ()) -> None:
        self.tables = Tables(*rows)
        self._known = KnownFiles(
            map(identity_of, rows),
            {row.key: row.picture_hash for row in rows},
            MODEL,
        )
        self._gone = set(gone)

    def read(self, name: str, file_hash: str, picture: str) -> MatchedFile:
        """A file that was decoded."""
        place = found(name)
        match = self._known.by_picture(self._verdict(place, file_hash), file_hash, picture, "photo")
        return self._matched(place, file_hash, match, FACTS)

    def known(self, name: str, file_hash: str) -> MatchedFile:
        """A file whose bytes are known."""
        place = found(name)
        match = self._known.by_bytes(self._verdict(place, file_hash), file_hash)
        return self._matched(place, file_hash, match, None)

    def _verdict(self, place: FoundFile, file_hash: str) -> Verdict:
        """The identity rules for one file."""
        for row in self._known.all():
            if row.path == place.path:
                is_same = row.file_hash == file_hash
                kind = MatchKind.TOUCHED if is_same else MatchKind.EDITED
                return Verdict(kind, row.key, row.key if is_same else None)
            if row.file_hash == file_hash and row.key in self._gone:
                return Verdict(MatchKind.MOVED, row.key, row.key)
            if row.file_hash == file_hash:
                return Verdict(MatchKind.COPIED, None, row.key)
        return Verdict(MatchKind.NEW)

    def _matched(
        self, place: FoundFile, file_hash: str, match: FileMatch | None, facts: Facts | None
    ) -> MatchedFile:
        assert match is not None
        identity = self._known.apply(place, "disk", file_hash, match)
        return MatchedFile(found=place, match=match, identity=identity, facts=facts)

    def commit(
        self,
        *matched: MatchedFile,
        unreadable: Sequence[Unreadable] = (),
        failed_before: Sequence[FailureRow] = (),
        embedded: Mapping[str, Embedded] | None = None,
    ) -> list[str]:
        """One batch; pictures that need it are embedded. Gives the committed names."""
        pictures = {
            item.match.picture_hash: Embedded(vectors_VD=np.ones((1, 4), np.float32))
            for item in matched
            if item.needs_embedding
        }
        batch = Batch(
            matched=list(matched),
            unreadable=list(unreadable),
            embedded=pictures | dict(embedded or {}),
        )
        committer = Committer(self.tables, MODEL, failed_before)  # type: ignore[arg-type]
        return [item.found.path.decode()[3:] for item in committer.commit(batch)]


def found(name: str) -> FoundFile:
    """A file that a scan has met."""
    return FoundFile(root=b"/p", path=f"/p/{name}".encode(), size_bytes=2, mtime_ns=2)


def failure(name: str) -> FailureRow:
    """A file that could not be read before."""
    return FailureRow(
        path=f"/p/{name}".encode(),
        root=b"/p",
        reason="It is cut.",
        stage="decode",
        when=NOW,
        size_bytes=1,
        mtime_ns=1,
    )


def test_views_are_written_before_rows_and_failures_last() -> None:
    """A crash in between leaves vectors without a row, which the next index takes over."""
    case = Case()
    bad = Unreadable(found=found("bad"), reason="It is cut.")
    assert case.commit(case.read("a", "A", "pic"), unreadable=[bad]) == ["a"]
    assert case.tables.calls[-4:] == ["thumbnails", "views", "media", "failures"]


def test_a_new_file_has_a_row_of_its_facts_and_the_view_that_was_embedded() -> None:
    """Marked as embedded by this model."""
    case = Case()
    item = case.read("a", "A", "pic")
    case.commit(item)
    row = case.tables.row(item.match.key)
    assert (row.path, row.camera, row.width, row.embedded) == (b"/p/a", "Box", 4, (MODEL,))
    assert (row.human_caption, row.machine_caption) == (None, None)
    assert row.added_utc is not None
    (written,) = case.tables.views_written
    assert (written.key, written.view, written.picture_hash) == (row.key, 0, "pic")


def test_a_moved_file_keeps_all_of_its_row_but_the_place() -> None:
    """Its views stay and follow the row's place."""
    case = Case(stored("old"), gone=["old"])
    case.commit(case.known("new", "bytes of old"))
    row = case.tables.row("old")
    assert replace(row, path=b"/p/old", size_bytes=1, mtime_ns=1, indexed_utc=None) == stored("old")
    assert case.tables.views_written == []
    assert case.tables.places == ["old"]


def test_a_touched_file_needs_no_write_of_views() -> None:
    """Only size and time of its row change."""
    case = Case(stored("a"))
    case.commit(case.known("a", "bytes of a"))
    assert (case.tables.views_written, case.tables.places) == ([], [])
    assert case.tables.row("a").mtime_ns == 2


def test_a_copy_has_the_machines_annotations_and_none_of_a_person() -> None:
    """A machine wrote of the picture; a person wrote of the file."""
    case = Case(stored("a"))
    item = case.known("b", "bytes of a")
    case.commit(item)
    row = case.tables.row(item.match.key)
    assert (row.path, row.camera, row.machine_caption) == (b"/p/b", "Reflex", "a machine's")
    assert (row.human_caption, row.human_tags_added) == (None, ())
    assert row.added_utc != NOW
    (copied,) = case.tables.views_written
    assert (copied.key, copied.picture_hash) == (row.key, "a")


def test_a_copy_of_a_copy_in_one_batch_has_the_vectors_too() -> None:
    """The first is not stored yet when the second is placed."""
    case = Case()
    first = case.read("a", "A", "pic")
    second = case.known("b", "A")
    third = case.known("c", "A")
    assert case.commit(first, second, third) == ["a", "b", "c"]
    assert {one.key for one in case.tables.views_written} == {
        item.match.key for item in (first, second, third)
    }


def test_a_file_whose_source_row_was_lost_waits_for_the_next_index() -> None:
    """Rather than a row without facts."""
    case = Case(stored("a"))
    item = case.known("b", "bytes of a")
    case.tables.lose("a")
    assert case.commit(item) == []
    assert case.tables.changes == []


def test_a_redrawn_file_drops_the_machines_annotations_and_views_beyond() -> None:
    """A video that was cut again may have fewer moments."""
    case = Case(stored("a"))
    item = case.read("a", "other", "redrawn")
    assert item.match.kind is MatchKind.EDITED
    two = Embedded(
        vectors_VD=np.ones((2, 4), np.float32), spans=(Span(time_s=1.0, start_s=0.0, end_s=2.0),)
    )
    case.commit(item, embedded={"redrawn": two})
    (change,) = case.tables.changes
    assert (change.row.key, change.is_new, change.drops_machine_words) == ("a", False, True)
    assert [one.view for one in case.tables.views_written] == [0, 1]
    assert case.tables.fewer == {"a": 2}


def test_the_same_bytes_keep_the_machines_annotations_under_another_hash() -> None:
    """A later program may read a kind of file by other means: the photo is the same."""
    case = Case(stored("a"))
    case.commit(case.read("a", "bytes of a", "hashed anew"))
    (change,) = case.tables.changes
    assert (change.row.key, change.row.picture_hash) == ("a", "hashed anew")
    assert not change.drops_machine_words


def test_what_reads_well_now_is_forgotten_as_a_failure() -> None:
    """Others stay on the list."""
    case = Case()
    before = [failure("a"), failure("other")]
    case.commit(case.read("a", "A", "pic"), failed_before=before)
    assert case.tables.forgotten == [b"/p/a"]


@pytest.mark.parametrize(("is_passing", "size"), [(False, 2), (True, -1)])
def test_a_passing_failure_is_listed_but_fits_no_file(is_passing: bool, size: int) -> None:
    """So the file is read again next time though it has not changed."""
    case = Case()
    case.commit(unreadable=[Unreadable(found=found("a"), reason="No room.", is_passing=is_passing)])
    (row,) = case.tables.failures
    assert (row.reason, row.stage, row.size_bytes, row.mtime_ns) == (
        "No room.",
        "decode",
        size,
        size,
    )


@pytest.mark.parametrize(("kills_before", "size"), [(0, -1), (1, -1), (2, 2)])
def test_a_file_over_which_decoders_are_killed_in_three_indexes_is_not_tried_again(
    kills_before: int, size: int
) -> None:
    """Once or twice something else may have taken the memory."""
    case = Case()
    before = [replace(failure("a"), kills=kills_before)]
    item = Unreadable(found=found("a"), reason="It was killed.", is_passing=True, is_killed=True)
    case.commit(unreadable=[item], failed_before=before)
    (row,) = case.tables.failures
    assert (row.kills, row.size_bytes, row.is_passing) == (kills_before + 1, size, size < 0)


def test_a_stalled_disk_is_no_kill_however_often() -> None:
    """A file is put off for as long as its disk does not answer."""
    case = Case()
    before = [replace(failure("a"), kills=2)]
    item = Unreadable(found=found("a"), reason="No answer.", is_passing=True)
    case.commit(unreadable=[item], failed_before=before)
    (row,) = case.tables.failures
    assert (row.kills, row.is_passing) == (2, True)


def test_places_that_could_not_be_looked_into_are_remembered_as_problems_of_the_scan() -> None:
    """They are no files: they have neither size nor time."""
    tables = Tables()
    committer = Committer(tables, MODEL, ())  # type: ignore[arg-type]
    committer.record_problems([ScanProblem(path=b"/p/closed/inner", reason="No permission.")])
    (row,) = tables.failures
    assert (row.path, row.root, row.stage, row.size_bytes) == (
        b"/p/closed/inner",
        b"/p/closed",
        "scan",
        -1,
    )
