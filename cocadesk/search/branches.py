"""Folders, places, persons, albums and saved searches, with what opens each of them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from cocadesk.library.columns import ListColumn, Mask, MediaColumns, TextColumn, TextMatch, TextTest
from cocadesk.library.folder_tree import FolderCounts, FolderTree
from cocadesk.library.natural_order import natural_key
from cocadesk.library.paths import fold, fold_path, folder_of, upwards
from cocadesk.library.rows import MediaRow, MediaState
from cocadesk.library.tallies import (
    LEVELS,
    AlbumTally,
    Tallied,
    Tally,
    tally_lists,
    tally_places,
    tally_texts,
)
from cocadesk.search.filters import EVERYTHING, Filter, unless_missing
from cocadesk.search.terms import ALBUM, HAS, Term

if TYPE_CHECKING:
    from cocadesk.library.library import Library
    from cocadesk.library.result_rows import ResultRows

PLACE_FIELDS = ("country", "region", "town")
PLACE_COLUMNS = ("country", "region", "place")
LISTED = unless_missing(EVERYTHING)
"""What lists show where nothing else is asked for."""
_SHOWN = LISTED.where() or "true"
_READ_AT_ONCE = 500

Value = TypeVar("Value")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A folder, place, person, album or saved search, with the filter that opens it.

    ``id`` names it where its own branches are asked for, of which there are ``below``.
    ``count`` is None where it is not known. ``is_offline``: all its media are on a disk that
    is away. ``path`` is that of a folder, ``example`` the key of one of its media.
    """

    id: str
    name: str
    query: str = ""
    count: int | None = None
    below: int = 0
    is_offline: bool = False
    path: bytes | None = None
    example: str = ""


class Branches(Protocol):
    """The branches of one kind. One thread."""

    def under(self, branch: str) -> Sequence[Branch]:
        """Those in or below a branch by its id, by name; without one the first ones.

        The names and queries count only once they are ``spelled``.
        """
        ...

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """These with names as people wrote them, and queries."""
        ...


class Counted(Generic[Value]):
    """A value made of columns in memory, or by the store, and kept until something changes."""

    def __init__(self, rows: ResultRows, fields: Iterable[str]) -> None:
        self._rows = rows
        self._fields = {*fields, "state", *LISTED.fields()}
        self._known: tuple[object, object, Value] | None = None

    def get(
        self,
        in_memory: Callable[[MediaColumns, Mask, Mask], Value],
        in_store: Callable[[], Value],
        beside: object = None,
    ) -> Value:
        """The value; ``beside`` is something else that it depends on.

        The masks are of the media that lists show, and of those on a disk that is away.
        """
        columns = self._rows.columns(self._fields)
        state: object = self._rows.version() if columns is None else columns.is_there
        known = self._known
        if known is None or known[1] != beside or not _is_same(known[0], state):
            if columns is None:
                value = in_store()
            else:
                states = columns.texts("state")
                offline = states.where(TextTest(TextMatch.EQUAL, MediaState.OFFLINE))
                value = in_memory(columns, LISTED.mask(columns), offline)
            known = self._known = (state, beside, value)
        return known[2]


def _is_same(one: object, other: object) -> bool:
    """True for one array, or for equal versions."""
    return one is other or (isinstance(one, int) and isinstance(other, int) and one == other)


def _text(columns: MediaColumns, field: str) -> TextColumn:
    column = columns.columns[field]
    assert isinstance(column, TextColumn)
    return column


def _list(columns: MediaColumns, field: str) -> ListColumn:
    column = columns.columns[field]
    assert isinstance(column, ListColumn)
    return column


def _query(**values: str) -> str:
    """The filter for a medium with these values of fields; an empty one: it has none."""
    terms = (
        Term(field=field, values=(value,))
        if value
        else Term(field=HAS, values=(field,), is_negated=True)
        for field, value in values.items()
    )
    return str(Filter(tuple(terms)))


