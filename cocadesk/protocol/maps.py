"""The messages about maps: media as points, by what they show or where they were taken."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import Value

MAP_STEPS = 1 << 24
"""Points lie at whole numbers from 0 to one less than this, from left to right and down."""


class MapKind(StrEnum):
    """What the place of a medium on a map says."""

    LIKENESS = "likeness"
    WORLD = "world"


class MapColour(StrEnum):
    """What the colour of a medium on a map says."""

    NOTHING = "nothing"
    YEAR = "year"
    FOLDER = "folder"
    TAG = "tag"


class MapGroup(Value, frozen=True):
    """The media of one colour; ``name`` is a year, a folder's name or a tag."""

    name: str
    count: int


class MapPoints(ReplyBody, frozen=True):
    """Some media of a map, in parallel: key, place and the number of the group.

    On the map of the world ``x`` runs from 180° west to 180° east and ``y`` from 90° north to
    90° south. The final answer carries no points but what is known of all: the groups by
    number and the ``total`` of points. ``left_out`` media were left out evenly because there
    are too many; ``without`` have no place: no vector, or no position.
    """

    keys: tuple[str, ...] = ()
    x: tuple[int, ...] = ()
    y: tuple[int, ...] = ()
    group: tuple[int, ...] = ()
    groups: tuple[MapGroup, ...] = ()
    total: int = 0
    left_out: int = 0
    without: int = 0


class GetMap(RequestBody, frozen=True):
    """The media that pass a filter as points; answered by ``MapPoints``, the points as parts.

    ``limit``: at most so many points. The places of likeness are found when they are first
    asked for, which takes seconds and gives ``Progress``.
    """

    kind: MapKind = MapKind.LIKENESS
    colour: MapColour = MapColour.YEAR
    filter: str = ""
    limit: int = 100_000
