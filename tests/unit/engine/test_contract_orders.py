"""The orders that every engine gives its lists in, fake, served and local."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetRows,
    Hits,
    Keys,
    ListNewest,
    Rows,
    Search,
    SetAnnotations,
)
from cocadesk.protocol.values import Row, SortKey
from tests.support.engines import EngineCase

WAIT_S = 60.0
VALUES: dict[SortKey, Callable[[Row], Any]] = {
    SortKey.TAKEN: lambda row: row.taken or "",
    SortKey.ADDED: lambda row: row.key[:6],  # some hours: photos of one test are as old
    SortKey.NAME: lambda row: _number(row),
    SortKey.SIZE: lambda row: row.size_bytes,
}
ORDERS = [(key, is_reversed) for key in SortKey for is_reversed in (False, True)]


def _rows(client: AnyEngine, keys: tuple[str, ...]) -> tuple[Row, ...]:
    return client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows


def _listed(client: AnyEngine, sort: SortKey, *, is_reversed: bool = False) -> tuple[str, ...]:
    body = ListNewest(sort=sort, is_reversed=is_reversed)
    return client.ask(body, Keys, timeout_s=WAIT_S).keys


def _number(row: Row) -> tuple[str, int]:
    """The name up to its last number, and that: enough for the names of either engine."""
    found = re.fullmatch(r"(\D*)(\d+)\.\w+", row.name.lower())
    assert found is not None
    return found[1], int(found[2])


def test_everything_is_listed_by_each_value(client: AnyEngine) -> None:
    """Names as a file manager has them, sizes and stars with the largest first."""
    keys = _listed(client, SortKey.RELEVANCE)
    client.ask(SetAnnotations(keys=keys[:1], rating=2), AnnotationsReply, timeout_s=WAIT_S)
    client.ask(SetAnnotations(keys=keys[2:3], rating=5), AnnotationsReply, timeout_s=WAIT_S)
    names = [_number(row) for row in _rows(client, _listed(client, SortKey.NAME))]
    assert names == sorted(names)
    sizes = [row.size_bytes for row in _rows(client, _listed(client, SortKey.SIZE))]
    assert sizes == sorted(sizes, reverse=True)
    by_stars = [row.stars for row in _rows(client, _listed(client, SortKey.RATING))]
    assert by_stars[:2] == [5, 2]
    assert not any(by_stars[2:])
    turned = _rows(client, _listed(client, SortKey.RATING, is_reversed=True))
    assert [row.stars for row in turned][:2] == [2, 5]


@pytest.mark.parametrize("sort", SortKey)
def test_an_order_turned_round_holds_the_same_media(client: AnyEngine, sort: SortKey) -> None:
    """And stretches join to it without gap or repetition."""
    there, back = _listed(client, sort), _listed(client, sort, is_reversed=True)
    assert set(there) == set(back)
    assert len(there) == len(back) >= 4
    body = ListNewest(sort=sort, offset=3)
    assert client.ask(body, Keys, timeout_s=WAIT_S).keys == there[3:]


@pytest.mark.parametrize(("sort", "is_reversed"), ORDERS)
def test_the_best_matches_are_the_same_ones_in_any_order(
    client: AnyEngine, case: EngineCase, sort: SortKey, is_reversed: bool
) -> None:
    """Only their order is another, that of the whole list."""
    best = client.ask(Search(text=case.query, limit=3), Hits, timeout_s=WAIT_S)
    body = Search(text=case.query, limit=3, sort=sort, is_reversed=is_reversed)
    found = client.ask(body, Hits, timeout_s=WAIT_S)
    assert {hit.key for hit in found.hits} == {hit.key for hit in best.hits}
    assert found.complete is best.complete
    keys = [hit.key for hit in found.hits]
    if sort is SortKey.RELEVANCE:
        best_first = [hit.key for hit in best.hits]
        assert keys == (best_first[::-1] if is_reversed else best_first)
    elif sort is not SortKey.RATING:  # hardly any has stars
        values = [VALUES[sort](row) for row in _rows(client, tuple(keys))]
        assert values == sorted(values, reverse=(sort is SortKey.NAME) is is_reversed)


def test_what_is_alike_comes_by_name_as_well(client: AnyEngine) -> None:
    """More like this is a list like any other."""
    key = _listed(client, SortKey.NAME)[0]
    body = Search(text="", like=(key,), limit=3, sort=SortKey.NAME)
    found = client.ask(body, Hits, timeout_s=WAIT_S).hits
    names = [_number(row) for row in _rows(client, tuple(hit.key for hit in found))]
    assert names == sorted(names)
