"""The fake engine's albums and saved searches, in one history with its annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import Batch, FakeAnnotations
from cocadesk.fake_engine.filters import renamed
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AddToAlbum,
    Albums,
    AlbumValue,
    AnnotationsReply,
    DeleteAlbum,
    DeleteSavedSearch,
    ListAlbums,
    ListSavedSearches,
    MoveInAlbum,
    NewAlbum,
    RemoveFromAlbum,
    RenameAlbum,
    RenameSavedSearch,
    SavedSearches,
    SavedSearchValue,
    SaveSearch,
)


class FakeAlbums:
    """Albums as tuples of keys; a saved search finds all media that there are."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations

    # Albums -----------------------------------------------------------------------------

    def _list(self, body: ListAlbums, call: Call) -> Albums:
        media = self._context.media
        found = []
        for name, keys in self._annotations.lists.albums.items():
            here = [
                key for key in keys if key in media and not self._annotations.human_of(key).hidden
            ]
            cover = media[here[0]].row.thumbnail if here else None
            found.append(AlbumValue(name=name, count=len(here), cover=cover))
        return Albums(albums=tuple(found))

    def _new(self, body: NewAlbum, call: Call) -> AnnotationsReply:
        name = _free(body.name, "album", self._annotations.lists.albums)
        keys = tuple(dict.fromkeys(body.keys))
        return self._change({name: keys}, f"New album {name}", keys)

    def _add(self, body: AddToAlbum, call: Call) -> AnnotationsReply:
        name, had = self._album(body.album)
        new = tuple(key for key in dict.fromkeys(body.keys) if key not in had)
        for key in body.keys:
            self._context.medium(key)
        return self._change({name: had + new}, f"Adding {_photos(new)} to {name}", new)

    def _remove(self, body: RemoveFromAlbum, call: Call) -> AnnotationsReply:
        name, had = self._album(body.album)
        gone = tuple(key for key in had if key in body.keys)
        kept = tuple(key for key in had if key not in body.keys)
        return self._change({name: kept}, f"Removing {_photos(gone)} from {name}", gone)

    def _move(self, body: MoveInAlbum, call: Call) -> AnnotationsReply:
        name, had = self._album(body.album)
        if body.before is not None and body.before not in had:
            raise UserError(f"That photo or video is not in the album {name}.", "", "Add it first.")
        moved = tuple(k for k in dict.fromkeys(body.keys) if k in had and k != body.before)
        rest = tuple(key for key in had if key not in moved)
        at = len(rest) if body.before is None else rest.index(body.before)
        new = (*rest[:at], *moved, *rest[at:])
        return self._change({name: new}, f"Order of {name}", () if new == had else moved)

    def _rename(self, body: RenameAlbum, call: Call) -> AnnotationsReply:
        name, keys = self._album(body.album)
        albums = {n: own for n, own in self._annotations.lists.albums.items() if n != name}
        given = _free(body.name, "album", albums)
        searches = {
            saved: renamed(query, "album", name, given)
            for saved, query in self._annotations.lists.searches.items()
        }
        return self._commit(albums | {given: keys}, searches, f"Name of album {given}", ())

    def _delete(self, body: DeleteAlbum, call: Call) -> AnnotationsReply:
        name, keys = self._album(body.album)
        albums = {n: own for n, own in self._annotations.lists.albums.items() if n != name}
        return self._commit(albums, None, f"Deletion of album {name}", keys)

    def _album(self, name: str) -> tuple[str, tuple[str, ...]]:
        albums = self._annotations.lists.albums
        known = _known(name, "album", albums)
        return known, albums[known]

    def _change(
        self, albums: Mapping[str, tuple[str, ...]], title: str, keys: tuple[str, ...]
    ) -> AnnotationsReply:
        return self._commit({**self._annotations.lists.albums, **albums}, None, title, keys)

    # Saved searches -----------------------------------------------------------------------

    def _list_searches(self, body: ListSavedSearches, call: Call) -> SavedSearches:
        count = len(self._context.media)
        searches = self._annotations.lists.searches
        if body.name:
            name = _known(body.name, "saved search", searches)
            searches = {name: searches[name]}
        return SavedSearches(
            searches=tuple(
                SavedSearchValue(name=name, query=query, count=count)
                for name, query in searches.items()
            )
        )

    def _save(self, body: SaveSearch, call: Call) -> AnnotationsReply:
        searches = dict(self._annotations.lists.searches)
        if not body.query.strip():
            raise UserError("There is no search to save.", "The query is empty.", "Give one.")
        name = body.name
        if not (body.replaces and name in searches):
            name = _free(name, "saved search", searches)
        searches[name] = body.query.strip()
        return self._commit(None, searches, f"New saved search {name}", ())

    def _rename_search(self, body: RenameSavedSearch, call: Call) -> AnnotationsReply:
        searches = dict(self._annotations.lists.searches)
        query = searches.pop(_known(body.search, "saved search", searches))
        name = _free(body.name, "saved search", searches)
        return self._commit(None, searches | {name: query}, f"Name of saved search {name}", ())

    def _delete_search(self, body: DeleteSavedSearch, call: Call) -> AnnotationsReply:
        searches = dict(self._annotations.lists.searches)
        name = _known(body.search, "saved search", searches)
        del searches[name]
        return self._commit(None, searches, f"Deletion of saved search {name}", ())

    def _commit(
        self,
        albums: Mapping[str, tuple[str, ...]] | None,
        searches: Mapping[str, str] | None,
        title: str,
        keys: tuple[str, ...],
    ) -> AnnotationsReply:
        old = self._annotations.lists
        new = replace(
            old,
            albums=old.albums if albums is None else albums,
            searches=old.searches if searches is None else searches,
        )
        if new == old:
            return self._annotations.unchanged()
        return self._annotations.commit(Batch(title=title, lists=(old, new), listed=keys))


def album_keys(name: str, annotations: FakeAnnotations) -> tuple[str, ...]:
    """The media of an album, in its order.

    Raises:
        UserError: there is none of that name.
    """
    albums = annotations.lists.albums
    return albums[_known(name, "album", albums)]


def _known(name: str, kind: str, known: Iterable[str]) -> str:
    for one in known:
        if one.lower() == name.lower():
            return one
    raise UserError(f"There is no {kind} “{name}”.", "", "Check its name.")


def _free(name: str, kind: str, taken: Iterable[str]) -> str:
    given = " ".join(name.split())
    if not given:
        raise UserError(f"The name of the {kind} is empty.", "", "Give it at least one letter.")
    if given.lower() in (one.lower() for one in taken):
        raise UserError(
            f"The name “{given}” is taken by another {kind}.",
            "Upper and lower case do not count.",
            "Choose another name.",
        )
    return given


def _photos(keys: Sequence[str]) -> str:
    return "1 photo" if len(keys) == 1 else f"{len(keys)} photos"
