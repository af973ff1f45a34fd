"""Stars, flags, albums and saved searches in the window, by keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import album_name
from cocadesk.protocol.values import MediaKind, Row
from ui.annotations.albums import AlbumsDialog, NameDialog
from ui.kit.actions import Actions
from ui.kit.texts import marks, short_marks
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog and list that pops up.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def active(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window as the one that keys go to, with the grid in focus."""
    window.activateWindow()
    window.widgets.grid.setFocus()
    qtbot.waitUntil(window.widgets.grid.hasFocus, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(window.widgets.detail.key), timeout=WAIT_MS)
    return window


@pytest.fixture
def press(active: MainWindow, qtbot: QtBot) -> Callable[[Qt.Key], None]:
    """Presses a key in the grid and waits until the engine has answered."""

    def press_key(key: Qt.Key) -> None:
        QTest.keyClick(active.focusWidget() or active, key)
        qtbot.waitUntil(active.session.editor.is_settled, timeout=WAIT_MS)

    return press_key


def key_of(window: MainWindow) -> str:
    """The photo under the cursor."""
    key = window.widgets.grid.current_key()
    assert key is not None
    return key


def select(window: MainWindow, count: int) -> list[str]:
    """Selects the first photos."""
    grid, model = window.widgets.grid, window.session.model
    grid.go_to(0)
    for row in range(count):
        grid.selectionModel().select(model.index(row), QItemSelectionModel.SelectionFlag.Select)
    return grid.selected_keys()


@pytest.mark.parametrize(
    ("key", "shown", "told"),
    [
        (Qt.Key.Key_4, "★★★★☆", "4 stars on 1 photo"),
        (Qt.Key.Key_1, "★☆☆☆☆", "1 star on 1 photo"),
        (Qt.Key.Key_P, "Picked", "Picked 1 photo"),
        (Qt.Key.Key_X, "Rejected", "Rejected 1 photo"),
        (Qt.Key.Key_L, "Favourite", "Favourites: 1 photo"),
    ],
)
def test_one_key_rates_or_flags_the_photo(
    active: MainWindow,
    press: Callable[[Qt.Key], None],
    qtbot: QtBot,
    key: Qt.Key,
    shown: str,
    told: str,
) -> None:
    """The detail shows it at once, the notice says what was done and takes it back."""
    press(key)
    detail = active.widgets.detail
    qtbot.waitUntil(lambda: detail.marks.text() == shown, timeout=WAIT_MS)
    assert detail.marks.isVisible()
    assert told in active.widgets.notice.text()
    assert active.session.editor.undo_title


def test_undo_takes_stars_back_in_the_detail_too(
    active: MainWindow, press: Callable[[Qt.Key], None], engine: FakeEngine, qtbot: QtBot
) -> None:
    """Whatever was there before comes again; 0 and U take away by themselves."""
    detail = active.widgets.detail
    press(Qt.Key.Key_3)
    press(Qt.Key.Key_X)
    qtbot.waitUntil(lambda: detail.marks.text() == "★★★☆☆ · Rejected", timeout=WAIT_MS)
    press(Qt.Key.Key_U)
    press(Qt.Key.Key_0)
    qtbot.waitUntil(lambda: not detail.marks.isVisible(), timeout=WAIT_MS)
    assert engine.row(key_of(active)).flag == "none"
    for _ in range(2):
        active.action_set[Actions.UNDO].trigger()
        qtbot.waitUntil(active.session.editor.is_settled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: detail.marks.text() == "★★★☆☆ · Rejected", timeout=WAIT_MS)


def test_a_selection_is_rated_as_a_whole(
    active: MainWindow, press: Callable[[Qt.Key], None], engine: FakeEngine
) -> None:
    """One command, one undo."""
    keys = select(active, 3)
    press(Qt.Key.Key_5)
    assert "5 stars on 3 photos" in active.widgets.notice.text()
    assert [engine.row(key).stars for key in keys] == [5, 5, 5]
    press(Qt.Key.Key_L)
    press(Qt.Key.Key_L)
    assert [engine.row(key).favourite for key in keys] == [False] * 3


def test_letters_that_are_typed_rate_nothing(active: MainWindow, qtbot: QtBot) -> None:
    """They belong to the field in which one types."""
    active.widgets.search.setFocus()
    qtbot.waitUntil(active.widgets.search.hasFocus, timeout=WAIT_MS)
    QTest.keyClicks(active.widgets.search, "5 pxul")
    assert active.widgets.search.text() == "5 pxul"
    assert active.session.editor.undo_title == ""


def _dialog(window: MainWindow, kind: type[NameDialog]) -> NameDialog:
    assert isinstance(window.dialogs.current, kind)
    return window.dialogs.current


def _add_to(window: MainWindow, qtbot: QtBot, name: str) -> None:
    window.action_set[Actions.ADD_TO_ALBUM].trigger()
    dialog = _dialog(window, NameDialog)
    qtbot.waitUntil(lambda: dialog.field.completer() is not None, timeout=WAIT_MS)
    dialog.field.setText(name)
    dialog.go.click()
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=WAIT_MS)


