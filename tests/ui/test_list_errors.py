"""Lists that survive errors: a renamed album, a group that can't be opened, a lost stretch."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import (
    GetGroup,
    ListNewest,
    NewAlbum,
    SetAnnotations,
    album_filter,
)
from tests.ui.conftest import WAIT_MS
from tests.ui.test_collapsing import collapsed, go_to_group
from tests.ui.test_side_bar import some_keys, tell
from ui.annotations.albums import ALBUM, NameDialog
from ui.kit.actions import Actions
from ui.library.query import Query
from ui.shell.window import MainWindow

__all__ = ["collapsed"]
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def test_the_album_that_is_shown_keeps_its_photos_when_it_is_renamed(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """The chip and the way back have the new name; undo brings the former one back."""
    keys = some_keys(engine, 3)
    tell(engine, NewAlbum(name="Sea", keys=keys))
    browser, queries = window.session.browser, window._controllers.queries
    browser.ask(Query(terms=(album_filter("Sea"),)))
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
    window._controllers.albums.rename(ALBUM, "Sea")
    dialog = window.dialogs.current
    assert isinstance(dialog, NameDialog)
    dialog.field.setText("Ocean")
    dialog.go.click()
    qtbot.waitUntil(lambda: browser.question.terms == (album_filter("Ocean"),), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: browser.listing.is_settled, timeout=WAIT_MS)
    assert browser.listing.problem is None
    assert window.session.model.all_keys() == list(keys)
    queries.step(-1)
    assert browser.question.is_everything
    queries.step(1)
    assert browser.question.terms == (album_filter("Ocean"),)
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    browser.ask_again()
    qtbot.waitUntil(lambda: browser.question.terms == (album_filter("Sea"),), timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: browser.listing.is_settled and browser.listing.problem is None, timeout=WAIT_MS
    )
    assert window.session.model.all_keys() == list(keys)


def test_a_group_that_cannot_be_opened_leaves_the_list(
    collapsed: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """A notice says why; the photos stay."""
    go_to_group(collapsed, 3)
    engine.refuse(GetGroup, UserError("The group could not be read."))
    QTest.keyClick(collapsed.widgets.grid, Qt.Key.Key_G)
    notice = collapsed.widgets.notice
    qtbot.waitUntil(lambda: "could not be read" in notice.text(), timeout=WAIT_MS)
    assert collapsed.session.browser.listing.problem is None
    assert collapsed.widgets.grid.isVisible()


def test_a_list_that_failed_once_comes_again_with_the_next_change(
    engine: FakeEngine, window: MainWindow, qtbot: QtBot
) -> None:
    """It does not wait for ever for a stretch that was refused."""
    browser = window.session.browser
    engine.refuse(ListNewest, UserError("The store is busy."))
    browser.ask_again()
    qtbot.waitUntil(lambda: browser.listing.problem is not None, timeout=WAIT_MS)
    engine._refusals.clear()
    tell(engine, SetAnnotations(keys=some_keys(engine, 1), favourite=True))
    qtbot.waitUntil(lambda: browser.listing.problem is None, timeout=WAIT_MS)
    assert window.session.model.rowCount() == 40
