"""The media to be compared, as arrays: what the tables know of each, and what is known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import blake2b
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.groups import (
    AS_COPY,
    BURST,
    EXACT,
    PRINT_BYTES,
    SAME,
    STATE,
    Compared,
    stored_keys,
)
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaKind
from cocadesk.vectors import unit_vectors

_COLUMNS = (
    "key", "file_hash", "picture_hash", "kind", "size_bytes", "width", "height", "taken",
    "camera", "exposure_s", "iso",
)  # fmt: skip
NEVER = np.iinfo(np.int64).min
_PRINTED, _COMPARED = 1, STATE
"""The lower bits of a mark: the print was made; the medium was compared with all others (or
was, as ``AS_COPY``, not looked at for itself: another one has the same picture)."""
SCALE = 254
_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gathered:
    """All media whose files are not missing, in the order of their keys.

    ``known`` holds the same media, with what was found before: links only between those that
    are not ``is_new``. ``facts`` tells a changed medium from the one that was compared;
    ``files`` are numbers of hashes (0: none), ``pictures`` hashes, ``taken_us`` the local time
    (or the lowest number), ``cameras`` and ``exposures`` numbers that are the same for the same
    ones (0: unknown). ``vectors`` are (N, D + 64): a vector of the model, and room for a print,
    each at unit norm (``SCALE`` is one; zeros: there is none). ``is_first_of_picture``: no
    medium before it has the same picture.
    """

    known: Compared
    facts: NDArray[np.uint64]
    is_new: NDArray[np.bool_]
    has_print: NDArray[np.bool_]
    files: NDArray[np.uint64]
    pictures: NDArray[np.bytes_]
    is_photo: NDArray[np.bool_]
    is_first_of_picture: NDArray[np.bool_]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    taken_us: NDArray[np.int64]
    cameras: NDArray[np.int64]
    exposures: NDArray[np.int64]
    vectors: NDArray[np.int8]

    def marks(self, is_done: NDArray[np.bool_], has_print: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """The marks of media that are done with, or have a print by now."""
        compared = np.where(self.is_first_of_picture, _COMPARED, AS_COPY)
        state = np.where(is_done, compared, np.where(has_print, _PRINTED, 0))
        return self.facts | state.astype(np.uint64)

    def seconds_between(self, one: int, other: int) -> float | None:
        """The time between two media; None where that of one is not known."""
        first, second = int(self.taken_us[one]), int(self.taken_us[other])
        return None if NEVER in (first, second) else abs(first - second) / 1e6

    def may_be_same(self, one: int, other: int) -> bool:
        """True unless time or exposure say that two photos were taken one after the other.

        A save may drop the parts of a second, and all of it, but it makes no other time.
        """
        seconds = self.seconds_between(one, other)
        if seconds is not None:
            whole = 0 in (int(self.taken_us[one]) % 10**6, int(self.taken_us[other]) % 10**6)
            if seconds >= 1 or (seconds and not whole):
                return False
        first, second = int(self.exposures[one]), int(self.exposures[other])
        return 0 in (first, second) or first == second

    def is_one_camera(self, one: int, other: int) -> bool:
        """True unless two photos come from different cameras."""
        return bool(self.cameras[one] == self.cameras[other])

    def next_in_time(self, most_s: float, following: int) -> NDArray[np.int32]:
        """(P, 2) pairs of photos of one camera, taken one soon after the other."""
        places = np.flatnonzero(self.is_photo & (self.taken_us != NEVER)).astype(np.int32)
        order = places[np.lexsort((places, self.taken_us[places], self.cameras[places]))]
        found = [np.zeros((0, 2), np.int32)]
        for step in range(1, following + 1):
            pairs = np.stack([order[:-step], order[step:]], axis=1)
            is_soon = np.diff(self.taken_us[pairs], axis=1)[:, 0] <= most_s * 1e6
            is_one = self.cameras[pairs[:, 0]] == self.cameras[pairs[:, 1]]
            found.append(pairs[is_soon & is_one])
        return np.concatenate(found)


def gathered(library: Library, image_id: str, known: Compared) -> Gathered:
    """All media of a library beside what is known of them."""
    batches = [
        _arrays({name: batch.column(name).to_pylist() for name in _COLUMNS})
        for batch in library.media.columns(_COLUMNS)
    ] or [_arrays({name: [] for name in _COLUMNS})]
    of = {name: np.concatenate([own.pop(name) for own in batches]) for name in [*batches[0]]}
    order = np.argsort(of["keys"])
    of = {name: values[order] for name, values in of.items()}
    keys, sizes, facts = of.pop("keys"), of.pop("sizes"), of["facts"]
    is_first = np.zeros(len(keys), np.bool_)
    is_first[np.unique(of["pictures"], return_index=True)[1]] = True
    before, is_new, has_print = _carried_over(known, Compared.of(keys, facts, sizes), is_first)
    return Gathered(
        known=before,
        is_new=is_new,
        has_print=has_print,
        is_first_of_picture=is_first,
        vectors=_vectors(library, image_id, before),
        **of,
    )


def _arrays(of: Mapping[str, Sequence[Any]]) -> dict[str, NDArray[Any]]:
    """Some media as arrays, from their columns: so many texts would fill the memory."""
    return {
        "keys": stored_keys(of["key"]),
        "sizes": np.array(of["size_bytes"], np.int64),
        "facts": np.array(list(map(_facts, *(of[n] for n in _COLUMNS[1:]))), np.uint64),
        "files": np.array(list(map(_digest, of["file_hash"])), np.uint64),
        "pictures": np.array([text.encode() for text in of["picture_hash"]], "S"),
        "is_photo": np.array([kind == MediaKind.PHOTO for kind in of["kind"]], np.bool_),
        "widths": np.array(of["width"], np.int32),
        "heights": np.array(of["height"], np.int32),
        "taken_us": np.array(list(map(_micros, of["taken"])), np.int64),
        "cameras": np.array([_number(camera) for camera in of["camera"]], np.int64),
        "exposures": np.array(list(map(_exposure, of["exposure_s"], of["iso"])), np.int64),
    }


def _carried_over(
    known: Compared, fresh: Compared, is_first: NDArray[np.bool_]
) -> tuple[Compared, NDArray[np.bool_], NDArray[np.bool_]]:
    """The media of ``fresh`` with what is known; which are new, and which have a print.

    One that has become the first of its picture is as good as new: it was never looked at, and
    the links of the one before it are gone with that.
    """
    places = fresh.places(known.keys)
    is_kept = places >= 0
    is_kept[is_kept] = (known.marks[is_kept] >> 2) == (fresh.marks[places[is_kept]] >> 2)
    kept = known.only(is_kept)
    to = fresh.places(kept.keys)
    prints, sharpness = fresh.prints.copy(), fresh.sharpness.copy()
    prints[to], sharpness[to] = kept.prints, kept.sharpness
    state = np.zeros(len(fresh.keys), np.uint64)
    state[to] = kept.marks & np.uint64(_COMPARED)
    is_new = (state < AS_COPY) | ((state == AS_COPY) & is_first)
    pairs = to[kept.pairs]
    # Links of equal hashes are made anew each time, and those of half compared media too.
    is_known = ~is_new[pairs].any(axis=1) & (kept.left != 0)
    left = kept.left[is_known]
    return (
        Compared(
            keys=fresh.keys,
            marks=fresh.marks,
            sizes=fresh.sizes,
            prints=prints,
            sharpness=sharpness,
            pairs=pairs[is_known],
            # As they were found: of some it was refused, beside others, to be the same.
            labels=np.where(np.isnan(left), BURST, SAME).astype(np.uint8),
            left=left,
            former=to[kept.former],
            former_labels=kept.former_labels,
        ),
        is_new,
        state > 0,
    )


def star_links(
    media: Gathered, prints: NDArray[np.int8]
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Links of each medium with the first one of the same bytes, and of the same picture.

    Pictures of one tone have one hash and are no copies; a picture that was taken at another
    time goes with the first of that time.
    """
    copies = _stars(media.files)
    of_tones = np.where(prints.any(axis=1), media.pictures, np.zeros(1, media.pictures.dtype))
    stars = _stars(of_tones)
    may_be = np.array([media.may_be_same(*pair) for pair in stars.tolist()], np.bool_)
    late = np.unique(stars[~may_be, 1])
    moments = np.unique(
        np.stack([media.taken_us[late], media.exposures[late]], axis=1), axis=0, return_inverse=True
    )[1]
    pictures = np.unique(of_tones[late], return_inverse=True)[1]
    later = late[_stars(pictures.ravel() * (len(late) + 1) + moments.ravel() + 1)]
    pairs = np.concatenate([copies, stars[may_be], later]).astype(np.int32)
    levels = np.full(len(pairs), SAME, np.uint8)
    levels[: len(copies)] = EXACT
    return pairs, levels