def test_photos_are_added_to_an_album_that_is_then_shown_in_its_order(
    active: MainWindow, qtbot: QtBot
) -> None:
    """A new name makes it, a known one is added to; one that is open can be left."""
    first, second, third = select(active, 3)
    active.widgets.grid.go_to(2)
    _add_to(active, qtbot, 'My "sea"')
    select(active, 2)
    _add_to(active, qtbot, 'my "SEA"')
    assert "Added 2 photos" in active.widgets.notice.text()
    active.action_set[Actions.ALBUMS].trigger()
    lists = active.dialogs.current
    assert isinstance(lists, AlbumsDialog)
    qtbot.waitUntil(lambda: lists.names() == ['My "sea"'], timeout=WAIT_MS)
    lists.show_button.click()
    model = active.session.model
    qtbot.waitUntil(lambda: model.all_keys() == [third, first, second], timeout=WAIT_MS)
    assert 'in the album “My "sea"”' in active.widgets.results.text.text()
    active.widgets.grid.go_to(1)
    for action, order in (
        (Actions.MOVE_EARLIER, [first, third, second]),
        (Actions.MOVE_EARLIER, [first, third, second]),
        (Actions.MOVE_LATER, [third, first, second]),
        (Actions.MOVE_LATER, [third, second, first]),
        (Actions.UNDO, [third, first, second]),
    ):
        active.action_set[action].trigger()
        qtbot.waitUntil(lambda order=order: model.all_keys() == order, timeout=WAIT_MS)
        assert key_of(active) == first
    active.action_set[Actions.LEAVE_ALBUM].trigger()
    qtbot.waitUntil(lambda: model.all_keys() == [third, second], timeout=WAIT_MS)


def test_a_search_is_saved_opened_renamed_and_deleted(active: MainWindow, qtbot: QtBot) -> None:
    """A name that is taken is said in the dialog, which stays."""
    active.action_set[Actions.SAVE_SEARCH].trigger()
    assert "Search for something first" in active.widgets.notice.text()
    for _ in range(2):
        with qtbot.waitSignal(active.session.browser.settled, timeout=WAIT_MS):
            active.search("dog")
        active.action_set[Actions.SAVE_SEARCH].trigger()
        dialog = _dialog(active, NameDialog)
        dialog.field.setText("Dogs")
        dialog.go.click()
        qtbot.waitUntil(
            lambda d=dialog: not d.isVisible() or bool(d.problem.text()), timeout=WAIT_MS
        )
        with qtbot.waitSignal(active.session.browser.settled, timeout=WAIT_MS):
            active.search("cat")
    assert "taken" in dialog.problem.text()
    active.action_set[Actions.ALBUMS].trigger()
    lists = active.dialogs.current
    assert isinstance(lists, AlbumsDialog)
    qtbot.waitUntil(lambda: lists.names() == ["Dogs"], timeout=WAIT_MS)
    lists.rename.click()
    dialog = _dialog(active, NameDialog)
    assert dialog.field.text() == "Dogs"
    dialog.field.setText("Hunde")
    dialog.go.click()
    qtbot.waitUntil(lambda: isinstance(active.dialogs.current, AlbumsDialog), timeout=WAIT_MS)
    lists = active.dialogs.current
    assert isinstance(lists, AlbumsDialog)
    qtbot.waitUntil(lambda: lists.names() == ["Hunde"], timeout=WAIT_MS)
    with qtbot.waitSignal(active.session.browser.settled, timeout=WAIT_MS):
        lists.show_button.click()
    assert active.session.browser.query == "dog"
    active.action_set[Actions.ALBUMS].trigger()
    lists = active.dialogs.current
    assert isinstance(lists, AlbumsDialog)
    qtbot.waitUntil(lambda: lists.names() == ["Hunde"], timeout=WAIT_MS)
    lists.delete.click()
    qtbot.waitUntil(lambda: lists.names() == [], timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("query", "album"),
    [
        ('album:"My ""sea"""', 'My "sea"'),
        ("album:Sea", "Sea"),
        (' album:"a b" ', "a b"),
        ("album:Sea rating:5", ""),
        ("album:a,b", ""),
        ("dog", ""),
        ('album:"open', ""),
    ],
)
def test_a_query_of_one_album_alone_is_known(query: str, album: str) -> None:
    """Its photos then come in its order, and can be taken out of it."""
    assert album_name(query) == album


def test_marks_are_short_on_thumbnails_and_long_in_the_detail() -> None:
    """And nothing where there is nothing."""
    row = Row(key="k", path="/a.jpg", name="a.jpg", folder="/", kind=MediaKind.PHOTO)  # type: ignore[arg-type]
    assert (marks(row), short_marks(row)) == ("", "")
    full = Row(
        key="k", path="/a.jpg", name="a.jpg", folder="/", stars=4, flag="pick", favourite=True,  # type: ignore[arg-type]
    )  # fmt: skip
    assert marks(full) == "★★★★☆ · Picked · Favourite"
    assert short_marks(full) == "★4 ✓ ♥"
