"""Known media and vectors: where the vectors of a file come from, and who may have read it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from cocadesk.indexing.identity import MatchKind, Plan, SeenFile, SeenPart, Verdict
from cocadesk.indexing.known_files import (
    FileMatch,
    FileMatcher,
    KnownFiles,
    MatchedFile,
    Unreadable,
    Vanished,
)
from cocadesk.library.parts import PartRole
from cocadesk.library.rows import Identity
from cocadesk.media.hashing import hash_file
from cocadesk.media.types import DecodeFailure, DecodeRequest, FoundFile
from tests.support.index_tools import decode_file, write_photo

MODEL = "model-1"
ROOT = b"/photos"
NEW = Verdict(MatchKind.NEW)


def medium(
    name: str,
    *,
    bytes_of: str = "",
    picture: str = "",
    embedded: tuple[str, ...] = (MODEL,),
) -> Identity:
    """A medium whose key, bytes and picture are named like its file unless said otherwise."""
    return Identity(
        key=name,
        root=ROOT,
        path=ROOT + b"/" + name.encode(),
        size_bytes=100,
        mtime_ns=1,
        ctime_ns=1,
        volume="disk",
        file_hash=bytes_of or name,
        picture_hash=picture or name,
        kind="photo",
        state="present",
        embedded=embedded,
    )


def found(name: str) -> FoundFile:
    """A file that a scan has met."""
    return FoundFile(root=ROOT, path=ROOT + b"/" + name.encode(), size_bytes=100, mtime_ns=2)


def known(
    *media: Identity, views: Iterable[Identity] | None = None, boxes: Iterable[str] = ()
) -> KnownFiles:
    """The known files of these media; each has the view of its picture.

    ``boxes`` has the key of a medium for each view of a box.
    """
    stored = media if views is None else views
    return KnownFiles(media, {one.key: one.picture_hash for one in stored}, MODEL, boxes)


@pytest.mark.parametrize(
    "files",
    [
        known(medium("a", embedded=())),
        known(medium("a"), views=()),
        known(medium("a"), views=[medium("a", picture="older")]),
    ],
    ids=["no mark", "no vector", "vector of another picture"],
)
def test_a_medium_is_embedded_only_with_the_vector_of_its_picture(files: KnownFiles) -> None:
    """Mark and vector are written one after the other; a crash may lie between them."""
    assert not files.is_embedded("a")
    assert files.by_bytes(Verdict(MatchKind.TOUCHED, "a", "a"), "a") is None


def test_a_touched_file_keeps_its_key_and_vectors() -> None:
    """Same path, same bytes, another time."""
    match = known(medium("a")).by_bytes(Verdict(MatchKind.TOUCHED, "a", "a"), "a")
    assert match == FileMatch(
        kind=MatchKind.TOUCHED,
        key="a",
        picture_hash="a",
        media_kind="photo",
        same_bytes="a",
        vectors_of="a",
        previous=medium("a"),
    )
    assert not match.is_new_row
    assert not match.is_redrawn


def test_an_edited_file_keeps_its_key_and_is_embedded_again() -> None:
    """Same path, other bytes, another picture."""
    edited = Verdict(MatchKind.EDITED, "a")
    files = known(medium("a"))
    assert files.by_bytes(edited, "other") is None
    match = files.by_picture(edited, "other", "drawn again", "photo")
    assert match is not None
    assert (match.key, match.same_bytes, match.vectors_of) == ("a", None, None)
    assert match.is_redrawn


def test_a_file_with_other_metadata_keeps_its_vectors() -> None:
    """Same path, other bytes, the same picture."""
    match = known(medium("a")).by_picture(Verdict(MatchKind.EDITED, "a"), "other", "a", "photo")
    assert match is not None
    assert (match.vectors_of, match.is_redrawn) == ("a", False)


def test_a_moved_file_without_vectors_is_moved_after_its_decode() -> None:
    """Its key stays; only the vectors must be made."""
    moved = Verdict(MatchKind.MOVED, "a", "a")
    files = known(medium("a", embedded=()), views=())
    assert files.by_bytes(moved, "a") is None
    match = files.by_picture(moved, "a", "a", "photo")
    assert match is not None
    assert (match.kind, match.key, match.vectors_of) == (MatchKind.MOVED, "a", None)


def test_a_copy_is_a_medium_of_its_own_with_the_vectors_of_the_other() -> None:
    """Nothing is embedded twice."""
    match = known(medium("a")).by_bytes(Verdict(MatchKind.COPIED, None, "a"), "a")
    assert match is not None
    assert (match.kind, match.same_bytes, match.vectors_of) == (MatchKind.COPIED, "a", "a")
    assert match.key != "a"
    assert match.is_new_row


def test_a_new_file_has_a_new_key_and_no_vectors() -> None:
    """Neither its bytes nor its picture are known."""
    match = known(medium("a")).by_picture(NEW, "b", "b", "video")
    assert match is not None
    assert (match.kind, match.media_kind) == (MatchKind.NEW, "video")
    assert (match.same_bytes, match.vectors_of, match.previous) == (None, None, None)


@pytest.mark.parametrize(
    ("verdict", "file_hash"),
    [
        (NEW, "a"),
        (Verdict(MatchKind.EDITED, "b"), "a"),
        (Verdict(MatchKind.MOVED, "a", "a"), "c"),
        (Verdict(MatchKind.COPIED, None, "a"), "c"),
    ],
)
def test_a_file_that_changes_between_comparison_and_decode_has_no_match(
    verdict: Verdict, file_hash: str
) -> None:
    """The rules were applied to other bytes: they must be applied again, by the next index."""
    files = known(medium("a"), medium("b"))
    assert files.by_picture(verdict, file_hash, "p", "photo") is None


def test_a_new_file_with_a_known_picture_takes_its_vectors() -> None:
    """Other bytes (another comment), the same pixels: embedded once."""
    match = known(medium("a")).by_picture(NEW, "b", "a", "photo")
    assert match is not None
    assert (match.kind, match.same_bytes, match.vectors_of) == (MatchKind.NEW, None, "a")


@pytest.mark.parametrize(("stored", "vectors_of"), [("", None), ("aa", None), ("aaa", "a")])
def test_a_long_photo_with_views_of_fewer_boxes_is_embedded_again(
    stored: str, vectors_of: str | None
) -> None:
    """As an index left it that knew none; then it has them, and a copy borrows them."""
    files = known(medium("a"), boxes=stored)
    read_again = Verdict(MatchKind.TOUCHED, "a", "a")
    match = files.by_picture(read_again, "a", "a", "photo", boxes=3)
    assert match is not None
    assert (match.key, match.vectors_of, match.is_redrawn) == ("a", vectors_of, False)
    files.apply(found("a"), "disk", "a", match)
    for verdict, owner in ((read_again, "a"), (Verdict(MatchKind.COPIED, None, "a"), "a")):
        second = files.by_picture(verdict, "a", "a", "photo", boxes=3)
        assert second is not None
        assert second.vectors_of == owner


def test_a_long_photo_takes_the_vectors_of_the_copy_that_has_them_all() -> None:
    """Its own show the whole alone; what it has borrowed is its own afterwards."""
    files = known(medium("a", picture="p"), medium("b", picture="p"), boxes="bb")
    verdict = Verdict(MatchKind.TOUCHED, "a", "a")
    match = files.by_picture(verdict, "a", "p", "photo", boxes=2)
    assert match is not None
    assert match.vectors_of == "b"
    files.apply(found("a"), "disk", "a", match)
    again = files.by_picture(verdict, "a", "p", "photo", boxes=2)
    assert again is not None
    assert again.vectors_of == "a"


def test_a_photo_that_was_long_has_no_boxes_any_more() -> None:
    """Those of its next picture are new."""
    files = known(medium("a"), boxes="aa")
    edited = Verdict(MatchKind.EDITED, "a")
    for picture, boxes in (("b", 0), ("c", 2)):
        match = files.by_picture(edited, picture, picture, "photo", boxes)
        assert match is not None
        assert match.vectors_of is None
        files.apply(found("a"), "disk", picture, match)
    last = files.by_picture(edited, "d", "b", "photo", boxes=2)
    assert last is not None
    assert last.vectors_of is None


def test_two_equal_new_files_of_one_run_are_embedded_once() -> None:
    """The first is brought forward, so the second finds it."""
    files = known()
    first = files.by_picture(NEW, "same", "p", "photo")
    assert first is not None
    files.apply(found("a"), "disk", "same", first)
    second = files.by_bytes(NEW, "same")
    assert second is not None
    assert (second.kind, second.vectors_of) == (MatchKind.COPIED, first.key)


def test_vectors_without_a_row_give_their_key_to_the_next_file_with_their_picture() -> None:
    """A crash between vectors and row; whoever shows the picture takes them over."""
    files = known(views=[medium("lost", picture="p")])
    assert files.leftover_orphans() == ["lost"]
    match = files.by_picture(NEW, "a", "p", "photo")
    assert match is not None
    assert (match.kind, match.key, match.vectors_of) == (MatchKind.NEW, "lost", "lost")
    assert files.leftover_orphans() == []


def test_a_redrawn_picture_loses_the_marks_of_all_models_but_this_one() -> None:
    """Vectors of other models show what the file was."""
    files = known(medium("a", embedded=("other", MODEL)))
    touched = files.by_bytes(Verdict(MatchKind.TOUCHED, "a", "a"), "a")
    assert touched is not None
    assert files.apply(found("a"), "disk", "a", touched).embedded == ("other", MODEL)
    edited = files.by_picture(Verdict(MatchKind.EDITED, "a"), "b", "b", "photo")
    assert edited is not None
    assert files.apply(found("a"), "disk", "b", edited).embedded == (MODEL,)


def matcher_of(file: FoundFile) -> FileMatcher:
    """The matcher of one new file."""
    seen = SeenFile(file.path, file.root, file.size_bytes, file.mtime_ns, file.ctime_ns, "disk")
    return FileMatcher(known(), Plan(verdicts={file.path: NEW}), {file.path: seen})


def on_disk(path: Path) -> FoundFile:
    """A real file as a scan would give it."""
    status = path.stat()
    return FoundFile(
        root=os.fsencode(path.parent),
        path=os.fsencode(path),
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )


def test_a_decoded_file_carries_its_facts_and_pixels_until_they_are_released(
    tmp_path: Path,
) -> None:
    """A batch of pictures is large: after the embedding only the facts stay."""
    file = on_disk(write_photo(tmp_path / "a.jpg", 1))
    matcher = matcher_of(file)
    assert matcher.match_bytes(file) is None
    item = matcher.match_picture(file, decode_file(DecodeRequest(token=0, path=file.path)))
    assert isinstance(item, MatchedFile)
    assert (item.match.kind, item.needs_embedding) == (MatchKind.NEW, True)
    assert item.identity.file_hash == hash_file(file.path)
    item.release_pixels()
    assert item.decoded is None
    assert item.facts is not None
    assert (item.facts.width, item.facts.height) == (48, 32)


def test_a_failed_decode_is_unreadable_where_the_file_is_there_and_vanished_where_not(
    tmp_path: Path,
) -> None:
    """A file that was deleted meanwhile is no failure."""
    path = write_photo(tmp_path / "a.jpg", 1)
    file = on_disk(path)
    matcher = matcher_of(file)
    failure = DecodeFailure(token=0, path=file.path, reason="It is cut.", is_passing=True)
    item = matcher.match_picture(file, failure)
    assert item == Unreadable(found=file, reason="It is cut.", is_passing=True)
    path.unlink()
    assert matcher.match_picture(file, failure) == Vanished(file)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes that are read")
def test_the_parts_of_a_new_medium_are_read_once(tmp_path: Path) -> None:
    """When it is decoded; not before, while decoders wait for their next file."""
    shown = on_disk(write_photo(tmp_path / "a.jpg", 1))
    (tmp_path / "a.dng").write_bytes(bytes(8 << 20))
    raw = on_disk(tmp_path / "a.dng")
    seen = {
        file.path: SeenFile(file.path, file.root, file.size_bytes, file.mtime_ns, 0, "disk")
        for file in (shown, raw)
    }
    part = SeenPart(raw.path, PartRole.RAW, "camera raw", None)
    matcher = FileMatcher(
        known(), Plan(verdicts={shown.path: NEW}, parts={shown.path: (part,)}), seen
    )
    process = psutil.Process()
    before = process.io_counters().read_chars
    assert matcher.match_bytes(shown) is None
    assert process.io_counters().read_chars - before < raw.size_bytes
    matched = matcher.match_picture(shown, decode_file(DecodeRequest(token=0, path=shown.path)))
    assert isinstance(matched, MatchedFile)
    assert [one.file_hash for one in matched.identity.parts] == [hash_file(raw.path)]
