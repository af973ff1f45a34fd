"""Same pictures found: what has come since the last time is compared with all.

Candidates come from three places: equal hashes, vectors or tiny prints that lie near each
other, and times of one camera that do. Thumbnails decide (``media.photo.likeness``). The state
is written every half minute, so that a killed job goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.close_groups import close_labels
from cocadesk.indexing.compared_media import (
    Gathered,
    closest_links,
    gathered,
    scaled,
    star_links,
)
from cocadesk.indexing.moved_prints import moved_cosines
from cocadesk.indexing.near_pairs import near_pairs
from cocadesk.indexing.types import GroupingProgress, GroupingReport, GroupingStage
from cocadesk.library.edits import apart_pairs
from cocadesk.library.groups import (
    BURST,
    EXACT,
    PRINT_BYTES,
    SAME,
    MediaGroups,
    no_labels,
    no_pairs,
)
from cocadesk.library.library import Library
from cocadesk.media.photo.likeness import (
    SmallPicture,
    is_alike,
    likeness,
    small_picture,
    tiny_print,
)
from cocadesk.vectors import unit_vectors

COMMIT_EVERY_S = 30.0
_STEP_S = 0.2
_PICTURES_KEPT = 256
_NEAR = 0.775
"""The mean of the cosines of vectors and prints from which two photos are looked at. A small
re-save's vector may be quite another and its print is the same; a crop's print has moved (98 %
of crops by a tenth, saved small and badly, lie above)."""
_NEAR_PRINTS, _MOVED_PRINTS = 0.95, 0.86
"""Prints as near as this, or once one is moved over the other; this spares half of the looks."""
_BURST_VECTORS, _BURST_ALIKE = 0.75, 0.6
BURST_S = 5.0
"""Neighbours of a burst were taken within so many seconds of each other."""
_NEXT_IN_TIME = 4
_LEFT_LEAST = 1e-6
"""Nothing at all is left between equal hashes only."""
_PAIRS_AT_ONCE = 4096
_BROUGHT_AT_ONCE = 64


def group_steps(
    library: Library, image_id: str, *, again: bool = False, commit_every_s: float = COMMIT_EVERY_S
) -> Generator[GroupingProgress, None, GroupingReport]:
    """Compare what is new, and write the groups.

    Raises:
        UserError: the disk refuses.
    """
    began_s = time.monotonic()
    yield GroupingProgress(stage=GroupingStage.READ, done=0, total=None)
    groups = library.results.groups
    known = groups.compared(image_id)
    if again or not len(known.keys):
        known = groups.outdated()
    media = gathered(library, image_id, known)
    work = _Comparing(library, image_id, media, commit_every_s)
    yield from work.print_steps()
    yield from work.compare_steps()
    found = work.commit(is_whole=True)
    return GroupingReport(
        compared=int(np.count_nonzero(media.is_new)),
        exact=len(found.of_label(EXACT)),
        same=len(found.of_label(SAME)),
        burst=len(found.of_label(BURST)),
        seconds=time.monotonic() - began_s,
    )


@dataclass(frozen=True, slots=True)
class _Candidates:
    """(P, 2) pairs of places to be looked at, in the order of the new media that they wait for."""

    pairs: NDArray[np.int32]
    last: NDArray[np.int32]


class _Comparing:
    """One run of the job over the media that were gathered."""

    def __init__(
        self, library: Library, image_id: str, media: Gathered, commit_every_s: float
    ) -> None:
        self._library = library
        self._image_id = image_id
        self._media = media
        self._every_s = commit_every_s
        self._committed_s = time.monotonic()
        known = media.known
        self._prints = known.prints.copy()
        self._sharpness = known.sharpness.copy()
        self._has_print = media.has_print.copy()
        self._is_done = ~media.is_new
        self._links: list[tuple[int, int, int]] = []
        self._left: list[float] = []
        self._picture = lru_cache(_PICTURES_KEPT)(self._read_picture)

    # Prints -----------------------------------------------------------------------------

    def print_steps(self) -> Iterator[GroupingProgress]:
        """Make the tiny prints that are lacking, from the thumbnails."""
        missing = np.flatnonzero(~self._has_print).tolist()
        step_s = time.monotonic()
        for done, place in enumerate(missing):
            if done % _BROUGHT_AT_ONCE == 0:
                self._bring(missing[done : done + _BROUGHT_AT_ONCE])
            if time.monotonic() - step_s > _STEP_S:
                yield GroupingProgress(stage=GroupingStage.READ, done=done, total=len(missing))
                self._commit_in_time()
                step_s = time.monotonic()
            jpeg = self._thumbnail(place)
            made = None if jpeg is None else tiny_print(jpeg)
            self._prints[place] = np.zeros(PRINT_BYTES, np.int8) if made is None else made
            self._has_print[place] = True

    def _bring(self, places: Sequence[int]) -> None:
        """Have these thumbnails here, where the library is kept in an object store."""
        self._library.thumbnails.bring(map(self._path, places))

    def _path(self, place: int) -> Path:
        return self._library.thumbnails.path(bytes(self._media.pictures[place]).decode())

    def _thumbnail(self, place: int) -> bytes | None:
        try:
            return self._path(place).read_bytes()
        except OSError:
            return None

    def _read_picture(self, place: int) -> SmallPicture | None:
        self._bring([place])
        jpeg, media = self._thumbnail(place), self._media
        if jpeg is None:
            return None
        return small_picture(jpeg, int(media.widths[place]), int(media.heights[place]))

    # Pairs ------------------------------------------------------------------------------

    def compare_steps(self) -> Iterator[GroupingProgress]:
        """Look at all candidates; those of each new medium one after the other."""
        found = []
        for pairs in self._near():
            found.append(pairs)
            yield GroupingProgress(stage=GroupingStage.SEARCH, done=0, total=None)
            self._commit_in_time()
        candidates = self._ordered(found)
        total = len(candidates.pairs)
        step_s = time.monotonic()
        for done, (one, other) in enumerate(candidates.pairs.tolist()):
            if time.monotonic() - step_s > _STEP_S:
                self._is_done[: int(candidates.last[done])] = True
                yield GroupingProgress(stage=GroupingStage.COMPARE, done=done, total=total)
                self._commit_in_time()
                step_s = time.monotonic()
            self._look(one, other)
        self._is_done[:] = True

    def _near(self) -> Iterator[NDArray[np.int32]]:
        """Pairs of which one is new, that may show the same or follow each other."""
        media = self._media
        vectors = media.vectors
        vectors[:, -PRINT_BYTES:] = scaled(self._prints)
        has_both = vectors[:, :-PRINT_BYTES].any(axis=1) & vectors[:, -PRINT_BYTES:].any(axis=1)
        is_looked_at = media.is_photo & media.is_first_of_picture & has_both
        for pairs in near_pairs(vectors, is_looked_at, media.is_new, _NEAR):
            yield pairs[self._may_be_moved(pairs)]
        pairs = media.next_in_time(BURST_S, _NEXT_IN_TIME)
        pairs = pairs[media.is_new[pairs].any(axis=1)]
        yield pairs[_cosines(vectors[:, :-PRINT_BYTES], pairs) >= _BURST_VECTORS]

    def _may_be_moved(self, pairs: NDArray[np.int32]) -> NDArray[np.bool_]:
        """True for each pair whose prints are near, perhaps once one is moved over the other."""
        is_near = _cosines(self._prints, pairs) >= _NEAR_PRINTS
        others = np.flatnonzero(~is_near)
        one, other = self._prints[pairs[others]].transpose(1, 0, 2)
        is_near[others] = moved_cosines(one, other) >= _MOVED_PRINTS
        return is_near

    def _ordered(self, found: list[NDArray[np.int32]]) -> _Candidates:
        """Each pair once; media are done in the order of their places."""
        pairs = np.concatenate([np.zeros((0, 2), np.int32), *found])
        pairs = np.unique(np.sort(pairs, axis=1), axis=0).astype(np.int32)
        is_new = self._media.is_new[pairs]
        last = np.where(is_new[:, 1], pairs[:, 1], pairs[:, 0])
        order = np.argsort(last, kind="stable")
        return _Candidates(pairs[order], last[order])

    def _look(self, one: int, other: int) -> None:
        """Look at two photos, and link them where they belong together."""
        media = self._media
        seconds = media.seconds_between(one, other)
        first, second = self._picture(one), self._picture(other)
        if first is None or second is None:
            return
        for place, picture in ((one, first), (other, second)):
            self._sharpness[place] = picture.sharpness
        if media.may_be_same(one, other):
            found = likeness(first, second)
            # A crop that has the size of the whole is another picture, a step nearer.
            is_one_size = (first.width, first.height) == (second.width, second.height)
            if found.is_same and not (found.is_crop and is_one_size):
                self._links.append((one, other, SAME))
                self._left.append(max(found.worst, _LEFT_LEAST))
                return
        if seconds is None or seconds > BURST_S or not media.is_one_camera(one, other):
            return
        if is_alike(first, second) >= _BURST_ALIKE:
            self._links.append((one, other, BURST))
            self._left.append(np.nan)

    # The file ---------------------------------------------------------------------------

    def _commit_in_time(self) -> None:
        if time.monotonic() - self._committed_s >= self._every_s:
            self.commit()

    def commit(self, *, is_whole: bool = False) -> MediaGroups:
        """Write what is known by now; links of before a comparison anew go once it is whole."""
        media, known = self._media, self._media.known
        star, levels = star_links(media, self._prints)
        own = np.array(self._links, np.int32).reshape(-1, 3)
        pairs, labels, left = closest_links(
            np.concatenate([known.pairs, star, own[:, :2]]),
            np.concatenate([known.labels, levels, own[:, 2]]).astype(np.uint8),
            np.concatenate([known.left, np.zeros(len(star)), self._left]).astype(np.float32),
        )
        compared = replace(
            known,
            marks=media.marks(self._is_done, self._has_print),
            prints=self._prints,
            sharpness=self._sharpness,
            pairs=pairs,
            labels=close_labels(media, pairs, labels, left, BURST_S),
            left=left,
        )
        if is_whole:
            compared = replace(compared, former=no_pairs(), former_labels=no_labels())
        with self._library.writing():  # what people decide meanwhile is read and written there
            apart = known.pairs_of(sorted(apart_pairs(self._library.edits)))
            compared = replace(compared, apart=apart)
            found = self._library.results.groups.write(compared, self._image_id)
        self._committed_s = time.monotonic()
        return found


def _cosines(vectors: NDArray[np.int8], pairs: NDArray[np.int32]) -> NDArray[np.float32]:
    """The cosine of each pair."""
    parts = [np.zeros(0, np.float32)]
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        one, other = (
            unit_vectors(vectors[places].astype(np.float32))
            for places in pairs[start : start + _PAIRS_AT_ONCE].T
        )
        parts.append(np.einsum("nd,nd->n", one, other))
    return np.concatenate(parts)
