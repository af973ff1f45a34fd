"""The dialog on the library's folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import Keys, ListNewest, ListRoots, Roots, StartIndex
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ReadAgain, RootValue
from tests.support.stand_in_link import StandInLink
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.actions import Actions
from ui.kit.dialogs import DialogHost
from ui.kit.widgets import Notice
from ui.library.folder_commands import FolderCommands
from ui.library.folders import FoldersDialog
from ui.library.forgetting import Forgetting
from ui.library.tasks import Tasks
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def link(owner: QObject) -> StandInLink:
    """A link without an engine."""
    return StandInLink(owner)


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    """A window for the dialogs to stand over."""
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def host(parent: QWidget) -> DialogHost:
    """Opens the dialogs."""
    return DialogHost(parent)


@pytest.fixture
def notice(parent: QWidget) -> Notice:
    """The sentence at the foot of the window."""
    return Notice(parent)


@pytest.fixture
def dialog(link: StandInLink, host: DialogHost, notice: Notice) -> FoldersDialog:
    """The dialog on two folders, of which the second was chosen."""
    face = cast("EngineLink", link)
    forgetting = Forgetting(Tasks(face, host, notice), notice)
    commands = FolderCommands(face, JobTracker(face, host), host, forgetting, notice)
    cast("Any", commands.slots()[Actions.FOLDERS])()
    patterns = (WirePath("*.png"), WirePath("Screenshots"))
    quoted = RootValue(path=WirePath('/photos/"our" Holiday'), excludes=patterns)
    link.answer(ListRoots, Roots(roots=(quoted, RootValue(path=WirePath("/disk")))))
    assert isinstance(host.current, FoldersDialog)
    host.current.tree.setCurrentIndex(host.current.tree.model().index(1, 0))
    return host.current


def _line(dialog: FoldersDialog, place: int) -> list[str]:
    item = dialog.tree.topLevelItem(place)
    assert item is not None
    return [item.text(column) for column in range(4)]


def _counts(link: StandInLink, media: int, offline: int) -> None:
    link.answer(ListNewest, Keys(keys=(), total=media))
    asked = next(body for body in link.bodies(ListNewest) if "offline" in body.filter)
    waiting = [one for one in link.waiting if one.body is asked]
    link.waiting.remove(waiting[0])
    waiting[0].on_done(Keys(keys=(), total=offline))


def test_each_folder_is_listed_with_what_is_in_it(link: StandInLink, dialog: FoldersDialog) -> None:
    """Numbers come later than names; a disk that is away is told of."""
    assert _line(dialog, 0) == ['/photos/"our" Holiday', "", "2 patterns", ""]
    assert link.bodies(ListNewest)[0].filter == 'folder:"/photos/""our"" Holiday" -state:missing'
    assert {body.limit for body in link.bodies(ListNewest)} == {0}
    _counts(link, 1204, 0)
    _counts(link, 7, 7)
    assert _line(dialog, 0)[1:] == ["1,204", "2 patterns", "Available"]
    assert _line(dialog, 1) == ["/disk", "7", "", "Disk not connected"]


@pytest.mark.parametrize(
    ("place", "again"), [(0, ReadAgain.NOTHING), (1, ReadAgain.FAILED), (2, ReadAgain.ALL)]
)
def test_one_folder_alone_is_looked_at_again(
    link: StandInLink, dialog: FoldersDialog, place: int, again: ReadAgain
) -> None:
    """The menu says which files; the dialog makes room for the job."""
    menu = dialog.look.menu()
    assert menu is not None
    menu.actions()[place].trigger()
    assert link.bodies(StartIndex) == [StartIndex(folders=(WirePath("/disk"),), again=again)]
    assert not dialog.isVisible()


def test_without_folders_there_is_a_sentence_and_nothing_to_press(
    link: StandInLink, host: DialogHost
) -> None:
    """An empty list would say nothing."""
    dialog = host.open(FoldersDialog)
    dialog.show_roots(())
    assert dialog.intro.text() == "No folder has been added yet."
    assert not dialog.look.isEnabled()


def test_an_answer_that_comes_after_the_dialog_was_closed_is_dropped(
    link: StandInLink, dialog: FoldersDialog
) -> None:
    """Nothing opens by itself."""
    dialog.reject()
    _counts(link, 5, 0)
    assert _line(dialog, 0)[1:] == ["", "2 patterns", ""]


def test_the_window_lists_its_folders(
    window: MainWindow, engine: FakeEngine, library: Path, qtbot: QtBot
) -> None:
    """The action leads to the dialog; the engine tells the rest."""
    window.action_set[Actions.FOLDERS].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, FoldersDialog)
    qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: _line(dialog, 0)[3] == "Available", timeout=WAIT_MS)
    assert _line(dialog, 0)[:2] == [str(library / "Photos"), "40"]
