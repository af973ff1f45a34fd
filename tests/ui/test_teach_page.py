"""Teaching in the window against a fake engine: look, learn, decide, try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import PreviewDataset, StartTeach
from cocadesk.protocol.values import JobState, RunState, TuningMethod
from ui.kit import desktop
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.teach.page import TeachPage

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

Opener = Callable[[], MainWindow]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder to learn from; the fake engine makes up what is in it."""
    made = tmp_path / "Quillets"
    made.mkdir()
    return str(made)


@pytest.fixture
def slow_engine(library: Path) -> Iterator[FakeEngine]:
    """An engine whose steps take long enough to be stopped in between."""
    with FakeEngine(library, media=3, step_s=0.02) as engine:
        yield engine


@pytest.fixture
def long_engine(library: Path) -> Iterator[FakeEngine]:
    """An engine whose run does not end by itself while a busy machine lets the window wait."""
    with FakeEngine(library, media=3, step_s=1.0) as engine:
        yield engine


def _teach(window: MainWindow) -> TeachPage:
    window.switcher.show(Pages.TEACH)
    page = window.switcher.built(Pages.TEACH)
    assert isinstance(page, TeachPage)
    return page


def _look(page: TeachPage, qtbot: QtBot, folder: str) -> None:
    page.setup.source.add([folder])
    qtbot.mouseClick(page.setup.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.setup.found.time.isVisible, timeout=WAIT_MS)


def _start(page: TeachPage, qtbot: QtBot, folder: str) -> None:
    _look(page, qtbot, folder)
    qtbot.mouseClick(page.setup.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.run is not None, timeout=WAIT_MS)


def _state(page: TeachPage) -> RunState | None:
    return page.view.run.state if page.view.run is not None else None


def _job_state(page: TeachPage) -> JobState | None:
    job = page.view.progress.job
    return job.state if job is not None else None


