"""Requests about albums and saved searches."""

from __future__ import annotations

from collections.abc import Callable

from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.human import AnnotationChange, HumanAnnotations
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.errors import UserError, tr
from cocadesk.library.albums import AlbumContent
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
from cocadesk.protocol.paths import WirePath
from cocadesk.search.asking import count_of, sought_in
from cocadesk.search.query import renamed


class AlbumHandler(RequestHandler):
    """Answers for albums and saved searches; ``announce`` makes the answer to a change."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        announce: Callable[[AnnotationChange], AnnotationsReply],
    ) -> None:
        self._library = context.library
        self._albums = AlbumEditor(context.library, annotations)
        self._announce = announce

    # Albums -----------------------------------------------------------------------------

    def _list(self, body: ListAlbums, call: Call) -> Albums:
        contents = self._library.albums.contents()
        names = self._library.albums.names()
        return Albums(
            albums=tuple(
                self._album(name, contents.get(album, AlbumContent()))
                for album, name in names.items()
            )
        )

    def _album(self, name: str, content: AlbumContent) -> AlbumValue:
        path = content.cover and self._library.thumbnails.path(content.cover)
        if path:
            self._library.thumbnails.bring([path])
        cover = WirePath.of(path) if path and path.exists() else None
        return AlbumValue(name=name, count=content.count, cover=cover)

    def _new(self, body: NewAlbum, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.new(body.name, body.keys))

    def _add(self, body: AddToAlbum, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.add(body.album, body.keys))

    def _remove(self, body: RemoveFromAlbum, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.remove(body.album, body.keys))

    def _move(self, body: MoveInAlbum, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.move(body.album, body.keys, body.before))

    def _rename(self, body: RenameAlbum, call: Call) -> AnnotationsReply:
        return self._announce(
            self._albums.rename(
                body.album, body.name, lambda query, old, new: renamed(query, "album", old, new)
            )
        )

    def _delete(self, body: DeleteAlbum, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.delete(body.album))

    # Saved searches -----------------------------------------------------------------------

    def _list_searches(self, body: ListSavedSearches, call: Call) -> SavedSearches:
        found = []
        albums = self._library.albums
        for saved in [self._albums.search(body.name)] if body.name else albums.searches():
            call.check()
            found.append(self._counted(saved.name, saved.query))
        return SavedSearches(searches=tuple(found))

    def _counted(self, name: str, query: str) -> SavedSearchValue:
        """A saved search with the number of media that it ranks now."""
        try:
            count = count_of(self._library.results, query)
        except UserError as error:
            return SavedSearchValue(name=name, query=query, problem=str(error))
        return SavedSearchValue(name=name, query=query, count=count)

    def _save(self, body: SaveSearch, call: Call) -> AnnotationsReply:
        query = body.query.strip()
        if not query:
            raise UserError(
                tr("There is no search to save."), tr("The query is empty."), tr("Give one.")
            )
        sought_in(self._library.results, query)  # a sentence where it can't be asked
        return self._announce(self._albums.save_search(body.name, query, replaces=body.replaces))

    def _rename_search(self, body: RenameSavedSearch, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.rename_search(body.search, body.name))

    def _delete_search(self, body: DeleteSavedSearch, call: Call) -> AnnotationsReply:
        return self._announce(self._albums.delete_search(body.search))
