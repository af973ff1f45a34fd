"""Requests about the lists that a library offers."""

from __future__ import annotations

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.library.paths import storable
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
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import SortKey
from cocadesk.search import overview
from cocadesk.search.filters import parse_filter
from cocadesk.search.grammar import print_term


class BrowsingHandler(RequestHandler):
    """Answers with lists and the numbers of their media, without reading any of these."""

    def __init__(self, context: EngineContext) -> None:
        self._overview = overview.Overview(context.library)

    def _get_overview(self, body: GetOverview, call: Call) -> Overview:
        found = {one.name: one for one in self._overview.standard()}
        return Overview(
            lists=tuple(
                ListValue(
                    name=name,
                    query=found[name].query,
                    terms=_terms(found[name].query),
                    sort=SortKey.ADDED if name is ListName.RECENT else SortKey.RELEVANCE,
                    count=found[name].count,
                )
                for name in ListName
            )
        )

    def _get_branches(self, body: GetBranches, call: Call) -> Branches:
        found, total = self._overview.branches(body.kind, body.under, body.offset, body.limit)
        return Branches(
            branches=tuple(
                to_value(
                    one,
                    BranchValue,
                    name=storable(one.name),
                    query=storable(one.query),
                    terms=() if body.kind is BranchKind.SEARCH else _terms(storable(one.query)),
                    path=None if one.path is None else WirePath.of(one.path),
                )
                for one in found
            ),
            offset=body.offset,
            total=total,
        )


def _terms(query: str) -> tuple[str, ...]:
    return tuple(map(print_term, parse_filter(query).terms))
