"""Photos that leave the list: hidden, or in the system's bin; with real files and a real engine."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QFile, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.protocol.launch import running_engine
from tests.support.engines import FAKE_MODEL, stop
from ui.kit.actions import Actions
from ui.kit.bin import Binned, BinReport, BinWork, move_to_bin, take_back
from ui.kit.programs import Program, programs_for
from ui.library.tasks import TaskDialog
from ui.shell.window import MainWindow

WAIT_MS = 60_000
pytestmark = [pytest.mark.qt_log_ignore("propagateSizeHints")]
NAMES = ("astronaut", "beach", "crab", "farm-dog", "koala")


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bin of this test alone."""
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    probe = tmp_path / "probe"
    probe.write_text("x")
    if not QFile(str(probe)).moveToTrash() or not (data / "Trash").exists():
        pytest.skip("the bin of this system lies elsewhere")
    return data / "Trash" / "files"


@pytest.fixture
def real(
    make_window: Callable[..., MainWindow],
    library: Path,
    samples: Path,
    tmp_path: Path,
    qtbot: QtBot,
    bin_folder: Path,
) -> Iterator[MainWindow]:
    """A window on a real engine with five photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(samples / f"{name}.jpg", folder)
    window = make_window(starts_engine=True, extra=FAKE_MODEL)
    qtbot.waitUntil(lambda: "first folder" in window.widgets.empty.text(), timeout=WAIT_MS)
    window.add_folders([str(folder)])
    qtbot.waitUntil(lambda: window.session.model.rowCount() == len(NAMES), timeout=WAIT_MS)
    yield window
    window.close()
    client = running_engine(library)
    if client is not None:
        with client:
            stop(client)


def _go_to(window: MainWindow, name: str, qtbot: QtBot) -> str:
    """The cursor on the photo of this name; gives its key."""
    model = window.session.model

    def place() -> int | None:
        for position in range(model.rowCount()):
            model.index(position).data()
            row = model.known_row(model.key_at(position) or "")
            if row is not None and row.name == f"{name}.jpg":
                return position
        return None

    qtbot.waitUntil(lambda: place() is not None, timeout=WAIT_MS)
    position = place()
    assert position is not None
    window.widgets.grid.go_to(position)
    return window.widgets.grid.current_key() or ""


def _dialog(window: MainWindow) -> TaskDialog:
    dialog = window.dialogs.current
    assert isinstance(dialog, TaskDialog)
    return dialog


def test_photos_go_into_the_bin_once_that_is_agreed_and_come_back(
    real: MainWindow, qtbot: QtBot, tmp_path: Path, bin_folder: Path
) -> None:
    """The dialog names number and files; the row is missing at once, its words are kept."""
    key = _go_to(real, "crab", qtbot)
    real.session.editor.set([key], "Caption saved", caption="a crab of mine")
    qtbot.waitUntil(real.session.editor.is_settled, timeout=WAIT_MS)
    path = tmp_path / "photos" / "crab.jpg"
    data = path.read_bytes()
    real.action_set[Actions.MOVE_TO_BIN].trigger()
    dialog = _dialog(real)
    qtbot.waitUntil(lambda: dialog.go_on.isVisible(), timeout=WAIT_MS)
    assert dialog.sentence.text() == "Move 1 photo to the system's bin?"
    assert dialog.report.toPlainText() == "crab.jpg"
    assert path.exists()
    dialog.go_on.click()
    qtbot.waitUntil(lambda: not path.exists(), timeout=WAIT_MS)
    assert (bin_folder / "crab.jpg").read_bytes() == data
    qtbot.waitUntil(lambda: real.session.model.rowCount() == 4, timeout=WAIT_MS)
    assert real.widgets.grid.current_key() not in (None, key)
    assert real.widgets.notice.button.text() == "Put back"
    real.widgets.notice.button.click()
    qtbot.waitUntil(path.exists, timeout=WAIT_MS)
    assert path.read_bytes() == data
    # The bin's note about the file is removed after the file itself came back.
    qtbot.waitUntil(lambda: not list(bin_folder.parent.rglob("crab*")), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: real.session.model.rowCount() == 5, timeout=WAIT_MS)
    _go_to(real, "crab", qtbot)

    def is_back() -> bool:
        row = real.session.model.known_row(key)
        return row is not None and (row.caption, row.state) == ("a crab of mine", "present")

    qtbot.waitUntil(is_back, timeout=WAIT_MS)


def test_what_is_hidden_leaves_the_list_and_undo_brings_it_back(
    real: MainWindow, qtbot: QtBot
) -> None:
    """The file stays; the search that shows hidden ones is told."""
    key = _go_to(real, "beach", qtbot)
    QTest.keyClick(real.widgets.grid, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: real.session.model.position_of(key) is None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "hidden:yes" in real.widgets.notice.text(), timeout=WAIT_MS)
    real.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: real.session.model.position_of(key) is not None, timeout=WAIT_MS)


def test_the_clipboard_gets_the_picture_and_its_file(real: MainWindow, qtbot: QtBot) -> None:
    """To paste it into a letter or into a folder."""
    _go_to(real, "koala", qtbot)
    inspector = real.session.inspector
    qtbot.waitUntil(
        lambda: (
            bool(inspector.picture_path)
            and real.session.previews.pixmap(inspector.picture_path, inspector.picture_path)
            is not None
        ),
        timeout=WAIT_MS,
    )
    real.action_set[Actions.COPY_PICTURE].trigger()
    data = QGuiApplication.clipboard().mimeData()
    assert [Path(url.toLocalFile()).name for url in data.urls()] == ["koala.jpg"]
    assert QGuiApplication.clipboard().image().width() > 100
    assert real.widgets.notice.text() == "Picture and file copied"


def test_what_cannot_be_opened_or_shown_is_told(
    real: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A desktop without a program for it, and a file that is not there now."""
    monkeypatch.setattr("ui.kit.desktop.QDesktopServices.openUrl", lambda _url: False)
    _go_to(real, "koala", qtbot)
    real.action_set[Actions.SHOW_IN_FOLDER].trigger()
    assert "could not be opened" in real.widgets.notice.text()
    real.action_set[Actions.OPEN_FILE].trigger()
    assert "koala.jpg could not be opened" in real.widgets.notice.text()
    (tmp_path / "photos" / "koala.jpg").rename(tmp_path / "elsewhere.jpg")
    real.action_set[Actions.OPEN_FILE].trigger()
    assert "koala.jpg is not there now" in real.widgets.notice.text()


