"""The pages beside the library: turning to them and back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from ui.kit.actions import Actions
from ui.shell.pages import PAGES, TIGHTER_PX, Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000


def test_each_page_is_made_when_it_is_first_wanted(window: MainWindow, qtbot: QtBot) -> None:
    """A window starts with its library alone; the shown page's tab is marked."""
    switcher, tabs = window.switcher, window.widgets.tabs
    assert switcher.page is Pages.LIBRARY
    for page in (Pages.TEACH, Pages.TAGS, Pages.MODELS):
        assert switcher.built(page) is None
        qtbot.mouseClick(tabs.tab(page), Qt.MouseButton.LeftButton)
        shown = switcher.built(page)
        assert shown is not None
        assert shown.isVisible()
        with_tabs = [one for one in PAGES if one.has_tab]
        assert [one for one in with_tabs if tabs.tab(one).isChecked()] == [page]
        assert not window.widgets.grid.isVisible()


def test_pages_are_reached_by_keys_and_left_by_escape(window: MainWindow, qtbot: QtBot) -> None:
    """By Esc to the library, before it clears a search."""
    keys = [window.action_set[page.action].shortcut().toString() for page in PAGES]
    assert keys == ["Ctrl+1", "Ctrl+2", "Ctrl+3", "Ctrl+4", "Ctrl+5", "Ctrl+6", "Ctrl+,"]
    window.action_set[Pages.TAGS.action].trigger()
    assert window.switcher.page is Pages.TAGS
    window.action_set[Actions.STEP_BACK].trigger()
    assert window.switcher.page is Pages.LIBRARY
    assert window.widgets.grid.isVisible()


def test_a_search_from_any_page_shows_its_results(window: MainWindow, qtbot: QtBot) -> None:
    """The field is always there, and its answers are in the library."""
    window.action_set[Pages.MODELS.action].trigger()
    browser = window.session.browser
    qtbot.keyClicks(window.widgets.search, "dog")
    qtbot.waitUntil(lambda: browser.is_settled and browser.question.text == "dog", timeout=WAIT_MS)
    assert window.switcher.page is Pages.LIBRARY
    assert 0 < window.session.model.rowCount() < 40


def test_no_key_changes_a_photo_that_is_not_seen(window: MainWindow, qtbot: QtBot) -> None:
    """A or T on another page must not accept or tag what lies under it."""
    photo_actions = (
        Actions.ACCEPT_CAPTION,
        Actions.ADD_TAG,
        Actions.EDIT_CAPTION,
        Actions.OPEN_LARGE,
    )
    assert all(window.action_set[do].isEnabled() for do in photo_actions)
    window.action_set[Pages.TEACH.action].trigger()
    assert not any(window.action_set[do].isEnabled() for do in photo_actions)
    window.action_set[Pages.LIBRARY.action].trigger()
    assert all(window.action_set[do].isEnabled() for do in photo_actions)


def test_a_page_turns_the_large_view_off(window: MainWindow, qtbot: QtBot) -> None:
    """A page that is wanted is seen."""
    window.large.open()
    window.action_set[Pages.TEACH.action].trigger()
    shown = window.switcher.built(Pages.TEACH)
    assert shown is not None
    assert shown.isVisible()


def test_pages_change_their_look_with_the_window(window: MainWindow, qtbot: QtBot) -> None:
    """Those that are made already too."""
    for page in PAGES:
        window.switcher.show(page)
    window.action_set[Actions.APPEARANCE].trigger()
    window.action_set[Actions.APPEARANCE].trigger()
    assert window.switcher.page is PAGES[-1]


def test_everything_on_the_pages_has_a_name(window: MainWindow, qtbot: QtBot) -> None:
    """Screen readers find a name on every visible button."""
    for page in PAGES:
        window.switcher.show(page)
        for part in window.findChildren(QAbstractButton):
            if part.isVisible():
                assert part.accessibleName() or part.text(), part


def test_names_of_tabs_are_whole_in_a_narrow_window(window: MainWindow, qtbot: QtBot) -> None:
    """German is a third longer: there is less room around the names then."""
    tabs = [window.widgets.tabs.tab(page) for page in PAGES if page.has_tab]
    names = ("Bibliothek", "Anlernen", "Schlagwörter", "Modelle", "Gleiche Bilder", "Karte")
    for tab, name in zip(tabs, names, strict=True):
        tab.setText(name)
    window.resize(900, 700)
    qtbot.waitUntil(lambda: all(tab.width() >= tab.sizeHint().width() for tab in tabs))
    tight = [tab.sizeHint().width() for tab in tabs]
    window.resize(1300, 700)
    roomy = [width + TIGHTER_PX for width in tight]
    qtbot.waitUntil(lambda: [tab.sizeHint().width() for tab in tabs] == roomy)


def test_a_menu_stands_for_tabs_that_have_no_room(window: MainWindow, qtbot: QtBot) -> None:
    """It has the shown page's name, and leads to each page."""
    parts = window.widgets.tabs
    tabs = [parts.tab(page) for page in PAGES if page.has_tab]
    for tab in tabs:
        tab.setText("A long name of a page")
    window.resize(900, 700)
    qtbot.waitUntil(lambda: parts.menu.isVisible() and not any(map(QWidget.isVisible, tabs)))
    assert parts.menu.text() == Pages.LIBRARY.title
    entries = parts.menu.menu().actions()
    assert [entry.text() for entry in entries] == [page.title for page in PAGES if page.has_tab]
    entries[2].trigger()
    assert window.switcher.page is Pages.TAGS
    assert parts.menu.text() == Pages.TAGS.title
    for tab in tabs:
        tab.setText("Page")
    window.resize(1300, 700)
    qtbot.waitUntil(lambda: all(map(QWidget.isVisible, tabs)) and not parts.menu.isVisible())