def _stars(hashes: NDArray[Any]) -> NDArray[np.int32]:
    """Pairs of the first of each hash, and each other one of it; none of an empty one."""
    _, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    firsts = first[which]
    is_other = (firsts != np.arange(len(hashes))) & (hashes != np.zeros(1, hashes.dtype))
    others = np.flatnonzero(is_other)
    return np.stack([firsts[others], others], axis=1).astype(np.int32)


def closest_links(
    pairs: NDArray[np.int32], labels: NDArray[np.uint8], left: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.float32]]:
    """Each pair once, the lower place first, with the closest of its links."""
    pairs = np.sort(pairs, axis=1)
    order = np.lexsort((left, labels, pairs[:, 1], pairs[:, 0]))
    pairs, labels, left = pairs[order], labels[order], left[order]
    is_first = np.ones(len(pairs), np.bool_)
    is_first[1:] = (np.diff(pairs, axis=0) != 0).any(axis=1)
    return pairs[is_first], labels[is_first], left[is_first]


def _facts(file_hash: str, picture_hash: str, *others: object) -> int:
    """A number over all that counts of a medium, with room for two bits."""
    return (crc32(f"{file_hash} {others}".encode()) << 32 | crc32(picture_hash.encode())) & ~3


def _digest(text: str) -> int:
    """A number for a text, 0 for none: no two of some millions have the same."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) if text else 0


def _micros(taken: datetime | None) -> int:
    """The time; none at midnight sharp, which is what a date without a time is read as."""
    return (
        NEVER
        if taken is None or taken.time() == time()
        else int(np.datetime64(taken, "us").astype(np.int64))
    )


def _number(text: str | None) -> int:
    return crc32(text.encode()) + 1 if text else 0


def _exposure(exposure_s: float | None, iso: int | None) -> int:
    return 0 if exposure_s is None else _number(f"{exposure_s:.3g} {iso}")


def scaled(vectors_ND: NDArray[Any]) -> NDArray[np.int8]:
    """Vectors at unit norm, in whole numbers of which ``SCALE`` is one."""
    found = np.empty(vectors_ND.shape, np.int8)
    for start in range(0, len(found), _AT_ONCE):
        part = vectors_ND[start : start + _AT_ONCE].astype(np.float32)
        found[start : start + _AT_ONCE] = np.clip(np.round(unit_vectors(part) * SCALE), -127, 127)
    return found


def _vectors(library: Library, image_id: str, fresh: Compared) -> NDArray[np.int8]:
    """The wholes of all media, and room for their prints."""
    found = np.zeros((len(fresh.keys), PRINT_BYTES), np.int8)
    is_first = True
    for keys, vectors_ND in library.views.wholes(image_id):
        if is_first:
            found = np.zeros((len(found), vectors_ND.shape[1] + PRINT_BYTES), np.int8)
            is_first = False
        places = fresh.places(stored_keys(keys))
        is_there = places >= 0
        found[places[is_there], :-PRINT_BYTES] = scaled(vectors_ND[is_there])
    return found
