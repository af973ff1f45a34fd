"""Cursor, selection and scrolling while the list is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QItemSelectionModel, QObject
from pytestqt.qtbot import QtBot

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Hit
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.library.grid import Grid
from ui.library.results_model import ResultsModel
from ui.library.runs import runs

KEYS = [f"k{n:03}" for n in range(200)]


@pytest.fixture
def model(owner: QObject) -> ResultsModel:
    """Two hundred keys."""
    made = ResultsModel(owner)
    made.show_keys(KEYS)
    return made


@pytest.fixture
def grid(model: ResultsModel, app_theme: AppTheme, qtbot: QtBot) -> Iterator[Grid]:
    """A grid that shows a few of them."""
    loader = ImageLoader(long_side_px=64, keep=4, workers=1)
    made = Grid(model, loader)
    qtbot.addWidget(made)
    made.resize(640, 480)
    made.show()
    yield made
    loader.close()


def _select(grid: Grid, model: ResultsModel, *positions: int) -> None:
    for position in positions:
        index = model.index(position)
        grid.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)


def _top_of(grid: Grid, model: ResultsModel, key: str) -> int:
    return grid.visualRect(model.index(model.position_of(key) or 0)).top()


def test_the_cursor_stays_at_its_photo_when_the_list_comes_again(
    grid: Grid, model: ResultsModel
) -> None:
    """Photos before it have come and gone; the key is what counts."""
    grid.go_to(57)
    again = ["new1", "new2", *[key for key in KEYS if key != "k003"]]
    model.show_keys(again, keeps_place=True)
    assert grid.current_key() == "k057"


def test_the_selection_stays_at_its_photos(grid: Grid, model: ResultsModel) -> None:
    """Those that are still there; what left is no longer counted."""
    grid.go_to(10)
    _select(grid, model, 11, 12, 40)
    model.show_keys([key for key in reversed(KEYS) if key != "k012"], keeps_place=True)
    assert sorted(grid.selected_keys()) == ["k010", "k011", "k040"]
    assert grid.selected_count() == 3
    assert grid.current_key() == "k010"


def test_the_photos_on_screen_stay_where_they_are(grid: Grid, model: ResultsModel) -> None:
    """Rows that come above do not push them down."""
    grid.go_to(100)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().value() + 37)
    shown = sorted(grid.visible_keys())[20]
    before_px = _top_of(grid, model, shown)
    model.show_keys(["a", "b", "c", "d", "e", "f", *KEYS], keeps_place=True)
    assert abs(_top_of(grid, model, shown) - before_px) <= grid.row_px
    assert grid.verticalScrollBar().value() > 0


def test_the_very_same_order_moves_nothing_at_all(grid: Grid, model: ResultsModel) -> None:
    """One key at the end is another: not a pixel moves."""
    grid.go_to(100)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().value() + 37)
    before = grid.verticalScrollBar().value()
    model.show_keys([*KEYS[:-1], "other"], keeps_place=True)
    assert grid.verticalScrollBar().value() == before


def test_another_list_begins_at_its_top(grid: Grid, model: ResultsModel) -> None:
    """A new question: no cursor yet, no selection, no scrolling."""
    grid.go_to(150)
    assert grid.verticalScrollBar().value() > 0
    model.show_keys(list(reversed(KEYS)))
    assert grid.current_key() is None
    assert grid.selected_count() == 0
    assert grid.verticalScrollBar().value() == 0


def test_where_a_photo_left_the_next_one_has_the_cursor(grid: Grid, model: ResultsModel) -> None:
    """Not the first of the list; nothing is scrolled, and it is selected in its place."""
    grid.go_to(100)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().value() + 37)
    before = grid.verticalScrollBar().value()
    model.show_keys([key for key in KEYS if key not in ("k100", "k101")], keeps_place=True)
    assert grid.current_key() == "k102"
    assert grid.selected_keys() == ["k102"]
    assert grid.verticalScrollBar().value() == before


def test_where_the_last_photos_left_the_one_before_has_the_cursor(
    grid: Grid, model: ResultsModel
) -> None:
    """Also where more went than is looked for: then it is the same place in the list."""
    grid.go_to(199)
    model.show_keys(KEYS[:198], keeps_place=True)
    assert grid.current_key() == "k197"
    model.show_keys([f"other{n}" for n in range(300)], keeps_place=True)
    assert grid.current_key() == "other197"


def test_what_is_left_of_a_selection_has_the_cursor(grid: Grid, model: ResultsModel) -> None:
    """One selected photo went: keys act on the others, the nearest first."""
    grid.go_to(5)
    _select(grid, model, 9)
    model.show_keys(KEYS[6:], keeps_place=True)
    assert grid.current_key() == "k009"
    assert grid.selected_keys() == ["k009"]


def test_the_same_keys_are_no_reset_but_their_hits_may_be_others(
    grid: Grid, model: ResultsModel, qtbot: QtBot
) -> None:
    """A better moment of a video is drawn without losing anything."""
    grid.go_to(8)
    hit = Hit(key="k008", score=1.0, path=WirePath("/v.mp4"), time_s=4.0)
    with qtbot.waitSignal(model.dataChanged), qtbot.assertNotEmitted(model.modelReset):
        model.show_keys(KEYS, [hit])
    assert model.hit_of("k008") == hit
    assert grid.current_key() == "k008"


@given(st.sets(st.integers(0, 60)))
def test_runs_cover_exactly_the_positions(positions: set[int]) -> None:
    """Neighbours together, in order, none twice."""
    found = list(runs(positions))
    covered = [n for first, last in found for n in range(first, last + 1)]
    assert covered == sorted(positions)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(found))
