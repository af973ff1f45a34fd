"""The shapes and days that engines send with lists, the same from each."""

from __future__ import annotations

from datetime import date, timedelta

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import GetRows, Hits, Keys, ListNewest, Rows, Search
from cocadesk.protocol.shapes import shape_of
from cocadesk.protocol.values import GroupLabel
from tests.support.engines import EngineCase

WAIT_S = 60.0


def _listed(client: AnyEngine, **options: object) -> Keys:
    return client.ask(ListNewest(with_layout=True, **options), Keys, timeout_s=WAIT_S)  # type: ignore[arg-type]


def test_shapes_are_those_of_the_rows(client: AnyEngine) -> None:
    """One byte a key, stretch by stretch."""
    answer = _listed(client)
    rows = client.ask(GetRows(keys=answer.keys), Rows, timeout_s=WAIT_S).rows
    assert list(answer.shapes) == [shape_of(row.width, row.height) for row in rows]
    assert len(set(answer.shapes)) > 1
    assert _listed(client, offset=2, limit=2).shapes == answer.shapes[2:4]


def test_days_cover_the_whole_list_in_its_order(client: AnyEngine) -> None:
    """They come once, with the first stretch, however short that is."""
    answer = _listed(client, limit=1)
    assert answer.days is not None
    assert sum(answer.days.counts) == answer.total
    assert list(answer.days.days) == sorted(set(answer.days.days), reverse=True)
    assert _listed(client, offset=1).days is None


def test_a_day_is_that_on_which_its_media_were_taken(client: AnyEngine) -> None:
    """Of those without a time the file's counts; here that of today or yesterday."""
    answer = _listed(client)
    assert answer.days is not None
    days = [d for d, n in zip(answer.days.days, answer.days.counts, strict=True) for _ in range(n)]
    rows = client.ask(GetRows(keys=answer.keys), Rows, timeout_s=WAIT_S).rows
    for day, row in zip(days, rows, strict=True):
        when = date(1970, 1, 1) + timedelta(days=day)
        if row.taken:
            assert row.taken.startswith(when.isoformat())
        else:
            assert abs((date.today() - when).days) <= 1


def test_days_of_a_collapsed_list_count_those_that_are_shown(client: AnyEngine) -> None:
    """Media for which others stand are in no day."""
    answer = _listed(client, collapse=GroupLabel.SAME)
    assert len(answer.shapes) == len(answer.keys)
    assert answer.days is not None
    assert sum(answer.days.counts) == answer.total


def test_a_list_without_layout_has_none(client: AnyEngine) -> None:
    """A command does not ask for it."""
    answer = client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
    assert (answer.shapes, answer.days) == (b"", None)


def test_hits_come_with_shapes_and_ranked_ones_without_days(
    client: AnyEngine, case: EngineCase
) -> None:
    """Best first is no order of time."""
    answer = client.ask(Search(text=case.query, limit=3), Hits, timeout_s=WAIT_S)
    assert len(answer.shapes) == len(answer.hits)
    assert min(answer.shapes) > 0
    assert answer.days is None
