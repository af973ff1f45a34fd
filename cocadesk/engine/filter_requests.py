"""Requests about filters: their words, and the values that media have."""

from __future__ import annotations

from collections.abc import Iterable

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    CompleteWord,
    CountTerms,
    FieldValue,
    FieldValues,
    ListValues,
    ParsedQuery,
    ParseQuery,
    TermCounts,
    TermValue,
)
from cocadesk.search import field_values
from cocadesk.search.filters import Filter, parse_filter
from cocadesk.search.grammar import print_term
from cocadesk.search.matching import with_album_ids
from cocadesk.search.query import Query, parse_query
from cocadesk.search.term_words import term_words, turned


class FilterHandler(RequestHandler):
    """Answers from the columns in memory, without reading any media."""

    def __init__(self, context: EngineContext) -> None:
        self._library = context.library
        self._values = field_values.FieldValues(context.library)

    def _parse(self, body: ParseQuery, call: Call) -> ParsedQuery:
        query = parse_query(body.text)
        with_album_ids(self._library.results, query.filter)  # a sentence where there is none
        return ParsedQuery(text=str(Query(query.sought)), terms=_to_terms(query.filter))

    def _list(self, body: ListValues, call: Call) -> FieldValues:
        among = parse_filter(body.filter)
        found = self._values.of(body.field, body.prefix, among, body.limit + 1)
        return _to_values(found, body.limit)

    def _complete(self, body: CompleteWord, call: Call) -> FieldValues:
        return _to_values(self._values.completing(body.text, body.limit), body.limit)

    def _count(self, body: CountTerms, call: Call) -> TermCounts:
        among = parse_filter(body.filter)
        count, without = self._values.count_without(among)
        return TermCounts(count=count, terms=_to_terms(among), without=tuple(without))


def _to_terms(among: Filter) -> tuple[TermValue, ...]:
    return tuple(
        TermValue(
            term=print_term(term),
            words=term_words(term),
            field=term.field,
            turned=print_term(turned(term)),
            is_negated=term.is_negated,
        )
        for term in among.terms
    )


def _to_values(found: Iterable[field_values.FieldValue], limit: int) -> FieldValues:
    values = tuple(to_value(one, FieldValue) for one in found)
    return FieldValues(values=values[:limit], complete=len(values) <= limit)