def test_nothing_chosen_is_explained_and_cannot_be_looked_at(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The empty page says what teaching is; the library's words come with their number."""
    page = _teach(window)
    assert page.stack.currentWidget() is page.setup
    assert not page.setup.check.isEnabled()
    qtbot.waitUntil(lambda: "14 photos" in page.setup.source.library.text(), timeout=WAIT_MS)
    page.setup.source.library.click()
    assert page.setup.check.isEnabled()


def test_a_look_shows_counts_pictures_what_is_left_out_and_the_time(
    window: MainWindow, qtbot: QtBot, folder: str
) -> None:
    """All of it before anything is learned; another choice asks for another look."""
    page = _teach(window)
    _look(page, qtbot, folder)
    found = page.setup.found
    assert found.counts.text() == "24 photos with 48 captions"
    assert "3 files skipped (IMG_2041.jpg" in found.skipped.text()
    assert found.time.text() == "Learning takes about 2 minutes on this computer."
    assert page.setup.name.text() == "Quillets"
    page.setup.deeper.click()
    assert not found.isVisible()
    qtbot.mouseClick(page.setup.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "read again" in found.time.text(), timeout=WAIT_MS)
    assert page.setup.method() is TuningMethod.DEEPER


def test_a_folder_is_chosen_dropped_and_taken_away(
    window: MainWindow, qtbot: QtBot, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the button or the mouse; the same one twice is one."""
    source = _teach(window).setup.source
    monkeypatch.setattr(desktop, "ask_for_folder", lambda _parent, _title: folder)
    qtbot.mouseClick(source.choose, Qt.MouseButton.LeftButton)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(folder)])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    key = Qt.KeyboardModifier.NoModifier
    source.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, key))
    assert [path.to_str() for path in source.source().folders] == [folder]
    source.lines[0].removed.emit(folder)
    assert source.is_empty()
    _teach(window).dropEvent(QDropEvent(QPointF(5, 5), action, data, button, key))
    assert not source.is_empty()


def test_a_folder_that_cannot_teach_says_why(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """A sentence in place of counts, and nothing to start."""
    (tmp_path / "empty").mkdir()
    page = _teach(window)
    page.setup.source.add([str(tmp_path / "empty")])
    qtbot.mouseClick(page.setup.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.setup.problem.isVisible, timeout=WAIT_MS)
    assert "None of the 12 photos" in page.setup.problem.text()
    assert not page.setup.start.isEnabled()
    assert page.setup.check.isEnabled()


def test_a_look_that_fails_is_explained(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot, folder: str
) -> None:
    """The engine's sentence; one may try again."""
    page = _teach(window)
    engine.refuse(PreviewDataset, UserError("There is no such folder.", "", "Choose another."))
    page.setup.source.add([folder])
    qtbot.mouseClick(page.setup.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.setup.problem.isVisible, timeout=WAIT_MS)
    assert "no such folder" in page.setup.problem.text()
    assert page.setup.check.isEnabled()


def test_from_a_look_to_a_kept_model_that_is_tried(
    window: MainWindow, qtbot: QtBot, folder: str
) -> None:
    """Learn with a live curve, see before and after, keep, search by the new name."""
    page = _teach(window)
    _start(page, qtbot, folder)
    view = page.view
    qtbot.waitUntil(view.keep.isVisible, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: view.loss.is_drawn and view.gain.is_drawn, timeout=WAIT_MS)
    assert len(view.loss.points()["loss"]) == 40
    assert len(view.gain.points()["yours"]) == len(view.gain.points()["others"]) == 9
    assert view.verdict.text().startswith("Worth keeping.")
    assert "The right photo comes first: 2 of 4 before, 3 of 4 after" in view.figures.texts
    assert len(view.figures.texts) == 3
    qtbot.mouseClick(view.keep, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(view.attempt.isVisible, timeout=WAIT_MS)
    assert not view.keep.isVisible()
    view.attempt.setText("a dog")
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        qtbot.keyClick(view.attempt, Qt.Key.Key_Return)
    assert window.switcher.page is Pages.LIBRARY
    assert window.widgets.search.query() == "a dog"


def test_a_run_can_be_discarded_and_stays_in_the_list(
    window: MainWindow, qtbot: QtBot, folder: str
) -> None:
    """What was learned goes; what came of it can still be read."""
    page = _teach(window)
    _start(page, qtbot, folder)
    qtbot.waitUntil(page.view.discard.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(page.view.discard, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _state(page) is RunState.DISCARDED, timeout=WAIT_MS)
    assert page.runs.item(0).text().startswith("Quillets\ndiscarded")
    assert page.view.figures.isVisible()
    qtbot.mouseClick(page.new, Qt.MouseButton.LeftButton)
    assert page.stack.currentWidget() is page.setup
    page.runs.setCurrentRow(0)
    assert page.stack.currentWidget() is page.view


def test_a_run_is_paused_goes_on_and_is_cancelled(
    long_engine: FakeEngine, make_window: Opener, qtbot: QtBot, folder: str
) -> None:
    """By its own buttons, as any job."""
    window = make_window()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
    page = _teach(window)
    _start(page, qtbot, folder)
    view = page.view
    qtbot.waitUntil(lambda: len(page.requests.points("job-1")) > 1, timeout=WAIT_MS)
    qtbot.mouseClick(view.progress.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.progress.pause.text() == "Resume", timeout=WAIT_MS)
    assert "exactly where it stopped" in view.progress.line.text()
    qtbot.mouseClick(view.progress.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.progress.pause.text() == "Pause", timeout=WAIT_MS)
    qtbot.mouseClick(view.progress.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _state(page) is RunState.DISCARDED, timeout=WAIT_MS)
    assert not view.progress.pause.isVisible()
    assert view.verdict.text() == "You stopped it."


def test_another_window_shows_the_run_that_is_going_on(
    slow_engine: FakeEngine, make_window: Opener, qtbot: QtBot, folder: str
) -> None:
    """With its whole curve, and its end."""
    first = make_window()
    qtbot.waitUntil(lambda: first.session.model.rowCount() == 3, timeout=WAIT_MS)
    _start(_teach(first), qtbot, folder)
    qtbot.waitUntil(lambda: len(_teach(first).requests.points("job-1")) > 3, timeout=WAIT_MS)
    qtbot.mouseClick(_teach(first).view.progress.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _job_state(_teach(first)) is JobState.PAUSED, timeout=WAIT_MS)
    second = make_window()
    qtbot.waitUntil(lambda: second.session.model.rowCount() == 3, timeout=WAIT_MS)
    page = _teach(second)
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.view, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(page.requests.points("job-1")) > 3, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.view.progress.pause.text() == "Resume", timeout=WAIT_MS)
    qtbot.mouseClick(page.view.progress.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _state(page) is RunState.DISCARDED, timeout=WAIT_MS)


def test_a_look_that_its_engine_did_not_survive_is_asked_for_again(
    library: Path, make_window: Opener, qtbot: QtBot, folder: str
) -> None:
    """The answer comes from the next engine; nothing hangs at “Looking…”."""
    with FakeEngine(library, media=3) as first:
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
        page = _teach(window)
        first.never_answer(PreviewDataset)
        page.setup.source.add([folder])
        qtbot.mouseClick(page.setup.check, Qt.MouseButton.LeftButton)
        assert page.setup.check.text() == "Checking…"
    with FakeEngine(library, media=3):
        qtbot.waitUntil(page.setup.found.time.isVisible, timeout=WAIT_MS)


def test_a_start_that_its_engine_did_not_survive_may_be_tried_again(
    library: Path, make_window: Opener, qtbot: QtBot, folder: str
) -> None:
    """The button is there again once the next engine knows of no run."""
    with FakeEngine(library, media=3) as first:
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 3, timeout=WAIT_MS)
        page = _teach(window)
        _look(page, qtbot, folder)
        first.never_answer(StartTeach)
        qtbot.mouseClick(page.setup.start, Qt.MouseButton.LeftButton)
        assert not page.setup.start.isEnabled()
    with FakeEngine(library, media=3):
        qtbot.waitUntil(page.setup.start.isEnabled, timeout=WAIT_MS)
        qtbot.mouseClick(page.setup.start, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(page.view.keep.isVisible, timeout=WAIT_MS)
