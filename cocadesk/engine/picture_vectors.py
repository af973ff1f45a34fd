"""Searches as requests ask for them; the pictures that their texts name become vectors."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from cocadesk.engine.conversions import in_order, level_of, order_of, to_hits
from cocadesk.engine.decoding import PoolDecoder
from cocadesk.errors import UserError, tr
from cocadesk.protocol.messages import Hits, Search
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.replies import ReadAs
from cocadesk.protocol.values import changed
from cocadesk.search.asking import Asked, Asker, Vector
from cocadesk.search.filters import parse_filter
from cocadesk.search.query import parse_query

if TYPE_CHECKING:
    from cocadesk.library.layout import Thumbnails
    from cocadesk.library.library import Library
    from cocadesk.model.backend import Backend
    from cocadesk.search.searcher import Searcher

_KEPT = 64


class PictureVectors:
    """Vectors of files that searches name: the stored one of a library's, else made here.

    The last ones are remembered as long as their files do not change.
    """

    def __init__(self, library: Library | None = None) -> None:
        self._library = library
        self._known: OrderedDict[tuple[str, bytes, int, int], Vector] = OrderedDict()

    def finder(
        self, folder: WirePath | None, backend: Backend, searcher: Searcher
    ) -> Callable[[str], Vector]:
        """Gives the vector (D,) of a path, which may be relative to ``folder``.

        It raises a ``UserError`` where there is no such file, or no picture in it.
        """

        def found(path: str) -> Vector:
            try:
                return self._vector(_absolute(path, folder), backend, searcher)
            except ValueError as error:  # what the system takes for no path at all
                raise _unseen(path, tr("No file can have such a name.")) from error

        return found

    def _vector(self, path: bytes, backend: Backend, searcher: Searcher) -> Vector:
        if self._library is not None and (row := self._library.media.by_path([path]).get(path)):
            try:
                return searcher.vectors_of([row.key])[row.key]
            except UserError:
                pass  # it has not been read yet: it is looked at now
        try:
            state = os.stat(path)  # noqa: PTH116 - bytes
        except OSError as error:
            reason = error.strerror or tr("It can't be read.")
            raise _unseen(WirePath.of(path).text, reason) from error
        name = (backend.info().image_id, path, state.st_mtime_ns, state.st_size)
        if name not in self._known:
            self._known[name] = _embedded(path, backend)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[name]


def _absolute(path: str, folder: WirePath | None) -> bytes:
    if "\0" in path:
        raise ValueError("a path ends at its zero byte")
    whole = os.path.expanduser(path)  # noqa: PTH111 - a path may hold any bytes
    base = os.fsdecode(folder.to_bytes()) if folder is not None else os.curdir
    return os.fsencode(os.path.abspath(os.path.join(base, whole)))  # noqa: PTH100, PTH118


def _embedded(path: bytes, backend: Backend) -> Vector:
    from cocadesk.annotations.describe import WantedPicture

    with PoolDecoder(backend.info()) as decode:
        for _, picture in decode([WantedPicture(key="", path=path)]):
            if isinstance(picture, str):
                raise _unseen(WirePath.of(path).text, picture)
            vector: Vector = backend.embed_images(picture[None])[0]
            return vector
    raise _unseen(WirePath.of(path).text, tr("It holds no picture."))


def _unseen(path: str, reason: str) -> UserError:
    return UserError(
        tr("Nothing can be like {path}.", path=path),
        reason if reason.endswith(".") else tr("The reason: {reason}.", reason=reason),
        tr("Give the path of a photo or video after like:, in quotes where it has spaces."),
    )


def names_albums(body: Search) -> bool:
    """True where a search names an album, which only the library's log knows."""
    if parse_filter(body.filter).names_albums:
        return True
    try:
        return parse_query(body.text).filter.names_albums
    except UserError:
        return False  # it may be words; else whoever answers says it


def hits_of(
    body: Search,
    searcher: Searcher,
    picture_of: Callable[[str], Vector],
    thumbnails: Thumbnails,
    check: Callable[[], None],
) -> Hits:
    """The answer to a search, without what is told of every list.

    ``check`` raises where nobody waits for it any more.

    Raises:
        UserError: it asks for nothing, a filter or a picture is none.
    """
    order = order_of(body)
    asked = Asked(
        text=body.text,
        like=body.like,
        unlike=body.unlike,
        among=parse_filter(body.filter),
        collapse=level_of(body.collapse),
        order=order,
        as_words=body.as_words,
    )
    found = Asker(searcher, picture_of, check).ask(asked, body.limit + 1)
    hits = to_hits(found.hits, body.limit, thumbnails, folds=body.folds)
    if found.is_ranked:
        hits = in_order(hits, searcher, order)
    read_as = tuple(ReadAs(text=read.text, filter=str(read.filter)) for read in found.read_as)
    return changed(hits, note=found.note, read_as=read_as)
