"""The window without a mouse: every page is reached, walked through and left by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ui.kit.actions import Actions
from ui.shell.pages import PAGES, Pages, PageSpec
from ui.shell.window import MainWindow

WAIT_MS = 30_000
MANY = 60

# Only the screenless platform says this, of lists that pop up.
pytestmark = pytest.mark.qt_log_ignore("does not support", "propagateSizeHints")


@pytest.fixture
def active(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window as the one that keys go to, with the grid in focus."""
    window.activateWindow()
    window.widgets.grid.setFocus()
    qtbot.waitUntil(window.widgets.grid.hasFocus, timeout=WAIT_MS)
    return window


def _press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    target = window.focusWidget() or window
    QTest.keyClick(target, key, held or Qt.KeyboardModifier.NoModifier)


def _walk(window: MainWindow) -> list[QWidget]:
    """The widgets that Tab leads to, until one comes again."""
    reached: list[QWidget] = []
    for _ in range(MANY):
        _press(window, Qt.Key.Key_Tab)
        focus = window.focusWidget()
        if focus is None or focus in reached:
            break
        reached.append(focus)
    return reached


WITH_TAB = [page for page in PAGES if page.has_tab]


@pytest.mark.parametrize(("page", "digit"), [(page, n + 1) for n, page in enumerate(WITH_TAB)],
                         ids=[page.title for page in WITH_TAB])  # fmt: skip
def test_each_page_has_the_key_of_its_place(active: MainWindow, page: PageSpec, digit: int) -> None:
    """Ctrl and the number of its tab."""
    _press(active, Qt.Key(int(Qt.Key.Key_0) + digit), Qt.KeyboardModifier.ControlModifier)
    assert active.switcher.page is page
    assert active.widgets.tabs.tab(page).isChecked()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_tab_goes_round_a_page_without_getting_lost(active: MainWindow, page: PageSpec) -> None:
    """Only what is seen takes the focus, and everything that does has a name or a text."""
    active.switcher.show(page)
    reached = _walk(active)
    assert len(reached) > 3
    for part in reached:
        assert part.isVisible()
        assert part.accessibleName() or part.property("text"), part


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.title)
def test_escape_leads_back_to_the_library_from_any_page(active: MainWindow, page: PageSpec) -> None:
    """And the cursor is where it was."""
    active.widgets.grid.go_to(5)
    active.switcher.show(page)
    active.action_set[Actions.STEP_BACK].trigger()
    assert active.switcher.page is Pages.LIBRARY
    assert active.widgets.grid.currentIndex().row() == 5


def test_a_slash_goes_to_the_search_from_any_page(active: MainWindow, qtbot: QtBot) -> None:
    """With its text selected, to be written over."""
    active.widgets.search.set_query("dog")
    active.switcher.show(Pages.MODELS)
    active.action_set[Actions.FOCUS_SEARCH].trigger()
    qtbot.waitUntil(active.widgets.search.hasFocus, timeout=WAIT_MS)
    assert active.widgets.search.selectedText() == "dog"


def test_down_leads_from_the_search_into_its_results(active: MainWindow, qtbot: QtBot) -> None:
    """The first photo is under the cursor; Up in the field brings older queries back."""
    search, grid = active.widgets.search, active.widgets.grid
    search.setFocus()
    QTest.keyClicks(search, "dog")
    QTest.keyClick(search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: active.session.browser.is_settled, timeout=WAIT_MS)
    assert grid.hasFocus()
    assert grid.currentIndex().row() == 0
    search.setFocus()
    search.selectAll()
    QTest.keyClicks(search, "cat")
    QTest.keyClick(search, Qt.Key.Key_Up)
    assert search.text() == "dog"


def test_arrows_and_ends_move_the_cursor_of_the_grid(active: MainWindow) -> None:
    """Home and End too."""
    grid = active.widgets.grid
    for key, row in ((Qt.Key.Key_End, 39), (Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1)):
        QTest.keyClick(grid, key)
        assert grid.currentIndex().row() == row


def test_keys_change_the_size_of_thumbnails_within_its_range(active: MainWindow) -> None:
    """However often they are pressed."""
    grid = active.widgets.grid
    for _ in range(12):
        active.action_set[Actions.BIGGER].trigger()
    largest = grid.size_step
    for _ in range(20):
        active.action_set[Actions.SMALLER].trigger()
    assert grid.size_step == 0 < largest
    assert active.widgets.results.slider.value() == 0


def test_escape_goes_back_one_level_at_a_time(active: MainWindow, qtbot: QtBot) -> None:
    """Jobs, then the page, then the search."""
    back = active.action_set[Actions.STEP_BACK]
    with qtbot.waitSignal(active.session.browser.settled, timeout=WAIT_MS):
        active.widgets.search.set_query("dog")
    active.switcher.show(Pages.TAGS)
    active.action_set[Actions.JOBS].trigger()
    back.trigger()
    assert not active.widgets.jobs.isVisible()
    assert active.switcher.page is Pages.TAGS
    back.trigger()
    assert active.switcher.page is Pages.LIBRARY
    assert active.widgets.search.query() == "dog"
    back.trigger()
    assert active.widgets.search.query() == ""


def test_plus_and_minus_zoom_the_large_view(active: MainWindow, qtbot: QtBot) -> None:
    """Never smaller than the whole picture; another photo begins whole again."""
    large = active.widgets.large
    active.action_set[Actions.OPEN_LARGE].trigger()
    qtbot.waitUntil(lambda: large.photo.has_picture, timeout=WAIT_MS)
    QTest.keyClick(large, Qt.Key.Key_Plus)
    assert large.photo.zoom > 1.0
    for _ in range(9):
        QTest.keyClick(large, Qt.Key.Key_Minus)
    assert large.photo.zoom == 1.0
    QTest.keyClick(large, Qt.Key.Key_PageDown)
    assert active.widgets.grid.currentIndex().row() == 1
    QTest.keyClick(large, Qt.Key.Key_Return)
    assert not active.large.is_open
