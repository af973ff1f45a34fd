"""Typing in the search field: suggestions are taken only when they were chosen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from ui.shell.window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _until(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT_MS)


def _type(window: MainWindow, qtbot: QtBot, text: str) -> None:
    """Types a text that something of the library is offered for."""
    box = window.widgets.search
    window.activateWindow()
    box.setFocus()
    QTest.keyClicks(box, text)
    _until(qtbot, lambda: bool(box.offered()) and box.suggestions.list.isVisible())


def test_enter_searches_for_what_was_typed_whatever_is_offered(
    window: MainWindow, qtbot: QtBot
) -> None:
    """Nobody has chosen the first suggestion: it stays unused, and its list goes."""
    box, browser = window.widgets.search, window.session.browser
    _type(window, qtbot, "two id")
    QTest.keyClick(box.suggestions.list, Qt.Key.Key_Return)
    _until(qtbot, lambda: browser.question.text == "two id")
    assert browser.question.terms == ()
    assert not box.suggestions.list.isVisible()


def test_a_chosen_suggestion_is_taken_and_nothing_else_happens(
    window: MainWindow, qtbot: QtBot
) -> None:
    """One goes on typing where one was: no letter that follows is a command on a photo."""
    box, browser = window.widgets.search, window.session.browser
    _type(window, qtbot, "two id")
    committed: list[object] = []
    box.committed.connect(lambda: committed.append(None))
    QTest.keyClick(box.suggestions.list, Qt.Key.Key_Down)
    QTest.keyClick(box.suggestions.list, Qt.Key.Key_Return)
    _until(qtbot, lambda: browser.question.terms == ("person:Ida",))
    assert (box.text(), browser.question.text) == ("two", "two")
    assert box.hasFocus()
    assert committed == []


def test_an_answer_that_comes_after_enter_opens_nothing(window: MainWindow, qtbot: QtBot) -> None:
    """Suggestions belong to a text that is still being typed."""
    box = window.widgets.search
    window.activateWindow()
    box.setFocus()
    QTest.keyClicks(box, "two id")
    QTest.keyClick(box, Qt.Key.Key_Return)
    _until(qtbot, lambda: window.session.browser.question.text == "two id")
    QTest.qWait(300)
    assert not box.suggestions.list.isVisible()


def test_escape_closes_the_suggestions_alone(window: MainWindow, qtbot: QtBot) -> None:
    """The text and its results stay."""
    box = window.widgets.search
    _type(window, qtbot, "two id")
    QTest.keyClick(box.suggestions.list, Qt.Key.Key_Escape)
    assert not box.suggestions.list.isVisible()
    assert box.text() == "two id"


def _note(names: list[str], name: str, _is_on: bool = False) -> None:
    names.append(name)


def test_letters_over_the_open_list_are_typed(window: MainWindow, qtbot: QtBot) -> None:
    """They are keys of commands else: A accepts a caption, X rejects a photo."""
    box = window.widgets.search
    triggered: list[str] = []
    for action in window.action_set.all():
        action.triggered.connect(partial(_note, triggered, action.objectName()))
    _type(window, qtbot, "two i")
    for letter in "dax ":
        QTest.keyClicks(box.suggestions.list if box.suggestions.list.isVisible() else box, letter)
    assert box.text() == "two idax "
    assert triggered == []


def test_a_long_text_is_read_from_its_begin_once_one_looks_elsewhere(
    window: MainWindow, qtbot: QtBot
) -> None:
    """Coming back one types on where one was."""
    box = window.widgets.search
    window.activateWindow()
    box.setFocus()
    box.setText("a very long text " * 20)
    end = box.cursorPosition()
    window.widgets.grid.setFocus()
    assert box.cursorPosition() == 0
    box.setFocus()
    assert box.cursorPosition() == end
    window.widgets.grid.setFocus()
    box.show_query("another " * 40)
    assert box.cursorPosition() == 0
