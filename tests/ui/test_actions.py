"""The list of actions: menus, palette, keys, help and buttons follow from it."""

from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import PartValue, Row
from ui.annotations.ratings import RATINGS
from ui.detail.pane import DetailPane
from ui.kit.actions import ACTIONS, Action, Actions, ActionSet, Group, Requires
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.shell.menus import CommandPalette, PhotoMenu, main_menu
from ui.shell.pages import PAGES
from ui.shell.shortcuts import REVIEW, ShortcutsHelp

EVERY = (*ACTIONS, *(page.action for page in PAGES))

# Only the screenless platform says this, of every dialog and menu.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def frame(qtbot: QtBot) -> QMainWindow:
    """A bare window for the actions to live in."""
    made = QMainWindow()
    made.resize(1280, 800)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def actions(frame: QMainWindow) -> ActionSet:
    """All actions, enabled."""
    made = ActionSet(frame, [page.action for page in PAGES])
    made.update_enabled(set(Requires))
    return made


def _texts(menu: QMenu) -> list[str]:
    """The entries of a menu and of the menus in it."""
    found = []
    for entry in menu.actions():
        below = entry.menu()
        if isinstance(below, QMenu):
            found += _texts(below)
        elif not entry.isSeparator():
            found.append(entry.text())
    return found


def test_every_action_has_a_name_and_a_text_of_its_own() -> None:
    """Two of a name could not be told apart, two of a text not by people."""
    assert len({entry.id for entry in EVERY}) == len(EVERY)
    assert len({entry.text for entry in EVERY}) == len(EVERY)
    assert all(entry.text and entry.id for entry in EVERY)


def test_no_key_belongs_to_two_actions() -> None:
    """Qt would answer to neither."""
    keys = Counter(key for entry in EVERY for key in entry.keys + entry.shown_keys)
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
def test_the_keys_of_an_action_are_known_to_qt(entry: Action) -> None:
    """A misspelt key is an empty text."""
    assert all(entry.key_texts())
    assert len(entry.key_texts()) == len(entry.keys) + len(entry.shown_keys)


def test_the_menu_offers_every_action_once(actions: ActionSet, frame: QMainWindow) -> None:
    """Whoever knows no key finds everything."""
    assert sorted(_texts(main_menu(actions, frame))) == sorted(entry.text for entry in EVERY)


def test_the_menu_keeps_the_order_of_the_groups(actions: ActionSet, frame: QMainWindow) -> None:
    """As the help has it; the larger groups lie below."""
    menu = main_menu(actions, frame)
    names = [group.value for group in Group]
    below = [entry.text() for entry in menu.actions() if entry.menu() is not None]
    assert below == [name for name in names if name in below]
    assert _texts(menu)[0] == Actions.ADD_FOLDER.text


def test_the_menu_of_a_photo_has_what_is_marked_for_it(
    actions: ActionSet, frame: QMainWindow
) -> None:
    """Set apart by groups, stars and flags below; nothing that is about another thing."""
    menu = PhotoMenu(actions, frame, lambda: None, print).build()
    wanted = [entry.text for entry in EVERY if entry.is_in_photo_menu]
    suggested = [entry.text for entry in EVERY if entry.group is Group.SUGGESTIONS]
    assert _texts(menu) == wanted + suggested + [entry.text for entry in RATINGS]
    assert {entry.group for entry in EVERY if entry.is_in_photo_menu} == {
        Group.PHOTO,
        Group.ANNOTATIONS,
        Group.RATING,
        Group.SAME,
    }
    assert sum(entry.isSeparator() for entry in menu.actions()) == 3


def test_the_palette_finds_every_action_by_its_text(actions: ActionSet, frame: QMainWindow) -> None:
    """Typing the whole text leaves it among the first."""
    palette = CommandPalette(actions, frame)
    palette.open()
    assert palette.offered() == [entry.text for entry in EVERY]
    for entry in EVERY:
        palette.field.setText(entry.text.upper())
        assert entry.text in palette.offered()


def test_the_palette_finds_by_parts_and_by_the_group(
    actions: ActionSet, frame: QMainWindow
) -> None:
    """A few letters of any words, in any order; nothing fits nonsense."""
    palette = CommandPalette(actions, frame)
    palette.field.setText("folder cap")
    assert palette.offered() == [Actions.CAPTION_FOLDER.text]
    palette.field.setText("video")
    assert palette.offered() == [entry.text for entry in ACTIONS if entry.group is Group.VIDEO]
    palette.field.setText("zzz")
    assert palette.offered() == []