def test_a_file_that_is_not_there_is_not_moved_and_nothing_is_overwritten(
    tmp_path: Path, bin_folder: Path
) -> None:
    """Each failure is a sentence."""
    with pytest.raises(UserError, match="not in its place"):
        move_to_bin(str(tmp_path / "none.jpg"))
    path = tmp_path / "a file.jpg"
    path.write_bytes(b"one")
    binned = move_to_bin(str(path))
    path.write_bytes(b"two")
    with pytest.raises(UserError, match="Another file is in its place"):
        take_back(binned)
    assert path.read_bytes() == b"two"
    path.unlink()
    take_back(binned)
    assert path.read_bytes() == b"one"
    with pytest.raises(UserError, match="no longer in the bin"):
        take_back(binned)
    with pytest.raises(UserError, match="no longer in the bin"):
        take_back(Binned(str(path)))


def test_programs_for_a_file_are_those_that_the_desktop_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's default first; terminal programs and hidden ones are left out."""
    data, config = tmp_path / "share", tmp_path / "config"
    (data / "applications").mkdir(parents=True)
    config.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    for name, more in (
        ("paint", "Exec=paint --new %F"),
        ("view", "Exec=view %U\n"),
        ("shell", "Exec=shell %f\nTerminal=true"),
        ("inner", "Exec=inner\nNoDisplay=true"),
    ):
        text = f"[Desktop Entry]\nType=Application\nName={name.title()}\nName[de]=X\n{more}\n"
        (data / "applications" / f"{name}.desktop").write_text(text)
    (data / "applications" / "mimeinfo.cache").write_text(
        "[MIME Cache]\n"
        "image/jpeg=shell.desktop;view.desktop;paint.desktop;inner.desktop;no.desktop;\n"
    )
    (config / "mimeapps.list").write_text("[Default Applications]\nimage/jpeg=paint.desktop\n")
    found = programs_for("/photos/a b.JPG")
    assert [program.name for program in found] == ["Paint", "View"]
    assert found[0].words("/photos/a b.jpg") == ["paint", "--new", "/photos/a b.jpg"]
    assert found[1].words("/photos/a b.jpg") == ["view", "file:///photos/a%20b.jpg"]
    assert Program("P", "p --icon %i").words("/x.jpg") == ["p", "--icon", "/x.jpg"]
    with pytest.raises(UserError, match="could not be started"):
        Program("Nothing", "/no/such/program %f").open("/x.jpg")


