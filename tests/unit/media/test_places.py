"""Names of places by their position."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cocadesk.media.metadata.places import NamedPlace, gazetteer


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (48.8584, 2.2945, NamedPlace("Paris", "Île-de-France", "France")),
        (51.5080, -0.1281, NamedPlace("London", "England", "United Kingdom")),
        (35.0116, 135.7681, NamedPlace("Kyoto", "Kyoto", "Japan")),
        (-22.9519, -43.2105, NamedPlace("Rio de Janeiro", "Rio de Janeiro", "Brazil")),
        (60.1699, 24.9384, NamedPlace("Helsinki", "Uusimaa", "Finland")),
        (40.7580, -73.9855, NamedPlace("New York City", "New York", "United States")),
        (43.4674, 11.8851, NamedPlace("Arezzo", "Tuscany", "Italy")),
        (47.5576, 10.7498, NamedPlace("Schwangau", "Bavaria", "Germany")),
        (-33.8568, 151.2153, NamedPlace("Sydney", "New South Wales", "Australia")),
    ],
)
def test_a_position_has_the_name_that_people_would_give_it(
    latitude: float, longitude: float, expected: NamedPlace
) -> None:
    """A city as far as it reaches, else the nearest place."""
    assert gazetteer().nearest(latitude, longitude) == expected


def test_far_from_every_place_only_the_country_is_named_or_nothing() -> None:
    """Deep in one country; in the middle of an ocean; at a pole."""
    assert gazetteer().nearest(-24.6, 133.9) == NamedPlace(country="Australia")
    assert gazetteer().nearest(0.0, -140.0) == NamedPlace()
    assert gazetteer().nearest(-90.0, 0.0) == NamedPlace()


def test_the_date_line_is_no_edge() -> None:
    """A place on its other side is as near as it is."""
    west, east = gazetteer().nearest(-16.8, 179.99), gazetteer().nearest(-16.8, -179.99)
    assert west == east
    assert west.country == "Fiji"


def test_a_thousand_positions_are_named_in_under_a_second() -> None:
    """Less than a millisecond a photo, anywhere on Earth."""
    rng = np.random.default_rng(0)
    places = gazetteer()
    positions = zip(rng.uniform(-60, 70, 1000), rng.uniform(-180, 180, 1000), strict=True)
    began_s = time.process_time()
    for latitude, longitude in positions:
        places.nearest(latitude, longitude)
    assert time.process_time() - began_s < 1.0