def test_the_palette_runs_what_is_marked_and_closes(
    actions: ActionSet, frame: QMainWindow, qtbot: QtBot
) -> None:
    """Down, Enter; what is not enabled is not offered."""
    ran: list[str] = []
    for entry in EVERY:
        actions[entry].triggered.connect(lambda _=False, name=entry.id: ran.append(name))
    palette = CommandPalette(actions, frame)
    frame.show()
    palette.open()
    palette.field.setText("photo: copy")
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert ran == [Actions.COPY_CAPTION.id]
    assert not palette.isVisible()
    actions.update_enabled({Requires.ENGINE})
    palette.open()
    assert Actions.COPY_PATH.text not in palette.offered()
    assert Actions.ADD_FOLDER.text in palette.offered()


def test_escape_closes_the_palette_and_runs_nothing(actions: ActionSet, frame: QMainWindow) -> None:
    """The window's own Esc stays away."""
    ran: list[bool] = []
    actions[Actions.STEP_BACK].triggered.connect(ran.append)
    palette = CommandPalette(actions, frame)
    frame.show()
    palette.open()
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert ran == []


@pytest.mark.parametrize("width_px", [1400, 1000, 760])
def test_the_help_shows_every_key_at_any_width(
    actions: ActionSet, frame: QMainWindow, app_theme: AppTheme, width_px: int
) -> None:
    """Three columns, two or one: nothing is left out."""
    frame.resize(width_px, 700)
    shown = ShortcutsHelp(actions, frame)
    texts = Counter(str(part.property("text")) for part in shown.findChildren(QWidget))
    for entry in EVERY:
        if entry.key_texts():
            assert texts[entry.text] >= 1
            assert all(texts[key] >= 1 for key in entry.key_texts())
    for text, _ in REVIEW:
        assert any(shown_text.strip() == text for shown_text in texts)


def test_the_detail_has_a_button_for_each_photo_action_with_an_icon(
    actions: ActionSet, app_theme: AppTheme, qtbot: QtBot
) -> None:
    """With its name and key as the tip."""
    frames = ImageLoader(long_side_px=64, keep=4, workers=1)
    pane = DetailPane(actions, frames)
    qtbot.addWidget(pane)
    buttons = [part for part in pane.findChildren(QToolButton) if part.defaultAction() is not None]
    wanted = [entry for entry in ACTIONS if entry.group is Group.PHOTO and entry.icon is not None]
    assert [part.accessibleName() for part in buttons] == [entry.text for entry in wanted]
    assert all(not part.icon().isNull() for part in buttons)
    copy = next(part for part in buttons if part.accessibleName() == "Copy path")
    assert copy.toolTip() == "Copy path (Ctrl+Shift+C)"
    frames.close()


def test_an_action_without_a_slot_is_an_error(qapp: QApplication) -> None:
    """A new entry that nobody handles is found at once."""
    parent = QObject()
    actions = ActionSet(parent)
    slots = dict.fromkeys(ACTIONS, parent.deleteLater)
    missing = dict(slots)
    del missing[Actions.COPY_PATH]
    with pytest.raises(ValueError, match="exactly one slot"):
        actions.bind(missing)
    with pytest.raises(ValueError, match="exactly one slot"):
        actions.bind(slots, {Actions.COPY_PATH: parent.deleteLater})


def test_each_action_runs_its_own_slot(qapp: QApplication) -> None:
    """From several controllers together."""
    ran: list[str] = []
    parent = QObject()
    actions = ActionSet(parent)
    half = len(ACTIONS) // 2
    parts = [
        {entry: (lambda name=entry.id: ran.append(name)) for entry in some}
        for some in (ACTIONS[:half], ACTIONS[half:])
    ]
    actions.bind(*parts)
    for live in actions.all():
        live.trigger()
    assert ran == [entry.id for entry in ACTIONS]


def test_actions_are_enabled_by_what_is_given(qapp: QApplication) -> None:
    """What needs nothing always is."""
    parent = QObject()
    actions = ActionSet(parent)
    for given in ((), (Requires.ENGINE,), (Requires.SELECTION, Requires.UNDO)):
        actions.update_enabled(given)
        for entry in ACTIONS:
            wanted = entry.requires is Requires.NOTHING or entry.requires in given
            assert actions[entry].isEnabled() is wanted


def test_the_menu_of_a_photo_offers_each_of_its_files(
    actions: ActionSet, frame: QMainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open and to show in its folder; a photo of one file has no such menu."""
    part = PartValue(path=WirePath.of(b"/photos/a.cr2"), role="raw")
    path = WirePath.of(b"/photos/a.jpg")
    row = Row(key="k", path=path, name="a.jpg", folder="/photos", parts=(part,))
    opened: list[str] = []
    monkeypatch.setattr("ui.kit.desktop.open_in_program", opened.append)
    menu = PhotoMenu(actions, frame, lambda: row, print).build()
    _suggestions, _ratings, *submenus = menu.findChildren(QMenu)
    assert [one.title() for one in submenus] == ["Files of this photo", "a.jpg", "a.cr2"]
    submenus[2].actions()[0].trigger()
    assert opened == ["/photos/a.cr2"]
