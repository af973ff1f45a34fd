"""Albums, saved searches, stars and flags: what every engine must do, fake and real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AddToAlbum,
    Albums,
    AnnotationsReply,
    DeleteAlbum,
    DeleteSavedSearch,
    Detail,
    GetDetail,
    GetHistory,
    GetRows,
    History,
    Keys,
    ListAlbums,
    ListNewest,
    ListSavedSearches,
    MoveInAlbum,
    NewAlbum,
    RemoveFromAlbum,
    RenameAlbum,
    RenameSavedSearch,
    RequestBody,
    Rows,
    SavedSearches,
    SaveSearch,
    SetAnnotations,
    UndoAnnotations,
    album_filter,
)
from cocadesk.protocol.values import Row

WAIT_S = 60.0


class Lists:
    """Questions to one engine about its lists; it counts commands, to undo them."""

    def __init__(self, client: AnyEngine) -> None:
        self.client = client
        self.commands = 0

    def change(self, body: RequestBody) -> AnnotationsReply:
        """One command."""
        reply = self.client.ask(body, AnnotationsReply, timeout_s=WAIT_S)
        self.commands += bool(reply.title)
        return reply

    def undo(self) -> None:
        """Takes one command back."""
        self.client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
        self.commands -= 1

    def keys(self, among: str = "") -> tuple[str, ...]:
        """The media that fit."""
        return self.client.ask(ListNewest(filter=among), Keys, timeout_s=WAIT_S).keys

    def albums(self) -> dict[str, int]:
        """The albums with their counts."""
        found = self.client.ask(ListAlbums(), Albums, timeout_s=WAIT_S).albums
        return {album.name: album.count for album in found}

    def searches(self, name: str = "") -> dict[str, str]:
        """The saved searches with their queries."""
        found = self.client.ask(ListSavedSearches(name=name), SavedSearches, timeout_s=WAIT_S)
        return {search.name: search.query for search in found.searches}

    def row(self, key: str) -> Row:
        """A row as it is now."""
        return self.client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row


@pytest.fixture
def lists(client: AnyEngine) -> Iterator[Lists]:
    """An engine that is left without lists, as it was."""
    made = Lists(client)
    yield made
    for _ in range(made.commands):
        made.undo()


def test_stars_flags_and_favourites_are_set_for_many_and_undone(lists: Lists) -> None:
    """A row shows them; the history names them."""
    keys = lists.keys()[:3]
    reply = lists.change(SetAnnotations(keys=keys, rating=4, flag="pick", favourite=True))
    assert set(reply.changed) == set(keys)
    rows = lists.client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    assert {(row.stars, row.flag, row.favourite) for row in rows} == {(4, "pick", True)}
    alone = lists.change(SetAnnotations(keys=keys[:1], rating=0))
    assert "stars" in alone.title
    assert lists.row(keys[0]).stars == 0
    edits = lists.client.ask(GetHistory(key=keys[0]), History, timeout_s=WAIT_S).edits[-4:]
    assert [(edit.field, edit.new) for edit in edits] == [
        ("rating", "4"), ("flag", "pick"), ("favourite", "yes"), ("rating", "0"),
    ]  # fmt: skip
    lists.change(SetAnnotations(keys=keys[:1], favourite=False))
    assert not lists.row(keys[0]).favourite
    lists.undo()
    lists.undo()
    assert (lists.row(keys[0]).stars, lists.row(keys[0]).favourite) == (4, True)
    lists.undo()
    assert (lists.row(keys[0]).stars, lists.row(keys[0]).flag) == (0, "none")


def test_an_album_is_made_filled_and_listed_in_its_order(lists: Lists) -> None:
    """Names with quotes; the media of one come by a filter, in its order."""
    one, two, three, *_ = lists.keys()
    name = 'Sea, "2014"/🐶'
    assert lists.change(NewAlbum(name=name, keys=(three, one))).title
    lists.change(AddToAlbum(album=name.upper(), keys=(one, two)))
    assert lists.albums() == {name: 3}
    assert lists.keys(album_filter(name)) == (three, one, two)
    lists.change(MoveInAlbum(album=name, keys=(two,), before=three))
    assert lists.keys(album_filter(name)) == (two, three, one)
    lists.change(MoveInAlbum(album=name, keys=(two, three)))
    assert lists.keys(album_filter(name)) == (one, two, three)
    lists.change(RemoveFromAlbum(album=name, keys=(two,)))
    assert lists.keys(album_filter(name)) == (one, three)
    lists.change(RenameAlbum(album=name, name="Sea"))
    assert lists.albums() == {"Sea": 2}
    with pytest.raises(UserError, match="no album"):
        lists.keys(album_filter(name))
    lists.change(DeleteAlbum(album="sea"))
    assert lists.albums() == {}
    lists.undo()
    assert lists.keys(album_filter("Sea")) == (one, three)


def test_what_is_so_already_is_no_command(lists: Lists) -> None:
    """Neither of media that are in it, nor of those that are not, nor of an order that is."""
    one, two, three, *_ = lists.keys()
    lists.change(NewAlbum(name="x", keys=(one, two)))
    for body in (
        AddToAlbum(album="x", keys=(two, one)),
        RemoveFromAlbum(album="x", keys=(three,)),
        MoveInAlbum(album="x", keys=(two,)),
        MoveInAlbum(album="x", keys=(one,), before=two),
    ):
        assert lists.change(body).title == ""
    assert lists.commands == 1


def test_a_search_is_saved_renamed_and_deleted(lists: Lists) -> None:
    """By name; another query only where that is wanted."""
    lists.change(SaveSearch(name="Dogs", query=" a dog  rating:>=4 "))
    assert lists.searches() == {"Dogs": "a dog  rating:>=4"}
    with pytest.raises(UserError, match="taken"):
        lists.change(SaveSearch(name="dogs", query="cat"))
    lists.change(SaveSearch(name="Dogs", query="a puppy", replaces=True))
    lists.change(SaveSearch(name="Cats", query="cat"))
    assert lists.searches("DOGS") == {"Dogs": "a puppy"}
    lists.change(RenameSavedSearch(search="dogs", name="Puppies"))
    lists.change(DeleteSavedSearch(search="Cats"))
    assert lists.searches() == {"Puppies": "a puppy"}


def test_saved_searches_ask_for_an_album_by_its_new_name(lists: Lists) -> None:
    """In the same command; what is no term stays as it is typed, other albums as they are."""
    name, other = 'Sea, "2014"', "the lake"
    lists.change(NewAlbum(name=name))
    lists.change(NewAlbum(name=other))
    asked = f"a dog  -{album_filter(name.upper())} {album_filter(other)} sea rating:>=4"
    lists.change(SaveSearch(name="Dogs", query=asked))
    lists.change(SaveSearch(name="Cats", query=f"cat {album_filter(other)}"))
    before = lists.searches()
    lists.change(RenameAlbum(album=name, name="the sea"))
    new = f"a dog  -{album_filter('the sea')} {album_filter(other)} sea rating:>=4"
    assert lists.searches() == {"Dogs": new, "Cats": f"cat {album_filter(other)}"}
    lists.undo()
    assert lists.searches() == before
    assert set(lists.albums()) == {name, other}


def test_names_that_are_not_there_get_a_sentence(lists: Lists) -> None:
    """And empty ones, and those that are taken."""
    key = lists.keys()[0]
    lists.change(NewAlbum(name="Sea"))
    for body, sentence in (
        (AddToAlbum(album="Lake", keys=(key,)), "no album"),
        (AddToAlbum(album="Sea", keys=("gone",)), "no longer in the library"),
        (MoveInAlbum(album="Sea", keys=(), before=key), "not in the album"),
        (NewAlbum(name="SEA"), "taken"),
        (NewAlbum(name=" "), "empty"),
        (DeleteSavedSearch(search="Dogs"), "no saved search"),
        (SaveSearch(name="Dogs", query=" "), "no search to save"),
    ):
        with pytest.raises(UserError, match=sentence):
            lists.change(body)
    with pytest.raises(UserError, match="no album"):
        lists.keys(album_filter("Lake"))
