"""Care of the library in the window: its dialogs, and the line above the grid."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import (
    BackUpLibrary,
    CareReport,
    CheckLibrary,
    GetInfo,
    Info,
    JobReply,
    ModelUpdate,
    RepairLibrary,
    RestoreLibrary,
    StartIndex,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CountsValue,
    JobKind,
    JobState,
    JobValue,
    ModelState,
    ModelValue,
)
from tests.support.task_desk import TaskDesk, trigger
from ui.kit import desktop
from ui.kit.actions import Action, Actions
from ui.library.care import CareCommands
from ui.library.notices import LibraryLine, LibraryNotices
from ui.library.tasks import TaskDialog
from ui.models.cards import ChangingCard
from ui.shell.window import MainWindow

WAIT_MS = 30_000
DAMAGE = "The table of views was damaged; the state before it is used."

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


class Desk(TaskDesk):
    """The commands and the line on a link without an engine."""

    def __init__(self, window: QWidget, owner: QObject) -> None:
        super().__init__(window, owner)
        self.care = CareCommands(self.tasks, window)
        self.line = LibraryLine()
        self.line.setParent(window)
        self.notices = LibraryNotices(self.face, self.tracker, self.line, self.care.check)
        self.care.mended.connect(self.notices.refresh)

    def do(self, action: Action) -> None:
        """The action is triggered."""
        trigger(self.care.slots(), action)

    def tell(
        self, *notices: str, without_vectors: int = 0, update: ModelUpdate | None = None
    ) -> None:
        """The engine's answer on the library's state."""
        self.notices.refresh()
        info = Info(
            library_id="made-up",
            folder=WirePath("/library"),
            schema="1",
            counts=CountsValue(without_vectors=without_vectors),
            model=ModelValue(state=ModelState.READY),
            notices=notices,
            update=update,
        )
        while self.link.bodies(GetInfo):
            self.link.answer(GetInfo, info)


@pytest.fixture
def desk(parent: QWidget, owner: QObject) -> Desk:
    """Commands over a window of their own."""
    return Desk(parent, owner)


def test_a_check_begins_at_once_and_says_that_all_is_well(desk: Desk) -> None:
    """A bar moves while it reads; then one sentence."""
    desk.do(Actions.CHECK_LIBRARY)
    assert not desk.task().bar.isHidden()
    desk.link.answer(CheckLibrary, CareReport())
    assert desk.task().sentence.text().startswith("All is well.")
    assert desk.task().bar.isHidden()
    assert desk.task().go_on.isHidden()


def test_problems_that_a_check_finds_lead_to_a_repair_that_asks_first(desk: Desk) -> None:
    """Each problem has a line; the repair is one click further."""
    desk.do(Actions.CHECK_LIBRARY)
    desk.link.answer(CheckLibrary, CareReport(problems=(DAMAGE, "A thumbnail is cut off.")))
    assert desk.task().sentence.text() == "2 problems found:"
    assert desk.task().report.toPlainText().splitlines()[0] == DAMAGE
    desk.task().go_on.click()
    assert desk.task().windowTitle() == "Repair the library"
    assert desk.link.bodies(RepairLibrary) == []
    desk.task().go_on.click()
    assert desk.link.bodies(RepairLibrary) == [RepairLibrary()]


def test_a_report_has_room_for_lines_that_wrap(desk: Desk) -> None:
    """Short ones take a line each."""
    heights = []
    for problem in ("Short.", "A long sentence about a table and its state. " * 6):
        desk.do(Actions.CHECK_LIBRARY)
        desk.link.answer(CheckLibrary, CareReport(problems=(problem,)))
        heights.append(desk.task().report.height())
    assert heights[1] >= heights[0] + 2 * desk.task().report.fontMetrics().lineSpacing()


@pytest.mark.parametrize(
    ("report", "sentence", "lines"),
    [
        (CareReport(), "There was nothing to repair.", ""),
        (CareReport(done=("Made again.",)), "The library has been repaired.", "Made again."),
        (CareReport(problems=("One is lost.",)), "This could not be repaired:", "One is lost."),
        (
            CareReport(done=("Made again.",), problems=("One is lost.",)),
            "Not everything could be repaired.",
            "Made again.\nStill wrong: One is lost.",
        ),
    ],
)
def test_a_repair_tells_what_was_done_and_what_is_still_wrong(
    desk: Desk, report: CareReport, sentence: str, lines: str
) -> None:
    """And the line above the library is asked for anew."""
    desk.do(Actions.REPAIR_LIBRARY)
    desk.task().go_on.click()
    desk.link.answer(RepairLibrary, report)
    assert desk.task().sentence.text().startswith(sentence)
    assert desk.task().report.toPlainText() == lines
    assert desk.link.bodies(GetInfo) == [GetInfo()]


def test_a_repair_that_is_refused_says_why(desk: Desk) -> None:
    """E.g. while a job runs."""
    desk.do(Actions.REPAIR_LIBRARY)
    desk.task().go_on.click()
    desk.link.fail(RepairLibrary, UserError("A job runs.", "", "Wait for it."))
    assert desk.task().sentence.text() == "A job runs. Wait for it."


def test_a_backup_goes_where_the_person_wants_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name that is offered has the day; the path is told at the end."""
    names: list[str] = []

    def choose(_parent: QWidget, _title: str, name: str) -> str:
        names.append(name)
        return "/stick/mine.zip"

    monkeypatch.setattr(desktop, "ask_where_to_save", choose)
    desk.do(Actions.BACK_UP_LIBRARY)
    path = WirePath("/stick/mine.zip")
    assert desk.link.bodies(BackUpLibrary) == [BackUpLibrary(path=path)]
    assert names[0].startswith("CocaDesk backup 2")
    assert names[0].endswith(".zip")
    desk.link.answer(BackUpLibrary, CareReport(paths=(path,)))
    assert desk.task().report.toPlainText() == "/stick/mine.zip"


