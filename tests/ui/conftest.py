"""A window on a fake engine, and the waiting that tests of it need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, QSettings
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from tests.support.task_desk import TaskDesk
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.kit.preferences import remember
from ui.kit.theme import Appearance
from ui.library.group_commands import COLLAPSE
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture(scope="session")
def app_theme(qapp: QApplication) -> AppTheme:
    """The light theme, whatever the system's is."""
    return AppTheme(qapp, Appearance.LIGHT)


@pytest.fixture(autouse=True)
def _preferences(tmp_path: Path) -> None:
    """Choices of this test's own: every photo of a group is shown."""
    scope = QSettings.Scope.UserScope
    QSettings.setPath(QSettings.Format.IniFormat, scope, str(tmp_path / "settings"))
    remember(COLLAPSE, False)


@pytest.fixture
def owner(qtbot: QtBot) -> Iterator[QObject]:
    """The parent of Qt objects that a test makes without a window.

    They are deleted here and now: left to the garbage collector, they could be deleted
    by whichever thread it happens to run on, which Qt does not survive.
    """
    made = QObject()
    yield made
    shiboken6.delete(made)


@pytest.fixture
def parent(app_theme: AppTheme, qtbot: QtBot) -> QWidget:
    """A window for dialogs and other parts to stand over."""
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def task_desk(parent: QWidget, owner: QObject) -> TaskDesk:
    """What dialogs stand on, over a window of their own."""
    return TaskDesk(parent, owner)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library folder with a run folder of its own."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "library"
    folder.mkdir()
    return folder


@pytest.fixture
def make_window(
    app_theme: AppTheme, library: Path, qtbot: QtBot
) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows on the library, by default without a right to start engines.

    In the end they are closed, and deleted at once: the next test's threads could collect them.
    """
    windows: list[MainWindow] = []

    def make(**options: Any) -> MainWindow:
        link = EngineLink(library, **({"starts_engine": False} | options))
        window = MainWindow(link, app_theme)
        windows.append(window)
        window.show()
        window.session.link.open()
        return window

    yield make
    for window in windows:
        window.close()
        shiboken6.delete(window)


@pytest.fixture
def engine(library: Path) -> Iterator[FakeEngine]:
    """A fake engine with forty media."""
    with FakeEngine(library, media=40) as engine:
        yield engine


@pytest.fixture
def window(engine: FakeEngine, make_window: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    """A window that shows the newest of the fake engine's media."""
    window = make_window()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 40, timeout=WAIT_MS)
    return window


@pytest.fixture
def found_video(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with a video under the cursor that was found by a moment of it."""
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.search.set_query("train station smoke")
    model = window.session.model
    hits = [model.hit_of(key) for key in model.all_keys()]
    window.widgets.grid.go_to(next(n for n, hit in enumerate(hits) if hit and hit.moments))
    return window
