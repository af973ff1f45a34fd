"""Watched folders in the window: check marks in the menu, and what the dialog says of each."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import ListRoots, Roots, WatchFolders, Watching
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, JobValue, RootValue, WatchedFolder
from tests.support.stand_in_link import StandInLink
from tests.support.task_desk import TaskDesk, trigger
from ui.kit.actions import Actions
from ui.library.folder_commands import FolderCommands
from ui.library.folders import WATCHED, FoldersDialog
from ui.library.forgetting import Forgetting
from ui.library.watching import WatchSettings
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def test_the_check_marks_follow_the_engine(window: MainWindow, qtbot: QtBot) -> None:
    """One click turns watching off; another one turns it on again."""
    watch = window.action_set[Actions.WATCH_FOLDERS]
    waiting = window.action_set[Actions.WAIT_ON_BATTERY]
    assert watch.isCheckable()
    qtbot.waitUntil(watch.isChecked, timeout=WAIT_MS)
    assert not waiting.isChecked()
    watch.trigger()
    waiting.trigger()
    qtbot.waitUntil(lambda: not watch.isChecked() and waiting.isChecked(), timeout=WAIT_MS)
    watch.trigger()
    qtbot.waitUntil(watch.isChecked, timeout=WAIT_MS)


def test_each_wish_is_the_opposite_of_what_holds(task_desk: TaskDesk) -> None:
    """Also where another window has changed it meanwhile."""
    settings = WatchSettings(task_desk.face, task_desk.notice)
    link: StandInLink = task_desk.link
    settings.refresh()
    link.answer(WatchFolders, Watching(is_on=False, waits_on_battery=True))
    trigger(settings.slots(), Actions.WATCH_FOLDERS)
    trigger(settings.slots(), Actions.WAIT_ON_BATTERY)
    wanted = [(body.is_on, body.waits_on_battery) for body in link.bodies(WatchFolders)]
    assert wanted == [(True, None), (None, False)]


def test_the_dialog_says_how_the_chosen_folder_is_watched(
    task_desk: TaskDesk, owner: QObject
) -> None:
    """By events, or by looks and why."""
    desk = task_desk
    forgetting = Forgetting(desk.tasks, desk.notice)
    commands = FolderCommands(desk.face, desk.tracker, desk.host, forgetting, desk.notice)
    trigger(commands.slots(), Actions.FOLDERS)
    near, far = WirePath("/photos"), WirePath("/nas")
    roots = (RootValue(path=near), RootValue(path=far))
    desk.link.answer(ListRoots, Roots(roots=roots))
    folders = (WatchedFolder(path=near), WatchedFolder(path=far, why_not="It is far away."))
    desk.link.answer(WatchFolders, Watching(is_on=True, folders=folders))
    dialog = desk.host.current
    assert isinstance(dialog, FoldersDialog)
    assert dialog.panel.watched.text() == WATCHED
    dialog.panel.tree.setCurrentIndex(dialog.panel.tree.model().index(1, 0))
    assert dialog.panel.watched.text() == "It is far away."


def test_a_job_that_nobody_asked_for_does_not_push_itself_forward(window: MainWindow) -> None:
    """It stands in the drawer; in the strip only where it fails."""
    job = JobValue(
        id="b", kind=JobKind.INDEX, title="Looking at changes in photos",
        state=JobState.RUNNING, is_background=True,
    )  # fmt: skip
    tracker, strip = window.session.tracker, window.widgets.strip
    tracker.take(job)
    assert not strip.isVisible()
    assert job.id in window.widgets.jobs.rows
    tracker.take(JobValue(
        id="b", kind=JobKind.INDEX, title="Looking at changes in photos",
        state=JobState.FAILED, is_background=True, message="The disk is full.",
    ))  # fmt: skip
    assert strip.isVisible()
