"""Albums and saved searches of a library: their names from the log, their media from ``media``.

An album is an id with a name; a medium's ``human_albums`` and ``human_places`` say in which
it is, and where there. All of it goes through the log of edits (``edits``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocadesk.errors import UserError, tr
from cocadesk.library.paths import fold
from cocadesk.library.rows import ALBUM, SAVED_SEARCH

if TYPE_CHECKING:
    from cocadesk.library.edits import EditLog
    from cocadesk.library.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A query that a person keeps under a name; its answer is found anew each time."""

    id: str
    name: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumContent:
    """The number of an album's media that are shown, and the picture of the first."""

    count: int = 0
    cover: str | None = None


class Albums:
    """Reads albums and saved searches; any thread."""

    def __init__(self, store: Store, log: EditLog) -> None:
        self._store = store
        self._log = log
        self._known: dict[str, tuple[int, dict[str, list[Any]]]] = {}

    def names(self) -> dict[str, str]:
        """The names of all albums by id, the oldest first; no two are the same."""
        values = self._values(ALBUM)
        return _distinct({key: own[-1] for key, own in values.items() if own[-1] is not None})

    def name_ever(self, album: str) -> str:
        """The name of an album, or the last one of one that is deleted."""
        said = [name for name in self._values(ALBUM).get(album, ()) if name is not None]
        return str(said[-1]) if said else album

    def searches(self) -> list[SavedSearch]:
        """The saved searches, the oldest first; no two have the same name."""
        values = self._values(SAVED_SEARCH)
        last = {key: own[-1] for key, own in values.items() if own[-1] is not None}
        names = _distinct({key: name for key, (name, _) in last.items()})
        return [SavedSearch(id=key, name=name, query=last[key][1]) for key, name in names.items()]

    def places(self, album: str) -> dict[str, str]:
        """The place of each medium in an album, by key, in their order."""
        from cocadesk.library.album_places import places_in  # here: it imports Arrow

        return places_in(self._store, album)

    def contents(self) -> dict[str, AlbumContent]:
        """The content of each album that has any which is shown, by id."""
        from cocadesk.library.album_places import counts_and_covers  # here: it imports Arrow

        found = counts_and_covers(self._store)
        return {name: AlbumContent(count=count, cover=cover) for name, count, cover in found}

    def _values(self, field: str) -> dict[str, list[Any]]:
        """The values of a field of the log, read once a version of it."""
        version = self._log.version()
        known = self._known.get(field)
        if known is None or known[0] != version:
            known = self._known[field] = (version, self._log.values_of(field))
        return known[1]


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Names by id, the oldest first, with a number behind one that an older one has.

    Only what comes from a backup can bring the same name twice.
    """
    taken: set[str] = set()
    found: dict[str, str] = {}
    for key in sorted(names):
        name, number = names[key], 1
        while fold(name) in taken:
            number += 1
            name = f"{names[key]} ({number})"
        taken.add(fold(name))
        found[key] = name
    return found


def in_words(kind: str) -> str:
    """The kind of a list in the person's language."""
    return {ALBUM: tr("album"), SAVED_SEARCH: tr("saved search")}.get(kind, kind)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The sentence for a name that no album (or other ``kind`` of thing) has."""
    by_fold = {fold(one): one for one in known}
    nearest = difflib.get_close_matches(fold(name), by_fold, n=1, cutoff=0.5)
    if nearest:
        hint = tr("Did you mean {name}?", name=by_fold[nearest[0]])
    else:
        names = ", ".join(by_fold.values())
        hint = tr("There are: {names}.", names=names) if by_fold else tr("There are none yet.")
    return UserError(tr("There is no {kind} “{name}”.", kind=in_words(kind), name=name), "", hint)
