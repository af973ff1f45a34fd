"""The query of a search: a frozen tree that its text gives and that prints as such a text.

Beside the terms of filters (``grammar``) it may hold words, ``-word`` (not that),
``2:word`` (that twice as much), ``"a phrase"`` (which must stand in the words of a medium) and
``like:PATH`` (what looks like this photo).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from cocadesk.errors import UserError, tr
from cocadesk.library.paths import fold
from cocadesk.search.filters import Filter
from cocadesk.search.grammar import print_term, term_at
from cocadesk.search.terms import Term

_SPACES = re.compile(r"\s*")
_BEFORE = r"(-?)(?:(\d{1,3}(?:\.\d{1,3})?):)?"
_LIKE = re.compile(_BEFORE + r'like:("(?:[^"]|"")+"(?=\s|$)|\S+)', re.ASCII | re.IGNORECASE)
_LIKE_NOTHING = re.compile(_BEFORE + r'like:""(?=\s|$)', re.ASCII | re.IGNORECASE)
_PHRASE = re.compile(_BEFORE + r'("(?:[^"]|"")*")(?=\s|$)', re.ASCII)
_WEIGHED = re.compile(r"(-?)(\d{1,3}(?:\.\d{1,3})?):([^\W\d]\S*)")
_NEGATED = re.compile(r"-([^\W_]\S*)")
_WORD = re.compile(r"\S+")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN_PATH = re.compile(r'[^\s"]+')


class Sought(Enum):
    """The kinds of things that a query may look for."""

    WORD = auto()
    PHRASE = auto()
    LIKE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTerm:
    """One word, phrase or picture; ``is_negated`` looks for what is not so."""

    kind: Sought
    text: str
    weight: float = 1.0
    is_negated: bool = False

    @property
    def is_plain(self) -> bool:
        """True for a word as it is typed."""
        return self.kind is Sought.WORD and self.weight == 1 and not self.is_negated

    def __str__(self) -> str:
        """The term as text; parsed, it gives an equal one."""
        sign = "-" if self.is_negated else ""
        weight = "" if self.weight == 1 else f"{self.weight:.6g}:"
        if self.kind is Sought.WORD:
            return f"{sign}{weight}{self.text}"
        doubled = self.text.replace('"', '""')
        if self.kind is Sought.PHRASE:
            return f'{sign}{weight}"{doubled}"'
        path = self.text if _PLAIN_PATH.fullmatch(self.text) else f'"{doubled}"'
        return f"{sign}{weight}like:{path}"


AnyTerm: TypeAlias = QueryTerm | Term


@dataclass(frozen=True, slots=True)
class Query:
    """All that a text asks for, in its order."""

    terms: tuple[AnyTerm, ...] = ()

    def __str__(self) -> str:
        """The query as text; ``parse_query`` makes an equal one of it."""
        return " ".join(
            str(term) if isinstance(term, QueryTerm) else print_term(term) for term in self.terms
        )

    @property
    def sought(self) -> tuple[QueryTerm, ...]:
        """The terms that are no filters."""
        return tuple(term for term in self.terms if isinstance(term, QueryTerm))

    @property
    def filter(self) -> Filter:
        """The terms that are filters."""
        return Filter(tuple(term for term in self.terms if isinstance(term, Term)))

    @property
    def is_plain(self) -> bool:
        """True where it holds nothing but words as they are typed."""
        return all(isinstance(term, QueryTerm) and term.is_plain for term in self.terms)

    @property
    def text(self) -> str:
        """The words and phrases that pictures should show, as one text."""
        return " ".join(
            term.text for term in self.sought if term.kind is not Sought.LIKE and _is_wanted(term)
        )


def _is_wanted(term: QueryTerm) -> bool:
    return not term.is_negated and term.weight > 0


def plain_query(text: str) -> Query:
    """The query of nothing but the words of ``text``, whatever they may mean else."""
    return Query(tuple(QueryTerm(kind=Sought.WORD, text=word) for word in text.split()))


def parse_query(text: str) -> Query:
    """The query that ``text`` asks for.

    Raises:
        UserError: a filter has an unknown field or a bad value; the sentence names the nearest.
    """
    return Query(tuple(_terms(text)))


def renamed(text: str, field: str, old: str, new: str) -> str:
    """The text in which terms of a field ask for ``new`` where they asked for ``old``.

    All else stays as it is typed; so does what is no query.
    """
    pieces: list[str] = []
    end = 0
    try:
        for term, start, stop in _placed(text):
            if not isinstance(term, Term) or term.field != field:
                continue
            values = tuple(new if fold(str(one)) == fold(old) else one for one in term.values)
            if values != term.values:
                pieces += [text[end:start], print_term(replace(term, values=values))]
                end = stop
    except UserError:
        return text
    return "".join([*pieces, text[end:]])


def _terms(text: str) -> Iterator[AnyTerm]:
    return (term for term, _, _ in _placed(text) if term is not None)


def _placed(text: str) -> Iterator[tuple[AnyTerm | None, int, int]]:
    """The terms of a text, each with its begin and its end."""
    position = _end_of_spaces(text, 0)
    while position < len(text):
        start = position
        term, position = _term_at(text, position)
        yield term, start, position
        position = _end_of_spaces(text, position)


def _end_of_spaces(text: str, position: int) -> int:
    found = _SPACES.match(text, position)
    return position if found is None else found.end()


def _term_at(text: str, position: int) -> tuple[AnyTerm | None, int]:
    if found := _LIKE_NOTHING.match(text, position):
        raise UserError(
            tr("{found} names no picture.", found=found[0]),
            "",
            tr(
                "Write the path of a photo or video after the colon, in quotes where it has spaces."
            ),
        )
    if found := _LIKE.match(text, position):
        return _made(Sought.LIKE, found, _unquoted(found[3])), found.end()
    if found := _PHRASE.match(text, position):
        phrase = _unquoted(found[3])
        return _made(Sought.PHRASE, found, phrase) if phrase.strip() else None, found.end()
    if read := term_at(text, position):
        return read
    found = _WORD.match(text, position)
    assert found is not None
    # A quote that is never closed is none.
    word = found[0].replace('"', "”")
    if weighed := _WEIGHED.fullmatch(word):
        return _made(Sought.WORD, weighed, weighed[3]), found.end()
    if negated := _NEGATED.fullmatch(word):
        return QueryTerm(kind=Sought.WORD, text=negated[1], is_negated=True), found.end()
    return QueryTerm(kind=Sought.WORD, text=word), found.end()


def _made(kind: Sought, found: re.Match[str], text: str) -> QueryTerm:
    weight = 1.0 if found[2] is None else float(found[2])
    return QueryTerm(kind=kind, text=text, weight=weight, is_negated=bool(found[1]))


def _unquoted(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    return text if found is None else found[1].replace('""', '"')
