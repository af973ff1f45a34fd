"""Where photos lie: rows, blocks, sections."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.shapes import ASPECTS, shape_of
from cocadesk.protocol.values import Days
from ui.library.layout.blocks import BLOCK_PHOTOS, GridLayout, Sizes
from ui.library.layout.rows import (
    NARROWEST,
    TALLEST,
    WIDEST,
    RowStyle,
    justified_rows,
    square_rows,
)
from ui.library.sections import Headers, sections_of

SHAPES = st.binary(min_size=1, max_size=200).map(lambda own: bytes(60 + b % 140 for b in own))
STYLES = st.builds(
    RowStyle,
    width_px=st.integers(200, 2500),
    row_px=st.integers(60, 400),
    gap_px=st.integers(0, 9),
    is_justified=st.booleans(),
)


@given(SHAPES, STYLES, st.booleans())
def test_justified_rows_hold_every_photo_in_its_shape(
    shapes: bytes, style: RowStyle, is_last: bool
) -> None:
    """In order, none over another, none beyond the width; all rows but the last are full.

    Tall photos before a wide one, or few to a row, once left rows short in the middle of a list.
    """
    rows = justified_rows(shapes, style, is_last=is_last)
    assert len(rows.lefts) == len(rows.widths) == len(shapes)
    assert rows.firsts[0] == 0
    assert all(a < b for a, b in pairwise(rows.firsts))
    for row in range(len(rows.firsts)):
        places = range(rows.firsts[row], rows.end_of(row))
        rights = [rows.lefts[n] + rows.widths[n] for n in places]
        assert rights[-1] <= style.width_px
        is_open = row + 1 == len(rows.firsts) and (is_last or row == 0)
        if not is_open:
            assert rights[-1] == style.width_px
            assert rows.heights[row] <= TALLEST * style.row_px + 1
        for n, following in pairwise(places):
            assert rows.lefts[following] == rows.lefts[n] + rows.widths[n] + style.gap_px
        for n in places:
            aspect = min(WIDEST, max(NARROWEST, ASPECTS[shapes[n]]))
            assert abs(rows.widths[n] - aspect * rows.heights[row]) <= 3 + aspect
    assert rows.height == sum(rows.heights) + style.gap_px * len(rows.heights)


def test_a_tall_photo_before_a_panorama_leaves_no_hole_beside_it() -> None:
    """It goes to the row before, whose height that suits; a few alone are not blown up."""
    style = RowStyle(width_px=575, row_px=164, gap_px=6, is_justified=True)
    usual, tall, panorama = shape_of(3, 2), shape_of(2, 3), shape_of(6, 1)
    rows = justified_rows(bytes([usual, usual, tall, panorama]), style, is_last=False)
    assert rows.firsts == [0, 3]
    assert [rows.lefts[n] + rows.widths[n] for n in (2, 3)] == [575, 575]
    alone = justified_rows(bytes([tall]), style, is_last=True)
    assert alone.heights == [164]


@given(st.integers(1, 300), STYLES)
def test_squares_fill_the_width(count: int, style: RowStyle) -> None:
    """To the pixel, where a row is full."""
    rows = square_rows(count, style)
    assert len(rows.lefts) == count
    if count >= style.columns:
        last = style.columns - 1
        assert rows.lefts[last] + rows.widths[last] == style.width_px


def _layout(count: int, starts: list[int], is_justified: bool = True) -> GridLayout:
    style = RowStyle(width_px=900, row_px=160, gap_px=6, is_justified=is_justified)
    shapes = bytes(90 + n * 37 % 90 for n in range(count))
    return GridLayout(count, starts, shapes, Sizes(rows=style, header_px=44, section_gap_px=12))


def test_what_is_seen_stays_while_what_is_above_becomes_exact() -> None:
    """Scrolling up from the middle, each photo moves by what one has scrolled, no pixel more."""
    layout = _layout(40_000, [0, 700, 703, 9000, 20_000, 20_001])
    layout.top = layout.height // 2
    layout.settle(800)
    for _ in range(400):
        seen = layout.positions(layout.top, layout.top + 800)
        middle = seen[len(seen) // 2]
        before = layout.box(middle).top - layout.top
        wanted = min(90, layout.top)
        layout.top -= wanted
        layout.settle(800)
        assert layout.box(middle).top - layout.top == before + wanted


def test_the_end_is_the_end() -> None:
    """However wrong the estimates were, the last photo is seen and nothing is below it."""
    layout = _layout(30_000, [0, 10, 25_000])
    layout.top = layout.height - 800
    layout.settle(800)
    assert layout.top == layout.height - 800
    seen = layout.positions(layout.top, layout.top + 800)
    assert seen[-1] == 29_999


def test_a_point_in_a_photo_is_that_photo() -> None:
    """For photos of several blocks and sections, in rows and squares."""
    for is_justified in (True, False):
        layout = _layout(3 * BLOCK_PHOTOS, [0, 5, BLOCK_PHOTOS], is_justified)
        for position in range(0, 3 * BLOCK_PHOTOS, 7):
            box = layout.box(position)
            x, y = box.left + box.width // 2, box.top + box.height // 2
            assert layout.position_at(x, y) == position
        assert layout.position_at(5, layout.box(0).top - 3) is None
        every = [position for position, _ in layout.boxes(0, layout.height)]
        assert every == list(range(3 * BLOCK_PHOTOS))


def test_rows_are_stepped_over_headers_and_blocks() -> None:
    """Down from the last row of a section is the first of the next, and back again."""
    layout = _layout(3 * BLOCK_PHOTOS, [0, 5, 6, BLOCK_PHOTOS], is_justified=False)
    columns = layout.sizes.rows.columns
    assert columns == 5
    assert layout.step_rows(2, 1, layout.box(2).left) == 5
    assert layout.step_rows(5, -1, layout.box(2).left) == 2
    assert layout.step_rows(5, 1, 890) == 10
    assert layout.step_rows(0, 10_000, 0) >= 3 * BLOCK_PHOTOS - columns
    assert layout.step_rows(3 * BLOCK_PHOTOS - 1, -10_000, 0) == 0


def test_an_empty_list_has_no_height() -> None:
    """Nothing to see, nothing to fail at."""
    layout = _layout(0, [0])
    layout.settle(800)
    assert (layout.height, layout.top) == (0, 0)
    assert layout.position_at(3, 3) is None
    assert list(layout.boxes(0, 800)) == []


def test_days_become_months_and_years() -> None:
    """Their counts add up; a day that no calendar has is a section of its own."""
    days = Days(days=(20_000, 19_999, 19_997, 19_900, 19_600, 9_999_999), counts=(2, 3, 1, 4, 5, 6))
    assert [s.count for s in sections_of(days, Headers.DAY)] == [2, 3, 1, 4, 5, 6]
    assert [s.count for s in sections_of(days, Headers.MONTH)] == [6, 4, 5, 6]
    years = sections_of(days, Headers.YEAR)
    assert [(s.start, s.count) for s in years] == [(0, 10), (10, 5), (15, 6)]
    assert [s.day.year if s.day else None for s in years] == [2024, 2023, None]
    assert sections_of(days, Headers.NONE) == sections_of(None, Headers.DAY) == []
