"""The places of media on the map of likeness: found once, kept, and added to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.library import Library
from cocadesk.library.map_file import PlacedMedia, keep_map, read_map
from cocadesk.search.filters import EVERYTHING
from cocadesk.search.map_layout import SAMPLE, lay_out, place_among
from cocadesk.search.matching import matching_numbers

_PIECE = 4096
_GROWTH = 1.5
"""A library that has grown so much is laid out anew: what is new may be unlike all before."""
_KEPT_SAMPLE = 0.8
_SEED = 0


class LikenessPlaces:
    """The places of one library's media. One thread at a time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._placed: PlacedMedia | None = None

    def of(self, keys: Sequence[str], report: Callable[[float], None]) -> NDArray[np.float32]:
        """(N, 2) places from 0 to 1 of these media; NaN for those that have no vector.

        ``report`` is told the share that is done, 0 to 1; what it raises ends the work.
        """
        wanted = np.array([key.encode() for key in keys], "S26")
        image_id = self._library.model
        if image_id is None or not self._library.views.has(image_id) or not len(wanted):
            return np.full((len(wanted), 2), np.nan, np.float32)
        placed = self._placed
        if placed is None or placed.image_id != image_id:
            placed = read_map(self._library.folder, image_id)
        grown = None if placed is None else self._grown(placed, wanted)
        if grown is None:
            grown = self._made(image_id, report)
        if grown is not self._placed:
            self._placed = grown
            if grown is not placed:
                self._keep(grown)
        return _found(grown, wanted)

    def _grown(self, placed: PlacedMedia, wanted: NDArray[np.bytes_]) -> PlacedMedia | None:
        """With the media that have come since; None where all must be laid out anew."""
        new = wanted[~np.isin(wanted, placed.keys)]
        if not len(new):
            return placed
        if len(new) + len(placed.keys) > _GROWTH * max(len(placed.keys), SAMPLE / _GROWTH):
            return None
        sample = [key.decode() for key in placed.keys[placed.sample].tolist()]
        vectors = self._wholes(placed.image_id, sample)
        is_there = np.array([key in vectors for key in sample])
        if is_there.sum() < max(1, _KEPT_SAMPLE * len(sample)):
            return None
        sample_SD = np.stack([vectors[key] for key in sample if key in vectors])
        sample_S2 = placed.places_N2[placed.sample][is_there]
        keys, places = [placed.keys], [placed.places_N2]
        for start in range(0, len(new), _PIECE):
            own = self._wholes(placed.image_id, [k.decode() for k in new[start : start + _PIECE]])
            if own:
                keys.append(np.array([key.encode() for key in own], "S26"))
                places.append(place_among(np.stack(list(own.values())), sample_SD, sample_S2))
        if len(keys) == 1:
            return placed
        chosen = placed.keys[placed.sample]
        return _sorted(placed.image_id, np.concatenate(keys), np.concatenate(places), chosen)

    def _wholes(self, image_id: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        found = self._library.views.vectors_of(image_id, keys)
        return {key: own[0].vector for key, own in found.items() if own and own[0].view == 0}

    def _made(self, image_id: str, report: Callable[[float], None]) -> PlacedMedia:
        """All media laid out: a sample against each other, then all among these."""
        views = self._library.views
        all_keys = [key for keys, _ in views.wholes(image_id) for key in keys]
        order = np.random.default_rng(_SEED).permutation(len(all_keys))[:SAMPLE]
        sample = [all_keys[n] for n in sorted(order.tolist())]
        vectors = self._wholes(image_id, sample)
        if not vectors:
            return _nobody(image_id)
        sample_SD = np.stack(list(vectors.values()))
        sample_S2 = lay_out(sample_SD, lambda share: report(0.8 * share))
        keys, places = [], []
        done = 0
        for own, vectors_ND in views.wholes(image_id):
            keys.append(np.array([key.encode() for key in own], "S26"))
            places.append(place_among(vectors_ND, sample_SD, sample_S2))
            done += len(own)
            report(0.8 + 0.2 * done / max(len(all_keys), 1))
        chosen = np.array([key.encode() for key in vectors], "S26")
        # Its own places come first, and count: of equal keys the first stays.
        all_keys_N = np.concatenate([chosen, *keys])
        return _sorted(image_id, all_keys_N, np.concatenate([sample_S2, *places]), chosen)

    def _keep(self, placed: PlacedMedia) -> None:
        """Keep the places in the library, without media that were forgotten meanwhile."""
        if not self._library.is_writer:
            return
        with self._library.writing():
            found = matching_numbers(self._library.results, EVERYTHING, ())
            if found is None:
                return
            columns, numbers = found
            there = np.array([columns.keys.key(n).encode() for n in numbers.tolist()], "S26")
            keep_map(self._library.folder, _only(placed, there))


def _nobody(image_id: str) -> PlacedMedia:
    return PlacedMedia(
        image_id=image_id,
        keys=np.zeros(0, "S26"),
        places_N2=np.zeros((0, 2), np.float32),
        sample=np.zeros(0, np.int32),
    )


def _only(placed: PlacedMedia, keys: NDArray[np.bytes_]) -> PlacedMedia:
    """The media of these keys alone."""
    is_kept = np.isin(placed.keys, keys)
    if is_kept.all():
        return placed
    sample = placed.keys[placed.sample]
    return _sorted(
        placed.image_id,
        placed.keys[is_kept],
        placed.places_N2[is_kept],
        sample[np.isin(sample, keys)],
    )


def _sorted(
    image_id: str,
    keys: NDArray[np.bytes_],
    places_N2: NDArray[np.float32],
    sample: NDArray[np.bytes_],
) -> PlacedMedia:
    """One place a medium, by key; ``sample`` are the keys of the first ones."""
    keys, first = np.unique(keys, return_index=True)
    return PlacedMedia(
        image_id=image_id,
        keys=keys,
        places_N2=places_N2[first],
        sample=np.searchsorted(keys, np.sort(sample)).astype(np.int32),
    )


def _found(placed: PlacedMedia, wanted: NDArray[np.bytes_]) -> NDArray[np.float32]:
    if not len(placed.keys):
        return np.full((len(wanted), 2), np.nan, np.float32)
    places = np.minimum(np.searchsorted(placed.keys, wanted), len(placed.keys) - 1)
    found_N2 = placed.places_N2[places].copy()
    found_N2[placed.keys[places] != wanted] = np.nan
    return found_N2
