"""Groups of same pictures, found and named by the files of their media."""

from __future__ import annotations

import os

from cocadesk.indexing.grouping import group_steps
from cocadesk.indexing.types import GroupingReport
from cocadesk.library.groups import BURST
from cocadesk.library.library import Library
from tests.support.fake_backend import FakeInfo

Named = set[frozenset[str]]


def group(library: Library, *, again: bool = False, commit_every_s: float = 30) -> GroupingReport:
    """Compares all that is new, to the end."""
    steps = group_steps(library, FakeInfo().image_id, again=again, commit_every_s=commit_every_s)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report = end.value
            assert isinstance(report, GroupingReport)
            return report


def names_of(library: Library) -> dict[str, str]:
    """The name of each medium's file."""
    return {row.key: os.fsdecode(row.path).rpartition("/")[2] for row in library.media.iter_rows()}


def groups(library: Library, level: int = BURST) -> Named:
    """The groups of a level, by the names of their files."""
    found = library.results.groups.current()
    name = names_of(library)
    members: dict[int, set[str]] = {}
    for place, first in enumerate(found.firsts[level].tolist()):
        members.setdefault(first, set()).add(name[found.key(place)])
    return {frozenset(own) for own in members.values() if len(own) > 1}
