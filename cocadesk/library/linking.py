"""Groups of media from the links between them, at each of three levels of closeness.

A group of a level is all that links of this level, or closer ones, join. What a person set
apart is never in one group: where links would join it, the closer ones count first.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

LEVELS = 3
"""Links of the same bytes (0), of the same picture (1), of one burst (2)."""

Pairs = NDArray[np.int32]
"""(N, 2) places of media."""


def components(count: int, pairs: Pairs) -> NDArray[np.int32]:
    """For each of ``count`` media the first one that the pairs join it with, maybe itself."""
    first = np.arange(count, dtype=np.int32)
    if not len(pairs):
        return first
    one, other = pairs[:, 0], pairs[:, 1]
    while True:
        low = np.minimum(first[one], first[other])
        before = first.copy()
        # Whoever stands for a joined medium is joined as well.
        np.minimum.at(first, first[one], low)
        np.minimum.at(first, first[other], low)
        while not np.array_equal(jumped := first[first], first):
            first = jumped
        if np.array_equal(before, first):
            return first


def groups_of(
    count: int, pairs: Pairs, labels: NDArray[np.uint8], apart: Pairs
) -> NDArray[np.int32]:
    """(LEVELS, count): for each medium the first one of its group at each level."""
    found = np.stack([components(count, pairs[labels <= level]) for level in range(LEVELS)])
    largest = found[-1]
    torn = largest[apart[:, 0]][largest[apart[:, 0]] == largest[apart[:, 1]]]
    if len(torn):
        is_torn = np.isin(largest, torn)
        kept = is_torn[pairs[:, 0]]
        _part(found, pairs[kept], labels[kept], apart[is_torn[apart[:, 0]]], is_torn)
    return found


def _part(
    found: NDArray[np.int32],
    pairs: Pairs,
    labels: NDArray[np.uint8],
    apart: Pairs,
    is_torn: NDArray[np.bool_],
) -> None:
    """Make those groups anew that hold what was set apart: one link after the other."""
    members = {place: {place} for place in np.flatnonzero(is_torn).tolist()}
    first = {place: place for place in members}
    foes: dict[int, set[int]] = {}
    for one, other in apart.tolist():
        foes.setdefault(one, set()).add(other)
        foes.setdefault(other, set()).add(one)

    def join(links: Iterable[list[int]]) -> None:
        for link in links:
            low, high = sorted(first[place] for place in link)
            if low == high or any(foes.get(m, set()) & members[low] for m in members[high]):
                continue
            for place in members[high]:
                first[place] = low
            members[low] |= members.pop(high)

    for level in range(LEVELS):
        join(pairs[labels == level].tolist())
        found[level, list(first)] = list(first.values())
