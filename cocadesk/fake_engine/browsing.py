"""The fake engine's lists, with the numbers of what the queries that open them let pass."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.filter_requests import FakeFilterRequests
from cocadesk.fake_engine.filters import PLACE_FIELDS, FakeFilters
from cocadesk.fake_engine.library import FakeLibrary
from cocadesk.fake_engine.rows import FakeContext, persons_of, place_of
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    Branches,
    BranchKind,
    BranchValue,
    GetBranches,
    GetOverview,
    ListName,
    ListValue,
    Overview,
    album_filter,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import SortKey

_BETWEEN = "\x1f"
QUERIES = {
    ListName.ALL: "",
    ListName.FAVOURITES: "favourite:yes",
    ListName.PICKS: "flag:pick",
    ListName.RECENT: "added:>=2025-11-01",
    ListName.VIDEOS: "kind:video",
    ListName.WITHOUT_CAPTION: "-has:caption",
    ListName.TO_REVIEW: "captioned:machine",
    ListName.MISSING: "state:missing",
    ListName.OFFLINE: "state:offline",
}


class FakeBrowsing:
    """Lists, folders, albums, saved searches, and made-up places and persons."""

    def __init__(
        self, context: FakeContext, annotations: FakeAnnotations, library: FakeLibrary
    ) -> None:
        self._context = context
        self._annotations = annotations
        self._library = library
        self._filters = FakeFilters(context, annotations)
        self.filters = FakeFilterRequests(context, annotations)
        self._flat = {
            BranchKind.PERSON: self._persons,
            BranchKind.TAG: self._tags,
            BranchKind.ALBUM: self._albums,
            BranchKind.SEARCH: self._searches,
        }

    def _get_overview(self, body: GetOverview, call: Call) -> Overview:
        return Overview(
            lists=tuple(
                ListValue(
                    name=name,
                    query=query,
                    terms=(query,) if query else (),
                    sort=SortKey.ADDED if name is ListName.RECENT else SortKey.RELEVANCE,
                    count=self._count(query),
                )
                for name, query in QUERIES.items()
            )
        )

    def _get_branches(self, body: GetBranches, call: Call) -> Branches:
        if body.kind is BranchKind.FOLDER:
            made = self._folders(body.under)
        elif body.kind is BranchKind.PLACE:
            made = self._places(body.under)
        else:  # none of these lies in another one
            made = [] if body.under else self._flat[body.kind]()
        found = sorted(made, key=lambda one: one.name.lower())
        part = found[body.offset : body.offset + body.limit]
        return Branches(branches=tuple(part), offset=body.offset, total=len(found))

    def _count(self, query: str) -> int:
        return len(self._filters.keys(list(self._context.media), query))

    def _folders(self, under: str) -> list[BranchValue]:
        if under:
            paths = [path for path in self._all_folders() if str(path.parent) == under]
        else:
            paths = [PurePath(root.to_str()) for root in self._library.roots]
        return [self._folder(path) for path in paths]

    def _folder(self, path: PurePath) -> BranchValue:
        query = _said("folder", str(path))
        return BranchValue(
            id=str(path),
            name=path.name,
            query=query,
            terms=(query,),
            count=self._count(query),
            below=sum(other.parent == path for other in self._all_folders()),
            path=WirePath.of(str(path)),
        )

    def _all_folders(self) -> set[PurePath]:
        media = list(self._context.media.values())
        return {above for one in media for above in PurePath(one.row.path.to_str()).parents}

    def _places(self, under: str) -> list[BranchValue]:
        above = tuple(under.split(_BETWEEN)) if under else ()
        depth = len(above)
        places = {place_of(medium.number) for medium in list(self._context.media.values())}
        inside = {place for place in places if any(place) and place[:depth] == above}
        found = []
        for name in {place[depth] for place in inside if len(place) > depth}:
            ids = (*above, name)
            terms = tuple(map(_said, PLACE_FIELDS, ids))
            query = " ".join(terms)
            deeper = {place[depth + 1 : depth + 2] for place in inside if place[depth] == name}
            found.append(
                BranchValue(
                    id=_BETWEEN.join(ids),
                    name=name,
                    query=query,
                    terms=terms,
                    count=self._count(query),
                    below=len(deeper - {()}),
                )
            )
        return found

    def _persons(self) -> list[BranchValue]:
        media = list(self._context.media.values())
        counts = Counter(name for one in media for name in persons_of(one.number))
        return [_named(name, _said("person", name), count) for name, count in counts.items()]

    def _tags(self) -> list[BranchValue]:
        keys = self._filters.keys(list(self._context.media), "")
        own = {tag.lower(): tag for key in keys for tag in self._annotations.human_of(key).added}
        queries = {tag: _said("tag", tag) for tag in own.values()}
        return [_named(tag, query, self._count(query)) for tag, query in queries.items()]

    def _albums(self) -> list[BranchValue]:
        media = self._context.media
        return [
            _named(name, album_filter(name), sum(key in media for key in keys))
            for name, keys in self._annotations.lists.albums.items()
        ]

    def _searches(self) -> list[BranchValue]:
        searches = self._annotations.lists.searches
        return [BranchValue(id=name, name=name, query=query) for name, query in searches.items()]


def _named(name: str, query: str, count: int) -> BranchValue:
    return BranchValue(id=name, name=name, query=query, terms=(query,), count=count)


def _said(field: str, value: str) -> str:
    doubled = value.replace('"', '""')
    return f'{field}:"{doubled}"'
