"""Albums and saved searches made, filled, ordered, renamed and deleted, all through the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from cocadesk.annotations.human import AnnotationChange, Command, HumanAnnotations
from cocadesk.annotations.text import name_of
from cocadesk.errors import UserError, tr
from cocadesk.library.albums import SavedSearch, in_words, unknown_name
from cocadesk.library.edits import place_field
from cocadesk.library.library import Library
from cocadesk.library.paths import fold
from cocadesk.library.places import places_between
from cocadesk.library.rows import ALBUM, SAVED_SEARCH, Edit, new_key

Rewritten: TypeAlias = Callable[[str, str, str], str]
"""Gives a query in which what it names by the first name has the second one."""


def searches_with(
    library: Library, command: Command, rewritten: Callable[[str], str]
) -> Iterator[Edit]:
    """The edits by which saved searches ask as ``rewritten`` says; none for those it leaves."""
    for saved in library.albums.searches():
        query = rewritten(saved.query)
        if query != saved.query:
            old, new = [saved.name, saved.query], [saved.name, query]
            yield _said(command, saved.id, SAVED_SEARCH, old, new)


class AlbumEditor:
    """The albums and saved searches of one library, by name; case does not count in names.

    Each command is one batch of the log with those on captions and tags, so that the same
    undo takes it back. Any thread.
    """

    def __init__(self, library: Library, annotations: HumanAnnotations) -> None:
        self._library = library
        self._annotations = annotations

    # Albums -----------------------------------------------------------------------------

    def new(self, name: str, keys: Sequence[str] = ()) -> AnnotationChange:
        """Makes an album, with these media in it.

        Raises:
            UserError: the name is empty or taken.
        """
        with self._annotations.lock:
            given = self._free_name(ALBUM, name, self._library.albums.names().values())
            album, command = new_key(), Command()
            edits = [_said(command, album, ALBUM, None, given)]
            return self._record([*edits, *self._added(command, album, keys)])

    def add(self, name: str, keys: Sequence[str]) -> AnnotationChange:
        """Puts media at an album's end; those that are in it stay where they are."""
        with self._annotations.lock:
            return self._record(self._added(Command(), self._album(name), keys))

    def remove(self, name: str, keys: Sequence[str]) -> AnnotationChange:
        """Takes media out of an album; those that are not in it change nothing."""
        with self._annotations.lock:
            album = self._album(name)
            places, command = self._library.albums.places(album), Command()
            inside = [key for key in dict.fromkeys(keys) if key in places]
            field = place_field(album)
            return self._record(_said(command, key, field, places[key], None) for key in inside)

    def move(self, name: str, keys: Sequence[str], before: str | None) -> AnnotationChange:
        """Puts media of an album, in the order given, before another one, or (None) at its end.

        Only these get other places. Media that are not in the album change nothing.

        Raises:
            UserError: there is no such album, or ``before`` is not in it.
        """
        with self._annotations.lock:
            album = self._album(name)
            places, command = self._library.albums.places(album), Command()
            moved = [key for key in dict.fromkeys(keys) if key in places and key != before]
            if before is not None and before not in places:
                raise UserError(
                    tr("That photo or video is not in the album {name}.", name=name),
                    "",
                    tr("Add it first."),
                )
            gone = set(moved)
            rest = [key for key in places if key not in gone]
            at = len(rest) if before is None else rest.index(before)
            if [*rest[:at], *moved, *rest[at:]] == [*places]:
                return AnnotationChange()
            low = places[rest[at - 1]] if at else None
            # A copy that has inherited a place shares it.
            high = next((places[k] for k in rest[at:] if low is None or places[k] > low), None)
            pairs = zip(moved, places_between(low, high, len(moved)), strict=True)
            field = place_field(album)
            return self._record(_said(command, key, field, places[key], new) for key, new in pairs)

    def rename(
        self, name: str, new_name: str, rewritten: Rewritten = lambda query, _old, _new: query
    ) -> AnnotationChange:
        """Gives an album another name, also in saved searches that ask for it."""
        with self._annotations.lock:
            names, album = self._library.albums.names(), self._album(name)
            others = [other for key, other in names.items() if key != album]
            given = self._free_name(ALBUM, new_name, others)
            command, old = Command(), names[album]
            edits = [_said(command, album, ALBUM, old, given)]
            edits += searches_with(self._library, command, lambda text: rewritten(text, old, given))
            return self._record(edits)

    def delete(self, name: str) -> AnnotationChange:
        """Deletes an album; its media stay in the library."""
        with self._annotations.lock:
            album, command = self._album(name), Command()
            names, places = self._library.albums.names(), self._library.albums.places(album)
            field = place_field(album)
            edits = [_said(command, album, ALBUM, names[album], None)]
            edits += [_said(command, key, field, place, None) for key, place in places.items()]
            return self._record(edits)

    def _album(self, name: str) -> str:
        names = self._library.albums.names()
        for album, known in names.items():
            if fold(known) == fold(name):
                return album
        raise unknown_name(ALBUM, name, names.values())

    def _added(self, command: Command, album: str, keys: Sequence[str]) -> Iterator[Edit]:
        places = self._library.albums.places(album)
        rows = self._library.results.of_keys(list(dict.fromkeys(keys)))
        if keys and not rows:
            raise UserError(tr("This photo or video is no longer in the library."))
        new = [row.key for row in rows if row.key not in places]
        last = next(reversed(places.values()), None)
        for key, place in zip(new, places_between(last, None, len(new)), strict=True):
            yield _said(command, key, place_field(album), None, place)

    # Saved searches -----------------------------------------------------------------------

    def save_search(self, name: str, query: str, *, replaces: bool = False) -> AnnotationChange:
        """Keeps a query under a name; ``replaces`` allows one that is taken.

        Raises:
            UserError: the name is empty or taken.
        """
        with self._annotations.lock:
            known = self._search_of(name)
            if known is not None and replaces:
                old, new = [known.name, known.query], [known.name, query]
                return self._record([_said(Command(), known.id, SAVED_SEARCH, old, new)])
            given = self._free_name(SAVED_SEARCH, name, self._search_names())
            return self._record([_said(Command(), new_key(), SAVED_SEARCH, None, [given, query])])

    def rename_search(self, name: str, new_name: str) -> AnnotationChange:
        """Gives a saved search another name."""
        with self._annotations.lock:
            known = self.search(name)
            others = [other for other in self._search_names() if other != known.name]
            given = self._free_name(SAVED_SEARCH, new_name, others)
            old, new = [known.name, known.query], [given, known.query]
            return self._record([_said(Command(), known.id, SAVED_SEARCH, old, new)])

    def delete_search(self, name: str) -> AnnotationChange:
        """Deletes a saved search."""
        with self._annotations.lock:
            known = self.search(name)
            old = [known.name, known.query]
            return self._record([_said(Command(), known.id, SAVED_SEARCH, old, None)])

    def search(self, name: str) -> SavedSearch:
        """The saved search of this name.

        Raises:
            UserError: there is none.
        """
        known = self._search_of(name)
        if known is None:
            raise unknown_name(SAVED_SEARCH, name, self._search_names())
        return known

    def _search_of(self, name: str) -> SavedSearch | None:
        searches = self._library.albums.searches()
        return next((one for one in searches if fold(one.name) == fold(name)), None)

    def _search_names(self) -> list[str]:
        return [one.name for one in self._library.albums.searches()]

    # Both -------------------------------------------------------------------------------

    def _free_name(self, kind: str, name: str, taken: Iterable[str]) -> str:
        """The name as it is stored.

        Raises:
            UserError: it is empty, too long or taken.
        """
        given = name_of(name, kind)
        if fold(given) in map(fold, taken):
            raise UserError(
                tr(
                    "The name “{given}” is taken by another {kind}.",
                    given=given,
                    kind=in_words(kind),
                ),
                tr("Upper and lower case do not count."),
                tr("Choose another name."),
            )
        return given

    def _record(self, edits: Iterable[Edit]) -> AnnotationChange:
        return self._annotations.record([edit for edit in edits if edit.old != edit.new])


def _said(command: Command, key: str, field: str, old: object, new: object) -> Edit:
    return command.edit(key, field, json.dumps(old), json.dumps(new))
