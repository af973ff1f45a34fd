"""Groups from links: against a slow reference, and with media that people set apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cocadesk.library.linking import LEVELS, groups_of

COUNT = 9
LINKS = st.lists(
    st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1), st.integers(0, LEVELS - 1)),
    max_size=14,
).map(lambda links: [link for link in links if link[0] != link[1]])
PAIRS = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=4).map(
    lambda pairs: [pair for pair in pairs if pair[0] != pair[1]]
)


def found(links: list[tuple[int, int, int]], apart: list[tuple[int, int]]) -> NDArray[np.int32]:
    """The first medium of each one's group, by level."""
    whole = np.array(links, np.int32).reshape(-1, 3)
    pairs = np.array(apart, np.int32).reshape(-1, 2)
    return groups_of(COUNT, whole[:, :2], whole[:, 2].astype(np.uint8), pairs)


def joined(links: list[tuple[int, int, int]], level: int) -> list[set[int]]:
    """The groups of a level, joined one after the other."""
    groups = [{place} for place in range(COUNT)]
    for one, other, label in links:
        if label <= level:
            touched = [group for group in groups if group & {one, other}]
            groups = [group for group in groups if group not in touched]
            groups.append(set().union(*touched))
    return groups


@settings(max_examples=150, deadline=None)
@given(LINKS)
def test_groups_are_all_that_links_of_a_level_join(links: list[tuple[int, int, int]]) -> None:
    """Named by their first medium."""
    firsts = found(links, [])
    for level in range(LEVELS):
        for group in joined(links, level):
            assert {int(firsts[level, place]) for place in group} == {min(group)}


@settings(max_examples=150, deadline=None)
@given(LINKS, PAIRS)
def test_media_set_apart_are_in_no_group_together(
    links: list[tuple[int, int, int]], apart: list[tuple[int, int]]
) -> None:
    """Whatever links there are; groups lie within each other, and within those without it."""
    firsts = found(links, apart)
    for one, other in apart:
        assert (firsts[:, one] != firsts[:, other]).all()
    for level, (one, other) in ((n, p) for n in range(LEVELS) for p in combinations(range(9), 2)):
        if firsts[level, one] == firsts[level, other]:
            assert (firsts[level:, one] == firsts[level:, other]).all()
            whole = next(group for group in joined(links, level) if one in group)
            assert other in whole
    untouched = {place for pair in apart for place in pair}
    for group in joined(links, LEVELS - 1):
        if not group & untouched:
            assert {int(firsts[-1, place]) for place in group} == {min(group)}


def test_the_closer_link_counts_first_where_links_contradict() -> None:
    """A copy stays with its like, and the neighbour of a burst leaves."""
    firsts = found([(1, 2, 2), (0, 1, 0)], [(0, 2)])
    assert firsts[:, 1].tolist() == [0, 0, 0]
    assert firsts[:, 2].tolist() == [2, 2, 2]
