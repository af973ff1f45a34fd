"""The window against a fake engine: what a person does and sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import Search
from cocadesk.protocol.values import JobState
from ui.jobs.commands import FailuresDialog
from ui.kit import desktop
from ui.kit.actions import Actions, Group
from ui.kit.app_theme import AppTheme
from ui.library.placed_view import SIDE_PX
from ui.library.sections import Headers
from ui.shell.shortcuts import ShortcutsHelp
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def _search(window: MainWindow, qtbot: QtBot, text: str) -> None:
    browser = window.session.browser

    def is_whole() -> bool:
        """The first letters have lists of their own."""
        return browser.question.text == text

    with qtbot.waitSignal(browser.settled, timeout=WAIT_MS, check_params_cb=is_whole):
        qtbot.keyClicks(window.widgets.search, text)


def test_results_come_as_you_type_and_escape_clears(window: MainWindow, qtbot: QtBot) -> None:
    """A pause after typing is enough; Esc brings everything back."""
    _search(window, qtbot, "dog")
    assert 0 < window.session.model.rowCount() < 40
    assert "“dog”" in window.widgets.results.text.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.action_set[Actions.STEP_BACK].trigger()
    assert window.session.model.rowCount() == 40
    assert window.widgets.search.text() == ""


def test_the_first_result_is_looked_at_with_caption_and_tags(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The detail fills by itself: picture, words, facts."""
    _search(window, qtbot, "a red bicycle")
    detail = window.widgets.detail
    qtbot.waitUntil(lambda: "bicycle" in detail.caption.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "bicycle" in detail.chips.texts(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: detail.photo.has_picture, timeout=WAIT_MS)
    assert detail.caption.isVisible()


def test_a_notice_leaves_the_strip_of_jobs_in_reach(window: MainWindow, qtbot: QtBot) -> None:
    """It stands above the strip, wherever that begins, and at the foot without it."""
    notice, strip = window.widgets.notice, window.widgets.strip
    notice.say("Caption saved", "Undo")
    low = notice.geometry().bottom()
    window.add_folders(["/photos/Holiday"])
    qtbot.waitUntil(strip.isVisible, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: notice.geometry().bottom() < low, timeout=WAIT_MS)
    top = strip.mapTo(window, QPoint(0, 0)).y()
    assert notice.geometry().bottom() < top


def test_the_headline_counts_videos_too(window: MainWindow) -> None:
    """What is listed is not called photos where videos are among it."""
    assert window.session.browser.listing.headline == "40 photos and videos, newest first"


def test_a_tag_is_a_search_for_it(window: MainWindow, qtbot: QtBot) -> None:
    """A click on a chip looks for more of its kind."""
    qtbot.waitUntil(lambda: bool(window.widgets.detail.chips.texts()), timeout=WAIT_MS)
    tag = window.widgets.detail.chips.texts()[0]
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.detail.chips.opened.emit(tag)
    assert window.widgets.search.query() == tag


def test_nothing_found_is_said_with_a_way_back(window: MainWindow, qtbot: QtBot) -> None:
    """The empty state helps; its button shows everything again."""
    _search(window, qtbot, "zzzz")
    assert window.widgets.empty.isVisible()
    assert "Nothing found" in window.widgets.empty.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        qtbot.mouseClick(window.widgets.empty.button, Qt.MouseButton.LeftButton)
    assert window.widgets.grid.isVisible()


def test_an_empty_library_asks_for_a_folder(
    library: Path, make_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    """Before anything is indexed the window says what to do, first that it starts."""
    with FakeEngine(library, media=0):
        window = make_window()
        assert "Getting ready" in window.widgets.empty.text()
        qtbot.waitUntil(
            lambda: "Add your first folder" in window.widgets.empty.text(), timeout=WAIT_MS
        )


def test_adding_a_folder_shows_progress_new_photos_and_what_failed(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the button to the list of files that could not be read."""
    monkeypatch.setattr(desktop, "ask_for_folder", lambda _parent: str(tmp_path))
    qtbot.mouseClick(window.widgets.header.add, Qt.MouseButton.LeftButton)
    strip = window.widgets.strip
    qtbot.waitUntil(lambda: strip.isVisible() and strip.job is not None, timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: strip.job is not None and strip.job.state is JobState.DONE, timeout=WAIT_MS
    )
    assert "could not be read" in strip.line.text()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 62, timeout=WAIT_MS)
    with qtbot.waitSignal(window.session.tracker.failures_came, timeout=WAIT_MS):
        qtbot.mouseClick(strip.failures, Qt.MouseButton.LeftButton)
    dialog = window.findChild(FailuresDialog)
    assert isinstance(dialog, FailuresDialog)
    assert dialog.tree.topLevelItemCount() == 2
    dialog.close()


def test_a_folder_that_is_dropped_is_added(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """Dragging a folder in is the same as the button."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/x.jpg")])
    drop = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(window.session.tracker.job_changed, timeout=WAIT_MS):
        window.dropEvent(drop)


