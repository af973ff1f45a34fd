"""Names of places by their position, from GeoNames' places that come along; no network.

``resources/places`` has some 155,000 places with 1,000 people or more, and which region and
country they lie in. They are loaded with the first question and take about 7 MB.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocadesk.resources import resource_path

_EARTH_KM = 6371.0088
_FARTHEST_KM = 50.0
"""A place that is farther away than this is none: the desert, the sea."""
_SAME_COUNTRY_KM = 150.0
"""Without a place, the country is named where all that is so near lies in one."""
_KM_PER_ROOT = 0.004
"""A city reaches that many km around its middle for each root of its people: Paris 6, London 12.

So a photo at Trafalgar Square is in London, not in the quarter whose middle is nearest.
"""


UNITS_PER_DEGREE = 1e5
"""Positions are kept to a hundred thousandth of a degree, about a metre."""


class NamedPlace(NamedTuple):
    """Place, region and country of a position, in English where there is such a name."""

    place: str | None = None
    region: str | None = None
    country: str | None = None


class Gazetteer:
    """Places by rising latitude; any thread."""

    def __init__(self, file: Path) -> None:
        with np.load(file, allow_pickle=False) as arrays:
            self._latitudes = _degrees(np.cumsum(_unpacked(arrays["latitudes"]), dtype=np.int32))
            longitudes = _degrees(_unpacked(arrays["longitudes"]))
            self._people = _unpacked(arrays["people"])
            self._regions = arrays["regions"]
            self._countries = arrays["countries"]
            self._ends = np.cumsum(arrays["lengths"], dtype=np.uint32)
            self._names = arrays["names"].tobytes()
            names: dict[str, list[str]] = json.loads(arrays["texts"].tobytes())
        self._units_N3 = _units(self._latitudes, longitudes).astype(np.float32)
        self._region_names, self._country_names = names["regions"], names["countries"]

    def nearest(self, latitude: float, longitude: float) -> NamedPlace:
        """The place at a position: the city that reaches there, else the nearest one.

        Where none is near, the country alone, where that is beyond doubt.
        """
        first, km = self._around(latitude, longitude, _FARTHEST_KM)
        near = np.flatnonzero(km <= _FARTHEST_KM)
        if not len(near):
            return NamedPlace(country=self._only_country(latitude, longitude))
        people = self._people[first + near]
        reaches = km[near] <= _KM_PER_ROOT * np.sqrt(people)
        best = near[np.argmax(np.where(reaches, people, -1))] if reaches.any() else km.argmin()
        place = int(first + best)
        start = int(self._ends[place - 1]) if place else 0
        return NamedPlace(
            place=self._names[start : int(self._ends[place])].decode(),
            region=self._region_names[int(self._regions[place])] or None,
            country=self._country_names[int(self._countries[place])],
        )

    def _around(
        self, latitude: float, longitude: float, within_km: float
    ) -> tuple[int, NDArray[np.float64]]:
        """Number of the first place in a belt of latitudes, and the distance of each in it."""
        belt = np.degrees(within_km / _EARTH_KM)
        first, end = np.searchsorted(self._latitudes, (latitude - belt, latitude + belt))
        unit = _units(np.float64(latitude), np.float64(longitude))
        # By the chord: a cosine near 1 has too few digits for a village.
        apart_N3 = self._units_N3[first:end] - unit
        chords = np.sqrt(np.einsum("ij,ij->i", apart_N3, apart_N3))
        return int(first), 2 * _EARTH_KM * np.arcsin(np.minimum(chords / 2, 1.0))

    def _only_country(self, latitude: float, longitude: float) -> str | None:
        first, km = self._around(latitude, longitude, _SAME_COUNTRY_KM)
        near = np.flatnonzero(km <= _SAME_COUNTRY_KM)
        found = np.unique(self._countries[first + near])
        return self._country_names[int(found[0])] if len(found) == 1 else None


def _unpacked(bytes_4N: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Whole numbers from their bytes, lowest first (tools/build_places.py)."""
    return np.ascontiguousarray(bytes_4N.T).view("<i4")[:, 0]


def _degrees(units: NDArray[np.int32]) -> NDArray[np.float32]:
    return (units / UNITS_PER_DEGREE).astype(np.float32)


def _units(latitudes: Any, longitudes: Any) -> NDArray[np.float64]:
    """(..., 3): positions in degrees as points of a sphere of radius 1."""
    north, east = np.radians(latitudes), np.radians(longitudes)
    across = np.cos(north)
    return np.stack([across * np.cos(east), across * np.sin(east), np.sin(north)], axis=-1)


@cache
def gazetteer() -> Gazetteer:
    """The places that come along."""
    return Gazetteer(resource_path("places", "places.npz"))
