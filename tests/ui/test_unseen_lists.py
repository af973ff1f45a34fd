"""Lists change only where they are seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import NewAlbum, album_filter
from cocadesk.protocol.values import SortKey
from tests.ui.conftest import WAIT_MS
from tests.ui.test_side_bar import some_keys, tell
from ui.kit.actions import Actions
from ui.library.query import Query
from ui.library.sorting import Sorting
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def test_lists_stay_while_another_page_or_photos_side_by_side_are_shown(
    window: MainWindow, qtbot: QtBot
) -> None:
    """A mouse's buttons and the keys of order and filters; the key of search leaves compare."""
    browser, actions = window.session.browser, window.action_set
    with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
        browser.ask(Query(terms=("kind:photo",)))
    before = browser.question
    compare = window._controllers.looking.compare
    for show in (
        lambda: window.switcher.show(Pages.SETTINGS),
        actions[Actions.COMPARE_SELECTED].trigger,
    ):
        window.switcher.to_library()
        window.widgets.grid.selectAll()
        show()
        qtbot.waitUntil(lambda: compare.is_open or window.switcher.page is Pages.SETTINGS)
        qtbot.mouseClick(window, Qt.MouseButton.BackButton)
        for action in (Actions.TURN_ORDER, Actions.ADD_FILTER, Actions.GO_BACK):
            actions[action].trigger()
        assert browser.question == before
    assert compare.is_open
    actions[Actions.FOCUS_SEARCH].trigger()
    assert not compare.is_open
    qtbot.mouseClick(window, Qt.MouseButton.BackButton)
    assert browser.question.is_everything


def test_photos_are_moved_in_an_albums_own_order_alone(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """In another one nobody would see what it does."""
    keys = some_keys(engine, 3)
    tell(engine, NewAlbum(name="Sea", keys=keys))
    browser = window.session.browser
    browser.ask(Query(terms=(album_filter("Sea"),), sort=Sorting(SortKey.NAME)))
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
    window.widgets.grid.go_to(0)
    window.action_set[Actions.MOVE_LATER].trigger()
    assert "own order first" in window.widgets.notice.text()
