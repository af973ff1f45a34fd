"""Several libraries: opened, made, remembered; one window of each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from cocadesk.engine.__main__ import keep_to_cores
from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.locations import LIBRARY_VARIABLE
from ui.engine.instance import WindowAddress, raise_open_window
from ui.kit import desktop
from ui.kit.actions import Actions
from ui.shell.libraries import (
    MOST,
    RECENT,
    library_in,
    note_recent,
    place_for_new,
    shown_name,
    start_library,
)
from ui.shell.window import MainWindow

WAIT_MS = 30_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _library(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "library.json").write_text("{}")
    return folder


def test_a_library_is_found_in_the_folder_or_right_below(tmp_path: Path) -> None:
    """A folder of photos is none, and says what one is."""
    here = _library(tmp_path / "here")
    below = _library(tmp_path / "below" / "CocaDesk library")
    assert library_in(here) == here
    assert library_in(tmp_path / "below") == below
    with pytest.raises(UserError, match=r"There is no library in .*library\.json"):
        library_in(tmp_path)


def test_a_new_library_gets_an_empty_folder(tmp_path: Path) -> None:
    """In a folder that holds things, one of its own is made."""
    assert place_for_new(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "photos").mkdir()
    assert place_for_new(tmp_path / "photos") == tmp_path / "photos"
    (tmp_path / "photos" / "a.jpg").touch()
    place = place_for_new(tmp_path / "photos")
    assert place == tmp_path / "photos" / "CocaDesk library"
    _library(place)
    with pytest.raises(UserError, match="There is a library"):
        place_for_new(tmp_path / "photos")
    with pytest.raises(UserError, match="No library can be made"):
        place_for_new(tmp_path / "photos" / "a.jpg")


def test_the_last_libraries_are_remembered_once_each(tmp_path: Path) -> None:
    """The newest first, not more than a few."""
    for n in range(MOST + 3):
        note_recent(tmp_path / str(n))
    note_recent(tmp_path / "5")
    assert RECENT.read()[:2] == [str(tmp_path / "5"), str(tmp_path / str(MOST + 2))]
    assert len(RECENT.read()) == MOST == len(set(RECENT.read()))


def test_a_start_opens_the_library_of_the_last_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless one is named, by hand or by the variable, or it is gone."""
    monkeypatch.delenv(LIBRARY_VARIABLE, raising=False)
    usual = start_library("")
    last = _library(tmp_path / "last")
    note_recent(last)
    assert start_library("") == last
    assert start_library(str(tmp_path / "named")) == tmp_path / "named"
    assert (shown_name(last), shown_name(usual)) == ("last", "")
    (last / "library.json").unlink()
    assert start_library("") == usual
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "variable"))
    note_recent(last)
    assert start_library("") == tmp_path / "variable"


def test_another_library_is_opened_from_the_window(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: Path
) -> None:
    """By the dialog and by the menu; a wrong folder is said with a way on."""
    wanted: list[object] = []
    window.library_wanted.connect(wanted.append)
    other = _library(tmp_path / "other")
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: str(other))
    window.action_set[Actions.OPEN_LIBRARY].trigger()
    assert wanted == [other]
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: str(tmp_path))
    window.action_set[Actions.OPEN_LIBRARY].trigger()
    assert "There is no library" in window.widgets.notice.text()
    assert window.widgets.notice.button.text() == "New library…"
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_: str(tmp_path / "new"))
    window.widgets.notice.button.click()
    assert wanted[1:] == [tmp_path / "new"]
    note_recent(other)
    menus = window.widgets.header.menu.menu().findChildren(QMenu)
    recent = next(menu for menu in menus if menu.title() == "Recent libraries")
    recent.aboutToShow.emit()
    assert [entry.text() for entry in recent.actions()] == [f"other  ({tmp_path})"]
    recent.actions()[0].trigger()
    assert wanted[2:] == [other]
    assert window.windowTitle() == f"{library.name} – CocaDesk"


def test_a_second_start_brings_the_window_to_the_front(
    window: MainWindow, library: Path, qtbot: QtBot
) -> None:
    """Another process asks; a window that is gone answers nobody."""
    assert not raise_open_window(library)
    address = WindowAddress(library, window)
    asked: list[bool] = []
    address.raise_wanted.connect(lambda: asked.append(True))
    program = f"import sys; from pathlib import Path; from ui.engine.instance import *; \
sys.exit(0 if raise_open_window(Path({str(library)!r})) else 3)"
    child = subprocess.Popen([sys.executable, "-c", program])
    qtbot.waitUntil(lambda: child.poll() is not None, timeout=WAIT_MS)
    assert child.returncode == 0
    assert asked == [True]
    window.come_to_front()
    assert window.widgets.notice.text() == "CocaDesk is open already"
    address.close()
    assert not raise_open_window(library)


def test_the_program_changes_over_to_another_library(
    engine: FakeEngine,
    library: Path,
    make_window: Callable[..., MainWindow],
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    app_theme: object,
) -> None:
    """The new window stands where the old one stood; the old one leaves its engine."""
    import argparse

    import ui.__main__ as start
    from ui.kit.theme import Appearance

    options = argparse.Namespace(look=Appearance.LIGHT, model=None, fake=True, query="")
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    program = start.Program(options, app, start.ErrorReporter())
    program.open(library)
    first = program.window
    assert first is not None
    qtbot.waitUntil(lambda: first.session.model.rowCount() == 40, timeout=WAIT_MS)
    first.resize(740, 560)
    other = library.parent / "other"
    other.mkdir()
    with FakeEngine(other, media=7):
        first.library_wanted.emit(other)
        second = program.window
        assert second is not None
        assert second is not first
        qtbot.waitUntil(lambda: second.session.model.rowCount() == 7, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: not first.isVisible(), timeout=WAIT_MS)
        assert second.size() == first.size()
        assert raise_answers(second, other, qtbot)
        second.close()
    for window in (first, second):
        qtbot.addWidget(window)


def raise_answers(window: MainWindow, library: Path, qtbot: QtBot) -> bool:
    """True where the address is that of the library which is open now."""
    program = f"import sys; from pathlib import Path; from ui.engine.instance import *; \
sys.exit(0 if raise_open_window(Path({str(library)!r})) else 3)"
    child = subprocess.Popen([sys.executable, "-c", program])
    qtbot.waitUntil(lambda: child.poll() is not None, timeout=WAIT_MS)
    return child.returncode == 0


def test_an_engine_keeps_to_the_cores_that_it_is_given() -> None:
    """In a process of its own: the limit holds for its children as well."""
    program = (
        "import os; from cocadesk.engine.__main__ import keep_to_cores; keep_to_cores(1);"
        "n = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1; print(n)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"1"
    keep_to_cores(None)
    keep_to_cores(0)
