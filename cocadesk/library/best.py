"""The best of several media that show the same, and the reason in a few words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cocadesk.errors import tr
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
    return best_first, next(reasons, tr("one of equals"))


def _ranks(row: MediaRow, sharpness: float, chosen: Mapping[str, int]) -> list[tuple[float, str]]:
    """All that counts, the weightiest first: how much, and the reason that it makes."""
    is_sharp = not math.isnan(sharpness) and sharpness > 0
    is_tagged = bool(row.human_tags_added or row.human_tags_removed)
    return [
        (chosen.get(row.key, 0), tr("you chose it")),
        (
            _FLAGS[row.flag],
            tr("flagged as a pick") if row.flag is Flag.PICK else tr("not rejected"),
        ),
        (row.favourite, tr("a favourite of yours")),
        (row.stars, tr("rated {stars} of 5", stars=row.stars)),
        (bool(row.human_caption), tr("has your caption")),
        (is_tagged, tr("has your tags")),
        (len(row.human_albums), tr("in an album of yours")),
        (
            row.width * row.height,
            tr("largest: {width} × {height}", width=row.width, height=row.height),
        ),
        (
            _ORIGINALS.get(row.format.lower(), 0),
            tr("original format: {format}", format=row.format.upper()),
        ),
        (row.camera is not None, tr("has the camera's details")),
        (round(math.log(sharpness) / _SHARPER) if is_sharp else -99, tr("sharpest")),
        (-row.mtime_ns, tr("oldest file")),
    ]
