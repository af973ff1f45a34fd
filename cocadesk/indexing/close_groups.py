"""Links of the same picture that may stand: a group of theirs has a picture that all are like.

Likeness goes from picture to picture: twenty frames of a sunset, each a little darker, or the
frames of a tripod by a copy that has lost its time, would be one picture. So links are taken
the closest first, and one that would join media of other times, or pictures of which none is
the same as all others, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.compared_media import NEVER, Gathered
from cocadesk.library.groups import BURST, EXACT, REFUSED, SAME
from cocadesk.library.linking import Pairs, components

Labels = NDArray[np.uint8]
Left = NDArray[np.float32]


def close_labels(
    media: Gathered, pairs: Pairs, labels: Labels, left: Left, most_burst_s: float
) -> Labels:
    """The labels, without ``SAME`` where that would join what is not the same.

    ``left`` is what is left between the pictures of each pair, which comes once. A link that
    is refused still makes a burst where times do.
    """
    count, is_close = len(media.is_new), labels <= SAME
    firsts = components(count, pairs[is_close])
    doubted = _doubted(media, firsts, pairs[is_close])
    places = np.flatnonzero(is_close & doubted[firsts[pairs[:, 0]]])
    # Groups do not touch each other, so that all can be made in one go.
    order = places[np.lexsort((pairs[places, 1], pairs[places, 0], left[places], labels[places]))]
    groups = _Groups(media, pairs[places].tolist())
    groups.join(pairs[order].tolist(), labels[order] == EXACT, left[order] == 0)
    found = labels.copy()
    for place in places.tolist():
        one, other = pairs[place].tolist()
        if not groups.are_joined(one, other):
            seconds = media.seconds_between(one, other)
            is_soon = seconds is not None and seconds <= most_burst_s
            found[place] = BURST if is_soon and media.is_one_camera(one, other) else REFUSED
    return found


def _doubted(media: Gathered, firsts: NDArray[np.int32], pairs: Pairs) -> NDArray[np.bool_]:
    """True at the first medium of each group that needs a look: all but a few of a library."""
    count = len(firsts)
    sizes = np.bincount(firsts, minlength=count)
    degrees = np.bincount(pairs.ravel(), minlength=count)
    hub = np.zeros(count, np.int64)
    np.maximum.at(hub, firsts, degrees)
    doubted = hub < sizes - 1
    for values, nothing in ((media.taken_us, NEVER), (media.exposures, 0)):
        known = np.flatnonzero(values != nothing)
        least = np.full(count, np.iinfo(np.int64).max)
        most = np.full(count, np.iinfo(np.int64).min)
        np.minimum.at(least, firsts[known], values[known])
        np.maximum.at(most, firsts[known], values[known])
        doubted |= most > least
    return doubted & (sizes > 2)


class _Groups:
    """Media joined one link after the other; each knows the pictures that all of it is like."""

    def __init__(self, media: Gathered, pairs: Iterable[list[int]]) -> None:
        self._media = media
        like: dict[int, set[int]] = {}
        for one, other in pairs:
            like.setdefault(one, {one}).add(other)
            like.setdefault(other, {other}).add(one)
        self._first = {place: place for place in like}
        self._members = {place: {place} for place in like}
        self._like = like

    def are_joined(self, one: int, other: int) -> bool:
        """True for two media of one group."""
        return self._first[one] == self._first[other]

    def join(
        self, pairs: list[list[int]], is_copy: NDArray[np.bool_], is_one: NDArray[np.bool_]
    ) -> None:
        """Follow the links that may be, those of copies in any case.

        What ``is_one`` picture is like all that any of it is like.
        """
        of = zip(pairs, is_copy.tolist(), is_one.tolist(), strict=True)
        for (one, other), are_copies, are_one in of:
            low, high = sorted((self._first[one], self._first[other]))
            if low == high:
                continue
            members = self._members[low] | self._members[high]
            first, second = self._like[low], self._like[high]
            like = first | second if are_one else first & second
            if not are_copies and not (members & like and self._may_be_same(low, high)):
                continue
            self._like[low], self._members[low] = like, members
            for place in self._members.pop(high):
                self._first[place] = low

    def _may_be_same(self, low: int, high: int) -> bool:
        of = self._media.may_be_same
        return all(of(a, b) for a in self._moments(low) for b in self._moments(high))

    def _moments(self, first: int) -> Iterable[int]:
        """A member of each time and exposure."""
        media, members = self._media, self._members[first]
        return {
            (int(media.taken_us[place]), int(media.exposures[place])): place for place in members
        }.values()
