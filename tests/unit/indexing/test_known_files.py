"""The identity rules, one by one: the medium that a file is, and where its vectors come from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from cocadesk.indexing.known_files import (
    FileMatch,
    FileMatcher,
    KnownFiles,
    MatchedFile,
    MatchKind,
    Unreadable,
    Vanished,
)
from cocadesk.library.rows import Identity
from cocadesk.media.hashing import hash_file
from cocadesk.media.types import DecodeFailure, DecodeRequest, FoundFile
from tests.support.index_tools import decode_file, write_photo

MODEL = "model-1"
ROOT = b"/photos"


def medium(
    name: str,
    *,
    bytes_of: str = "",
    picture: str = "",
    key: str = "",
    embedded: tuple[str, ...] = (MODEL,),
    size: int = 100,
    time: int = 1,
) -> Identity:
    """A medium whose key, bytes and picture are named like its file unless said otherwise."""
    return Identity(
        key=key or name,
        root=ROOT,
        path=ROOT + b"/" + name.encode(),
        size_bytes=size,
        mtime_ns=time,
        file_hash=bytes_of or name,
        picture_hash=picture or name,
        kind="photo",
        state="present",
        embedded=embedded,
    )


def found(name: str, *, root: bytes = ROOT, size: int = 100, time: int = 1) -> FoundFile:
    """A file that a scan has met."""
    path = root + b"/" + name.encode()
    return FoundFile(root=root, path=path, size_bytes=size, mtime_ns=time)


def known(
    *media: Identity, gone: Iterable[str] = (), views: Iterable[Identity] | None = None
) -> KnownFiles:
    """The known files of these media; each has the view of its picture."""
    stored = media if views is None else views
    return KnownFiles(
        media,
        {one.key: one.picture_hash for one in stored},
        MODEL,
        is_gone=lambda identity: identity.key in set(gone),
    )


def test_a_file_with_known_size_and_time_is_unchanged() -> None:
    """Rule 1: nothing is read."""
    files = known(medium("a"))
    assert files.is_unchanged(found("a"))
    assert not files.is_unchanged(found("a", time=2))
    assert not files.is_unchanged(found("a", size=99))
    assert not files.is_unchanged(found("b"))


@pytest.mark.parametrize(
    "files",
    [
        known(medium("a", embedded=())),
        known(medium("a"), views=()),
        known(medium("a"), views=[medium("a", picture="older")]),
    ],
    ids=["no mark", "no vector", "vector of another picture"],
)
def test_a_file_is_unchanged_only_with_the_vector_of_its_picture(files: KnownFiles) -> None:
    """Mark and vector are written one after the other; a crash may lie between them."""
    assert not files.is_unchanged(found("a"))
    assert files.by_bytes(found("a", time=2), "a") is None


def test_hashing_is_tried_only_where_a_medium_has_the_size() -> None:
    """A file of a new size cannot have known bytes."""
    files = known(medium("a", size=5))
    assert files.may_be_known(found("b", size=5))
    assert not files.may_be_known(found("b", size=6))


def test_a_touched_file_keeps_its_key_and_vectors() -> None:
    """Same path, same bytes, another time."""
    match = known(medium("a")).by_bytes(found("a", time=2), "a")
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
    files = known(medium("a"))
    assert files.by_bytes(found("a", time=2), "other") is None
    match = files.by_picture(found("a", time=2), "other", "drawn again", "photo")
    assert (match.kind, match.key) == (MatchKind.EDITED, "a")
    assert (match.same_bytes, match.vectors_of) == (None, None)
    assert match.is_redrawn


def test_a_file_with_other_metadata_keeps_its_vectors() -> None:
    """Same path, other bytes, the same picture."""
    match = known(medium("a")).by_picture(found("a", time=2), "other", "a", "photo")
    assert (match.kind, match.vectors_of, match.is_redrawn) == (MatchKind.EDITED, "a", False)


def test_a_moved_file_is_the_medium_that_is_gone_from_its_place() -> None:
    """Known bytes at a new path, and nothing at the old one."""
    match = known(medium("a"), gone=["a"]).by_bytes(found("b"), "a")
    assert match is not None
    assert (match.kind, match.key, match.vectors_of) == (MatchKind.MOVED, "a", "a")


def test_a_moved_file_without_vectors_is_moved_after_its_decode() -> None:
    """Its key stays; only the vectors must be made."""
    files = known(medium("a", embedded=()), gone=["a"], views=())
    assert files.by_bytes(found("b"), "a") is None
    match = files.by_picture(found("b"), "a", "a", "photo")
    assert (match.kind, match.key, match.vectors_of) == (MatchKind.MOVED, "a", None)


def test_a_copy_is_a_medium_of_its_own_with_the_vectors_of_the_other() -> None:
    """Known bytes at a new path while the old file is still there."""
    match = known(medium("a")).by_bytes(found("b"), "a")
    assert match is not None
    assert (match.kind, match.same_bytes, match.vectors_of) == (MatchKind.COPIED, "a", "a")
    assert match.key != "a"
    assert match.is_new_row


def test_a_new_file_has_a_new_key_and_no_vectors() -> None:
    """Neither its bytes nor its picture are known."""
    match = known(medium("a")).by_picture(found("b"), "b", "b", "video")
    assert (match.kind, match.media_kind) == (MatchKind.NEW, "video")
    assert (match.same_bytes, match.vectors_of, match.previous) == (None, None, None)


def test_a_new_file_with_a_known_picture_takes_its_vectors() -> None:
    """Other bytes (another comment), the same pixels: embedded once."""
    match = known(medium("a")).by_picture(found("b"), "b", "a", "photo")
    assert (match.kind, match.same_bytes, match.vectors_of) == (MatchKind.NEW, None, "a")


def test_of_equal_files_in_a_moved_folder_each_stays_who_it_was() -> None:
    """The medium whose path ends most like the new one is taken."""
    media = [medium(f"old/{day}/x.jpg", bytes_of="same", picture="p") for day in ("mon", "tue")]
    files = known(*media, gone=[one.key for one in media])
    for day in ("tue", "mon"):
        place = found(f"new/{day}/x.jpg")
        match = files.by_bytes(place, "same")
        assert match is not None
        assert match.key == f"old/{day}/x.jpg"
        files.apply(place, "same", match)


def test_one_gone_medium_is_moved_once_and_the_next_equal_file_is_a_copy() -> None:
    """Two files cannot be one medium."""
    files = known(medium("a"), gone=["a"])
    first = files.by_bytes(found("b"), "a")
    assert first is not None
    files.apply(found("b"), "a", first)
    second = files.by_bytes(found("c"), "a")
    assert second is not None
    assert (first.kind, second.kind) == (MatchKind.MOVED, MatchKind.COPIED)


def test_two_equal_new_files_of_one_run_are_embedded_once() -> None:
    """The first is brought forward, so the second finds it."""
    files = known()
    first = files.by_picture(found("a"), "same", "p", "photo")
    files.apply(found("a"), "same", first)
    second = files.by_bytes(found("b"), "same")
    assert second is not None
    assert (second.kind, second.vectors_of) == (MatchKind.COPIED, first.key)


def test_vectors_without_a_row_give_their_key_to_the_next_file_with_their_picture() -> None:
    """A crash between vectors and row; whoever shows the picture takes them over."""
    files = known(views=[medium("lost", picture="p")])
    assert files.leftover_orphans() == ["lost"]
    match = files.by_picture(found("a"), "a", "p", "photo")
    assert (match.kind, match.key, match.vectors_of) == (MatchKind.NEW, "lost", "lost")
    assert files.leftover_orphans() == []


def test_a_redrawn_picture_loses_the_marks_of_all_models_but_this_one() -> None:
    """Vectors of other models show what the file was."""
    files = known(medium("a", embedded=("other", MODEL)))
    touched = files.by_bytes(found("a", time=2), "a")
    assert touched is not None
    assert files.apply(found("a", time=2), "a", touched).embedded == ("other", MODEL)
    edited = files.by_picture(found("a", time=3), "b", "b", "photo")
    assert files.apply(found("a", time=3), "b", edited).embedded == (MODEL,)


def test_a_file_that_leaves_its_root_gets_the_root_where_it_was_found() -> None:
    """Inside it the root stays, also where the scan began further down."""
    files = known(medium("a"), medium("b"), gone=["a", "b"])
    inside = replace(found("sub/a"), root=ROOT + b"/sub")
    outside = found("b", root=b"/elsewhere")
    for place, bytes_of, root in ((inside, "a", ROOT), (outside, "b", b"/elsewhere")):
        match = files.by_bytes(place, bytes_of)
        assert match is not None
        assert files.apply(place, bytes_of, match).root == root


def test_media_are_found_by_place_and_folder() -> None:
    """A name that begins like the folder's does not lie in it."""
    files = known(medium("a/1"), medium("ab/2"))
    assert files.at(ROOT + b"/a/1") == medium("a/1")
    assert [one.key for one in files.under(ROOT + b"/a")] == ["a/1"]
    assert files.under(ROOT + b"/ab")
    assert not files.under(ROOT + b"/b")


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
    matcher = FileMatcher(known())
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
    file, matcher = on_disk(path), FileMatcher(known())
    failure = DecodeFailure(token=0, path=file.path, reason="It is cut.", is_passing=True)
    item = matcher.match_picture(file, failure)
    assert item == Unreadable(found=file, reason="It is cut.", is_passing=True)
    path.unlink()
    assert matcher.match_picture(file, failure) == Vanished()
