"""Selected photos side by side, and the slideshow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QItemSelectionModel, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.values import MediaKind
from ui.kit.actions import Action, Actions
from ui.library.alike.compare import CompareView
from ui.shell.slideshow import SECONDS, SHUFFLE
from ui.shell.window import MainWindow

WAIT_MS = 30_000
SELECT = QItemSelectionModel.SelectionFlag.Select

pytestmark = pytest.mark.qt_log_ignore("does not support")


@pytest.fixture
def compared(window: MainWindow, qtbot: QtBot) -> CompareView:
    """The window with four photos side by side."""
    grid = window.widgets.grid
    grid.go_to(3)
    grid.clearSelection()
    for position in (3, 4, 6, 7):
        grid.selectionModel().select(window.session.model.index(position), SELECT)
    assert grid.selected_count() == 4
    window.action_set[Actions.COMPARE_SELECTED].trigger()
    view = window._controllers.looking.compare.view
    qtbot.waitUntil(lambda: window._controllers.looking.compare.is_open, timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: len(view.panes) == 4 and all(p.photo.has_picture for p in view.panes),
        timeout=WAIT_MS,
    )
    return view


def test_what_is_zoomed_in_one_is_zoomed_in_all(
    window: MainWindow, compared: CompareView, qtbot: QtBot
) -> None:
    """The photo of the cursor is chosen; wheel and keys move all four together."""
    assert compared.current == window.session.model.key_at(3)
    compared.panes[1].photo.zoom_by(3.0, QPointF(40, 30))
    assert {round(pane.photo.zoom, 3) for pane in compared.panes} == {3.0}
    assert len({round(pane.photo._look.x, 3) for pane in compared.panes}) == 1
    QTest.keyClick(compared, Qt.Key.Key_Z)
    assert compared.panes[0].photo.percent == 100
    qtbot.waitUntil(lambda: compared.panes[0].photo.has_real_pixels, timeout=WAIT_MS)


def test_each_is_picked_or_rejected_by_the_usual_keys(
    window: MainWindow, compared: CompareView, qtbot: QtBot
) -> None:
    """Of four selected it is the chosen one alone; its mark is seen; the selection stays."""
    QTest.keyClick(compared, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert compared.current == window.session.model.key_at(4)
    assert window.widgets.grid.current_key() == compared.current
    QTest.keyClick(compared, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: compared.panes[1].marks.text() == "Picked", timeout=WAIT_MS)
    QTest.keyClick(compared, Qt.Key.Key_Right)
    QTest.keyClick(compared, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: compared.panes[2].marks.text() == "Rejected", timeout=WAIT_MS)
    assert [pane.marks.text() for pane in compared.panes] == ["", "Picked", "Rejected", ""]
    window.action_set[Actions.STEP_BACK].trigger()
    assert not window._controllers.looking.compare.is_open
    assert window.widgets.grid.selected_count() == 4
    assert window.widgets.grid.current_key() == window.session.model.key_at(6)


def test_keys_act_on_the_framed_photo_also_once_it_left_the_list(
    window: MainWindow, compared: CompareView, qtbot: QtBot
) -> None:
    """Rated out of its search, the same photo is flagged next, not its neighbour in the grid."""
    model, grid, key = window.session.model, window.widgets.grid, compared.current
    assert key is not None
    QTest.keyClick(compared, Qt.Key.Key_3)
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    model.show_keys([k for k in model.all_keys() if k != key], keeps_place=True)
    assert compared.current == key
    assert grid.current_key() == key
    assert window.presenter._inspector.key == key
    QTest.keyClick(compared, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: "Picked" in compared.panes[0].marks.text(), timeout=WAIT_MS)
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    flags = {k: row.flag for k in compared.keys if (row := model.known_row(k)) is not None}
    assert [k for k, flag in flags.items() if flag == "pick"] == [key]


@pytest.mark.parametrize("action", [Actions.EDIT_CAPTION, Actions.ADD_TAG])
def test_words_of_the_framed_photo_are_edited_where_they_are_seen(
    window: MainWindow, compared: CompareView, qtbot: QtBot, action: Action
) -> None:
    """In the large view, of that photo alone: the pane behind the comparison is not seen."""
    QTest.keyClick(compared, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    key = compared.current
    window.action_set[action].trigger()
    words = window.widgets.large.words
    assert window.large.is_open
    assert words.field.key == key == window.session.model.key_at(4)
    edited = words.field if action is Actions.EDIT_CAPTION else words.chips
    assert edited.isVisible()
    if action is Actions.ADD_TAG:
        QTest.keyClicks(words.chips.field, "seen here")
        QTest.keyClick(words.chips.field, Qt.Key.Key_Return)
        qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
        model = window.session.model
        rows = [model.known_row(k) for k in model.all_keys()]
        tagged = [row.key for row in rows if row and any(t.tag == "seen here" for t in row.tags)]
        assert tagged == [key]
    else:
        assert words.field.is_editing


def test_words_of_a_photo_that_left_the_list_are_not_put_on_another(
    window: MainWindow, compared: CompareView
) -> None:
    """A sentence says so; nothing is edited."""
    model, key = window.session.model, compared.current
    model.show_keys([k for k in model.all_keys() if k != key], keeps_place=True)
    window.action_set[Actions.EDIT_CAPTION].trigger()
    assert "in the list no more" in window.widgets.notice.text()
    assert not window._controllers.annotations.is_typing()


def test_another_list_ends_the_view_side_by_side(window: MainWindow, compared: CompareView) -> None:
    """E.g. by Alt and Left: its photos are none of that list."""
    window.session.browser.search("harbour")
    assert not window._controllers.looking.compare.is_open
    assert window.widgets.grid.framed() is None


def test_one_photo_alone_is_not_compared(window: MainWindow) -> None:
    """A sentence says what to do."""
    window.widgets.grid.go_to(2)
    window.widgets.grid.clearSelection()
    window.action_set[Actions.COMPARE_SELECTED].trigger()
    assert "Select two photos" in window.widgets.notice.text()
    assert not window._controllers.looking.compare.is_open


@pytest.fixture
def quick(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window whose slideshow waits for hardly any time."""
    monkeypatch.setattr("ui.shell.slideshow.WAIT_MS", 5)
    monkeypatch.setattr("ui.shell.slideshow.stay_ms", lambda: 30)
    yield window
    window._controllers.looking.slides.stop()


