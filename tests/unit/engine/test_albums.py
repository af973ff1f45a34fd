"""Albums and saved searches over a real library: filters, counts and what a detail shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Albums,
    AnnotationsReply,
    DeleteAlbum,
    Detail,
    GetDetail,
    GetKeys,
    Hits,
    Keys,
    ListAlbums,
    ListNewest,
    ListSavedSearches,
    NewAlbum,
    SavedSearches,
    SavedSearchValue,
    SaveSearch,
    Search,
    SetAnnotations,
)
from cocadesk.protocol.paths import WirePath
from tests.support.annotated_library import annotated_library
from tests.support.fake_backend import FakeBackend

NAMES = ("a.jpg", "b.jpg", "c.jpg")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A library of three photos."""
    with annotated_library(tmp_path, *NAMES):
        pass
    return tmp_path


@pytest.fixture
def engine(base: Path) -> Iterator[LocalEngine]:
    """An engine that may change it."""
    with open_engine(base, Access.WRITE) as engine:
        yield engine


def open_engine(base: Path, access: Access) -> LocalEngine:
    """An engine in this process."""
    return LocalEngine(base / "library", access=access, open_model=lambda _: FakeBackend())


def keys(engine: LocalEngine, base: Path, *names: str) -> tuple[str, ...]:
    """The keys of photos by name."""
    paths = tuple(WirePath.of(base / "photos" / name) for name in names)
    return engine.ask(GetKeys(paths=paths), Keys).keys


def saved(engine: LocalEngine) -> tuple[SavedSearchValue, ...]:
    """The saved searches as they are now."""
    return engine.ask(ListSavedSearches(), SavedSearches).searches


def test_a_saved_search_is_up_to_date_each_time(engine: LocalEngine, base: Path) -> None:
    """Its count is that of the media that pass its filters now."""
    engine.ask(SaveSearch(name="good", query="red rating:>=4"), AnnotationsReply)
    engine.ask(SaveSearch(name="all", query="red"), AnnotationsReply)
    assert [one.count for one in saved(engine)] == [0, 3]
    some = keys(engine, base, "a.jpg", "c.jpg")
    engine.ask(SetAnnotations(keys=some, rating=5), AnnotationsReply)
    assert [one.count for one in saved(engine)] == [2, 3]


def test_whatever_can_be_asked_can_be_saved(engine: LocalEngine, base: Path) -> None:
    """A picture, a phrase and a caption like a filter; its count is of what it ranks."""
    a, b, c = keys(engine, base, "a.jpg", "b.jpg", "c.jpg")
    changes = (
        SetAnnotations(keys=(a,), caption="note:the red car"),
        SetAnnotations(keys=(b,), add_tags=("car",)),
        SetAnnotations(keys=(c,), hidden=True),
    )
    for change in changes:
        engine.ask(change, AnnotationsReply)
    for query, count in (
        ("like:/photos/that/is/gone.jpg", 2),
        ("note:the red car", 2),
        ('"red car"', 1),
        ("red -car", 0),
        ("red 1871", 2),
    ):
        engine.ask(SaveSearch(name=query, query=query), AnnotationsReply)
        found = engine.ask(ListSavedSearches(name=query), SavedSearches).searches
        assert [(one.count, one.problem) for one in found] == [(count, "")], query
        if not query.startswith("like"):
            assert len(engine.ask(Search(text=query), Hits).hits) == count, query


def test_a_search_that_can_not_be_asked_is_not_saved(engine: LocalEngine) -> None:
    """An unknown field, a bad value, an album that there is not."""
    for query, sentence in (
        ("dog colour:red", "no filter 'colour'"),
        ("rating:good", "names no numbers"),
        ("album:Sea", "no album “Sea”"),
        ("note:x", "no filter 'note'"),
        ('""', "nothing to search for"),
    ):
        with pytest.raises(UserError, match=sentence):
            engine.ask(SaveSearch(name="x", query=query), AnnotationsReply)
    assert saved(engine) == ()


def test_a_saved_search_of_an_album_that_is_gone_says_so(engine: LocalEngine) -> None:
    """In the list, beside the others."""
    engine.ask(NewAlbum(name="Sea"), AnnotationsReply)
    engine.ask(SaveSearch(name="at sea", query="album:sea"), AnnotationsReply)
    engine.ask(SaveSearch(name="red", query="red"), AnnotationsReply)
    engine.ask(DeleteAlbum(album="Sea"), AnnotationsReply)
    first, second = saved(engine)
    assert "no album" in first.problem
    assert (second.problem, second.count) == ("", 3)


def test_filters_of_albums_stars_and_flags_narrow_searches(engine: LocalEngine, base: Path) -> None:
    """Ranked ones, and lists, which then have the album's order."""
    a, b, c = keys(engine, base, *NAMES)
    engine.ask(NewAlbum(name="Sea", keys=(c, a)), AnnotationsReply)
    engine.ask(SetAnnotations(keys=(a, b), favourite=True), AnnotationsReply)
    assert engine.ask(ListNewest(filter="album:sea"), Keys).keys == (c, a)
    alone = engine.ask(Search(text="album:sea"), Hits).hits
    assert [hit.key for hit in alone] == [c, a]
    ranked = engine.ask(Search(text="red album:sea favourite:yes"), Hits).hits
    assert [hit.key for hit in ranked] == [a]
    others = engine.ask(Search(text="red -album:sea"), Hits).hits
    assert [hit.key for hit in others] == [b]


def test_a_command_without_an_engine_knows_albums_too(base: Path) -> None:
    """From the snapshot, in the album's order; a name that changed is known at once."""
    with open_engine(base, Access.WRITE) as engine:
        some = keys(engine, base, "b.jpg", "a.jpg")
        engine.ask(NewAlbum(name="Sea", keys=some), AnnotationsReply)
    with open_engine(base, Access.READ) as reader:
        found = reader.ask(Search(text="album:SEA"), Hits).hits
        assert [Path(hit.path.text).name for hit in found] == ["b.jpg", "a.jpg"]
        with pytest.raises(UserError, match="Did you mean Sea"):
            reader.ask(Search(text="red album:Seas"), Hits)


def test_a_detail_names_the_albums_and_a_list_has_covers(engine: LocalEngine, base: Path) -> None:
    """The cover is the thumbnail of the first photo."""
    a, _, c = keys(engine, base, *NAMES)
    engine.ask(NewAlbum(name="Sea", keys=(c, a)), AnnotationsReply)
    engine.ask(NewAlbum(name="Best", keys=(a,)), AnnotationsReply)
    facts = engine.ask(GetDetail(key=a), Detail).facts
    assert [(f.label, f.text) for f in facts if f.name == "album"] == [("Albums", "Sea, Best")]
    sea, best = engine.ask(ListAlbums(), Albums).albums
    assert (sea.count, best.count) == (2, 1)
    thumbnail = engine.ask(GetDetail(key=c), Detail).row.thumbnail
    assert sea.cover == thumbnail is not None
