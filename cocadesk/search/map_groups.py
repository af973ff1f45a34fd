"""The groups of media on a map, from columns in memory: one colour each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import NEWEST
from cocadesk.library.columns import ListColumn, MediaColumns, TextColumn
from cocadesk.library.texts import Texts

MOST_GROUPS = 11
"""Beside the one of all others: more colours can't be told from each other."""
OTHERS = "others"
NO_TAG = "no tag"
NO_TIME = "no time"


@dataclass(frozen=True, slots=True)
class Grouped:
    """The number of the group of each medium (N), and the groups' names."""

    group_N: NDArray[np.int32]
    names: tuple[str, ...]


def by_year(columns: MediaColumns, numbers: NDArray[np.integer]) -> Grouped:
    """Groups of whole years, the latest first, then what has no date.

    Years are put together where they are many.
    """
    times = columns.ordered(NEWEST).values[numbers]
    has_time = times == times
    year_N = times.astype("datetime64[Y]").astype(np.int64) + 1970
    if not has_time.any():
        return _with_rest(np.full(len(numbers), -1, np.int32), [], NO_TIME)
    first, last = int(year_N[has_time].min()), int(year_N[has_time].max())
    width = next(w for w in (1, 2, 5, 10, 25, 100, 1000, 10_000) if _spans(first, last, w))
    used, group_T = np.unique(last // width - year_N[has_time] // width, return_inverse=True)
    starts = [(last // width - int(step)) * width for step in used]
    names = [str(y) if width == 1 else f"{y}–{y + width - 1}" for y in starts]
    group_N = np.full(len(numbers), -1, np.int32)
    group_N[has_time] = group_T
    return _with_rest(group_N, names, NO_TIME)


def _spans(first: int, last: int, width: int) -> bool:
    return last // width - first // width <= MOST_GROUPS


def by_folder(columns: MediaColumns, numbers: NDArray[np.integer]) -> Grouped:
    """The folders with the most media, by their names, and all others."""
    column = columns.texts("folder")
    assert isinstance(column, TextColumn)
    most, group_N = _largest(column.codes[numbers], column.texts)
    names = [text.rstrip("/").rpartition("/")[2] or "/" for text in most]
    return _with_rest(group_N, names, OTHERS)


def by_tag(columns: MediaColumns, numbers: NDArray[np.integer]) -> Grouped:
    """The tags that most media have; one with several counts for the rarest of these."""
    column = columns.texts("tag")
    assert isinstance(column, ListColumn)
    place_of = np.full(len(columns.is_there), -1, np.int64)
    place_of[numbers] = np.arange(len(numbers))
    owners = np.full(len(column.owners), -1, np.int64)
    is_known = column.owners < len(place_of)
    owners[is_known] = place_of[column.owners[is_known]]
    is_theirs = owners >= 0
    codes, owners = column.codes[is_theirs], owners[is_theirs]
    most, group_P = _largest(codes, column.texts)
    group_N = np.full(len(numbers), -1, np.int32)
    for number in range(len(most)):  # the rarest comes last and stays
        group_N[owners[group_P == number]] = number
    return _with_rest(group_N, most, NO_TAG)


def _largest(codes: NDArray[np.int32], texts: Texts) -> tuple[list[str], NDArray[np.int32]]:
    """The most frequent texts, and for each code the place of its text among them, or -1.

    A text has several codes where media with it were written at different times.
    """
    numbers: dict[str, int] = {}
    number_of = np.full(len(texts) + 1, -1, np.int64)  # the last one answers for -1
    for code in np.unique(codes[codes >= 0]).tolist():
        number_of[code] = numbers.setdefault(texts[code], len(numbers))
    number_N = number_of[codes]
    sizes = np.bincount(number_N[number_N >= 0], minlength=len(numbers))
    most = np.argsort(-sizes, kind="stable")[:MOST_GROUPS]
    place_of = np.full(len(numbers) + 1, -1, np.int32)
    place_of[most] = np.arange(len(most), dtype=np.int32)
    every = list(numbers)
    return [every[number] for number in most.tolist()], place_of[number_N]


def _with_rest(group_N: NDArray[np.int32], names: list[str], rest: str) -> Grouped:
    """Those of no group in one of their own; groups in which nothing is are left out."""
    is_rest = group_N < 0
    used, renumbered = np.unique(group_N[~is_rest], return_inverse=True)
    group_N = group_N.copy()
    group_N[~is_rest] = renumbered
    names = [names[number] for number in used.tolist()]
    if is_rest.any():
        group_N = np.where(is_rest, len(names), group_N).astype(np.int32)
        names = [*names, rest]
    return Grouped(group_N, tuple(names))
