"""The fake engine's maps: its media on a spiral, or strewn over Europe."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.filters import FakeFilters
from cocadesk.fake_engine.rows import FakeContext, FakeMedium
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    MAP_STEPS,
    GetMap,
    MapColour,
    MapGroup,
    MapKind,
    MapPoints,
)
from cocadesk.protocol.values import WorkState

TURN = math.pi * (3 - math.sqrt(5))
WITHOUT_POSITION = 5
"""One of so many media has no position."""
OTHERS = "others"


class FakeMaps:
    """Answers for maps of made-up media."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._filters = FakeFilters(context, annotations)

    def _get_map(self, body: GetMap, call: Call) -> MapPoints:
        passing = self._filters.keys(self._context.media, body.filter)
        media = [self._context.media[key] for key in passing]
        call.progress(WorkState(stage="Laying out the map", done=50, total=100))
        placed = [medium for medium in media if _has_place(medium, body.kind)]
        shown = placed[: body.limit]
        names = [_group(medium, body.colour) for medium in shown]
        groups = list(dict.fromkeys(names))
        places = [_place(medium, body.kind) for medium in shown]
        call.partial(
            MapPoints(
                keys=tuple(medium.row.key for medium in shown),
                x=_steps([x for x, _ in places]),
                y=_steps([y for _, y in places]),
                group=tuple(map(groups.index, names)),
            )
        )
        return MapPoints(
            groups=tuple(MapGroup(name=name, count=names.count(name)) for name in groups),
            total=len(shown),
            left_out=len(placed) - len(shown),
            without=len(media) - len(placed),
        )


def _has_place(medium: FakeMedium, kind: MapKind) -> bool:
    return kind is MapKind.LIKENESS or medium.number % WITHOUT_POSITION > 0


def _place(medium: FakeMedium, kind: MapKind) -> tuple[float, float]:
    away = math.sqrt(medium.number / (medium.number + 30)) / 2
    x = 0.5 + away * math.cos(TURN * medium.number)
    y = 0.5 + away * math.sin(TURN * medium.number)
    if kind is MapKind.LIKENESS:
        return x, y
    longitude, latitude = 30 * x - 5, 60 - 18 * y
    return (longitude + 180) / 360, (90 - latitude) / 180


def _steps(shares: Sequence[float]) -> tuple[int, ...]:
    return tuple(min(MAP_STEPS - 1, max(0, int(share * MAP_STEPS))) for share in shares)


def _group(medium: FakeMedium, colour: MapColour) -> str:
    if colour is MapColour.YEAR:
        return (medium.row.taken or "")[:4] or OTHERS
    if colour is MapColour.FOLDER:
        return medium.row.folder
    if colour is MapColour.TAG:
        return medium.tags[0].tag if medium.tags else OTHERS
    return ""