def test_the_offered_programs_start_with_the_file(tmp_path: Path) -> None:
    """Without a shell between: a name with quotes and spaces is one word."""
    path = tmp_path / 'it\'s a "file".jpg'
    path.write_bytes(b"x")
    told = tmp_path / "told"
    script = tmp_path / "program"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}"\n')
    script.chmod(0o700)
    Program("Script", f"{script} %f").open(str(path))
    for _ in range(200):
        if told.exists() and told.read_text():
            break
        QTest.qWait(20)
    assert told.read_text() == os.fspath(path)


def _start_to_bin(window: MainWindow, name: str, qtbot: QtBot) -> None:
    """Agrees to move the photo of this name into the bin."""
    _go_to(window, name, qtbot)
    window.action_set[Actions.MOVE_TO_BIN].trigger()
    dialog = _dialog(window)
    qtbot.waitUntil(lambda: dialog.go_on.isVisible(), timeout=WAIT_MS)
    dialog.go_on.click()


def test_two_moves_at_once_each_have_a_way_back_and_a_closed_dialog_loses_no_failure(
    real: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first dialog is left while its move works; another one takes its place."""
    gates = {f"{name}.jpg": threading.Event() for name in NAMES}

    def slow(path: str) -> Binned:
        name = Path(path).name
        if not gates[name].wait(WAIT_MS / 1000) or name == "beach.jpg":
            raise UserError(f"{name} could not be moved to the bin.")
        return move_to_bin(path)

    def names() -> set[str]:
        return {path.stem for path in (tmp_path / "photos").iterdir()}

    monkeypatch.setattr("ui.kit.bin.move_to_bin", slow)
    for name in ("crab", "koala"):
        _start_to_bin(real, name, qtbot)
    for name in ("crab", "koala"):
        assert name in names()
        gates[f"{name}.jpg"].set()
        qtbot.waitUntil(lambda name=name: name not in names(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: real.session.model.rowCount() == 3, timeout=WAIT_MS)
    assert names() == {"astronaut", "beach", "farm-dog"}
    _start_to_bin(real, "beach", qtbot)
    _dialog(real).reject()
    gates["beach.jpg"].set()
    notice = real.widgets.notice
    qtbot.waitUntil(lambda: "beach.jpg could not be moved" in notice.text(), timeout=WAIT_MS)
    for name in ("koala", "crab"):
        assert name not in names()
        real.action_set[Actions.PUT_BACK].trigger()
        qtbot.waitUntil(lambda name=name: name in names(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: real.session.model.rowCount() == 5, timeout=WAIT_MS)


def test_no_half_photo_goes_into_the_bin(
    tmp_path: Path, bin_folder: Path, owner: QObject, qtbot: QtBot
) -> None:
    """Where a file that belongs to it can't go, the photo comes back; others go."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text(name)
    work = BinWork(owner)
    with qtbot.waitSignal(work.ended, timeout=WAIT_MS) as ended:
        work.move([[str(tmp_path / "a.jpg"), str(tmp_path / "a.raw")], [str(tmp_path / "b.jpg")]])
    report = (ended.args or [None])[0]
    assert isinstance(report, BinReport)
    assert (tmp_path / "a.jpg").read_text() == "a.jpg"
    assert [Path(binned.path).name for binned in report.done] == ["b.jpg"]
    assert [Path(path).name for path, _sentence in report.failed] == ["a.raw"]
    assert report.can_take_back
