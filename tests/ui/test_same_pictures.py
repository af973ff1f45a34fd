"""The page of same pictures against a fake engine, by keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QItemSelectionModel, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import ListGroups
from cocadesk.protocol.values import GroupLabel
from ui.kit.actions import Actions
from ui.library.alike.head import empty_state
from ui.library.alike.members import Member
from ui.library.alike.page import GroupsPage
from ui.library.listing import Showing
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000
SELECT = QItemSelectionModel.SelectionFlag.Select


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> GroupsPage:
    """The page with the groups of forty media, and its table in focus."""
    window.activateWindow()
    window.switcher.show(Pages.SAME)
    made = window.switcher.built(Pages.SAME)
    assert isinstance(made, GroupsPage)
    qtbot.waitUntil(lambda: made.table.current_member() is not None, timeout=WAIT_MS)
    qtbot.waitUntil(made.table.hasFocus, timeout=WAIT_MS)
    return made


@pytest.fixture
def press(window: MainWindow, page: GroupsPage, qtbot: QtBot) -> Callable[[Qt.Key], None]:
    """Presses a key and waits until the engine has taken what followed."""

    def press_key(key: Qt.Key) -> None:
        QTest.keyClick(window.focusWidget() or window, key)
        qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)

    return press_key


def current(page: GroupsPage) -> Member:
    """The member under the cursor."""
    member = page.table.current_member()
    assert member is not None
    return member


def current_group(page: GroupsPage) -> list[str]:
    """The keys of the group under the cursor, best first."""
    return [member.key for member in page.model.members(page.table.currentIndex().row())]


def choose(page: GroupsPage, label: GroupLabel, qtbot: QtBot) -> None:
    """Shows the groups of one label."""
    qtbot.mouseClick(page.head.tabs[label], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.current_member() is not None, timeout=WAIT_MS)


def test_each_group_tells_its_label_its_number_and_why_one_is_best(page: GroupsPage) -> None:
    """In words, for people who hear them too; the best comes first."""
    group = page.model.group(0)
    assert group is not None
    head = page.model.headerData(
        0, Qt.Orientation.Vertical, int(Qt.ItemDataRole.AccessibleTextRole)
    )
    assert head.startswith(f"Burst, {group.count} photos and videos, Best · {group.reason}")
    best, second = page.model.members(0)[:2]
    assert best.is_best
    assert not second.is_best
    row = best.row
    for part in (row.name, "largest", "JPG", f"{row.width} × {row.height}", "MB", row.folder):
        assert part in best.text


def test_groups_are_shown_by_label_with_their_numbers(page: GroupsPage, qtbot: QtBot) -> None:
    """Each tab has its number; a click shows those alone."""
    for label, text in (
        (GroupLabel.EXACT, "Exact copies"),
        (GroupLabel.SAME, "Same picture"),
        (GroupLabel.BURST, "Burst"),
    ):
        choose(page, label, qtbot)
        number = page.model.rowCount()
        assert number > 0
        assert page.head.tabs[label].text() == f"{text}  {number}"
        assert page.head.tabs[label].accessibleName() == f"{text}, {number} groups"
        groups = [page.model.group(place) for place in range(number)]
        assert {group.label for group in groups if group is not None} == {label}


def test_arrows_lead_to_each_member_and_never_beside_one(page: GroupsPage) -> None:
    """Down from the end of a long group is the end of a short one."""
    table = page.table
    QTest.keyClick(table, Qt.Key.Key_End)
    assert table.currentIndex().column() == len(current_group(page)) - 1 > 1
    for _ in range(page.model.rowCount()):
        QTest.keyClick(table, Qt.Key.Key_Down)
        assert table.current_member() is not None
    assert table.currentIndex().row() == page.model.rowCount() - 1
    QTest.keyClick(table, Qt.Key.Key_Home)
    assert current(page).is_best
    QTest.keyClick(table, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert table.currentIndex().row() == 0


def test_another_is_marked_as_the_best_and_undone(
    page: GroupsPage, window: MainWindow, press: Callable[[Qt.Key], None], qtbot: QtBot
) -> None:
    """It comes first then, and the cursor stays on it; undo brings the old one back."""
    before = current_group(page)
    press(Qt.Key.Key_Right)
    mine = current(page).key
    press(Qt.Key.Key_M)
    qtbot.waitUntil(lambda: current(page).is_best, timeout=WAIT_MS)
    assert current(page).key == mine == current_group(page)[0]
    assert "is the best now" in window.widgets.notice.text()
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: current_group(page) == before, timeout=WAIT_MS)


def test_one_that_is_not_the_same_leaves_its_group_until_undone(
    page: GroupsPage, window: MainWindow, press: Callable[[Qt.Key], None], qtbot: QtBot
) -> None:
    """The notice says what was done."""
    choose(page, GroupLabel.SAME, qtbot)
    before = current_group(page)
    assert len(before) == 3
    QTest.keyClick(page.table, Qt.Key.Key_End)
    gone = current(page)
    press(Qt.Key.Key_N)
    assert window.widgets.notice.text() == f"{gone.row.name} no longer belongs to the group"
    qtbot.waitUntil(lambda: page.model.place_of(gone.key) is None, timeout=WAIT_MS)
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: page.model.place_of(gone.key) is not None, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("key", "told"),
    [(Qt.Key.Key_X, "Rejected 1 photo"), (Qt.Key.Key_P, "Picked 1 photo"),
     (Qt.Key.Key_4, "4 stars on 1 photo"), (Qt.Key.Key_L, "Favourites: 1 photo")],
)  # fmt: skip
def test_the_keys_of_stars_and_flags_are_those_of_the_grid(
    page: GroupsPage,
    window: MainWindow,
    press: Callable[[Qt.Key], None],
    engine: FakeEngine,
    qtbot: QtBot,
    key: Qt.Key,
    told: str,
) -> None:
    """For the member under the cursor, which shows it."""
    press(Qt.Key.Key_Right)
    mine = current(page).key
    press(key)
    assert window.widgets.notice.text() == told
    qtbot.waitUntil(lambda: current(page).row == engine.row(mine), timeout=WAIT_MS)


def test_all_but_the_best_are_rejected_in_one_step(
    page: GroupsPage,
    window: MainWindow,
    press: Callable[[Qt.Key], None],
    engine: FakeEngine,
    qtbot: QtBot,
) -> None:
    """Of every group that the selection touches; one undo takes all of it back."""
    selection = page.table.selectionModel()
    selection.select(page.model.index(1, 0), SELECT)
    best, others = [], []
    for place in (0, 1):
        first, *rest = page.model.members(place)
        best.append(first.key)
        others += [member.key for member in rest]
    press(Qt.Key.Key_R)
    assert window.widgets.notice.text() == f"Rejected {len(others)} photos"
    assert {engine.row(key).flag for key in others} == {"reject"}
    assert {engine.row(key).flag for key in best} == {"none"}
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: {engine.row(key).flag for key in others} == {"none"}, timeout=WAIT_MS)


def test_the_group_is_seen_side_by_side_at_one_zoom(
    page: GroupsPage, press: Callable[[Qt.Key], None], qtbot: QtBot
) -> None:
    """Zoomed or moved in one is so in all; Esc leads back to the member that was chosen."""
    keys = current_group(page)
    press(Qt.Key.Key_Return)
    view = page.comparing.view
    assert page.is_comparing
    assert view.keys == keys
    qtbot.waitUntil(lambda: all(p.photo.has_picture for p in view.panes), timeout=WAIT_MS)
    press(Qt.Key.Key_Plus)
    zooms = {pane.photo.zoom for pane in view.panes}
    assert len(zooms) == 1
    assert zooms.pop() > 1.0
    view.panes[1].photo.zoom_by(2.0, QPointF(1, 1))
    assert len({pane.photo.zoom for pane in view.panes}) == 1
    press(Qt.Key.Key_Right)
    assert view.current == keys[1]
    press(Qt.Key.Key_Escape)
    assert not page.is_comparing
    assert current(page).key == keys[1]
    assert page.table.hasFocus()


def test_only_the_selected_ones_are_compared_where_there_are_several(
    page: GroupsPage, press: Callable[[Qt.Key], None]
) -> None:
    """And the verbs are about the chosen one there."""
    keys = current_group(page)
    page.table.selectionModel().select(page.model.index(0, 2), SELECT)
    press(Qt.Key.Key_C)
    assert page.comparing.view.keys == [keys[0], keys[2]]
    press(Qt.Key.Key_Right)
    assert page.comparing.view.current == keys[2]
    press(Qt.Key.Key_C)
    assert not page.is_comparing


def test_verbs_side_by_side_are_about_the_chosen_one(
    page: GroupsPage, press: Callable[[Qt.Key], None], engine: FakeEngine, qtbot: QtBot
) -> None:
    """A flag is shown there; the best moves; fewer than two left lead back to the table."""
    choose(page, GroupLabel.EXACT, qtbot)
    first, second = current_group(page)
    press(Qt.Key.Key_Space)
    view = page.comparing.view
    press(Qt.Key.Key_Right)
    press(Qt.Key.Key_X)
    qtbot.waitUntil(lambda: view.panes[1].marks.text() == "Rejected", timeout=WAIT_MS)
    assert engine.row(first).flag == "none"
    press(Qt.Key.Key_M)
    qtbot.waitUntil(lambda: view.panes[1].best.text() == "Best · you chose it", timeout=WAIT_MS)
    assert view.current == second
    press(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: not page.is_comparing, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.model.place_of(second) is None, timeout=WAIT_MS)


def test_a_group_is_shown_in_the_library(
    page: GroupsPage, window: MainWindow, press: Callable[[Qt.Key], None], qtbot: QtBot
) -> None:
    """As a list of its own, which Esc leaves."""
    keys = current_group(page)
    press(Qt.Key.Key_S)
    assert window.switcher.page is Pages.LIBRARY
    qtbot.waitUntil(lambda: window.session.model.all_keys() == keys, timeout=WAIT_MS)
    assert window.session.browser.listing.showing is Showing.GROUP
    assert f"{len(keys)} photos, best first" in window.widgets.results.text.text()
    window.action_set[Actions.STEP_BACK].trigger()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 40, timeout=WAIT_MS)


def test_the_verbs_of_groups_are_off_on_other_pages(page: GroupsPage, window: MainWindow) -> None:
    """And so are those of the grid here."""
    verbs = [window.action_set[verb] for verb in Pages.SAME.verbs]
    assert all(verb.isEnabled() for verb in verbs)
    assert not window.action_set[Actions.REJECT].isEnabled()
    window.switcher.show(Pages.LIBRARY)
    assert not any(verb.isEnabled() for verb in verbs)


def test_a_library_without_groups_says_so_and_compares_on_demand(
    engine: FakeEngine, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """A failure is told in the same place, with a way to try again."""
    engine.refuse(ListGroups, UserError("The groups are lost.", "The disk is full."))
    window = make_window()
    window.switcher.show(Pages.SAME)
    page = window.switcher.built(Pages.SAME)
    assert isinstance(page, GroupsPage)
    qtbot.waitUntil(lambda: "The groups are lost." in page.empty.text(), timeout=WAIT_MS)
    assert page.empty.button.text() == "Try again"
    assert not page.verbs.isVisible()


def test_a_job_that_compares_is_followed_on_the_page(
    page: GroupsPage, window: MainWindow, qtbot: QtBot
) -> None:
    """Its bar stands there until it ends; the groups are asked for again then."""
    with qtbot.waitSignal(window.session.tracker.ended, timeout=WAIT_MS):
        page.head.again.click()
    assert "Looking for same pictures" in page.head.progress.line.text()
    assert not page.head.progress.isVisible()
    assert page.head.again.isEnabled()


@pytest.mark.parametrize(
    ("problem", "waiting", "has_come", "is_working", "title", "button"),
    [
        (None, 0, False, False, "Getting ready…", ""),
        (None, 12, True, True, "Comparing pictures…", ""),
        (None, 1200, True, False, "Not compared yet", "Compare now"),
        (None, 0, True, False, "No same pictures", "Compare again"),
        (UserError("It is full."), 0, True, False, "It is full.", "Try again"),
    ],
)
def test_the_empty_page_says_why_it_is_empty(
    problem: UserError | None,
    waiting: int,
    has_come: bool,
    is_working: bool,
    title: str,
    button: str,
) -> None:
    """Still to be compared, being compared, or nothing found; with what can be done."""
    shown = empty_state(problem, waiting, has_come=has_come, is_working=is_working)
    assert (shown.title, shown.button) == (title, button)


def test_the_empty_page_says_how_many_are_still_to_be_compared() -> None:
    """The number, and that nobody need do anything about it."""
    shown = empty_state(None, 1200, has_come=True, is_working=False)
    assert shown.text.startswith("1,200 photos are still to be compared.")


def test_the_one_that_is_chosen_side_by_side_is_said(
    page: GroupsPage, press: Callable[[Qt.Key], None]
) -> None:
    """All of it: its place in the group, its facts, where it lies."""
    press(Qt.Key.Key_C)
    view = page.comparing.view
    assert view.accessibleDescription() == page.model.members(0)[0].text
    press(Qt.Key.Key_Right)
    assert view.accessibleDescription() == page.model.members(0)[1].text


def test_letters_that_are_off_rate_nothing_here_and_chosen_keys_do(
    page: GroupsPage, window: MainWindow, press: Callable[[Qt.Key], None], qtbot: QtBot
) -> None:
    """The page asks for the keys that hold now."""
    stars = current(page).row.stars
    choices = window.action_set.choices
    choices.allow_letters(False)
    press(Qt.Key.Key_4)
    assert current(page).row.stars == stars
    choices.allow_letters(True)
    choices.choose(Actions.FOUR_STARS.id, ["Q"])
    press(Qt.Key.Key_Q)
    qtbot.waitUntil(lambda: current(page).row.stars == 4, timeout=WAIT_MS)
    choices.reset()
