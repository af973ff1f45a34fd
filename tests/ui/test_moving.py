"""The library moved from the window: asked, followed, stopped, opened in its new place."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import ui.__main__ as start
from cocadesk.errors import UserError
from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import MoveLibrary
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import WorkState
from tests.support.engines import FAKE_MODEL, filled_library, stop
from tests.support.task_desk import TaskDesk, trigger
from ui.annotations.by_itself import BY_ITSELF
from ui.annotations.unsent import unsent_file
from ui.kit import desktop
from ui.kit.actions import Actions
from ui.kit.theme import Appearance
from ui.library.moving import MoveCommands
from ui.library.tasks import TaskDialog
from ui.shell.libraries import RECENT, is_away, note_recent
from ui.shell.window import MainWindow

WAIT_MS = 30_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _dialog(window: MainWindow) -> TaskDialog:
    dialog = window.dialogs.current
    assert isinstance(dialog, TaskDialog)
    return dialog


def _move(window: MainWindow, to: Path, monkeypatch: pytest.MonkeyPatch) -> TaskDialog:
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: str(to))
    window.action_set[Actions.MOVE_LIBRARY].trigger()
    dialog = _dialog(window)
    assert str(to) in dialog.sentence.text()
    dialog.go_on.click()
    return dialog


def test_a_moved_library_is_opened_in_its_new_place(
    window: MainWindow,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    """What was chosen for the library goes along, and the old place is offered no more."""
    (tmp_path / "disk").mkdir()
    BY_ITSELF.write(True, library_name(library))
    wanted: list[object] = []
    window.library_wanted.connect(wanted.append)
    _move(window, tmp_path / "disk", monkeypatch)
    new = tmp_path / "disk" / "CocaDesk library"
    qtbot.waitUntil(lambda: wanted == [new], timeout=WAIT_MS)
    assert BY_ITSELF.read(library_name(new))
    assert RECENT.read()[0] == str(new)
    assert str(library) not in RECENT.read()


def test_a_real_library_goes_on_in_its_new_place(
    library: Path,
    tmp_path: Path,
    app_theme: object,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    """With a real engine: the old one ends, a new one serves the copy, and all words are there."""
    library.rmdir()
    filled_library(tmp_path)
    monkeypatch.setattr(start, "engine_options", lambda _extra: FAKE_MODEL)
    options = argparse.Namespace(look=Appearance.LIGHT, model=None, fake=False, query="")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    program = start.Program(options, app, start.ErrorReporter())
    program.open(library)
    first = program.window
    assert first is not None
    qtbot.waitUntil(lambda: first.session.model.rowCount() == 5, timeout=WAIT_MS)
    key = first.session.model.key_at(0)
    assert key is not None
    first.session.editor.set([key], "Caption saved", caption="said before the move")
    qtbot.waitUntil(first.session.editor.is_settled, timeout=WAIT_MS)
    _move(first, tmp_path / "new", monkeypatch)
    qtbot.waitUntil(lambda: program.window is not first, timeout=WAIT_MS)
    second = program.window
    assert second is not None
    qtbot.waitUntil(lambda: second.session.model.rowCount() == 5, timeout=WAIT_MS)
    assert second.session.link.library == tmp_path / "new"
    assert not first.isVisible()
    model = second.session.model
    model.refresh_rows([key])
    qtbot.waitUntil(
        lambda: (row := model.known_row(key)) is not None and row.caption == "said before the move",
        timeout=WAIT_MS,
    )
    moving = second._controllers.library.moving
    qtbot.waitUntil(lambda: moving.old == WirePath.of(library), timeout=WAIT_MS)
    with connect_or_start(tmp_path / "new") as client:
        stop(client)
    second.close()
    for window in (first, second):
        qtbot.addWidget(window)


def test_a_disk_that_is_away_is_said_in_the_dialog(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """The library is where it was."""
    dialog = _move(window, tmp_path / "away" / "library", monkeypatch)
    qtbot.waitUntil(lambda: "There is no folder" in dialog.sentence.text(), timeout=WAIT_MS)
    assert not dialog.bar.isVisible()


@pytest.fixture
def moving(task_desk: TaskDesk) -> MoveCommands:
    """The commands over a link that answers when a test says so."""
    return MoveCommands(task_desk.tasks, task_desk.window)


def _begin(moving: MoveCommands, desk: TaskDesk, monkeypatch: pytest.MonkeyPatch) -> TaskDialog:
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: "/disk")
    trigger(moving.slots(), Actions.MOVE_LIBRARY)
    dialog = desk.task()
    dialog.go_on.click()
    assert desk.link.bodies(MoveLibrary) == [MoveLibrary(folder=WirePath("/disk"))]
    return dialog


def test_a_move_is_followed_and_stopped(
    moving: MoveCommands, task_desk: TaskDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the time left; the dialog may be closed and opened again meanwhile."""
    first = _begin(moving, task_desk, monkeypatch)
    assert first.other.text() == "Stop"
    first.reject()
    trigger(moving.slots(), Actions.MOVE_LIBRARY)
    dialog = task_desk.task()
    assert dialog is not first
    dialog.show_progress(WorkState(stage="Copying, 1 of 9 GB", done=1, total=9, seconds_left=300.0))
    assert dialog.sentence.text() == "Copying, 1 of 9 GB, about 5 minutes left."
    assert (dialog.bar.value(), dialog.bar.maximum()) == (1, 9)
    dialog.other.click()
    assert "was stopped" in dialog.sentence.text()
    assert not task_desk.link.bodies(MoveLibrary)


