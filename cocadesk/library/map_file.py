"""The file of the places that media have on the map of likeness."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.library.atomic import written_atomically
from cocadesk.library.layout import MAP_NAME
from cocadesk.library.parts_file import Parts, PartsWriter

_FORMAT = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedMedia:
    """Media of one model's vectors with their places, by key.

    ``keys`` (N) are sorted, ``places_N2`` lie from 0 to 1. The first places were found for the
    media of ``sample`` (S indexes), against each other; all others among these.
    """

    image_id: str
    keys: NDArray[np.bytes_]
    places_N2: NDArray[np.float32]
    sample: NDArray[np.int32]


def read_map(folder: Path, image_id: str) -> PlacedMedia | None:
    """The places that were kept in a library for the vectors of ``image_id``; None: none were."""
    try:
        parts = Parts.of_file(folder / MAP_NAME)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("the map is made anew: %s", error)
        return None
    if parts.about != [_FORMAT, image_id]:
        return None
    return PlacedMedia(
        image_id=image_id,
        keys=np.array(parts.array("keys")),
        places_N2=np.array(parts.array("places")),
        sample=np.array(parts.array("sample")),
    )


def keep_map(folder: Path, placed: PlacedMedia) -> None:
    """Keep the places; where the disk refuses, they are found again next time."""
    try:
        with written_atomically(folder / MAP_NAME, durable=False) as file:
            writer = PartsWriter(file)
            writer.add("keys", placed.keys)
            writer.add("places", placed.places_N2)
            writer.add("sample", placed.sample)
            writer.finish([_FORMAT, placed.image_id])
    except UserError as error:
        log.warning("the map is not kept: %s", error)
