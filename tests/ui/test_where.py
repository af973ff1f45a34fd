"""Where words come from, over the large photo: chosen, stepped through, and hidden again."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import HeatValue
from ui.detail.large.where import WhereBar
from ui.kit.actions import Actions
from ui.shell.where_mode import WhereMode
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture
def where(window: MainWindow, qtbot: QtBot) -> WhereMode:
    """The mode of a window whose cursor is at a described photo."""
    window.resize(1000, 700)
    window.widgets.grid.go_to(0)
    row = window.widgets.grid.current_row
    qtbot.waitUntil(lambda: bool((found := row()) and found.caption), timeout=WAIT_MS)
    return window._controllers.looking.where


def _opened(window: MainWindow, where: WhereMode, qtbot: QtBot) -> None:
    window.action_set[Actions.SHOW_WHERE].trigger()
    qtbot.waitUntil(lambda: bool(where.bar.buttons), timeout=WAIT_MS)
    photo = window.widgets.large.photo
    qtbot.waitUntil(lambda: photo.has_picture and photo._layer is not None, timeout=WAIT_MS)


def _colour(window: MainWindow) -> QColor:
    photo = window.widgets.large.photo
    corner = photo.stage().target(photo._look).topLeft()
    image = photo.grab().toImage()
    return image.pixelColor(round(corner.x()) + 5, round(corner.y()) + 5)


def test_each_word_of_the_caption_lies_over_the_large_photo(
    window: MainWindow, where: WhereMode, qtbot: QtBot
) -> None:
    """The large view opens; the first word is chosen, arrows choose others, Esc hides them."""
    _opened(window, where, qtbot)
    assert window.large.is_open
    row = window.widgets.grid.current_row()
    assert row is not None
    words = [button.text() for button in where.bar.buttons]
    assert words == [word for word in (row.caption or "").split() if word in words]
    assert [button.isChecked() for button in where.bar.buttons].index(True) == 0
    first = window.widgets.large.photo._layer
    under_map = _colour(window)
    QTest.keyClick(where.bar, Qt.Key.Key_Right)
    assert where.bar.buttons[1].isChecked()
    assert window.widgets.large.photo._layer is not first
    window.action_set[Actions.STEP_BACK].trigger()
    assert not where.is_open
    assert not where.bar.isVisible()
    assert window.large.is_open
    assert _colour(window) != under_map
    assert window.widgets.large.hasFocus()


def test_the_search_that_found_the_photo_stands_before_its_words(
    window: MainWindow, where: WhereMode, qtbot: QtBot
) -> None:
    """Why was this found: as a word of its own."""
    window.search("beach")
    browser = window.session.browser
    qtbot.waitUntil(lambda: browser.question.text == "beach", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: browser.listing.is_settled, timeout=WAIT_MS)
    window.widgets.grid.go_to(0)
    _opened(window, where, qtbot)
    qtbot.waitUntil(
        lambda: bool(where.bar.buttons) and "“beach”" in where.bar.buttons[0].text(),
        timeout=WAIT_MS,
    )


def test_another_photo_is_shown_alone(window: MainWindow, where: WhereMode, qtbot: QtBot) -> None:
    """Its words are asked for anew; answers of the first come too late to show."""
    window.action_set[Actions.SHOW_WHERE].trigger()
    assert where.is_open
    window.widgets.grid.step(1)
    assert not where.is_open
    qtbot.wait(100)
    assert window.widgets.large.photo._layer is None
    _opened(window, where, qtbot)
    window.action_set[Actions.SHOW_WHERE].trigger()
    assert not where.is_open


def test_a_chosen_word_stays_when_the_search_comes_later(app_theme: object, qtbot: QtBot) -> None:
    """The search stands before the words and moves each of them by one."""
    bar = WhereBar()
    qtbot.addWidget(bar)
    words = [HeatValue(text=text) for text in ("dog", "beach")]
    bar.show_maps(None, words)
    bar.buttons[1].click()
    found = HeatValue(text="a dog")
    for _ in range(2):
        bar.show_maps(found, words)
        chosen = [button.text() for button in bar.buttons if button.isChecked()]
        assert chosen == ["beach"]


def test_a_word_that_no_part_speaks_for_is_told_as_such(app_theme: object, qtbot: QtBot) -> None:
    """The sentence goes with the word, and does not stay for the next one."""
    bar = WhereBar()
    qtbot.addWidget(bar)
    bar.show_maps(None, [HeatValue(text="two", is_spread=True), HeatValue(text="dogs")])
    assert "No part of the photo speaks for “two”" in bar.says.text()
    bar.buttons[1].click()
    assert "bright is what speaks" in bar.says.text()
