"""Filters, order, breadcrumbs, back and forward in the window, with the fake engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.values import SortKey
from tests.ui.conftest import WAIT_MS
from ui.kit.actions import Actions
from ui.library.query import Query, Showing
from ui.library.sorting import Sorting
from ui.shell.window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _until(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT_MS)


def _ask(window: MainWindow, qtbot: QtBot, query: Query) -> None:
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.session.browser.ask(query)


def _chips(window: MainWindow) -> list[str]:
    return [chip.name.text() for chip in window.widgets.library.filters.chips()]


def test_a_typed_term_becomes_a_chip_when_enter_is_pressed(
    window: MainWindow, qtbot: QtBot
) -> None:
    """Until then it is text; the rest of the text stays in the box."""
    box, browser = window.widgets.search, window.session.browser
    box.setFocus()
    QTest.keyClicks(box, "beach kind:photo")
    _until(qtbot, lambda: browser.listing.showing is Showing.SEARCH)
    assert box.text() == "beach kind:photo"
    assert _chips(window) == []
    QTest.keyClick(box, Qt.Key.Key_Return)
    _until(qtbot, lambda: _chips(window) == ["Photo"])
    assert box.text() == "beach"
    assert browser.question == Query(text="beach", terms=("kind:photo",)).sorted()
    assert window.widgets.library.filters.isVisible()
    assert window.widgets.library.crumbs.texts() == ["All", "Photo", "“beach”"]


def test_a_chip_is_turned_round_and_removed_by_mouse_and_keys(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The list follows at once, and the text beside it stays."""
    _ask(window, qtbot, Query(terms=("kind:video",)))
    videos = window.session.model.rowCount()
    assert 0 < videos < 40
    [chip] = window.widgets.library.filters.chips()
    _until(qtbot, lambda: _chips(window) == ["Video"])
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.library.filters.build_menu("kind:video").actions()[0].trigger()
    assert window.session.model.rowCount() == 40 - videos
    _until(qtbot, lambda: _chips(window) == ["Not: video"])
    [chip] = window.widgets.library.filters.chips()
    chip.setFocus()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        QTest.keyClick(chip, Qt.Key.Key_X)
    _until(qtbot, lambda: window.session.model.rowCount() == 40)
    assert not window.widgets.library.filters.isVisible()


def test_one_goes_back_to_the_place_where_a_list_was_left(window: MainWindow, qtbot: QtBot) -> None:
    """By keys, by the buttons and by those of the mouse."""
    grid, model = window.widgets.grid, window.session.model
    grid.set_size_step(5)
    grid.go_to(30)
    key = grid.current_key()
    top = grid.first_visible()
    assert top is not None
    assert top[0] > 0
    _ask(window, qtbot, Query(terms=("kind:video",)))
    back = window.action_set[Actions.GO_BACK]
    assert back.isEnabled()
    assert not window.action_set[Actions.GO_FORWARD].isEnabled()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        back.trigger()
    _until(qtbot, lambda: model.rowCount() == 40)
    assert grid.current_key() == key
    again = grid.first_visible()
    assert again is not None
    assert again[0] == top[0]
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        _press_mouse(grid.viewport(), Qt.MouseButton.ForwardButton)
    _until(qtbot, lambda: model.rowCount() < 40)
    assert window.session.browser.question.terms == ("kind:video",)
    assert not window.action_set[Actions.GO_FORWARD].isEnabled()