class FolderBranches:
    """The folders of the library, and those in them, as far as media lie in or below them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._rows = library.results
        self._tree = FolderTree()
        self._counted = Counted[FolderCounts](library.results, ("folder",))

    def under(self, branch: str) -> Sequence[Branch]:
        """The folders in a folder; a folder is known by its text in filters."""
        counts = self._counts()
        if not branch:
            return self._roots(counts)
        number = counts.number(branch)
        if number is None:
            return []
        return _Made(counts.below(number), lambda below: self._below(counts, below))

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """The names are read off the path of one of their media."""
        wanted = [branch.example for branch in branches if branch.path is None]
        paths = {row.key: row.path for row in self._rows.of_keys(wanted)}
        return [self._spelled(branch, paths.get(branch.example)) for branch in branches]

    def _spelled(self, branch: Branch, example: bytes | None) -> Branch:
        path = branch.path
        if path is None and example is not None:
            above = upwards(folder_of(example))
            path = next((one for one in above if _folder_id(one) == branch.id), None)
        if path is None:  # the medium has gone meanwhile
            return replace(branch, query=_query(folder=branch.id))
        return replace(
            branch, name=_name_of(path), query=_query(folder=os.fsdecode(path)), path=path
        )

    def _counts(self) -> FolderCounts:
        def in_memory(columns: MediaColumns, shown: Mask, offline: Mask) -> FolderCounts:
            tally = tally_texts(_text(columns, "folder"), shown, offline, columns.keys.key)
            return self._tree.counted(tally)

        def in_store() -> FolderCounts:
            return self._tree.counted(self._rows.tally_where(("folder_text",), _SHOWN))

        return self._counted.get(in_memory, in_store)

    def _roots(self, counts: FolderCounts) -> list[Branch]:
        """The folders that a person added; of a single file the folder that it lies in."""
        roots: dict[str, bytes] = {}
        for root in self._library.roots.all():
            path = root.path if root.is_folder else folder_of(root.path)
            roots.setdefault(_folder_id(path), path)
        found = []
        for text, path in roots.items():
            if any(text != other and text.startswith(other) for other in roots):
                continue
            number = counts.number(text)
            found.append(self._branch(counts, number, text, _name_of(path), path))
        return sorted(found, key=lambda branch: natural_key(branch.name))

    def _below(self, counts: FolderCounts, number: int) -> Branch:
        return self._branch(counts, number, counts.tree.text(number), counts.name(number), None)

    def _branch(
        self, counts: FolderCounts, number: int | None, text: str, name: str, path: bytes | None
    ) -> Branch:
        if number is None:
            return Branch(id=text, name=name, count=0, path=path)
        total = int(counts.totals[number])
        return Branch(
            id=text,
            name=name,
            count=total,
            below=int(counts.number_below[number]),
            is_offline=total == int(counts.offline[number]),
            path=path,
            example=counts.example(number),
        )


class _Made(Sequence[Branch]):
    """Branches that are made of ``items`` when they are asked for: there may be very many."""

    def __init__(self, items: Sequence[Item], make: Callable[[Item], Branch]) -> None:
        self._items: Sequence[Any] = items
        self._make: Callable[[Any], Branch] = make

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(map(self._make, self._items[index]))
        return self._make(self._items[index])


def _folder_id(path: bytes) -> str:
    text = fold_path(os.fsdecode(path))
    return text if text.endswith("/") else f"{text}/"


def _name_of(path: bytes) -> str:
    """The name of a folder; of the topmost one its path."""
    text = os.fsdecode(path)
    return text.rstrip(os.sep).rpartition(os.sep)[2] or text


class PlaceBranches:
    """Countries, the regions in them and the towns in these, as far as media name them.

    A place is known by the names above it and its own, with ``LEVELS`` between them; one that
    is not named is left out on the way to what lies in it.
    """

    def __init__(self, library: Library) -> None:
        self._rows = library.results
        self._counted = Counted[_Places](library.results, PLACE_FIELDS)
        self._spelling = _Spelling(library, _place_names)

    def under(self, branch: str) -> Sequence[Branch]:
        """The places in a place."""
        return self._all().under(branch)

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """Names as files say them."""
        found = []
        for branch, names in self._spelling.of(branches):
            levels = branch.id.split(LEVELS)
            known = names.split(LEVELS)[: len(levels)]
            query = _query(**dict(zip(PLACE_FIELDS, known, strict=False)))
            found.append(replace(branch, name=known[-1], query=query))
        return found

    def _all(self) -> _Places:
        def in_memory(columns: MediaColumns, shown: Mask, offline: Mask) -> _Places:
            of_places = [_text(columns, field) for field in PLACE_FIELDS]
            return _Places(tally_places(of_places, shown, offline, columns.keys.key))

        def in_store() -> _Places:
            return _Places(self._rows.tally_where(PLACE_COLUMNS, _SHOWN))

        return self._counted.get(in_memory, in_store)


def _place_names(row: MediaRow, branch: Branch) -> str:
    return LEVELS.join((row.country or "", row.region or "", row.place or ""))


class _Places:
    """All places by the one that each lies in, as they were counted."""

    def __init__(self, tally: Tally) -> None:
        self._key = tally.key
        self._in: dict[str, dict[str, list[int]]] = defaultdict(dict)
        for text, media, offline, example in tally:
            above, levels = "", text.split(LEVELS)
            for depth, name in enumerate(levels, 1):
                if name:
                    place = LEVELS.join(levels[:depth])
                    own = self._in[above].setdefault(place, [0, 0, example])
                    own[0] += media
                    own[1] += offline
                    above = place

    def under(self, above: str) -> Sequence[Branch]:
        """The places in one, by name."""
        inside = self._in.get(above, {})
        names = sorted(inside, key=lambda place: natural_key(place.rpartition(LEVELS)[2]))
        return _Made(names, lambda place: self._branch(place, *inside[place]))

    def _branch(self, place: str, media: int, offline: int, example: int) -> Branch:
        return Branch(
            id=place,
            name=place.rpartition(LEVELS)[2],
            count=media,
            below=len(self._in.get(place, ())),
            is_offline=media == offline,
            example=self._key(example),
        )


class PersonBranches:
    """The persons whom files name, each known by the name in lower case."""

    def __init__(self, library: Library) -> None:
        self._rows = library.results
        self._counted = Counted[Sequence[Branch]](library.results, ("person",))
        self._spelling = _Spelling(library, _person_name)

    def under(self, branch: str) -> Sequence[Branch]:
        """All persons; none is below another."""

        def in_memory(columns: MediaColumns, shown: Mask, offline: Mask) -> Sequence[Branch]:
            return _persons(tally_lists(_list(columns, "person"), shown, offline, columns.keys.key))

        def in_store() -> Sequence[Branch]:
            return _persons(self._rows.tally_where(("persons",), _SHOWN))

        return [] if branch else self._counted.get(in_memory, in_store)

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """Names as files say them."""
        return [
            replace(branch, name=name, query=_query(person=name))
            for branch, name in self._spelling.of(branches)
        ]


def _person_name(row: MediaRow, branch: Branch) -> str:
    return next((name for name in row.persons if fold(name) == branch.id), branch.id)


def _persons(tally: Tally) -> Sequence[Branch]:
    found = sorted((one for one in tally if one.text), key=lambda one: natural_key(one.text))

    def make(one: Tallied) -> Branch:
        return Branch(
            id=one.text,
            name=one.text,
            count=one.media,
            is_offline=one.media == one.offline,
            example=tally.key(one.example),
        )

    return _Made(found, make)


class AlbumBranches:
    """The albums, each known by its name."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._counted = Counted[Sequence[Branch]](library.results, (ALBUM,))
        self._tally = AlbumTally()

    def under(self, branch: str) -> Sequence[Branch]:
        """All albums; none is below another."""
        names = self._library.albums.names()
        ids = list(names)

        def in_memory(columns: MediaColumns, shown: Mask, offline: Mask) -> Sequence[Branch]:
            counts = self._tally.counts(ids, _list(columns, ALBUM), shown)
            return _albums(dict(zip(names.values(), counts, strict=True)))

        def in_store() -> Sequence[Branch]:
            tally = self._library.results.tally_where(("human_albums",), _SHOWN)
            known = {one.text: one.media for one in tally}
            return _albums({name: known.get(fold(album), 0) for album, name in names.items()})

        return [] if branch else self._counted.get(in_memory, in_store, names)

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """Their names are the person's own already."""
        return list(branches)


