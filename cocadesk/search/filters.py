"""Filters: which media a search, a list or a job is for.

A filter is a conjunction of terms over the fields of ``library.fields``. The
same terms speak to the store (``where``) and to columns in memory (``mask``),
and both choose the same media. ``search.grammar`` describes how one is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cocadesk.errors import UserError, tr
from cocadesk.library.albums import unknown_name
from cocadesk.library.columns import Mask, MediaColumns
from cocadesk.library.paths import fold
from cocadesk.search.grammar import print_term, split_terms
from cocadesk.search.terms import ALBUM, Term, Value


@dataclass(frozen=True, slots=True)
class Filter:
    """Media that fulfil all ``terms``; without terms it lets everything pass."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __and__(self, other: Filter) -> Filter:
        return Filter(self.terms + other.terms)

    def __str__(self) -> str:
        """The filter in the grammar; ``parse_filter`` makes an equal one of it."""
        return " ".join(map(print_term, self.terms))

    def fields(self) -> frozenset[str]:
        """The fields that its terms read."""
        return frozenset(name for term in self.terms for name in term.fields())

    def only(self, fields: frozenset[str]) -> Filter:
        """The terms that read none but these ``fields``."""
        return Filter(tuple(term for term in self.terms if fields.issuperset(term.fields())))

    @property
    def names_albums(self) -> bool:
        """True where it names an album, by which it can't be asked without the library."""
        return any(term.field == ALBUM for term in self.terms)

    @property
    def album(self) -> str | None:
        """The one album that it asks for, whose order the media then have."""
        asked = [term.values for term in self.terms if term.field == ALBUM and not term.is_negated]
        return str(asked[0][0]) if len(asked) == 1 and len(asked[0]) == 1 else None

    def with_albums(self, names: Mapping[str, str]) -> Filter:
        """The filter with the ids of albums in place of their names (given by id).

        Raises:
            UserError: there is no album of that name; the sentence names the nearest.
        """
        ids = {fold(name): album for album, name in names.items()}

        def known(name: Value) -> Value:
            found = ids.get(fold(str(name)))
            if found is None:
                raise unknown_name("album", str(name), names.values())
            return found

        return Filter(
            tuple(
                replace(term, values=tuple(map(known, term.values)))
                if term.field == ALBUM
                else term
                for term in self.terms
            )
        )

    def where(self) -> str | None:
        """SQL over the media table for the same media; None where everything passes."""
        return " AND ".join(term.where() for term in self.terms) or None

    def mask(self, columns: MediaColumns) -> Mask:
        """True for each medium that passes; ``columns`` holds those of ``fields``."""
        mask = columns.is_there.copy()
        for term in self.terms:
            mask &= term.mask(columns)
        return mask


EVERYTHING = Filter()
"""The filter that lets everything pass."""


def split_query(text: str) -> tuple[str, Filter]:
    """The words of a query without its filter terms, and these.

    Times (3:30), addresses (http://…) and words in quotes are no terms.

    Raises:
        UserError: a term has an unknown field or a bad value; the sentence names the nearest.
    """
    words, terms = split_terms(text)
    return " ".join(words), Filter(tuple(terms))


def parse_filter(text: str) -> Filter:
    """The filter that is written in ``text``; of nothing the one that lets everything pass.

    Raises:
        UserError: it holds anything but terms, or a term has an unknown field or a bad value.
    """
    words, terms = split_terms(text)
    if words:
        raise UserError(
            tr("{words} is no filter.", words=words[0]),
            tr("A filter is a field, a colon and a value."),
            tr("Write, for example, kind:video or taken:2014..2016."),
        )
    return Filter(tuple(terms))


_NOT_MISSING = parse_filter("-state:missing")
_NOT_HIDDEN = parse_filter("-hidden:yes")
HIDDEN = "hidden"


def unless_missing(among: Filter) -> Filter:
    """The filter of a list: what is missing or hidden is shown to those who ask for it."""
    among = among if "state" in among.fields() else among & _NOT_MISSING
    return unless_hidden(among)


def unless_hidden(among: Filter) -> Filter:
    """The filter without what a person has hidden, unless it is asked for."""
    return among if HIDDEN in among.fields() else among & _NOT_HIDDEN