def _press_mouse(widget: object, button: Qt.MouseButton) -> None:
    from PySide6.QtWidgets import QApplication

    where = QPointF(QPoint(5, 5))
    event = QMouseEvent(
        QMouseEvent.Type.MouseButtonPress, where, where, button, button,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_breadcrumbs_lead_to_each_part_of_the_way(window: MainWindow, qtbot: QtBot) -> None:
    """All, then a filter more each, then the text."""
    _ask(window, qtbot, Query(text="dog", terms=("kind:photo", "camera:Example")))
    crumbs = window.widgets.library.crumbs
    _until(qtbot, lambda: crumbs.texts() == ["All", "Photo", "Camera: Example", "“dog”"])
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        crumbs.open(1)
    assert window.session.browser.question.terms == ("kind:photo",)
    assert window.widgets.search.text() == ""
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        crumbs.open(0)
    assert window.session.browser.question.is_everything
    assert not crumbs.isVisible()


def test_an_order_is_chosen_turned_and_remembered(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot, make_window: Callable[..., MainWindow]
) -> None:
    """For its kind of list, over restarts."""
    sort = window.widgets.results.sort
    assert sort.text().startswith("Date taken")
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        sort.choose(Sorting(SortKey.NAME))
    keys = window.session.model.all_keys()
    names = [engine.row(key).name for key in keys]
    assert names == sorted(names)
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.action_set[Actions.TURN_ORDER].trigger()
    assert window.session.model.all_keys() == keys[::-1]
    assert "by name, last first" in window.session.browser.listing.headline
    other = make_window()
    _until(qtbot, lambda: other.session.model.rowCount() == 40)
    assert other.session.model.all_keys() == keys[::-1]
    assert other.widgets.results.sort.text() == "Name  ↑"


def test_an_empty_list_says_which_filter_to_remove(window: MainWindow, qtbot: QtBot) -> None:
    """With the number of what is found without it; its button does so."""
    _ask(window, qtbot, Query(terms=("kind:video", "kind:photo", "camera:Example")))
    hints = window._controllers.queries.hints
    _until(qtbot, lambda: hints.hint is not None)
    text = window.widgets.empty.text()
    assert "without “Video”" in text
    assert "Remove “Video”" in window.widgets.empty.button.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.empty.button.click()
    assert window.session.browser.question.terms == ("kind:photo", "camera:Example")
    assert window.session.model.rowCount() > 0


def test_a_value_is_chosen_by_its_first_letters(window: MainWindow, qtbot: QtBot) -> None:
    """From what the library has, with numbers."""
    chooser = window._controllers.queries.menu.chooser
    window._controllers.queries.menu.open_chooser("person", "")
    _until(qtbot, lambda: len(chooser.offered()) == 3)
    chooser.field.setText("ö")
    _until(qtbot, lambda: chooser.offered() == ["Ömer"])
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        QTest.keyClick(chooser.field, Qt.Key.Key_Return)
    assert window.session.browser.question.terms == ("person:Ömer",)


def test_words_of_the_library_complete_what_is_typed(window: MainWindow, qtbot: QtBot) -> None:
    """Taking one makes a filter of it, and leaves the words before it."""
    box = window.widgets.search
    window.activateWindow()
    box.setFocus()
    QTest.keyClicks(box, "two id")
    _until(qtbot, lambda: box.offered() == ["Ida"])
    box.take(0)
    _until(qtbot, lambda: window.session.browser.question.terms == ("person:Ida",))
    assert box.text() == "two"


def test_earlier_searches_are_there_after_a_restart(
    window: MainWindow, qtbot: QtBot, make_window: Callable[..., MainWindow]
) -> None:
    """Up brings them back."""
    box = window.widgets.search
    QTest.keyClicks(box, "a red bicycle")
    QTest.keyClick(box, Qt.Key.Key_Return)
    other = make_window().widgets.search
    QTest.keyClick(other, Qt.Key.Key_Up)
    assert other.text() == "a red bicycle"


@pytest.mark.parametrize(
    "text",
    ['tag:"', "tag:", "knd:video", "x" * 10_000, "🐶 -", "!!! ???", 'like:""'],
)
def test_any_text_in_the_box_gets_a_list_or_a_sentence(
    window: MainWindow, qtbot: QtBot, text: str
) -> None:
    """Enter on it harms nothing."""
    box = window.widgets.search
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        box.set_query(text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    _until(
        qtbot,
        lambda: (
            window.session.browser.listing.problem is not None
            or window.session.browser.listing.query == box.query()
        ),
    )
