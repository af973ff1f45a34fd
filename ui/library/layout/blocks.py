"""The places of all photos of a list: blocks of rows, of which only those looked at are exact.

A million photos have some thousand blocks. A block's height is estimated until it comes
into sight; then its rows are laid out, and ``settle`` says where one is scrolled to, so that
what is seen stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cocadesk.protocol.shapes import ASPECTS
from ui.library.layout.rows import Rows, RowStyle, justified_rows, square_rows

BLOCK_PHOTOS = 480
_KEPT_BLOCKS = 96
_SAMPLES = 1000
_LOOKS = 8


@dataclass(frozen=True, slots=True)
class Box:
    """A place in the content, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        """The first pixel below."""
        return self.top + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The measures of a grid, in pixels; without headers ``header_px`` is 0."""

    rows: RowStyle
    header_px: int = 0
    section_gap_px: int = 0


class GridLayout:
    """The places of ``count`` photos; the ``starts`` of sections are those of their first photos.

    ``shapes`` has one byte a photo (see ``cocadesk.protocol.shapes``) and may be shorter.
    ``top`` is where the content is scrolled to: it moves with what is seen when something above
    becomes exact.
    """

    def __init__(
        self, count: int, starts: Sequence[int], shapes: bytes | bytearray, sizes: Sizes
    ) -> None:
        self.count = count
        self.top = 0
        self.sizes = sizes
        self._shapes = shapes
        self.starts = [start for start in starts if start < count] or ([0] if count else [])
        self._mean = _mean_aspect(shapes)
        self._kept: OrderedDict[int, Rows] = OrderedDict()
        self._firsts: list[int] = []
        self._sections: list[int] = []
        self._heights: list[int] = []
        self._build()
        self._exact = bytearray(len(self._firsts))
        self._tops = self._sum()

    @property
    def height(self) -> int:
        """The height of all, exact where all has been looked at."""
        return self._tops[-1]

    # Building -----------------------------------------------------------------------

    def _build(self) -> None:
        style, step = self.sizes.rows, BLOCK_PHOTOS
        if not style.is_justified:
            step = max(1, BLOCK_PHOTOS // style.columns) * style.columns
        for section, start in enumerate(self.starts):
            end = self._end_of_section(section)
            for first in range(start, end, step):
                self._firsts.append(first)
                self._sections.append(section)
                self._heights.append(self._estimate(first, min(end, first + step), section))

    def _end_of_section(self, section: int) -> int:
        return self.starts[section + 1] if section + 1 < len(self.starts) else self.count

    def _estimate(self, first: int, end: int, section: int) -> int:
        style = self.sizes.rows
        if style.is_justified:
            rows = max(1, round((end - first) * self._mean * style.row_px / style.width_px))
            height = rows * (style.row_px + style.gap_px)
        else:
            height = -(-(end - first) // style.columns) * (style.side_px + style.gap_px)
        return height + self._around(first, end, section)

    def _around(self, first: int, end: int, section: int) -> int:
        """The room of a header above a block and of the gap below a section."""
        above = self.sizes.header_px if first == self.starts[section] else 0
        below = self.sizes.section_gap_px if end == self._end_of_section(section) else 0
        return above + below

    def _sum(self) -> list[int]:
        return list(accumulate(self._heights, initial=0))

    def _end(self, block: int) -> int:
        return self._firsts[block + 1] if block + 1 < len(self._firsts) else self.count

    def _rows(self, block: int) -> Rows:
        """The rows of a block, laid out where they are not known."""
        known = self._kept.get(block)
        if known is not None:
            self._kept.move_to_end(block)
            return known
        first, end, section = self._firsts[block], self._end(block), self._sections[block]
        style = self.sizes.rows
        if style.is_justified:
            shapes = bytes(self._shapes[first:end])
            shapes += bytes(end - first - len(shapes))
            rows = justified_rows(shapes, style, is_last=end == self._end_of_section(section))
        else:
            rows = square_rows(end - first, style)
        self._kept[block] = rows
        if len(self._kept) > _KEPT_BLOCKS:
            self._kept.popitem(last=False)
        height = rows.height + self._around(first, end, section)
        if height != self._heights[block]:
            self._heights[block] = height
            self._tops = self._sum()
        self._exact[block] = 1
        return rows

    def _look(self, block: int) -> Rows:
        """The rows of a block; what is seen stays where the block lies above it."""
        is_above = self._tops[block + 1] <= self.top
        old = self._heights[block]
        rows = self._rows(block)
        if is_above:
            self.top += self._heights[block] - old
        return rows

    # Scrolling ----------------------------------------------------------------------

    def settle(self, view_px: int) -> None:
        """Makes exact what is seen; ``top`` moves so that the same is seen."""
        top = self.top
        is_at_end = top > 0 and top + view_px >= self.height
        for _ in range(_LOOKS):
            blocks = self._blocks(top, top + view_px)
            if all(self._exact[block] for block in blocks):
                break
            anchor = next((block for block in blocks if self._exact[block]), blocks[0])
            offset = top - self._tops[anchor]
            share = 1.0
            if not self._exact[anchor]:
                old = max(1, self._heights[anchor])
                self._rows(anchor)
                share = self._heights[anchor] / old
            for block in blocks:
                if not self._exact[block]:
                    self._rows(block)
            top = self._tops[anchor] + round(offset * share)
            if is_at_end:
                top = self.height - view_px
        self.top = max(0, min(top, self.height - view_px))

    def _blocks(self, top: int, bottom: int) -> range:
        """The blocks that these pixels touch; at least one where there are any."""
        if not self._firsts:
            return range(0)
        last = len(self._firsts) - 1
        first = min(last, max(0, bisect_right(self._tops, top) - 1))
        return range(first, min(last, max(first, bisect_right(self._tops, bottom - 1) - 1)) + 1)

    # Places -------------------------------------------------------------------------

    def box(self, position: int) -> Box:
        """The place of a photo; its block is laid out for that."""
        block = bisect_right(self._firsts, position) - 1
        rows = self._look(block)
        place = position - self._firsts[block]
        row = rows.row_of(place)
        top = self._rows_top(block) + rows.tops[row]
        return Box(rows.lefts[place], top, rows.widths[place], rows.heights[row])

    def _rows_top(self, block: int) -> int:
        is_first = self._firsts[block] == self.starts[self._sections[block]]
        return self._tops[block] + (self.sizes.header_px if is_first else 0)

    def boxes(self, top: int, bottom: int) -> Iterator[tuple[int, Box]]:
        """The photos between these heights, in order, with their places."""
        for block in self._blocks(top, bottom):
            rows, first = self._look(block), self._firsts[block]
            rows_top = self._rows_top(block)
            for row in range(rows.row_at(top - rows_top), len(rows.firsts)):
                row_top = rows_top + rows.tops[row]
                if row_top >= bottom:
                    break
                height = rows.heights[row]
                for place in range(rows.firsts[row], rows.end_of(row)):
                    yield first + place, Box(rows.lefts[place], row_top, rows.widths[place], height)

    def positions(self, top: int, bottom: int) -> range:
        """The photos in rows between these heights."""
        blocks = self._blocks(top, bottom)
        if not blocks:
            return range(0)
        first, last = blocks[0], blocks[-1]
        rows = self._look(first)
        start = self._firsts[first] + rows.firsts[rows.row_at(top - self._rows_top(first))]
        rows = self._look(last)
        end = rows.end_of(rows.row_at(max(0, bottom - 1 - self._rows_top(last))))
        return range(start, max(start, self._firsts[last] + end))

    def position_at(self, x: int, y: int) -> int | None:
        """The photo under a point, or None."""
        for block in self._blocks(y, y + 1):
            rows, rows_top = self._look(block), self._rows_top(block)
            row = rows.row_at(y - rows_top)
            if not 0 <= y - rows_top - rows.tops[row] < rows.heights[row]:
                return None
            for place in range(rows.firsts[row], rows.end_of(row)):
                if 0 <= x - rows.lefts[place] < rows.widths[place]:
                    return self._firsts[block] + place
        return None

    def step_rows(self, position: int, by: int, x: int) -> int:
        """The photo so many rows on (or back), nearest to ``x``; the end of the list at most."""
        block = bisect_right(self._firsts, position) - 1
        row = self._look(block).row_of(position - self._firsts[block])
        while by:
            row += 1 if by > 0 else -1
            if not 0 <= row < len(self._look(block).firsts):
                beyond = block + (1 if by > 0 else -1)
                if not 0 <= beyond < len(self._firsts):
                    row -= 1 if by > 0 else -1
                    break
                block = beyond
                row = 0 if by > 0 else len(self._look(block).firsts) - 1
            by -= 1 if by > 0 else -1
        rows = self._look(block)
        places = range(rows.firsts[row], rows.end_of(row))
        near = min(places, key=lambda place: abs(rows.lefts[place] + rows.widths[place] / 2 - x))
        return self._firsts[block] + near

    # Sections -----------------------------------------------------------------------

    def section_of(self, position: int) -> int:
        """The section of a photo."""
        return max(0, bisect_right(self.starts, position) - 1)

    def section_at(self, y: int) -> int:
        """The section at a height."""
        blocks = self._blocks(y, y + 1)
        return self._sections[blocks[0]] if blocks else 0

    def headers(self, top: int, bottom: int) -> list[tuple[int, int]]:
        """The sections whose headers begin between these heights, with their tops."""
        return [
            (self._sections[block], self._tops[block])
            for block in self._blocks(top, bottom)
            if self._firsts[block] == self.starts[self._sections[block]]
            and self._tops[block] + self.sizes.header_px > top
        ]

    def top_of(self, position: int) -> int:
        """The height of a photo's row, estimated where nobody has looked there."""
        block = max(0, bisect_right(self._firsts, position) - 1)
        rows_top = self._rows_top(block)
        if self._exact[block] and (rows := self._kept.get(block)) is not None:
            return rows_top + rows.tops[rows.row_of(position - self._firsts[block])]
        share = (position - self._firsts[block]) / max(1, self._end(block) - self._firsts[block])
        return rows_top + round(share * (self._tops[block + 1] - rows_top))

    def first_at(self, y: int) -> int:
        """About the first photo at this height; estimated where nobody has looked there."""
        blocks = self._blocks(y, y + 1)
        if not blocks:
            return 0
        block = blocks[0]
        if self._exact[block]:
            rows = self._look(block)
            return self._firsts[block] + rows.firsts[rows.row_at(y - self._rows_top(block))]
        share = (y - self._tops[block]) / max(1, self._heights[block])
        count = self._end(block) - self._firsts[block]
        return self._firsts[block] + min(count - 1, max(0, int(share * count)))


def _mean_aspect(shapes: bytes | bytearray) -> float:
    some = shapes[:: max(1, len(shapes) // _SAMPLES)] or b"\0"
    return sum(map(ASPECTS.__getitem__, some)) / len(some)
