"""The shapes and days of a list of media, from columns in memory: what a grid is laid out by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import NEWEST
from cocadesk.library.columns import MediaColumns
from cocadesk.library.key_numbers import KeyList
from cocadesk.library.result_rows import ResultRows
from cocadesk.protocol.shapes import SQUARE_SHAPE, STEPS_AN_OCTAVE, UNKNOWN_SHAPE
from cocadesk.protocol.values import NO_DAY, Days

_FIELDS = frozenset({"width", "height", NEWEST})


class ListLayout:
    """Answers for any list of keys; nothing where the media are too many for memory."""

    def __init__(self, results: ResultRows) -> None:
        self._results = results

    def shapes(self, keys: Sequence[str]) -> bytes:
        """One byte a key; see ``cocadesk.protocol.shapes``."""
        columns = self._results.columns(_FIELDS)
        if columns is None:
            return b""
        numbers, is_known = _numbers(columns, keys)
        shapes = np.full(len(numbers), UNKNOWN_SHAPE, np.uint8)
        width = columns.ordered("width").values[numbers[is_known]]
        height = columns.ordered("height").values[numbers[is_known]]
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.rint(np.log2(width / height) * STEPS_AN_OCTAVE) + SQUARE_SHAPE
        has_size = (width > 0) & (height > 0)
        known = np.where(has_size, np.clip(np.nan_to_num(steps), 1, 255), UNKNOWN_SHAPE)
        shapes[is_known] = known.astype(np.uint8)
        return shapes.tobytes()

    def days(self, keys: Sequence[str]) -> Days | None:
        """The days of a list; none where it is not in order of time, either way.

        Media of no known time come together, before or behind all others.
        """
        columns = self._results.columns(_FIELDS)
        if columns is None:
            return None
        numbers, is_known = _numbers(columns, keys)
        if not len(numbers) or not is_known.all():
            return None
        times = columns.ordered(NEWEST).values[numbers]
        has_day = ~np.isnat(times)
        days = np.where(has_day, times.astype("datetime64[D]").astype(np.int64), NO_DAY)
        steps, dated = np.diff(days), np.diff(days[has_day])
        if (dated > 0).any() and (dated < 0).any():
            return None
        if np.count_nonzero(np.diff(has_day.astype(np.int8))) > 1:
            return None
        starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
        counts = np.diff(starts, append=len(days))
        return Days(days=tuple(days[starts].tolist()), counts=tuple(counts.tolist()))


def _numbers(
    columns: MediaColumns, keys: Sequence[str]
) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """The numbers of keys, and True for each whose medium is in the columns."""
    if isinstance(keys, KeyList) and keys.keys is columns.keys:
        numbers = keys.numbers
    else:
        numbers = columns.keys.numbers(keys)
    return numbers, (numbers >= 0) & (numbers < len(columns.is_there))
