"""The page of maps on a fake engine: drawn, zoomed, chosen from, shown in the library."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import GetMap, MapColour, MapKind, RequestBody, RowsChanged
from ui.engine.link import Ticket
from ui.kit.actions import Actions
from ui.library.map import layer as map_layer
from ui.library.map import page as map_page
from ui.library.map.page import MapPage
from ui.library.map.points import PointSet
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> MapPage:
    """The page with its first map."""
    window.action_set[Pages.MAP.action].trigger()
    page = window.widgets.page_stack.currentWidget()
    assert isinstance(page, MapPage)
    _wait(page, qtbot)
    return page


def _wait(page: MapPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not page.is_waiting, timeout=WAIT_MS)


def _draw_around_all(page: MapPage) -> None:
    canvas = page.canvas
    right, low = canvas.width() - 2, canvas.height() - 2
    shift, left = Qt.KeyboardModifier.ShiftModifier, Qt.MouseButton.LeftButton
    QTest.mousePress(canvas, left, shift, QPoint(2, 2))
    for corner in (QPoint(right, 2), QPoint(right, low), QPoint(2, low)):
        QTest.mouseMove(canvas, corner)
    QTest.mouseRelease(canvas, left, shift, QPoint(2, low))


def test_all_media_are_points_in_groups(window: MainWindow, page: MapPage) -> None:
    """The line and the legend say how many."""
    count = window.session.model.rowCount()
    assert f"{count:,} photos" in page.state.text()
    assert page.stack.currentWidget() is page.canvas
    assert not page.show_chosen.isVisible()


def test_pictures_of_what_is_seen_are_asked_for(page: MapPage, qtbot: QtBot) -> None:
    """They come without a word from a person, and go with the switch."""

    def image() -> QImage:
        return page.canvas.grab().toImage()

    page.pictures.click()
    without = image()
    page.pictures.click()
    qtbot.waitUntil(lambda: image() != without, timeout=WAIT_MS)


def test_a_map_that_is_on_its_way_is_not_begun_anew_when_rows_change(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside an index, which changes rows every second, it would never come."""
    link, asked = window.session.link, list[GetMap]()
    usual = link.ask

    def ask(body: RequestBody, *arguments: Any, **named: Any) -> Ticket:
        if not isinstance(body, GetMap):
            return usual(body, *arguments, **named)
        asked.append(body)
        return Ticket(link, 0)  # its answer never comes

    monkeypatch.setattr(map_page, "AGAIN_MS", 1)
    monkeypatch.setattr(link, "ask", ask)
    window.action_set[Pages.MAP.action].trigger()
    qtbot.waitUntil(lambda: len(asked) == 1, timeout=WAIT_MS)
    link.event_received.emit(RowsChanged())
    qtbot.wait(100)
    assert len(asked) == 1


def test_a_lasso_chooses_and_shows_in_the_library(
    window: MainWindow, page: MapPage, qtbot: QtBot
) -> None:
    """Exactly those; Esc chooses nothing any more, and then leads back."""
    everything = window.session.model.rowCount()
    _draw_around_all(page)
    assert len(page.canvas.chosen) == everything
    page.step_back()
    assert not page.canvas.chosen
    page.canvas.choose([3, 1, 4])
    wanted = set(page.canvas.chosen_keys())
    page.show_chosen.click()
    assert window.switcher.page is Pages.LIBRARY
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
    assert set(window.session.model.all_keys()) == wanted
    assert "chosen on the map" in window.widgets.results.text.text()
    window.action_set[Actions.SHOW_ALL].trigger()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == everything, timeout=WAIT_MS)


def test_hidden_groups_are_neither_drawn_nor_chosen(page: MapPage, qtbot: QtBot) -> None:
    """A button of the legend hides its group and shows it again."""
    page.colours.setCurrentIndex(page.colours.findData(MapColour.FOLDER))
    _wait(page, qtbot)
    assert len(page.legend.buttons) > 1
    all_points = page.canvas.point_count()
    page.legend.buttons[0].click()
    _draw_around_all(page)
    assert 0 < len(page.canvas.chosen) < all_points
    page.legend.buttons[0].click()
    _draw_around_all(page)
    assert len(page.canvas.chosen) == all_points


def test_the_world_is_another_map(page: MapPage, qtbot: QtBot) -> None:
    """Media without a position are counted."""
    page.choose_kind(MapKind.WORLD)
    _wait(page, qtbot)
    assert "without a position" in page.state.text()
    assert page.stack.currentWidget() is page.canvas


def test_keys_and_wheel_move_and_zoom(page: MapPage, qtbot: QtBot) -> None:
    """0 shows all again."""
    canvas = page.canvas
    whole = canvas.look()
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.look().scale > whole.scale
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.look() == whole
    under = canvas.look().place(QPointF(100, 80))
    canvas.zoom(4, QPointF(100, 80))
    assert (canvas.look().pixel(under) - QPointF(100, 80)).manhattanLength() < 0.01
    QTest.keyClick(canvas, Qt.Key.Key_0)
    QTest.keyClick(canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(canvas.chosen) == canvas.point_count()


def test_a_click_chooses_the_point_under_it(page: MapPage) -> None:
    """And one beside all points chooses nothing."""
    canvas = page.canvas
    page.pictures.click()
    at = canvas.look().pixel(canvas.place_of(0)).toPoint()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)
    assert len(canvas.chosen) == 1
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert canvas.chosen == []


def test_a_map_that_is_replaced_unseen_is_not_painted_on(
    window: MainWindow, page: MapPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another map comes while the page is not shown: no step looks for the old one's photos."""
    canvas = page.canvas
    monkeypatch.setattr(map_layer, "FIRST_SLICE_S", 0.0)
    monkeypatch.setattr(map_layer, "SLICE_S", 0.0)
    canvas.zoom(1.1)
    canvas.grab()
    assert not canvas.painting.is_whole
    window.switcher.to_library()
    canvas.show_points(MapKind.LIKENESS, PointSet())
    assert canvas.painting._layer.is_whole
    qtbot.wait(100)
    assert canvas._drawing._stacks == {}