@pytest.mark.parametrize(
    ("action", "question"),
    [
        (Actions.BACK_UP_LIBRARY, "ask_where_to_save"),
        (Actions.EXPORT_LIBRARY, "ask_for_folder"),
    ],
)
def test_without_a_place_nothing_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, action: Action, question: str
) -> None:
    """The person has thought better of it."""
    monkeypatch.setattr(desktop, question, lambda *_texts: None)
    desk.do(action)
    assert desk.host.current is None
    assert desk.link.sent == []


def test_a_restore_asks_first_and_takes_the_newest_backup(desk: Desk) -> None:
    """Its report is told line by line."""
    desk.do(Actions.RESTORE_LIBRARY)
    assert "What you have changed since then stays" in desk.task().sentence.text()
    assert desk.link.sent == []
    desk.task().go_on.click()
    assert desk.link.bodies(RestoreLibrary) == [RestoreLibrary()]
    desk.link.answer(RestoreLibrary, CareReport(done=("7 entries were restored.",)))
    assert desk.task().report.toPlainText() == "7 entries were restored."


def test_a_restore_can_take_another_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dialog stays until a file is chosen."""
    chosen: list[str | None] = [None, "/stick/old.zip"]
    monkeypatch.setattr(desktop, "ask_for_file", lambda *_texts: chosen.pop(0))
    desk.do(Actions.RESTORE_LIBRARY)
    desk.task().other.click()
    assert desk.link.bodies(RestoreLibrary) == []
    desk.task().other.click()
    assert desk.link.bodies(RestoreLibrary) == [RestoreLibrary(path=WirePath("/stick/old.zip"))]


def test_an_export_names_its_files(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """From the action to the report, with an engine."""
    folder = tmp_path / "out"
    monkeypatch.setattr(desktop, "ask_for_folder", lambda *_texts: str(folder))
    window.action_set[Actions.EXPORT_LIBRARY].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, TaskDialog)
    qtbot.waitUntil(dialog.report.isVisible, timeout=WAIT_MS)
    assert dialog.report.toPlainText().splitlines() == [
        str(folder / "media.parquet"),
        str(folder / "edits.parquet"),
    ]


def test_damage_that_was_met_is_told_above_the_library(desk: Desk) -> None:
    """With a way to look closer; nothing pops up."""
    desk.tell(DAMAGE, "The log was rebuilt.")
    assert desk.line.isVisible()
    assert desk.line.text.text() == f"{DAMAGE}\nThe log was rebuilt."
    assert desk.line.accessibleName() == desk.line.text.text()
    desk.line.act.click()
    assert desk.link.bodies(CheckLibrary) == [CheckLibrary()]


def test_a_line_that_was_closed_comes_back_only_with_other_news(desk: Desk) -> None:
    """Each text is closed once."""
    desk.tell(DAMAGE)
    desk.line.close_button.click()
    assert not desk.line.isVisible()
    desk.tell(DAMAGE)
    assert not desk.line.isVisible()
    desk.tell(DAMAGE, "And another one.")
    assert desk.line.isVisible()


def test_photos_that_no_search_finds_can_be_looked_at_again(desk: Desk) -> None:
    """One click indexes all folders; the line goes."""
    desk.tell(without_vectors=3)
    assert desk.line.text.text() == "3 photos and videos can't be found by searches yet."
    desk.line.act.click()
    assert desk.link.bodies(StartIndex) == [StartIndex()]
    assert not desk.line.isVisible()


def test_photos_that_are_read_again_for_an_improved_model_are_counted(
    desk: Desk, qtbot: QtBot
) -> None:
    """While the job runs there is nothing to click; closed, the next number stays closed."""
    job = JobValue(id="1", kind=JobKind.SWITCH_MODEL, title="", state=JobState.RUNNING, created="")
    desk.tracker.take_reply(JobReply(job=job))
    desk.tell(without_vectors=18_800, update=ModelUpdate(done=1_200, total=20_000))
    assert desk.line.text.text() == (
        "Photos and videos are being read again with the improved model: 1,200 of 20,000; "
        "until then results are incomplete."
    )
    assert desk.line.act.isHidden()
    desk.tracker.take_reply(JobReply(job=job))
    qtbot.waitUntil(lambda: desk.link.bodies(GetInfo) == [GetInfo()], timeout=WAIT_MS)
    desk.line.close_button.click()
    desk.tell(without_vectors=18_000, update=ModelUpdate(done=2_000, total=20_000))
    assert not desk.line.isVisible()


def test_reading_for_an_improved_model_that_was_stopped_goes_on_with_a_click(desk: Desk) -> None:
    """An index of all folders does what is left of it."""
    desk.tell(without_vectors=5, update=ModelUpdate(done=1, total=6))
    assert desk.line.act.text() == "Go on"
    desk.line.act.click()
    assert desk.link.bodies(StartIndex) == [StartIndex()]


def test_the_page_of_models_says_what_a_search_finds_meanwhile(parent: QWidget) -> None:
    """The old model answers during a switch; after an update of the program it is gone."""
    job = JobValue(id="1", kind=JobKind.SWITCH_MODEL, title="", state=JobState.RUNNING, created="")
    card = ChangingCard()
    card.setParent(parent)
    card.show_job(job, is_update=False)
    assert "search uses the old model until this is done" in card.progress.line.text()
    card.show_job(job, is_update=True)
    assert "search finds what has been read by then" in card.progress.line.text()


def test_a_library_without_troubles_has_no_line(
    desk: Desk, window: MainWindow, engine: FakeEngine
) -> None:
    """Nor does one whose troubles are over."""
    assert not window.widgets.library.line.isVisible()
    desk.tell(DAMAGE)
    desk.tell()
    assert not desk.line.isVisible()
