"""The order of a search's answer that comes again while a person works through it."""

from __future__ import annotations

from collections.abc import Callable

from cocadesk.protocol.messages import Hits
from cocadesk.protocol.values import changed


def in_shown_order(answer: Hits, place_of: Callable[[str], int | None]) -> Hits:
    """The answer in which media that are shown already keep their order.

    ``place_of`` gives the place of a shown key, else None. Newcomers have the rank that the
    answer gives them. An answer with days has another order than the best first: it stays.
    """
    if answer.days is not None and answer.days.days:
        return answer
    places = [place_of(hit.key) for hit in answer.hits]
    ranks = [rank for rank, place in enumerate(places) if place is not None]
    order = list(range(len(places)))
    for rank, known in zip(ranks, sorted(ranks, key=lambda r: places[r] or 0), strict=True):
        order[rank] = known
    return changed(
        answer,
        hits=tuple(answer.hits[rank] for rank in order),
        shapes=bytes(answer.shapes[rank] for rank in order) if answer.shapes else b"",
    )
