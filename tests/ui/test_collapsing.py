"""Same pictures in the grid: one cell for a group, opened in place and closed again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import GroupMember, PictureGroup
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import GroupLabel, Row
from ui.kit.actions import Actions
from ui.kit.preferences import remember
from ui.library.alike.kin import kin_of, within
from ui.library.group_commands import COLLAPSE
from ui.library.grouping import GroupMarks
from ui.library.key_list import KeyList
from ui.library.listing import Showing
from ui.library.sections import Headers
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture
def collapsed(
    engine: FakeEngine, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> MainWindow:
    """A window that collapses same pictures, with the grid in focus."""
    remember(COLLAPSE, True)
    window = make_window()
    window.activateWindow()
    qtbot.waitUntil(lambda: 0 < window.session.model.rowCount() < 40, timeout=WAIT_MS)
    window.widgets.grid.setFocus()
    qtbot.waitUntil(window.widgets.grid.hasFocus, timeout=WAIT_MS)
    return window


def go_to_group(window: MainWindow, number: int) -> str:
    """Moves the cursor to a cell that stands for so many; its key."""
    model = window.session.model
    for place, key in enumerate(model.all_keys()):
        mark = model.groups.mark(key)
        if mark is not None and mark.number == number:
            window.widgets.grid.go_to(place)
            return key
    raise AssertionError(f"no cell stands for {number}")


def test_one_cell_stands_for_its_group_and_says_so(collapsed: MainWindow, qtbot: QtBot) -> None:
    """The count is said to those who hear it, and the line above tells of the rest."""
    model = collapsed.session.model
    hidden = 40 - model.rowCount()
    line = collapsed.widgets.results.text.text()
    assert line.endswith(f" · {hidden} same pictures collapsed")
    key = go_to_group(collapsed, 3)
    qtbot.waitUntil(lambda: model.known_row(key) is not None, timeout=WAIT_MS)
    index = model.index(model.position_of(key) or 0)
    assert str(index.data(Qt.ItemDataRole.AccessibleTextRole)).endswith(", 3 alike")


def test_a_group_opens_in_place_and_closes_again(collapsed: MainWindow, qtbot: QtBot) -> None:
    """By one key; its members stand behind their head, and the cursor stays."""
    model, grid = collapsed.session.model, collapsed.widgets.grid
    before = model.all_keys()
    key = go_to_group(collapsed, 3)
    QTest.keyClick(grid, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: model.rowCount() == len(before) + 2, timeout=WAIT_MS)
    assert grid.current_key() == key
    place = before.index(key)
    members = model.all_keys()[place + 1 : place + 3]
    assert not set(members) & set(before)
    mark = model.groups.mark(members[0])
    assert mark is not None
    assert mark.text == "one of 3 alike"
    grid.go_to(place + 1)
    QTest.keyClick(grid, Qt.Key.Key_G)
    assert model.all_keys() == before
    assert grid.current_key() == key


def test_an_open_group_stays_open_while_the_list_is_asked_for_again(
    collapsed: MainWindow, qtbot: QtBot
) -> None:
    """Cursor and members are where they were; another question begins closed."""
    model, grid = collapsed.session.model, collapsed.widgets.grid
    before = model.rowCount()
    go_to_group(collapsed, 3)
    QTest.keyClick(grid, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: model.rowCount() == before + 2, timeout=WAIT_MS)
    opened = model.all_keys()
    with qtbot.waitSignal(collapsed.session.browser.settled, timeout=WAIT_MS):
        collapsed.session.browser.ask_again()
    assert model.all_keys() == opened
    for query in ("dog", ""):
        with qtbot.waitSignal(collapsed.session.browser.settled, timeout=WAIT_MS):
            collapsed.session.browser.search(query)
    assert model.rowCount() == before


def test_what_is_said_of_a_closed_cell_is_said_of_the_shown_one_alone(
    collapsed: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """And the detail tells so beforehand."""
    key = go_to_group(collapsed, 3)
    note = collapsed.widgets.detail.kin.note
    qtbot.waitUntil(note.isVisible, timeout=WAIT_MS)
    assert note.text() == (
        "In the grid this photo stands for all 3. What you change here is changed on it alone; "
        "G opens the group."
    )
    QTest.keyClick(collapsed.widgets.grid, Qt.Key.Key_5)
    qtbot.waitUntil(lambda: engine.row(key).stars == 5, timeout=WAIT_MS)
    notice = collapsed.widgets.notice
    qtbot.waitUntil(lambda: notice.text() == "5 stars on 1 photo", timeout=WAIT_MS)
    rated = [row for row in map(engine.row, collapsed.session.model.all_keys()) if row.stars]
    assert [row.key for row in rated] == [key]
    QTest.keyClick(collapsed.widgets.grid, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: not note.isVisible(), timeout=WAIT_MS)


def test_a_click_on_the_number_opens_the_group_and_nothing_else(
    collapsed: MainWindow, qtbot: QtBot
) -> None:
    """Anywhere else on the cell a click selects it."""
    model, grid = collapsed.session.model, collapsed.widgets.grid
    before = model.rowCount()
    key = go_to_group(collapsed, 3)
    cell = grid.visualRect(model.index(model.position_of(key) or 0))
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(grid.viewport(), left, pos=cell.center())
    QTest.mouseClick(grid.viewport(), left, pos=cell.bottomRight() - QPoint(20, 14))
    qtbot.waitUntil(lambda: model.rowCount() == before + 2, timeout=WAIT_MS)
    assert not collapsed.large.is_open
    assert grid.current_key() == key


def test_the_switch_shows_every_photo_and_is_remembered(
    collapsed: MainWindow, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """The next window has it as it was left; its mark in the menu too."""
    switch = collapsed.action_set[Actions.COLLAPSE]
    assert switch.isChecked()
    switch.trigger()
    qtbot.waitUntil(lambda: collapsed.session.model.rowCount() == 40, timeout=WAIT_MS)
    assert not switch.isChecked()
    assert collapsed.widgets.notice.text() == "Every photo is shown"
    again = make_window()
    assert not again.action_set[Actions.COLLAPSE].isChecked()
    qtbot.waitUntil(lambda: again.session.model.rowCount() == 40, timeout=WAIT_MS)


def test_bursts_are_collapsed_on_demand(collapsed: MainWindow, qtbot: QtBot) -> None:
    """They are no same pictures: that is a switch of its own, which needs the other."""
    before = collapsed.session.model.rowCount()
    collapsed.action_set[Actions.COLLAPSE_BURSTS].trigger()
    qtbot.waitUntil(lambda: collapsed.session.model.rowCount() < before, timeout=WAIT_MS)
    go_to_group(collapsed, 4)
    collapsed.action_set[Actions.COLLAPSE].trigger()
    assert not collapsed.action_set[Actions.COLLAPSE_BURSTS].isChecked()
    qtbot.waitUntil(lambda: collapsed.session.model.rowCount() == 40, timeout=WAIT_MS)


def test_a_photo_without_a_group_has_nothing_to_open(collapsed: MainWindow) -> None:
    """Said, not silently ignored."""
    model, grid = collapsed.session.model, collapsed.widgets.grid
    alone = next(key for key in model.all_keys() if model.groups.mark(key) is None)
    grid.go_to(model.position_of(alone) or 0)
    QTest.keyClick(grid, Qt.Key.Key_G)
    assert collapsed.widgets.notice.text() == "This photo stands for itself alone here"


def test_the_detail_names_what_is_alike_and_shows_it(collapsed: MainWindow, qtbot: QtBot) -> None:
    """As links, one for each kind of link; they lead to a list of just those."""
    key = go_to_group(collapsed, 3)
    kin = collapsed.widgets.detail.kin
    link = kin.links[GroupLabel.SAME]
    qtbot.waitUntil(lambda: kin.isVisible() and link.isVisible(), timeout=WAIT_MS)
    assert link.text() == "2 same pictures"
    assert link.accessibleName() == "Show 2 same pictures"
    assert not kin.links[GroupLabel.EXACT].isVisible()
    link.click()
    model = collapsed.session.model
    qtbot.waitUntil(lambda: model.rowCount() == 3, timeout=WAIT_MS)
    assert key in model.all_keys()
    assert collapsed.session.browser.listing.showing is Showing.GROUP


def _group(*members: tuple[str, GroupLabel, int]) -> PictureGroup:
    rows = [
        GroupMember(
            row=Row(key=key, path=WirePath.of(f"/{key}.jpg"), name=f"{key}.jpg", folder="/"),
            label=label,
            part=part,
        )
        for key, label, part in members
    ]
    return PictureGroup(label=GroupLabel.BURST, members=tuple(rows), count=len(rows))


def test_the_others_of_a_group_are_told_apart_by_their_link_with_one() -> None:
    """Two that are no exact copies of the best are the same picture, as far as is known."""
    exact, same, burst = GroupLabel.EXACT, GroupLabel.SAME, GroupLabel.BURST
    group = _group(("a", exact, 0), ("b", exact, 0), ("c", same, 0), ("d", burst, 1))
    assert kin_of(group, "a") == {exact: ("b",), same: ("c",), burst: ("d",)}
    assert kin_of(group, "b") == {exact: ("a",), same: ("c",), burst: ("d",)}
    assert kin_of(group, "c") == {same: ("a", "b"), burst: ("d",)}
    assert kin_of(group, "d") == {burst: ("a", "b", "c")}
    assert kin_of(group, "z") == {}
    assert within(kin_of(group, "a"), same) == ("b", "c")


def test_open_groups_are_put_behind_their_heads_wherever_those_are() -> None:
    """A head that is gone takes its members with it."""
    marks = GroupMarks()
    marks.set_copies({"a": 2, "b": 0}, keeps_open=False)
    marks.open("a", ("x", "y"))
    assert list(KeyList("bac").arranged(marks.opened)) == ["b", "a", "x", "y", "c"]
    assert marks.hidden == 0
    assert marks.inserted == 2
    marks.set_copies({"c": 1}, keeps_open=True)
    assert list(KeyList("bc").arranged(marks.opened)) == ["b", "c"]
    assert marks.hidden == 1
    assert marks.mark("x") is None


def test_members_of_an_open_group_belong_to_the_day_of_their_head(
    collapsed: MainWindow, qtbot: QtBot
) -> None:
    """Headers count them while they are there, and after the list has been asked for again."""
    grid, model = collapsed.widgets.grid, collapsed.session.model
    grid.set_look(is_justified=True, headers=Headers.MONTH)
    before = [section.count for section in grid.sections]
    key = go_to_group(collapsed, 3)
    place = grid.layout_now.section_of(model.position_of(key) or 0)
    collapsed.action_set[Actions.OPEN_GROUP].trigger()
    qtbot.waitUntil(lambda: model.rowCount() == sum(before) + 2, timeout=WAIT_MS)
    opened = [count + 2 * (number == place) for number, count in enumerate(before)]
    assert [section.count for section in grid.sections] == opened
    with qtbot.waitSignal(collapsed.session.browser.settled, timeout=WAIT_MS):
        collapsed.session.browser.ask_again()
    assert [section.count for section in grid.sections] == opened
    collapsed.action_set[Actions.OPEN_GROUP].trigger()
    assert [section.count for section in grid.sections] == before