def test_the_slideshow_goes_on_by_itself_until_esc(quick: MainWindow, qtbot: QtBot) -> None:
    """In full screen, without anything around the picture; Esc leaves the photo large."""
    quick.widgets.grid.go_to(2)
    quick.widgets.grid.clearSelection()
    seen: list[int] = []
    quick.widgets.grid.selectionModel().currentChanged.connect(lambda now: seen.append(now.row()))
    QTest.keyClick(quick.widgets.grid, Qt.Key.Key_F8)
    slides, large = quick._controllers.looking.slides, quick.widgets.large
    assert slides.is_running
    assert quick.isFullScreen()
    assert not large.film.isVisible()
    assert slides.bar.isVisible()
    qtbot.waitUntil(lambda: len(seen) >= 4, timeout=WAIT_MS)
    assert seen[:4] == [3, 4, 5, 6]
    quick.action_set[Actions.STEP_BACK].trigger()
    assert not slides.is_running
    assert not quick.isFullScreen()
    assert quick.large.is_open
    assert large.film.isVisible()
    number = len(seen)
    qtbot.wait(200)
    assert len(seen) == number


def test_only_the_selection_is_shown_in_any_order_each_once(
    quick: MainWindow, qtbot: QtBot
) -> None:
    """Shuffled, none comes twice before all were there."""
    grid, model = quick.widgets.grid, quick.session.model
    grid.go_to(5)
    grid.clearSelection()
    for position in (5, 8, 12, 20):
        grid.selectionModel().select(model.index(position), SELECT)
    quick.action_set[Actions.SHUFFLE].trigger()
    assert SHUFFLE.read()
    seen: list[int] = []
    grid.selectionModel().currentChanged.connect(lambda now: seen.append(now.row()))
    quick._controllers.looking.slides.start()
    qtbot.waitUntil(lambda: len(seen) >= 3, timeout=WAIT_MS)
    assert {5, *seen[:3]} == {5, 8, 12, 20}


def test_space_stops_and_goes_on_and_the_time_is_remembered(
    window: MainWindow, qtbot: QtBot
) -> None:
    """By the bar's own menu as well."""
    slides, large = window._controllers.looking.slides, window.widgets.large
    window.widgets.grid.clearSelection()
    slides.start()
    slides.bar.seconds_chosen.emit(8)
    assert SECONDS.read() == 8
    assert slides.bar.seconds.text() == "8 s"
    QTest.keyClick(large, Qt.Key.Key_Space)
    assert slides.bar.pause.accessibleName() == "Go on"
    assert window.large.is_open
    QTest.keyClick(large, Qt.Key.Key_Space)
    assert slides.bar.pause.accessibleName() == "Pause"
    slides.stop()


def test_a_video_that_cannot_be_played_stays_for_its_time(quick: MainWindow, qtbot: QtBot) -> None:
    """Tests have no screen: the show does not stand still at it."""
    model, grid = quick.session.model, quick.widgets.grid
    for position in range(40):
        model.index(position).data()
    qtbot.waitUntil(lambda: all(model.known_row(k) for k in model.all_keys()), timeout=WAIT_MS)
    rows = [model.known_row(key) for key in model.all_keys()]
    place = next(n for n, row in enumerate(rows) if row and row.kind is MediaKind.VIDEO)
    grid.go_to(place)
    grid.clearSelection()
    quick._controllers.looking.slides.start()
    qtbot.waitUntil(lambda: grid.currentIndex().row() == (place + 2) % 40, timeout=WAIT_MS)