def _albums(counts: dict[str, int]) -> Sequence[Branch]:
    def make(name: str) -> Branch:
        return Branch(id=name, name=name, query=_query(album=name), count=counts[name])

    return _Made(sorted(counts, key=natural_key), make)


class SearchBranches:
    """The saved searches, each known by its name; what they find is not counted here."""

    def __init__(self, library: Library) -> None:
        self._albums = library.albums

    def under(self, branch: str) -> Sequence[Branch]:
        """All saved searches."""
        found = [] if branch else self._albums.searches()
        branches = [Branch(id=one.name, name=one.name, query=one.query) for one in found]
        return sorted(branches, key=lambda branch: natural_key(branch.name))

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """Their names are the person's own already."""
        return list(branches)


class _Spelling:
    """Names as files say them: columns in memory know them in lower case alone.

    Each is read once, off a medium that has it.
    """

    def __init__(self, library: Library, name: Callable[[MediaRow, Branch], str]) -> None:
        self._media = library.media
        self._name = name
        self._known: dict[str, str] = {}

    def of(self, branches: Sequence[Branch]) -> list[tuple[Branch, str]]:
        """Each branch with its name; its id where the medium is gone meanwhile."""
        unknown = [branch for branch in branches if branch.id not in self._known]
        for start in range(0, len(unknown), _READ_AT_ONCE):
            part = unknown[start : start + _READ_AT_ONCE]
            rows = {row.key: row for row in self._media.rows([one.example for one in part])}
            for branch in part:
                if branch.example in rows:
                    self._known[branch.id] = self._name(rows[branch.example], branch)
        return [(branch, self._known.get(branch.id, branch.id)) for branch in branches]
