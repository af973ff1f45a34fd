"""Forgetting and excluding in the window: asked in numbers, done only when agreed."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import (
    Excluded,
    Forget,
    Forgotten,
    GetRows,
    ListRoots,
    Roots,
    SetExcludes,
    StartIndex,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ForgottenValue, RootValue
from tests.support.task_desk import TaskDesk, trigger
from ui.kit.actions import Actions
from ui.library.excludes import ExcludesDialog
from ui.library.folder_commands import FolderCommands
from ui.library.folders import FoldersDialog
from ui.library.forgetting import MAX_AT_ONCE, Forgetting, what_goes
from ui.library.tasks import TaskDialog
from ui.shell.window import MainWindow

WAIT_MS = 30_000
FOLDER = WirePath("/photos/Holiday")
PNG, RAW = WirePath("*.png"), WirePath("2019/raw/*")
SOME = Forgotten(counts=ForgottenValue(media=12, captions=1, edits=3, thumbnails=12, previews=2))

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


class Desk(TaskDesk):
    """The commands on a link without an engine."""

    def __init__(self, window: QWidget, owner: QObject) -> None:
        super().__init__(window, owner)
        self.forgetting = Forgetting(self.tasks, self.notice)
        self.folders = FolderCommands(
            self.face, self.tracker, self.host, self.forgetting, self.notice
        )

    def open_folders(self, *excludes: WirePath) -> FoldersDialog:
        """The dialog on one folder with these patterns."""
        trigger(self.folders.slots(), Actions.FOLDERS)
        return self.show_folders(*excludes)

    def show_folders(self, *excludes: WirePath) -> FoldersDialog:
        """Answers the question for folders."""
        self.link.answer(ListRoots, Roots(roots=(RootValue(path=FOLDER, excludes=excludes),)))
        assert isinstance(self.host.current, FoldersDialog)
        return self.host.current

    def open_excludes(self, *excludes: WirePath) -> ExcludesDialog:
        """The dialog on the patterns of that folder."""
        self.open_folders(*excludes).panel.exclude.click()
        assert isinstance(self.host.current, ExcludesDialog)
        return self.host.current


@pytest.fixture
def desk(parent: QWidget, owner: QObject) -> Desk:
    """Commands over a window of their own."""
    return Desk(parent, owner)


def test_nothing_is_forgotten_before_the_numbers_were_seen_and_agreed_to(desk: Desk) -> None:
    """A preview comes first; Enter means Cancel."""
    desk.open_folders().panel.forget.click()
    assert desk.link.bodies(Forget) == [Forget(paths=(FOLDER,), is_preview=True)]
    dialog = desk.task()
    assert not dialog.bar.isHidden()
    assert dialog.go_on.isHidden()
    desk.link.answer(Forget, SOME)
    assert "Forget /photos/Holiday for good?" in dialog.sentence.text()
    assert dialog.report.toPlainText().splitlines()[:2] == ["12 photos and videos", "1 caption"]
    assert "can't be undone" in dialog.small_print.text()
    assert dialog.leave.text() == "Cancel"
    assert dialog.leave.isDefault()
    assert not dialog.go_on.isDefault()
    assert desk.link.bodies(Forget) == []
    dialog.go_on.click()
    assert desk.link.bodies(Forget) == [Forget(paths=(FOLDER,))]
    desk.link.answer(Forget, SOME)
    assert not dialog.isVisible()
    assert desk.notice.text() == "Forgotten: 12 photos and videos"


def test_after_the_question_the_folders_are_shown_again(desk: Desk) -> None:
    """They are where the person came from; the list is asked for anew."""
    desk.open_folders().panel.forget.click()
    desk.link.answer(Forget, SOME)
    desk.task().leave.click()
    assert desk.show_folders().isVisible()
    assert desk.link.bodies(Forget) == []


def test_where_nothing_would_go_there_is_nothing_to_agree_to(desk: Desk) -> None:
    """A sentence and Close."""
    desk.forgetting.missing()
    assert desk.link.bodies(Forget) == [Forget(is_missing=True, is_preview=True)]
    desk.link.answer(Forget, Forgotten(counts=ForgottenValue()))
    assert desk.task().sentence.text() == "There is nothing to forget."
    assert desk.task().go_on.isHidden()
    assert desk.task().leave.text() == "Close"


def test_a_refusal_is_said_in_the_dialog(desk: Desk) -> None:
    """What, and what to do; nothing else happens."""
    desk.forgetting.missing()
    desk.link.fail(Forget, UserError("A job is running.", "", "Wait for it."))
    assert desk.task().sentence.text() == "A job is running. Wait for it."
    assert desk.task().bar.isHidden()


def test_an_engine_that_goes_away_in_the_middle_is_said(desk: Desk) -> None:
    """Its answer never comes, so the bar must not move for ever."""
    desk.forgetting.missing()
    desk.link.lose()
    assert "The engine stopped" in desk.task().sentence.text()
    assert desk.task().bar.isHidden()


def test_without_an_engine_there_is_a_sentence_and_no_bar(desk: Desk) -> None:
    """Nothing would ever come; when the engine starts, the sentence stays true."""
    desk.link.lose()
    desk.forgetting.missing()
    assert desk.task().sentence.text().startswith("The engine is still starting.")
    assert desk.task().bar.isHidden()


def test_a_dialog_that_was_closed_meanwhile_has_its_end_told_in_a_notice(desk: Desk) -> None:
    """Closing it stops nothing."""
    desk.forgetting.missing()
    desk.link.answer(Forget, SOME)
    dialog = desk.task()
    dialog.go_on.click()
    dialog.leave.click()
    desk.link.answer(Forget, SOME)
    assert desk.notice.text() == "Forget what is missing: done."


def test_more_than_can_be_asked_about_at_once_is_said_at_once(desk: Desk) -> None:
    """The engine is not asked."""
    desk.forgetting.media([str(number) for number in range(MAX_AT_ONCE + 1)])
    assert "501 photos and videos are selected" in desk.task().sentence.text()
    assert desk.link.bodies(GetRows) == []


def test_a_model_that_learned_from_them_is_told_of(desk: Desk) -> None:
    """It is the one thing that stays."""
    desk.forgetting.missing()
    desk.link.answer(Forget, SOME)
    desk.task().go_on.click()
    desk.link.answer(Forget, Forgotten(counts=ForgottenValue(media=1, runs=1)))
    assert desk.task().sentence.text() == "Forgotten: 1 photo or video."
    assert "keeps what it has learned" in desk.task().small_print.text()


def test_the_numbers_are_plain_and_those_that_are_zero_are_not_named() -> None:
    """One line each."""
    counts = ForgottenValue(media=1, vectors=1, previews=1, failures=2, folders=1, jobs=1)
    assert what_goes(counts) == [
        "1 photo or video",
        "1 search vector",
        "1 thumbnail or preview",
        "2 notes of files that could not be read",
        "1 folder in the list of folders",
        "1 job",
    ]
    assert what_goes(ForgottenValue()) == []


def test_patterns_are_edited_one_a_line_and_only_what_differs_is_sent(desk: Desk) -> None:
    """Those that were there and stay are not sent; blank lines are nothing."""
    dialog = desk.open_excludes(PNG, RAW)
    assert dialog.patterns.toPlainText() == "*.png\n2019/raw/*"
    dialog.patterns.setPlainText("  Screenshots \n\n*.png\n*.png\n")
    dialog.save.click()
    add = (WirePath("Screenshots"),)
    assert desk.link.bodies(SetExcludes) == [SetExcludes(folder=FOLDER, add=add, remove=(RAW,))]
    desk.link.answer(SetExcludes, Excluded(folder=FOLDER, patterns=(PNG, *add)))
    assert not dialog.isVisible()
    assert desk.link.bodies(StartIndex) == [StartIndex(folders=(FOLDER,))]
    assert desk.show_folders(PNG, *add).isVisible()


def test_what_a_new_pattern_hides_is_counted(desk: Desk) -> None:
    """Nothing is looked at again: there is nothing to come back."""
    dialog = desk.open_excludes()
    dialog.patterns.setPlainText("*.png")
    dialog.save.click()
    desk.link.answer(SetExcludes, Excluded(folder=FOLDER, patterns=(PNG,), hidden=3))
    assert desk.notice.text() == "Not shown any more: 3 photos and videos"
    assert desk.link.bodies(StartIndex) == []


def test_patterns_that_are_refused_can_be_mended(desk: Desk) -> None:
    """The reason is said where they are typed."""
    dialog = desk.open_excludes()
    dialog.patterns.setPlainText("*")
    dialog.save.click()
    desk.link.fail(SetExcludes, UserError("That fits everything."))
    assert dialog.problem.text() == "That fits everything."
    assert dialog.save.isEnabled()


def test_a_selected_photo_goes_from_the_window(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """Asked by its name; after that it is not in the list."""
    grid = window.widgets.grid
    qtbot.waitUntil(lambda: grid.current_row() is not None, timeout=WAIT_MS)
    row = grid.current_row()
    assert row is not None
    window.action_set[Actions.FORGET_PHOTO].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, TaskDialog)
    qtbot.waitUntil(dialog.go_on.isVisible, timeout=WAIT_MS)
    assert row.name in dialog.sentence.text()
    dialog.go_on.click()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 39, timeout=WAIT_MS)
    assert window.session.model.position_of(row.key) is None
