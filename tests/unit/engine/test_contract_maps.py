"""Maps of media: what every engine must do, fake and real."""

from __future__ import annotations

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import (
    MAP_STEPS,
    AnnotationsReply,
    GetMap,
    Keys,
    ListNewest,
    MapColour,
    MapKind,
    MapPoints,
    ReplyBody,
    SetAnnotations,
    UndoAnnotations,
)

WAIT_S = 60.0


def _map(client: AnyEngine, body: GetMap) -> tuple[MapPoints, MapPoints]:
    """All points in one, and the last answer."""
    parts: list[MapPoints] = []

    def take(part: ReplyBody) -> None:
        assert isinstance(part, MapPoints)
        parts.append(part)

    last = client.ask(body, MapPoints, timeout_s=WAIT_S, on_partial=take)
    joined = MapPoints(
        keys=tuple(key for part in parts for key in part.keys),
        x=tuple(x for part in parts for x in part.x),
        y=tuple(y for part in parts for y in part.y),
        group=tuple(n for part in parts for n in part.group),
    )
    return joined, last


@pytest.mark.parametrize("kind", MapKind)
@pytest.mark.parametrize("colour", MapColour)
def test_each_medium_is_one_point_of_one_group(
    client: AnyEngine, kind: MapKind, colour: MapColour
) -> None:
    """All media are points or are counted among those without a place."""
    keys = client.ask(ListNewest(limit=5000), Keys, timeout_s=WAIT_S).keys
    points, last = _map(client, GetMap(kind=kind, colour=colour))
    assert len(points.keys) == len(set(points.keys)) == last.total
    assert set(points.keys) <= set(keys)
    assert last.total + last.without == len(keys)
    assert not last.left_out
    assert len(points.x) == len(points.y) == len(points.group) == last.total
    assert all(0 <= step < MAP_STEPS for step in (*points.x, *points.y))
    counts = [points.group.count(number) for number in range(len(last.groups))]
    if last.total:
        assert [group.count for group in last.groups] == counts
    if kind is MapKind.LIKENESS:
        assert last.total
        assert not last.without


def test_places_of_likeness_stay(client: AnyEngine) -> None:
    """A second look shows the same map, whatever its colours."""
    first, _ = _map(client, GetMap(colour=MapColour.TAG))
    again, _ = _map(client, GetMap(colour=MapColour.YEAR))
    assert (first.keys, first.x, first.y) == (again.keys, again.x, again.y)


def test_too_many_are_left_out_and_counted(client: AnyEngine) -> None:
    """``limit`` bounds the points."""
    points, last = _map(client, GetMap(limit=2))
    assert len(points.keys) == last.total == 2
    assert last.left_out > 0


def test_a_map_shows_what_passes_a_filter_and_nothing_hidden(client: AnyEngine) -> None:
    """As any list does."""
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    client.ask(SetAnnotations(keys=keys[:3], rating=5), AnnotationsReply, timeout_s=WAIT_S)
    client.ask(SetAnnotations(keys=keys[:1], hidden=True), AnnotationsReply, timeout_s=WAIT_S)
    shown = client.ask(ListNewest(limit=5000), Keys, timeout_s=WAIT_S).keys
    assert set(_map(client, GetMap())[0].keys) == set(shown)
    rated = client.ask(ListNewest(filter="rating:5"), Keys, timeout_s=WAIT_S).keys
    assert set(_map(client, GetMap(filter="rating:5"))[0].keys) == set(rated) == set(keys[1:3])
    for _ in range(2):
        client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)


def test_groups_are_named_as_people_write_them(client: AnyEngine) -> None:
    """Not in the small letters in which they are looked for."""
    keys = client.ask(ListNewest(limit=5000), Keys, timeout_s=WAIT_S).keys
    tag = SetAnnotations(keys=keys, add_tags=("Red Kite",))
    client.ask(tag, AnnotationsReply, timeout_s=WAIT_S)
    names = [group.name for group in _map(client, GetMap(colour=MapColour.TAG))[1].groups]
    client.ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    kites = [name for name in names if name.casefold() == "red kite"]
    assert kites in (["Red Kite"], [])  # a made-up map knows no tags of one's own
    assert "red kite" not in names
