"""The best of several media that show the same, and the reason in a few words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cocadesk.library.marks import Flag
from cocadesk.library.rows import MediaRow

_FLAGS = {Flag.REJECT: -1, Flag.NONE: 0, Flag.PICK: 1}
_ORIGINALS = {"raw": 2, "heic": 1, "heif": 1}
"""Formats that cameras write and that few programs save to."""
_SHARPER = math.log(1.15)
"""Less than a seventh sharper is as sharp."""


def ranked(
    rows: Sequence[MediaRow], sharpness: Mapping[str, float], chosen: Sequence[str]
) -> tuple[list[MediaRow], str]:
    """The media, the best first, and why it comes before the second one.

    A person's choice comes first (the last one of ``chosen``), then all that a person said,
    then the larger picture, the original format, a camera's details, sharpness, and age.
    ``sharpness`` is that of pictures by key, where it is known.
    """
    order = {key: number for number, key in enumerate(chosen, 1)}
    ranks = {row.key: _ranks(row, sharpness.get(row.key, math.nan), order) for row in rows}
    best_first = sorted(rows, key=lambda row: ([-value for value, _ in ranks[row.key]], row.key))
    if len(best_first) < 2:
        return best_first, ""
    first, second = (ranks[row.key] for row in best_first[:2])
    reasons = (
        text for (value, text), (other, _) in zip(first, second, strict=True) if value != other
    )
    return best_first, next(reasons, "one of equals")


def _ranks(row: MediaRow, sharpness: float, chosen: Mapping[str, int]) -> list[tuple[float, str]]:
    """All that counts, the weightiest first: how much, and the reason that it makes."""
    is_sharp = not math.isnan(sharpness) and sharpness > 0
    is_tagged = bool(row.human_tags_added or row.human_tags_removed)
    return [
        (chosen.get(row.key, 0), "you chose it"),
        (_FLAGS[row.flag], "flagged as a pick" if row.flag is Flag.PICK else "not rejected"),
        (row.favourite, "a favourite of yours"),
        (row.stars, f"rated {row.stars} of 5"),
        (bool(row.human_caption), "has your caption"),
        (is_tagged, "has your tags"),
        (len(row.human_albums), "in an album of yours"),
        (row.width * row.height, f"largest: {row.width} × {row.height}"),
        (_ORIGINALS.get(row.format.lower(), 0), f"original format: {row.format.upper()}"),
        (row.camera is not None, "has the camera's details"),
        (round(math.log(sharpness) / _SHARPER) if is_sharp else -99, "sharpest"),
        (-row.mtime_ns, "oldest file"),
    ]
