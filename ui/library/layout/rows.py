"""The rows of a block of photos: squares, or each photo in its own shape."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from cocadesk.protocol.shapes import ASPECTS

NARROWEST, WIDEST = 0.5, 6.0
"""The shapes that are shown whole; what is narrower or wider is cut to these."""
TALLEST = 1.6
"""The height of the highest rows, in heights asked for."""
_SHOWN = tuple(min(WIDEST, max(NARROWEST, aspect)) for aspect in ASPECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStyle:
    """The measures of all rows, in pixels; ``row_px`` is about the height of one."""

    width_px: int
    row_px: int
    gap_px: int
    is_justified: bool

    @property
    def columns(self) -> int:
        """The number of squares beside each other."""
        return max(1, (self.width_px + self.gap_px) // (self.row_px + self.gap_px))

    @property
    def side_px(self) -> int:
        """The side of a square."""
        return max(1, (self.width_px - self.gap_px * (self.columns - 1)) // self.columns)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of photos from the top of their block, in pixels.

    Row r holds the photos from ``firsts[r]`` on, has ``tops[r]`` and ``heights[r]``; photo i
    begins at ``lefts[i]`` and is ``widths[i]`` wide. ``height`` is that of all with their gaps.
    """

    firsts: list[int]
    tops: list[int]
    heights: list[int]
    lefts: list[int]
    widths: list[int]
    height: int

    def row_of(self, place: int) -> int:
        """The row of a photo."""
        return bisect_right(self.firsts, place) - 1

    def row_at(self, y_px: int) -> int:
        """The row at this height; that above a gap, the first above all."""
        return max(0, bisect_right(self.tops, y_px) - 1)

    def end_of(self, row: int) -> int:
        """The first photo behind a row."""
        return self.firsts[row + 1] if row + 1 < len(self.firsts) else len(self.lefts)


def square_rows(count: int, style: RowStyle) -> Rows:
    """Rows of squares."""
    columns, gap = style.columns, style.gap_px
    firsts = list(range(0, count, columns))
    # The pixels that are left over go to the first columns, so that each row fills the width.
    ends = [
        (style.width_px - gap * (columns - 1)) * (n + 1) // columns + gap * n
        for n in range(columns)
    ]
    starts = [0, *(end + gap for end in ends[:-1])]
    lefts = [starts[place % columns] for place in range(count)]
    widths = [ends[place % columns] - left for place, left in enumerate(lefts)]
    step = style.side_px + gap
    tops = [row * step for row in range(len(firsts))]
    return Rows(firsts, tops, [style.side_px] * len(firsts), lefts, widths, len(firsts) * step)


def justified_rows(shapes: bytes, style: RowStyle, *, is_last: bool) -> Rows:
    """Rows that fill the width, each photo in its own shape.

    Where the block ``is_last`` of its section, its last row need not be full. Photos are
    dealt out so that the rows are about equally full: a row ends where the sum of the
    shapes is nearest to its share, or where it fills the width at no more than ``TALLEST``.
    """
    sums = list(accumulate(map(_SHOWN.__getitem__, shapes), initial=0.0))
    total = sums[-1]
    room = style.width_px / style.row_px
    full = total / room
    is_ragged = is_last and _is_ragged(full)
    count = max(1, int(full) if is_ragged else round(full))
    share = room if is_ragged else total / count
    ends = [_nearest(sums, share * (row + 1)) for row in range(count - 1 + is_ragged)]
    if is_ragged and full < 1:
        ends = []
    firsts = _filling(sums, ends, style, is_last=is_last)
    tops: list[int] = []
    heights: list[int] = []
    lefts: list[int] = []
    widths: list[int] = []
    top = 0
    for row, first in enumerate(firsts):
        end = firsts[row + 1] if row + 1 < len(firsts) else len(shapes)
        fills = max(1.0, _height(sums, first, end, style))
        is_open = end == len(shapes) and (is_ragged or fills > TALLEST * style.row_px)
        height = min(fills, style.row_px) if is_open else fills
        _deal(sums, first, end, height, style.gap_px, lefts, widths)
        if height == fills:  # the last pixel of rounding
            widths[-1] = style.width_px - lefts[-1]
        tops.append(top)
        heights.append(max(1, round(height)))
        top += heights[-1] + style.gap_px
    return Rows(firsts, tops, heights, lefts, widths, top)


def _filling(sums: list[float], ends: list[int], style: RowStyle, *, is_last: bool) -> list[int]:
    """The first photos of rows that end about there, none of which is too high.

    A row of so little that it would not fill the width goes to the row before it, or takes
    photos of the next one: whichever has the better height then. The last row of a section
    may stay so.
    """
    count, most = len(sums) - 1, TALLEST * style.row_px
    firsts = [0]
    for wanted in (*ends, count):
        first, end = firsts[-1], wanted
        if end <= first:
            continue
        while end < count and _height(sums, first, end, style) > most:
            end += 1
        is_short = end == count and _height(sums, first, end, style) > most
        if len(firsts) > 1 and (end > wanted or (is_short and not is_last)):
            joined = _height(sums, firsts[-2], wanted, style)
            if is_short or _is_nearer(joined, _height(sums, first, end, style), style.row_px):
                firsts[-1] = end = wanted
                continue
        firsts.append(end)
    return firsts[:-1]


def _height(sums: list[float], first: int, end: int, style: RowStyle) -> float:
    """The height at which these photos fill a row."""
    free_px = style.width_px - style.gap_px * (end - first - 1)
    return free_px / (sums[end] - sums[first])


def _is_nearer(height: float, other: float, wanted: float) -> bool:
    """True where a height comes nearer to what is wished for than another one, by ratio."""
    if height <= 0 or other <= 0:
        return height > other
    return abs(math.log(height / wanted)) < abs(math.log(other / wanted))


def _is_ragged(full: float) -> bool:
    """True where the last row stays open: ``full`` rows would hold all photos."""
    rest = full % 1
    return full < 0.75 if full < 1 else 0.15 < rest < 0.8


def _nearest(sums: list[float], wanted: float) -> int:
    """The number of photos whose shapes sum up to about this."""
    end = bisect_right(sums, wanted)
    if end >= len(sums):
        return len(sums) - 1
    return end if sums[end] - wanted < wanted - sums[end - 1] else end - 1


def _deal(
    sums: list[float],
    first: int,
    end: int,
    height: float,
    gap_px: int,
    lefts: list[int],
    widths: list[int],
) -> None:
    """Adds the places of one row's photos."""
    start = sums[first]
    for place in range(first, end):
        left = round((sums[place] - start) * height) + gap_px * (place - first)
        right = round((sums[place + 1] - start) * height) + gap_px * (place - first)
        lefts.append(left)
        widths.append(max(1, right - left))
