"""The parts of a question that can be taken away one by one, each with what is left then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cocadesk.protocol.messages import ReadAs
from ui.kit.translation import tr
from ui.library.query import Example, Query, names_of
from ui.library.term_names import TermNames

MOST_SINGLE = 4
"""More pictures than that share a chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryChip:
    """A part of a question in words: the question without it, and with it ``turned`` round.

    ``id`` names it among the chips of a question; ``term`` is the filter that it is, if it is
    one. What ``is_read`` was understood by the program, not asked for by a person.
    """

    id: str
    words: str
    tip: str
    without: Query
    remove_text: str = tr("Remove")
    turned: Query | None = None
    turn_text: str = ""
    term: str = ""
    is_read: bool = False


def chips_of(query: Query, read_as: Sequence[ReadAs], names: TermNames) -> list[QueryChip]:
    """The filters, the pictures that media are to be like or unlike, and the dates in the text."""
    chips = [_of_term(query, term, names) for term in query.terms]
    for examples in (query.likes, query.unlikes):
        chips += _of_examples(query, examples)
    return [*chips, *_of_dates(query, read_as, names)]


def _of_term(query: Query, term: str, names: TermNames) -> QueryChip:
    words = names.words(term)
    return QueryChip(
        id=term,
        words=words,
        tip=tr("{words}: change or turn round", words=words),
        without=query.without_term(term),
        remove_text=tr("Remove this filter"),
        turned=query.replaced_term(term, names.turned(term)),
        turn_text=tr("Only these") if term.startswith("-") else tr("All but these"),
        term=term,
    )


def _of_examples(query: Query, examples: Sequence[Example]) -> Iterator[QueryChip]:
    groups = [examples] if len(examples) > MOST_SINGLE else [[one] for one in examples]
    for group in groups:
        is_unlike = group[0].is_unlike
        names = names_of(group)
        words = tr("Unlike {names}", names=names) if is_unlike else tr("Like {names}", names=names)
        kept = [one for one in query.examples if one not in group]
        flipped = {one: replace(one, is_unlike=not is_unlike) for one in group}
        yield QueryChip(
            id=f"{words} {group[0].key or group[0].path}",
            words=words,
            tip=tr("{words}: turn round or remove", words=words),
            without=query.with_examples(*kept),
            turned=query.with_examples(*(flipped.get(one, one) for one in query.examples)),
            turn_text=tr("More like this") if is_unlike else tr("Less like this"),
        )


def _of_dates(query: Query, read_as: Sequence[ReadAs], names: TermNames) -> Iterator[QueryChip]:
    for read in read_as:
        yield QueryChip(
            id=f"read {read.text}",
            words=names.words(read.filter),
            tip=tr(
                "“{read}” is read as this date. The cross searches for the words instead",
                read=read.text,
            ),
            without=replace(query, as_words=(*query.as_words, read.text), sort=None),
            remove_text=tr("Search for the words “{read}”", read=read.text),
            is_read=True,
        )
    for text in query.as_words:
        left = tuple(one for one in query.as_words if one != text)
        yield QueryChip(
            id=f"words {text}",
            words=tr("Words: “{typed}”", typed=text),
            tip=tr(
                "“{typed}” is searched for as words. The cross reads it as a date again", typed=text
            ),
            without=replace(query, as_words=left, sort=None),
            remove_text=tr("Read “{typed}” as a date", typed=text),
            is_read=True,
        )
