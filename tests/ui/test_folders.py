"""The dialog on the library's folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import Keys, ListNewest, ListRoots, Roots, StartIndex
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ReadAgain, RootValue
from tests.support.stand_in_link import StandInLink
from tests.support.task_desk import TaskDesk, trigger
from ui.kit.actions import Actions
from ui.library.folder_commands import FolderCommands
from ui.library.folders import FoldersDialog
from ui.library.forgetting import Forgetting
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def link(task_desk: TaskDesk) -> StandInLink:
    """The link of the desk that the dialog stands on."""
    return task_desk.link


@pytest.fixture
def dialog(task_desk: TaskDesk) -> FoldersDialog:
    """The dialog on two folders, of which the second was chosen."""
    desk = task_desk
    forgetting = Forgetting(desk.tasks, desk.notice)
    commands = FolderCommands(desk.face, desk.tracker, desk.host, forgetting, desk.notice)
    trigger(commands.slots(), Actions.FOLDERS)
    patterns = (WirePath("*.png"), WirePath("Screenshots"))
    quoted = RootValue(path=WirePath('/photos/"our" Holiday'), excludes=patterns)
    desk.link.answer(ListRoots, Roots(roots=(quoted, RootValue(path=WirePath("/disk")))))
    assert isinstance(desk.host.current, FoldersDialog)
    desk.host.current.panel.tree.setCurrentIndex(desk.host.current.panel.tree.model().index(1, 0))
    return desk.host.current


def _line(dialog: FoldersDialog, place: int) -> list[str]:
    item = dialog.panel.tree.topLevelItem(place)
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
    menu = dialog.panel.look.menu()
    assert menu is not None
    menu.actions()[place].trigger()
    assert link.bodies(StartIndex) == [StartIndex(folders=(WirePath("/disk"),), again=again)]
    assert not dialog.isVisible()


def test_without_folders_there_is_a_sentence_and_nothing_to_press(task_desk: TaskDesk) -> None:
    """An empty list would say nothing."""
    dialog = task_desk.host.open(FoldersDialog)
    dialog.panel.show_roots(())
    assert dialog.panel.intro.text() == "No folder has been added yet."
    assert not dialog.panel.look.isEnabled()


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
    qtbot.waitUntil(lambda: dialog.panel.tree.topLevelItemCount() == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: _line(dialog, 0)[3] == "Available", timeout=WAIT_MS)
    assert _line(dialog, 0)[:2] == [str(library / "Photos"), "40"]