def test_an_engine_that_dies_during_a_move_is_said(
    moving: MoveCommands, task_desk: TaskDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the dialog, or in a line where that is closed; another try begins anew."""
    dialog = _begin(moving, task_desk, monkeypatch)
    task_desk.link.lose()
    assert "it is where it was" in dialog.sentence.text()
    dialog.reject()
    trigger(moving.slots(), Actions.MOVE_LIBRARY)
    again = task_desk.task()
    again.go_on.click()
    assert "still starting" in again.sentence.text()
    task_desk.link.come_back()
    again = _begin(moving, task_desk, monkeypatch)
    again.reject()
    task_desk.link.fail(MoveLibrary, UserError("There is not enough space."))
    assert task_desk.notice.text() == "There is not enough space."


def test_the_old_copy_is_removed_only_where_there_is_one(window: MainWindow, qtbot: QtBot) -> None:
    """The engine tells of it; without one nothing is asked."""
    window.action_set[Actions.REMOVE_OLD_LIBRARY].trigger()
    assert "no old copy" in window.widgets.notice.text()
    moving = window._controllers.library.moving
    moving.learn_old(WirePath(text="/old/place"))
    window.action_set[Actions.REMOVE_OLD_LIBRARY].trigger()
    dialog = _dialog(window)
    assert "/old/place" in dialog.sentence.text()
    dialog.go_on.click()
    qtbot.waitUntil(lambda: "no old copy" in dialog.sentence.text(), timeout=WAIT_MS)
    assert moving.old is None


def test_words_that_wait_follow_a_moved_library(tmp_path: Path) -> None:
    """They are kept in the file of its new place."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    before = unsent_file(old)
    note = f'{{"to_hex": "{str(new).encode().hex()}"}}'
    (old / "moved.json").write_text(note, encoding="utf-8")
    assert unsent_file(old) == unsent_file(new) != before


def test_a_library_that_was_there_before_is_away(tmp_path: Path) -> None:
    """No new one is made in its place; of one that nobody has opened yet, one is."""
    note_recent(tmp_path / "on a disk")
    assert is_away(tmp_path / "on a disk")
    assert not is_away(tmp_path / "never")
