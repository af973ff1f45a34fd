"""The mouse in the grid: check circles, headers, ranges, the rubber band, the timeline."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QDrag, QGuiApplication, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from ui.annotations.ratings import targets
from ui.kit.actions import Actions
from ui.kit.preferences import remembered
from ui.library.dragging import MOST_FILES, FileDrag
from ui.library.grid import Grid
from ui.library.grid_look import SQUARES
from ui.library.header_bar import HEADER_PX
from ui.library.pointer import header_mark
from ui.library.sections import Headers
from ui.library.tiles import check_middle
from ui.shell.window import MainWindow

LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def grid(window: MainWindow) -> Grid:
    """The grid of a window with forty media, by month."""
    made = window.widgets.grid
    made.set_look(is_justified=True, headers=Headers.MONTH)
    assert len(made.sections) == 12
    return made


def _click(grid: Grid, where: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(grid.viewport(), LEFT, keys, where)


def _positions(grid: Grid) -> list[int]:
    return sorted(index.row() for index in grid.selectionModel().selectedIndexes())


def _send(part: QWidget, kind: QEvent.Type, where: QPoint, pressed: Qt.MouseButton) -> None:
    """A mouse event with a button held down, which QTest has none of."""
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
    glob = QPointF(part.mapToGlobal(where))
    event = QMouseEvent(kind, QPointF(where), glob, button, pressed, NONE)
    QApplication.sendEvent(part, event)


def _drag(part: QWidget, *points: QPoint) -> None:
    _send(part, QEvent.Type.MouseButtonPress, points[0], LEFT)
    for point in points[1:]:
        _send(part, QEvent.Type.MouseMove, point, LEFT)
    _send(part, QEvent.Type.MouseButtonRelease, points[-1], Qt.MouseButton.NoButton)


def test_check_circles_select_one_after_the_other_without_keys(grid: Grid) -> None:
    """A second click takes one out again; the cursor is then on one that is still selected."""
    grid.clearSelection()
    for position in (0, 2, 1, 2):
        grid.scrollTo(grid.results.index(position))
        _click(grid, check_middle(grid.rect_of(position)).toPoint())
    assert _positions(grid) == [0, 1]
    assert grid.currentIndex().row() == 1


def test_a_click_beside_the_circle_selects_that_photo_alone(grid: Grid) -> None:
    """As everywhere."""
    for position in (0, 1):
        _click(grid, grid.rect_of(position).center())
    assert _positions(grid) == [1]


def test_shift_selects_a_range_over_headers_with_mouse_and_keys(grid: Grid) -> None:
    """It grows and shrinks from where it began."""
    first_of_third = grid.sections[2].start
    _click(grid, grid.rect_of(1).center())
    grid.scrollTo(grid.results.index(first_of_third))
    _click(grid, grid.rect_of(first_of_third).center(), SHIFT)
    assert _positions(grid) == list(range(1, first_of_third + 1))
    QTest.keyClick(grid, Qt.Key.Key_Left, SHIFT)
    assert _positions(grid) == list(range(1, first_of_third))
    QTest.keyClick(grid, Qt.Key.Key_End, SHIFT)
    assert _positions(grid) == list(range(1, 40))
    QTest.keyClick(grid, Qt.Key.Key_Home, SHIFT)
    assert _positions(grid) == [0, 1]


def test_what_the_program_goes_to_is_selected_alone_whatever_keys_are_held(grid: Grid) -> None:
    """A photo that is gone to must not join those that the next command is for."""
    for key in (CONTROL, SHIFT):
        _click(grid, grid.rect_of(1).center(), key)
        assert QGuiApplication.keyboardModifiers() == key
        grid.go_to(3)
        assert _positions(grid) == [3]
        assert targets(grid) == [grid.current_key()]


def test_a_click_on_a_header_selects_its_photos(grid: Grid) -> None:
    """Its circle adds and takes out, the rest of it chooses them alone."""
    first, second = grid.sections[:2]
    grid.show_at(0, HEADER_PX)
    places = {number: rect for number, rect in grid.bar.places() if number in (0, 1)}
    _click(grid, places[0].center())
    assert _positions(grid) == list(range(first.count))
    _click(grid, header_mark(grid, 1).toPoint())
    assert _positions(grid) == list(range(first.count + second.count))
    _click(grid, header_mark(grid, 0).toPoint())
    assert _positions(grid) == list(range(second.start, second.start + second.count))


def test_the_header_of_what_is_seen_stays_at_the_top(grid: Grid) -> None:
    """The next one pushes it out; a photo that a key leads to is not under it."""
    bar = grid.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    *_, (number, rect) = grid.bar.places()
    assert rect.top() <= 0
    assert number == grid.layout_now.section_at(grid.layout_now.top)
    for position in (39, 20, 21, 3, 0):
        grid.go_to(position)
        cell = grid.rect_of(position)
        assert cell.top() >= HEADER_PX or cell.height() > grid.viewport().height() - HEADER_PX
        assert cell.bottom() <= grid.viewport().height()


def test_a_rubber_band_selects_what_it_touches(grid: Grid) -> None:
    """It begins between photos; a click there selects nothing."""
    grid.set_look(is_justified=False, headers=Headers.NONE)
    last = grid.rect_of(1)
    _drag(grid.viewport(), QPoint(2, 2), QPoint(6, 30), last.center())
    assert _positions(grid) == [0, 1]
    assert grid.pointer.band is None
    _click(grid, QPoint(2, 2))
    assert _positions(grid) == []


def test_keys_move_over_rows_of_any_length(grid: Grid) -> None:
    """Down and up again is where one was; pages move by what is seen."""
    grid.go_to(0)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Up):
        QTest.keyClick(grid, key)
    assert grid.currentIndex().row() == 0
    QTest.keyClick(grid, Qt.Key.Key_PageDown)
    assert 3 < grid.currentIndex().row() < 39
    QTest.keyClick(grid, Qt.Key.Key_PageUp)
    assert grid.currentIndex().row() == 0


def test_the_timeline_leads_to_a_date_and_says_it(grid: Grid) -> None:
    """Dragged to its end, the last photos are seen; wheel and keys still scroll."""
    line = grid.timeline
    assert line.is_dated
    share = line._scale.share_of(grid.sections[6].start)
    where = QPoint(20, round(line._track().top() + share * line._track().height()) + 2)
    _drag(line, where, where)
    seen = grid.layout_now.section_at(grid.layout_now.top)
    assert abs(seen - 6) <= 1
    assert line._bubble.isVisible()
    assert str(grid.sections[6].day and grid.sections[6].day.year) in line._bubble.text()
    _drag(line, where, QPoint(20, line.height()))
    assert line.value() == line.maximum()
    QTest.keyClick(grid, Qt.Key.Key_Home)
    assert line.value() < HEADER_PX


def test_a_list_without_dates_has_a_plain_scroll_bar(
    grid: Grid, window: MainWindow, qtbot: QtBot
) -> None:
    """The best match first is no order of time."""
    with qtbot.waitSignal(window.session.browser.settled, timeout=30_000):
        window.widgets.search.set_query("dog")
    assert not grid.timeline.is_dated
    assert grid.sections == []
    assert grid.layout_now.starts == [0]


def test_squares_and_headers_are_chosen_and_remembered(window: MainWindow) -> None:
    """One check mark among the headers; the next window has it as it was."""
    grid, actions = window.widgets.grid, window.action_set
    cells = {grid.rect_of(n).width() for n in range(3)}
    assert len(cells) > 1
    actions[Actions.SQUARES].trigger()
    assert len({grid.rect_of(n).height() for n in range(9)}) == 1
    assert remembered(SQUARES, False)
    actions[Actions.HEADERS_YEAR].trigger()
    assert [actions[a].isChecked() for a in (Actions.HEADERS_AUTO, Actions.HEADERS_YEAR)] == [
        False,
        True,
    ]
    assert len(grid.sections) == 1
    grid.set_size_step(0)
    assert len(grid.sections) == 1
    actions[Actions.HEADERS_AUTO].trigger()
    grid.set_size_step(6)
    assert len(grid.sections) > 12


@pytest.mark.parametrize("key", "AXPUL0123450")
def test_a_single_letter_says_what_it_did_and_offers_to_undo_it(
    window: MainWindow, qtbot: QtBot, key: str
) -> None:
    """Nobody runs a command unseen."""
    window.activateWindow()
    window.widgets.grid.setFocus()
    qtbot.waitUntil(lambda: window.widgets.grid.current_row() is not None, timeout=30_000)
    qtbot.waitUntil(
        lambda: bool((row := window.widgets.grid.current_row()) and row.caption), timeout=30_000
    )
    notice = window.widgets.notice
    notice.hide()
    QTest.keyClick(window.widgets.grid, Qt.Key(ord(key)))
    qtbot.waitUntil(notice.isVisible, timeout=30_000)
    assert notice.text()
    assert notice.button.text() == "Undo"


def test_where_letters_are_no_keys_they_begin_a_search(window: MainWindow, qtbot: QtBot) -> None:
    """Nothing happens to a photo; with letters as keys nothing is searched for."""
    grid, search, actions = window.widgets.grid, window.widgets.search, window.action_set
    window.activateWindow()
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Q)
    assert search.text() == ""
    actions.choices.allow_letters(False)
    actions.apply_keys()
    QTest.keyClick(grid, Qt.Key.Key_X)
    qtbot.waitUntil(search.hasFocus, timeout=30_000)
    assert search.text() == "x"
    row = grid.current_row()
    assert row is None or row.flag == "none"


def test_what_is_taken_out_of_a_selection_is_not_edited_with_it(grid: Grid) -> None:
    """Eight selected, one taken out: what follows is about the seven."""
    for position in range(8):
        _click(grid, grid.rect_of(position).center(), CONTROL if position else NONE)
    _click(grid, grid.rect_of(3).center(), CONTROL)
    assert _positions(grid) == [0, 1, 2, 4, 5, 6, 7]
    assert grid.currentIndex().row() in (2, 4)
    assert len(targets(grid)) == 7


def test_dragged_photos_are_files_also_where_rows_are_missing(
    grid: Grid, window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """Their rows are asked for first; too many are refused in a sentence."""
    dragged: list[int] = []

    def note(drag: QDrag, *_actions: Qt.DropAction) -> Qt.DropAction:
        dragged.append(len(drag.mimeData().urls()))
        return Qt.DropAction.CopyAction

    monkeypatch.setattr(QDrag, "exec", note)
    monkeypatch.setattr(QGuiApplication, "mouseButtons", lambda: LEFT)
    grid.selectAll()
    grid.startDrag(Qt.DropAction.CopyAction)
    qtbot.waitUntil(lambda: dragged == [40], timeout=30_000)
    drag = FileDrag(grid, grid.results, window.widgets.notice.say)
    drag.begin(["key"] * (MOST_FILES + 1), None)
    assert "2,000" in window.widgets.notice.text()


def test_the_menu_of_a_photo_holds_stars_and_flags(window: MainWindow) -> None:
    """All verbs of a photo are at the pointer."""
    menu = window.widgets.photo_menu.build()
    texts = {action.text() for action in menu.actions()}
    texts |= {one.text() for sub in menu.findChildren(QMenu) for one in sub.actions()}
    wanted = ("5 stars", "Pick", "Reject", "Favourite, or no longer", "Edit caption", "Open")
    assert set(wanted) <= texts


def test_a_screen_reader_finds_the_photos(window: MainWindow, qtbot: QtBot) -> None:
    """Qt makes a table of any view of items; cells have texts."""
    grid = window.widgets.grid
    qtbot.waitUntil(lambda: grid.current_row() is not None, timeout=30_000)
    seen = QAccessible.queryAccessibleInterface(grid)
    assert seen.text(QAccessible.Text.Name) == "Photos"
    assert seen.childCount() == 40
    cell = seen.child(0)
    assert "IMG_" in cell.text(QAccessible.Text.Name) or "VID_" in cell.text(QAccessible.Text.Name)
    assert cell.rect().height() > 40
