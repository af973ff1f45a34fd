"""Requests that only read the library: searches, rows, moments, failures, counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cocadesk.engine.conversions import (
    level_of,
    order_of,
    to_moments,
    to_rows,
    to_value,
)
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.list_layout import ListLayout
from cocadesk.engine.picture_vectors import PictureVectors, hits_of
from cocadesk.engine.scopes import not_in_library, row_of
from cocadesk.errors import retold
from cocadesk.library.fields import FIELD_OF, facts_of
from cocadesk.library.groups import MediaGroups
from cocadesk.library.key_numbers import KeyList
from cocadesk.library.moving import old_copy
from cocadesk.library_uri import shown_name
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    Detail,
    Failures,
    GetDetail,
    GetInfo,
    GetKeys,
    GetMoments,
    GetRows,
    Hits,
    Info,
    Keys,
    ListFailures,
    ListNewest,
    ListRoots,
    ModelUpdate,
    Moments,
    Roots,
    Rows,
    Search,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.sorting import BY_TIME
from cocadesk.protocol.values import CountsValue, Fact, FailureValue, RootValue, changed
from cocadesk.search.filters import Filter, parse_filter, unless_missing
from cocadesk.search.ordering import OWN_ORDER, Order, ordered_keys

UPDATE_STANDS_S = 2.0
"""Counting what is read takes longer the larger the library; each search would wait for it."""


_Listed = dict[bool, tuple[tuple[str, Order], dict[str, int], Sequence[str]]]
"""The list of all media (True) and the last other one, with what was written before each."""
_Shown = tuple[Sequence[str], MediaGroups, int, NDArray[np.integer], NDArray[np.int64]]
"""A list of keys, groups and their level, the places in the list that are shown, and copies."""


class LibraryHandler(RequestHandler):
    """Answers from what is stored, without reading media files."""

    def __init__(
        self, context: EngineContext, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._library = context.library
        self._model = context.model
        self._clock = clock
        self._counted: tuple[float, str, ModelUpdate] | None = None
        self._listed: _Listed = {}
        self._shown: _Shown | None = None
        self._layout = ListLayout(context.library.results)
        self._pictures = PictureVectors(context.library)

    def forget_order(self) -> None:
        """Media have come or gone: the next list of the newest is read again."""
        self._listed = {}

    def _search(self, body: Search, call: Call) -> Hits:
        opened = self._model.searching()  # once: another may be in use a moment later
        searcher = opened.searcher
        call.check()
        picture_of = self._pictures.finder(body.folder, opened.backend, searcher)
        hits = hits_of(body, searcher, picture_of, self._library.thumbnails, call.check)
        return self._answer(hits, order_of(body))

    def _answer(self, hits: Hits, order: Order) -> Hits:
        """Hits with what is told of every list of them."""
        keys = [hit.key for hit in hits.hits]
        is_ranked = not order.column and any(hit.score or hit.rank for hit in hits.hits)
        days = None if is_ranked else self._layout.days(keys)
        shapes = self._layout.shapes(keys)
        return changed(hits, update=self._update(), shapes=shapes, days=days)

    def _list_newest(self, body: ListNewest, call: Call) -> Keys:
        among, order = unless_missing(parse_filter(body.filter)), order_of(body)
        keys = self._ordered(body, among, order)
        if (level := level_of(body.collapse)) is not None:
            return self._collapsed(keys, level, body)
        part = keys[body.offset : body.offset + body.limit]
        answer = Keys(keys=tuple(part), offset=body.offset, total=len(keys))
        return self._laid_out(body, answer, keys)

    def _laid_out(self, body: ListNewest, answer: Keys, keys: Sequence[str]) -> Keys:
        """The answer with shapes, and days of all ``keys`` of the list, where asked for."""
        if not body.with_layout:
            return answer
        is_by_time = body.sort in BY_TIME and not body.offset
        days = self._layout.days(keys) if is_by_time else None
        return changed(answer, shapes=self._layout.shapes(answer.keys), days=days)

    def _collapsed(self, keys: Sequence[str], level: int, body: ListNewest) -> Keys:
        """The first of each group in a list; the last answer counts while nothing changes."""
        groups, known = self._library.results.groups.current(), self._shown
        if known is None or known[0] is not keys or known[1:3] != (groups, level):
            places = groups.places_in(keys)
            known = self._shown = (keys, groups, level, *groups.first_of_each(places, level))
        part = slice(body.offset, body.offset + body.limit)
        shown, copies = known[3:]
        answer = Keys(
            keys=tuple(keys[place] for place in shown[part].tolist()),
            offset=body.offset,
            total=len(shown),
            copies=tuple(copies[part].tolist()),
        )
        if isinstance(keys, KeyList):
            heads: Sequence[str] = KeyList(keys.keys, keys.numbers[shown])
        else:
            heads = [keys[place] for place in shown.tolist()]
        return self._laid_out(body, answer, heads)

    def _ordered(self, body: ListNewest, among: Filter, order: Order) -> Sequence[str]:
        """The last list while nothing is written: a window asks for page after page.

        A later page is of the list of the first, so that none is told twice or left out.
        """
        # Taken before anything is read: what media have come or gone since is no part of it.
        listed, written = self._listed, self._library.written()
        asked = body.filter, order
        is_all = asked == ("", OWN_ORDER)
        known = listed.get(is_all)
        is_known = known is not None and known[0] == asked
        if known is None or not is_known or (known[1] != written and not body.offset):
            known = listed[is_all] = (asked, written, ordered_keys(self._library, among, order))
        return known[2]

    def _get_keys(self, body: GetKeys, call: Call) -> Keys:
        paths = dict.fromkeys(path.to_bytes() for path in body.paths)
        found = self._library.media.by_path(paths)
        known = {path: row.key for path, row in found.items()}
        for path in paths:
            if path not in known:
                raise not_in_library(path)
        return Keys(keys=tuple(known[path] for path in paths), total=len(paths))

    def _get_rows(self, body: GetRows, call: Call) -> Rows:
        rows = self._library.media.rows(body.keys)
        return Rows(rows=to_rows(self._library, rows))

    def _get_detail(self, body: GetDetail, call: Call) -> Detail:
        row = row_of(self._library, body.key)
        facts = tuple(to_value(fact, Fact) for fact in facts_of(row))
        if row.human_albums:
            names = self._library.albums.names()
            albums = ", ".join(names[album] for album in row.human_albums if album in names)
            facts = (*facts, Fact(name="album", label=FIELD_OF["album"].label, text=albums))
        return Detail(row=to_rows(self._library, [row])[0], facts=facts)

    def _get_moments(self, body: GetMoments, call: Call) -> Moments:
        row = row_of(self._library, body.key)
        return to_moments(self._library, self._model.value().image_id, row)

    def _list_failures(self, body: ListFailures, call: Call) -> Failures:
        rows = self._library.media.failures()
        return Failures(
            failures=tuple(
                to_value(
                    row,
                    FailureValue,
                    reason=retold(row.reason),
                    when=row.when.isoformat(timespec="seconds"),
                )
                for row in rows[body.offset : body.offset + body.limit]
            ),
            total=len(rows),
        )

    def _list_roots(self, body: ListRoots, call: Call) -> Roots:
        return Roots(
            roots=tuple(
                to_value(root, RootValue, excludes=tuple(map(WirePath.of, root.excludes)))
                for root in self._library.roots.all()
            )
        )

    def _get_info(self, body: GetInfo, call: Call) -> Info:
        model = self._model.settled() if body.waits else self._model.value()
        library = self._library
        old = old_copy(library.folder)
        return Info(
            library_id=library.manifest.id,
            folder=WirePath.of(shown_name(library.folder)),
            schema=str(library.manifest.schema),
            counts=to_value(library.counts(model.image_id or None), CountsValue),
            model=model,
            notices=tuple(map(retold, library.notices)),
            update=self._update(),
            moved_from=None if old is None else WirePath.of(old),
        )

    def _update(self) -> ModelUpdate | None:
        if not self._model.awaits_vectors():
            return None
        image_id, counted = self._model.value().image_id, self._counted
        if counted and counted[1] == image_id and self._clock() - counted[0] < UPDATE_STANDS_S:
            return counted[2]
        done, total = self._library.covered(image_id)
        update = ModelUpdate(done=done, total=total)
        self._counted = (self._clock(), image_id, update)
        return update
