"""Requests for maps: media as points, by what they show or where they were taken."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.likeness import LikenessPlaces
from cocadesk.errors import UserError, tr
from cocadesk.library.catalogue import NEWEST
from cocadesk.library.columns import MediaColumns
from cocadesk.library.paths import fold
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
from cocadesk.search.field_values import FieldValues
from cocadesk.search.filters import parse_filter, unless_missing
from cocadesk.search.map_groups import NO_TAG, NO_TIME, OTHERS, Grouped, by_folder, by_tag, by_year
from cocadesk.search.matching import matching_numbers

STRETCH = 2000
STAGE = tr("Laying out the map")
_VALUES = 50
"""Among so many values of most media are the groups of a map."""
_RESTS = {OTHERS: tr("All others"), NO_TAG: tr("No tag"), NO_TIME: tr("No date")}

_COLOURS = {
    MapColour.YEAR: (NEWEST, by_year),
    MapColour.FOLDER: ("folder", by_folder),
    MapColour.TAG: ("tag", by_tag),
}


class MapHandler(RequestHandler):
    """Answers for maps. Any thread; one map of likeness is made at a time."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._likeness = LikenessPlaces(context.library)
        self._values = FieldValues(context.library)
        self._lock = threading.Lock()

    def _get_map(self, body: GetMap, call: Call) -> None:
        parse_filter(body.filter)  # a bad one is told at once
        self._context.run_long(call, lambda: self._answer(body, call), name="map")

    def _answer(self, body: GetMap, call: Call) -> MapPoints:
        among = unless_missing(parse_filter(body.filter))
        field, colour = _COLOURS.get(body.colour, ("", None))
        asked = among.fields() | {"latitude", "longitude"} | ({field} if field else set())
        found = matching_numbers(self._library.results, among, asked)
        if found is None:
            raise UserError(
                tr("The map can't be drawn yet."),
                tr("The library's files for quick searches are still being made."),
                tr("Try again in a few minutes."),
            )
        columns, numbers = found
        places_N2 = self._places(body.kind, columns, numbers, call)
        has_place = ~np.isnan(places_N2[:, 0])
        numbers, places_N2 = numbers[has_place], places_N2[has_place]
        total, without = len(numbers), int((~has_place).sum())
        if total > body.limit:
            some = np.linspace(0, total - 1, max(body.limit, 1)).astype(np.int64)
            numbers, places_N2 = numbers[some], places_N2[some]
        grouped = Grouped(np.zeros(len(numbers), np.int32), ("",))
        if colour is not None:
            grouped = colour(columns, numbers)
        self._send(call, columns, numbers, places_N2, grouped)
        names = self._written(body.colour, grouped.names)
        sizes = np.bincount(grouped.group_N, minlength=len(grouped.names)).tolist()
        return MapPoints(
            total=len(numbers),
            groups=tuple(
                MapGroup(name=name, count=size) for name, size in zip(names, sizes, strict=True)
            ),
            left_out=total - len(numbers),
            without=without,
        )

    def _places(
        self, kind: MapKind, columns: MediaColumns, numbers: NDArray[np.integer], call: Call
    ) -> NDArray[np.float32]:
        """(N, 2) places from 0 to 1 of the media of these numbers; NaN where one has none."""
        if kind is MapKind.WORLD:
            return _in_world(columns, numbers)
        begun_s = time.monotonic()

        def report(share: float) -> None:
            call.check()
            spent_s = time.monotonic() - begun_s
            left_s = spent_s * (1 - share) / share if share > 0.05 else None
            call.progress(
                WorkState(stage=STAGE, done=round(share * 100), total=100, seconds_left=left_s)
            )

        with self._lock:
            call.check()
            keys: Sequence[str] = [columns.keys.key(number) for number in numbers.tolist()]
            return self._likeness.of(keys, report)

    def _written(self, colour: MapColour, names: Sequence[str]) -> list[str]:
        """The names as people write them: columns in memory know them in lower case."""
        if colour not in (MapColour.FOLDER, MapColour.TAG):
            return list(names)
        values = self._values.of(colour.value, limit=_VALUES)
        texts = [value.text.rstrip(os.sep).rpartition(os.sep)[2] if colour is MapColour.FOLDER
                 else value.text for value in values]  # fmt: skip
        known = {fold(text): text for text in reversed(texts)}
        return [known.get(name, _RESTS.get(name, name)) for name in names]

    def _send(
        self,
        call: Call,
        columns: MediaColumns,
        numbers: NDArray[np.integer],
        places_N2: NDArray[np.float32],
        grouped: Grouped,
    ) -> None:
        steps_N2 = np.clip(places_N2.astype(np.float64) * MAP_STEPS, 0, MAP_STEPS - 1)
        steps_N2 = steps_N2.astype(np.int64)
        for start in range(0, len(numbers), STRETCH):
            call.check()
            part = slice(start, start + STRETCH)
            call.partial(
                MapPoints(
                    keys=tuple(map(columns.keys.key, numbers[part].tolist())),
                    x=tuple(steps_N2[part, 0].tolist()),
                    y=tuple(steps_N2[part, 1].tolist()),
                    group=tuple(grouped.group_N[part].tolist()),
                )
            )


def _in_world(columns: MediaColumns, numbers: NDArray[np.integer]) -> NDArray[np.float32]:
    latitude_N = columns.ordered("latitude").values[numbers]
    longitude_N = columns.ordered("longitude").values[numbers]
    places_N2 = np.stack([(longitude_N + 180) / 360, (90 - latitude_N) / 180], axis=1)
    places_N2[np.isnan(places_N2).any(1)] = np.nan
    return places_N2