def test_a_job_can_be_stopped(
    library: Path, make_window: Callable[[], MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    """Stop ends the job and says that what was done is kept."""
    with FakeEngine(library, media=3, step_s=0.05):
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
        window.add_folders([str(tmp_path)])
        strip = window.widgets.strip
        qtbot.waitUntil(strip.cancel.isVisible, timeout=WAIT_MS)
        qtbot.mouseClick(strip.cancel, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: "is kept" in strip.line.text(), timeout=WAIT_MS)
        assert not strip.cancel.isVisible()


def test_enter_opens_arrows_step_and_escape_returns_to_the_same_photo(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The large view is driven by keys alone."""
    grid, large = window.widgets.grid, window.widgets.large
    grid.go_to(0)
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert window.large.is_open
    qtbot.keyClick(large, Qt.Key.Key_Right)
    qtbot.keyClick(large, Qt.Key.Key_Right)
    assert grid.currentIndex().row() == 2
    qtbot.waitUntil(lambda: large.photo.has_picture, timeout=WAIT_MS)
    window.action_set[Actions.STEP_BACK].trigger()
    assert not window.large.is_open
    assert grid.currentIndex().row() == 2


def test_space_toggles_the_large_view(window: MainWindow, qtbot: QtBot) -> None:
    """Space opens from the grid and closes again."""
    window.widgets.grid.go_to(1)
    qtbot.keyClick(window.widgets.grid, Qt.Key.Key_Space)
    assert window.large.is_open
    qtbot.keyClick(window.widgets.large, Qt.Key.Key_Space)
    assert not window.large.is_open


def test_control_and_wheel_change_the_size_of_thumbnails(window: MainWindow, qtbot: QtBot) -> None:
    """Cells grow by steps and keep filling the width; the slider follows."""
    grid = window.widgets.grid
    grid.set_look(is_justified=True, headers=Headers.NONE)
    before = grid.visualRect(window.session.model.index(0)).height()
    wheel = QWheelEvent(
        QPointF(100, 100),
        QPointF(100, 100),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    grid.wheelEvent(wheel)
    assert grid.visualRect(window.session.model.index(0)).height() > before
    assert window.widgets.results.slider.value() == grid.size_step
    cells = [grid.visualRect(window.session.model.index(n)) for n in range(12)]
    row = [cell for cell in cells if cell.top() == cells[0].top()]
    assert row[-1].right() + SIDE_PX == grid.viewport().width() - 1


def test_only_what_is_near_the_screen_is_asked_for(
    library: Path, make_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    """Of many keys only the rows on screen are fetched, and their pictures."""
    with FakeEngine(library, media=300):
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 300, timeout=WAIT_MS)
        first = window.session.model.key_at(0)
        assert first is not None
        qtbot.waitUntil(lambda: window.session.model.known_row(first) is not None, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: window.session.thumbnails.waiting() == 0, timeout=WAIT_MS)
        known = [
            key
            for key in window.session.model.all_keys()
            if window.session.model.known_row(key) is not None
        ]
        assert len(known) < 100


def test_the_keys_go_on_where_they_were_before_the_palette(
    window: MainWindow, qtbot: QtBot
) -> None:
    """Esc gives the focus back, and so does a chooser of values."""
    grid, palette = window.widgets.grid, window.widgets.palette
    window.activateWindow()
    grid.setFocus()
    qtbot.waitUntil(grid.hasFocus, timeout=WAIT_MS)
    window.action_set[Actions.PALETTE].trigger()
    qtbot.waitUntil(palette.field.hasFocus, timeout=WAIT_MS)
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert grid.hasFocus()
    menu = window._controllers.queries.menu
    menu.open_chooser("person", "")
    qtbot.waitUntil(menu.chooser.field.hasFocus, timeout=WAIT_MS)
    qtbot.keyClick(menu.chooser.field, Qt.Key.Key_Escape)
    assert grid.hasFocus()


def test_all_selected_files_are_copied_also_those_never_seen(
    library: Path, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """Rows that are not here yet are asked for first; the notice tells the true number."""
    with FakeEngine(library, media=300):
        window = make_window()
        model, grid = window.session.model, window.widgets.grid
        qtbot.waitUntil(lambda: model.rowCount() == 300, timeout=WAIT_MS)
        last = model.key_at(299)
        assert last is not None
        assert model.known_row(last) is None
        grid.selectAll()
        QGuiApplication.clipboard().clear()
        window.action_set[Actions.COPY_PICTURE].trigger()
        copied = QGuiApplication.clipboard()
        qtbot.waitUntil(lambda: "copied" in window.widgets.notice.text(), timeout=WAIT_MS)
        number = len(copied.mimeData().urls())
        assert number >= 300
        assert window.widgets.notice.text() == f"{number} files copied"


def test_path_and_caption_are_copied(window: MainWindow, qtbot: QtBot) -> None:
    """The clipboard gets what the detail shows."""
    qtbot.waitUntil(lambda: bool(window.widgets.detail.caption.text()), timeout=WAIT_MS)
    window.action_set[Actions.COPY_CAPTION].trigger()
    assert QGuiApplication.clipboard().text() == window.widgets.detail.caption.text()
    window.action_set[Actions.COPY_PATH].trigger()
    key = window.widgets.grid.current_key()
    assert key is not None
    row = window.session.model.known_row(key)
    assert row is not None
    assert QGuiApplication.clipboard().text() == row.path.text


def test_show_in_folder_hands_the_path_to_the_desktop(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desktop opens the folder; here it only notes the path."""
    shown: list[str] = []
    monkeypatch.setattr(desktop, "show_in_folder", shown.append)
    qtbot.waitUntil(lambda: window.widgets.grid.current_row() is not None, timeout=WAIT_MS)
    row = window.widgets.grid.current_row()
    assert row is not None
    window.action_set[Actions.SHOW_IN_FOLDER].trigger()
    assert not shown  # the photos of this engine are made up
    assert f"{row.name} is not there" in window.widgets.notice.text()
    file = Path(row.path.to_str())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    window.action_set[Actions.SHOW_IN_FOLDER].trigger()
    assert len(shown) == 1
    assert shown[0].endswith((".jpg", ".mp4"))


def test_more_like_this_shows_others_of_the_kind(window: MainWindow, qtbot: QtBot) -> None:
    """The photo itself is not among them, and everything is one step back."""
    qtbot.waitUntil(lambda: window.session.inspector.row is not None, timeout=WAIT_MS)
    key = window.widgets.grid.current_key()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.action_set[Actions.MORE_LIKE_THIS].trigger()
    assert key not in window.session.model.all_keys()
    assert "Looks like" in window.widgets.results.text.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.action_set[Actions.STEP_BACK].trigger()
    assert window.session.model.rowCount() == 40


def test_a_video_shows_its_length_and_the_moment_that_matched(
    window: MainWindow, qtbot: QtBot
) -> None:
    """A search keeps each hit's moment beside its key."""
    _search(window, qtbot, "train station smoke")
    hits = [window.session.model.hit_of(key) for key in window.session.model.all_keys()]
    assert any(hit is not None and hit.time_s == 6.0 for hit in hits)


def test_the_palette_finds_and_runs_a_command(window: MainWindow, qtbot: QtBot) -> None:
    """A few letters and Enter."""
    palette = window.widgets.palette
    window.activateWindow()
    window.action_set[Actions.PALETTE].trigger()
    palette.field.setText("larger thumb")
    before = window.widgets.grid.size_step
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.widgets.grid.size_step == before + 1
    assert not palette.isVisible()


def test_help_lists_every_key(window: MainWindow, qtbot: QtBot) -> None:
    """Every shortcut that is bound stands in the help."""
    window.action_set[Actions.HELP].trigger()
    help_box = window.findChild(ShortcutsHelp)
    assert isinstance(help_box, ShortcutsHelp)
    words = {part.property("text") for part in help_box.findChildren(QWidget)}
    for action in window.action_set.all():
        for key in action.shortcuts():
            assert key.toString(key.SequenceFormat.NativeText) in words
    help_box.close()


def test_the_help_of_a_small_window_needs_no_scrolling_sideways(window: MainWindow) -> None:
    """Two columns instead of three; nothing is left out."""
    window.resize(900, 600)
    window.action_set[Actions.HELP].trigger()
    help_box = window.findChild(ShortcutsHelp)
    assert isinstance(help_box, ShortcutsHelp)
    area = help_box.findChild(QScrollArea)
    assert isinstance(area, QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0
    shown = {part.property("text") for part in help_box.findChildren(QWidget)}
    assert {group.value for group in Group} <= shown
    help_box.close()


def test_no_two_actions_share_a_key(window: MainWindow) -> None:
    """A key that two actions want would do nothing."""
    keys = [key.toString() for a in window.action_set.all() for key in a.shortcuts()]
    assert len(keys) == len(set(keys))


def test_everything_that_can_be_clicked_has_a_name(window: MainWindow) -> None:
    """Screen readers find a name on every visible button and field."""
    for part in window.findChildren(QAbstractButton):
        if part.isVisible():
            assert part.accessibleName() or part.text(), part
    for view in (
        window.widgets.search,
        window.widgets.grid,
        window.widgets.detail,
        window.widgets.strip,
    ):
        assert view.accessibleName()


def test_light_and_dark_are_two_themes_of_the_same_window(
    window: MainWindow, app_theme: AppTheme
) -> None:
    """The theme changes while everything stays open, and back."""
    before = app_theme.theme
    window.action_set[Actions.APPEARANCE].trigger()
    assert app_theme.theme.is_dark != before.is_dark
    assert window.palette().window().color() == app_theme.theme.colour("window")
    window.action_set[Actions.APPEARANCE].trigger()
    assert app_theme.theme == before


def test_a_search_that_fails_is_explained_in_the_middle_of_the_window(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """The engine's sentence stands where the photos were; its button leads back to them."""
    other = UserError("This library was indexed with another model.", "", "Index it again.")
    engine.refuse(Search, other)
    _search(window, qtbot, "dog")
    assert window.widgets.empty.isVisible()
    assert "another model" in window.widgets.empty.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        qtbot.mouseClick(window.widgets.empty.button, Qt.MouseButton.LeftButton)
    assert window.widgets.grid.isVisible()
    assert window.session.model.rowCount() == 40
