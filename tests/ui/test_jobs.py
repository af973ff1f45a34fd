"""Jobs in the window: the strip, the drawer with all of them, captions and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import PlanWrite
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, JobValue, Row, Scope
from ui.annotations.dialogs import CaptionDialog, TakeOverDialog, WriteDialog
from ui.annotations.scopes import choices, shortened
from ui.jobs.commands import FailuresDialog
from ui.jobs.panel import JobRow, JobStrip
from ui.kit.actions import Actions
from ui.kit.page_parts import ProgressBar
from ui.kit.texts import job_line, job_state, moment
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog and list that pops up.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def slow_window(
    library: Path, make_window: Callable[[], MainWindow], qtbot: QtBot
) -> Iterator[MainWindow]:
    """A window whose engine takes its time over jobs."""
    with FakeEngine(library, media=12, step_s=0.03):
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 12, timeout=WAIT_MS)
        yield window


def _job(window: MainWindow, kind: JobKind) -> JobValue | None:
    return next((job for job in window.session.tracker.all() if job.kind is kind), None)


def _wait_for_end(window: MainWindow, qtbot: QtBot, kind: JobKind) -> JobValue:
    def is_over() -> bool:
        job = _job(window, kind)
        return job is not None and job.state.is_final

    qtbot.waitUntil(is_over, timeout=WAIT_MS)
    job = _job(window, kind)
    assert job is not None
    return job


def _undo_by_the_notice(window: MainWindow, qtbot: QtBot) -> None:
    notice = window.widgets.notice
    qtbot.waitUntil(window.action_set[Actions.UNDO].isEnabled, timeout=WAIT_MS)
    notice.button.click()
    qtbot.waitUntil(lambda: "Undone" in notice.text(), timeout=WAIT_MS)


def test_the_drawer_shows_all_jobs_newest_first(
    slow_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """J opens it; a job active and one that waits stand there with their states."""
    window, panel = slow_window, slow_window.widgets.jobs
    window.add_folders([str(tmp_path / "first")])
    window.add_folders([str(tmp_path / "second")])
    qtbot.waitUntil(lambda: len(window.session.tracker.active()) == 2, timeout=WAIT_MS)
    assert window.widgets.strip.all.text() == "All 2 jobs"
    window.action_set[Actions.JOBS].trigger()
    assert panel.isVisible()
    assert not window.widgets.strip.isVisible()
    titles = [row.title.text() for row in _rows(window)]
    assert titles == ["Looking at second", "Looking at first"]
    assert "2 active" in panel.summary.text()
    window.action_set[Actions.STEP_BACK].trigger()
    assert not panel.isVisible()
    assert window.widgets.strip.isVisible()


def test_the_strip_stays_with_one_of_two_running_jobs(qtbot: QtBot) -> None:
    """Each step of a lesson beside an index must not move the Stop button to the other one."""
    strip = JobStrip()
    qtbot.addWidget(strip)
    index = JobValue(id="1", kind=JobKind.INDEX, title="Adding", state=JobState.RUNNING)
    lesson = JobValue(id="2", kind=JobKind.TEACH, title="Teaching", state=JobState.RUNNING)
    shown = []
    for job in (index, lesson, index, replace(index, state=JobState.QUEUED), lesson, index):
        strip.show_job(job)
        shown.append(strip.title.text())
    assert shown == ["Adding", "Adding", "Adding", "Adding", "Teaching", "Teaching"]
    strip.show_job(replace(lesson, state=JobState.DONE))
    strip.show_job(index)
    assert strip.title.text() == "Adding"


def test_the_bar_of_three_million_files_within_one_of_them(qtbot: QtBot) -> None:
    """A thousandth of each would be more than a bar can count."""
    bar = ProgressBar()
    qtbot.addWidget(bar)
    bar.show_progress(1_500_000.5, 3_000_000)
    assert bar.value() / bar.maximum() == pytest.approx(0.5)


def _rows(window: MainWindow) -> list[JobRow]:
    return sorted(window.widgets.jobs.rows.values(), key=lambda row: row.y())


def test_jobs_are_paused_resumed_and_stopped_in_the_drawer(
    slow_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """The buttons of a row control its job, and tell what they would do."""
    window = slow_window
    window.add_folders([str(tmp_path / "first")])
    window.action_set[Actions.JOBS].trigger()
    qtbot.waitUntil(lambda: len(window.widgets.jobs.rows) == 1, timeout=WAIT_MS)
    row = next(iter(window.widgets.jobs.rows.values()))
    row.pause.click()
    qtbot.waitUntil(lambda: row.state.text() == "Paused", timeout=WAIT_MS)
    assert row.pause.accessibleName() == "Resume: Looking at first"
    row.pause.click()
    qtbot.waitUntil(lambda: row.state.text() == "Running", timeout=WAIT_MS)
    row.cancel.click()
    qtbot.waitUntil(lambda: row.state.text() == "Stopped", timeout=WAIT_MS)
    assert not row.cancel.isVisible()
    assert "No job is active" in window.widgets.jobs.summary.text()


def test_the_failures_of_one_job_are_shown_with_reasons(window: MainWindow, qtbot: QtBot) -> None:
    """Describing everything fails for some files; the drawer leads to them."""
    window.action_set[Actions.SELECT_ALL].trigger()
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    job = _wait_for_end(window, qtbot, JobKind.CAPTION)
    assert job.failed == 3
    window.action_set[Actions.JOBS].trigger()
    row = window.widgets.jobs.rows[job.id]
    with qtbot.waitSignal(window.session.tracker.failures_came, timeout=WAIT_MS):
        row.failures.click()
    dialog = window.dialogs.current
    assert isinstance(dialog, FailuresDialog)
    assert dialog.tree.topLevelItemCount() == 3
    item = dialog.tree.topLevelItem(0)
    assert item is not None
    assert "no longer be read" in item.text(1)
    dialog.close()


def test_arrow_keys_go_from_job_to_job(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    """The drawer needs no mouse."""
    for name in ("a", "b", "c"):
        window.add_folders([str(tmp_path / name)])
    qtbot.waitUntil(lambda: len(window.session.tracker.all()) == 3, timeout=WAIT_MS)
    window.activateWindow()
    window.action_set[Actions.JOBS].trigger()
    rows = [window.widgets.jobs.rows[job.id] for job in window.session.tracker.all()]
    qtbot.waitUntil(rows[0].hasFocus, timeout=WAIT_MS)
    QTest.keyClick(rows[0], Qt.Key.Key_Down)
    assert rows[1].hasFocus()
    QTest.keyClick(rows[1], Qt.Key.Key_Up)
    assert rows[0].hasFocus()
    QTest.keyClick(rows[0], Qt.Key.Key_Escape)
    assert not window.widgets.jobs.isVisible()


def test_a_selection_is_captioned_by_a_job(window: MainWindow, qtbot: QtBot) -> None:
    """The photos' captions appear in the grid's rows when it is done."""
    keys = [window.session.model.key_at(n) for n in range(2)]
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    job = _wait_for_end(window, qtbot, JobKind.CAPTION)
    assert job.total == 1

    def is_described() -> bool:
        window.session.model.index(0).data()
        row = window.session.model.known_row(str(keys[0]))
        return row is not None and bool(row.caption)

    qtbot.waitUntil(is_described, timeout=WAIT_MS)


def test_a_folder_is_captioned_after_a_question(window: MainWindow, qtbot: QtBot) -> None:
    """The folder of the photo under the cursor is chosen already."""
    qtbot.waitUntil(lambda: window.session.inspector.row is not None, timeout=WAIT_MS)
    window.action_set[Actions.CAPTION_FOLDER].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, CaptionDialog)
    assert window.session.inspector.row is not None
    assert dialog.picker.scope().folders[0].text == window.session.inspector.row.folder
    qtbot.waitUntil(lambda: not dialog.styles.isHidden(), timeout=WAIT_MS)
    dialog.styles.setCurrentText("Short captions")
    dialog.start.click()
    job = _wait_for_end(window, qtbot, JobKind.CAPTION)
    assert job.total == 10
    key = str(window.session.model.key_at(0))

    def is_short() -> bool:
        """True where the caption is as short as the fake engine's."""
        window.session.model.index(0).data()
        row = window.session.model.known_row(key)
        return row is not None and len((row.caption or "").split()) == 2

    qtbot.waitUntil(is_short, timeout=WAIT_MS)


def test_a_folder_that_was_added_just_now_can_be_captioned(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """It is offered as soon as it is looked at."""
    added = str(tmp_path / "added today")
    window.session.tracker.index([added])
    _wait_for_end(window, qtbot, JobKind.INDEX)

    def offered() -> list[str]:
        window.action_set[Actions.CAPTION_FOLDER].trigger()
        dialog = window.dialogs.current
        assert isinstance(dialog, CaptionDialog)
        picker = dialog.picker
        return [picker.itemText(place) for place in range(picker.count())]

    qtbot.waitUntil(lambda: f"Folder {shortened(added)}" in offered(), timeout=WAIT_MS)


def test_writing_captions_shows_first_what_it_would_change_and_is_undone(
    window: MainWindow, qtbot: QtBot
) -> None:
    """Counts, files that are kept with the reason, and a way back in the notice."""
    qtbot.waitUntil(lambda: window.session.inspector.row is not None, timeout=WAIT_MS)
    window.action_set[Actions.SELECT_ALL].trigger()
    window.action_set[Actions.WRITE_CAPTIONS].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, WriteDialog)
    assert not dialog.write.isEnabled()
    qtbot.waitUntil(dialog.write.isEnabled, timeout=WAIT_MS)
    assert dialog.counts.text() == "30 new files · 4 already up to date · 6 skipped"
    kept = dialog.tree.topLevelItem(0)
    assert kept is not None
    assert kept.text(1) == "Skipped"
    assert "did not write" in kept.text(3)
    dialog.overwrite.setChecked(True)
    qtbot.waitUntil(lambda: "6 changed" in dialog.counts.text(), timeout=WAIT_MS)
    dialog.overwrite.setChecked(False)
    qtbot.waitUntil(lambda: "6 skipped" in dialog.counts.text(), timeout=WAIT_MS)
    assert dialog.write.text() == "Write 30 captions"
    dialog.write.click()
    _wait_for_end(window, qtbot, JobKind.WRITE)
    assert "30 captions written" in window.widgets.notice.text()
    _undo_by_the_notice(window, qtbot)


def test_texts_beside_photos_are_taken_over_after_a_question(
    window: MainWindow, qtbot: QtBot
) -> None:
    """And there is a way back in the notice."""
    qtbot.waitUntil(lambda: window.session.inspector.row is not None, timeout=WAIT_MS)
    window.action_set[Actions.SELECT_ALL].trigger()
    window.action_set[Actions.TAKE_OVER_CAPTIONS].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, TakeOverDialog)
    dialog.start.click()
    _wait_for_end(window, qtbot, JobKind.TAKE_OVER)
    assert "6 taken over" in window.widgets.notice.text()
    _undo_by_the_notice(window, qtbot)


def test_a_plan_that_fails_is_said_in_its_dialog(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """The sentence stands where the counts would, and nothing can be written."""
    engine.refuse(PlanWrite, UserError("This folder cannot be read."))
    window.action_set[Actions.WRITE_CAPTIONS].trigger()
    dialog = window.dialogs.current
    assert isinstance(dialog, WriteDialog)
    qtbot.waitUntil(lambda: "cannot be read" in dialog.counts.text(), timeout=WAIT_MS)
    assert not dialog.write.isEnabled()
    dialog.close()


ROW = Row(key="k", path=WirePath("/p/a/x.jpg"), name="x.jpg", folder="/p/a")


def test_what_a_job_can_be_for_is_offered_from_small_to_large() -> None:
    """The photo or the selection, its folder, the folders above, everything."""
    root = WirePath("/p")
    assert [c.scope for c in choices(ROW, ["k"], [root])] == [
        Scope(keys=("k",)),
        Scope(folders=(WirePath("/p/a"),)),
        Scope(folders=(root,)),
        Scope(),
    ]
    assert choices(ROW, ["k", "l"], [])[0].scope == Scope(keys=("k", "l"))
    assert [c.scope for c in choices(None, [], [])] == [Scope()]


def test_a_selection_of_everything_names_no_keys(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand keys need not travel to say: all."""
    scopes: list[Scope] = []
    monkeypatch.setattr(
        window.session.tracker, "caption", lambda scope, *_how: scopes.append(scope)
    )
    window.action_set[Actions.SELECT_ALL].trigger()
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    window.widgets.grid.go_to(3)
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    assert scopes == [Scope(), Scope(keys=(str(window.session.model.key_at(3)),))]


def test_long_paths_keep_their_ends() -> None:
    """The end tells folders apart."""
    path = "/home/somebody/Pictures/" + "very/" * 20 + "long"
    assert len(shortened(path)) == 60
    assert shortened(path).endswith("very/long")
    assert shortened("/short") == "/short"


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_of_a_job_has_its_word(state: JobState) -> None:
    """A new state cannot be forgotten."""
    assert job_state(JobValue(id="j", kind=JobKind.TAG, title="t", state=state))


def test_a_line_tells_how_far_a_job_is() -> None:
    """Stage, n of m, failures and time left; other jobs count other things."""
    job = JobValue(
        id="j", kind=JobKind.INDEX, title="t", state=JobState.RUNNING, stage="Reading photos",
        done=9, total=24, failed=1, seconds_left=42.0,
    )  # fmt: skip
    line = "Reading photos · 9 of 24 · 1 could not be read · about 40 seconds left"
    assert job_line(job) == line
    stopped = replace(job, kind=JobKind.TEACH, state=JobState.CANCELLED)
    assert job_line(stopped) == "Stopped after 9 steps. Nothing has changed."
    stopped = replace(job, kind=JobKind.TAG, state=JobState.CANCELLED)
    assert job_line(stopped) == "Stopped after 9 photos. What was done is kept."
    waiting = replace(job, stage="Waiting for the model", done=0, total=None, failed=0)
    assert job_line(replace(waiting, seconds_left=None)) == "Waiting for the model"


def test_an_answer_that_comes_late_does_not_undo_the_end(window: MainWindow) -> None:
    """Events may overtake the answer to what began the job."""
    done = JobValue(id="j", kind=JobKind.TAG, title="t", state=JobState.DONE)
    window.session.tracker.take(done)
    window.session.tracker.take(replace(done, state=JobState.QUEUED))
    assert window.session.tracker.all() == [done]


def test_a_job_that_no_engine_knows_any_more_is_not_shown(window: MainWindow, qtbot: QtBot) -> None:
    """Another engine's list is the truth, e.g. after a restore of the library."""
    window.session.tracker.take(
        JobValue(id="ghost", kind=JobKind.TAG, title="t", state=JobState.RUNNING)
    )
    assert window.widgets.strip.isVisible()
    with qtbot.waitSignal(window.session.tracker.listed, timeout=WAIT_MS):
        window.session.tracker.list_jobs()
    assert window.session.tracker.all() == []
    assert not window.widgets.strip.isVisible()


def test_a_job_that_has_long_ended_is_not_announced_again(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """All jobs are asked for when the engine comes back: a message put away stays away."""
    window.add_folders([str(tmp_path / "first")])
    _wait_for_end(window, qtbot, JobKind.INDEX)
    qtbot.waitUntil(window.widgets.strip.dismiss.isVisible, timeout=WAIT_MS)
    window.widgets.strip.dismiss.click()
    with qtbot.waitSignal(window.session.tracker.listed, timeout=WAIT_MS):
        window.session.tracker.list_jobs()
    assert not window.widgets.strip.isVisible()


def test_times_of_jobs_are_short() -> None:
    """The day is named where it is not today; nonsense is shown as it is."""
    assert moment("2024-05-03T14:30:00").startswith("3 May 2024, ")
    assert moment("yesterday") == "yesterday"
    assert moment("") == ""


def test_a_stopped_job_is_started_again_in_the_drawer(
    slow_window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """Its row says what it can do; the same row runs again."""
    window = slow_window
    window.add_folders([str(tmp_path / "first")])
    window.action_set[Actions.JOBS].trigger()
    qtbot.waitUntil(lambda: len(window.widgets.jobs.rows) == 1, timeout=WAIT_MS)
    row = next(iter(window.widgets.jobs.rows.values()))
    assert not row.again.isVisible()
    row.cancel.click()
    qtbot.waitUntil(row.again.isVisible, timeout=WAIT_MS)
    assert row.again.accessibleName() == "Start again: Looking at first"
    row.again.click()
    qtbot.waitUntil(lambda: row.state.text() == "Running", timeout=WAIT_MS)
    assert not row.again.isVisible()
    assert len(window.widgets.jobs.rows) == 1


def test_the_failures_of_a_job_are_tried_again_by_another_job(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """Exactly these files, from the list of what failed."""
    window.add_folders([str(tmp_path / "first")])
    job = _wait_for_end(window, qtbot, JobKind.INDEX)
    window.action_set[Actions.JOBS].trigger()
    with qtbot.waitSignal(window.session.tracker.failures_came, timeout=WAIT_MS):
        window.widgets.jobs.rows[job.id].failures.click()
    dialog = window.dialogs.current
    assert isinstance(dialog, FailuresDialog)
    assert dialog.again.isEnabled()
    dialog.again.click()
    title = f"Trying {job.failed} files again"
    qtbot.waitUntil(
        lambda: title in [other.title for other in window.session.tracker.all()], timeout=WAIT_MS
    )


def test_a_job_that_waits_says_what_for() -> None:
    """In the strip and in the drawer."""
    job = JobValue(id="j", kind=JobKind.INDEX, title="t", state=JobState.QUEUED)
    assert job_line(job) == "waiting for its turn"
    assert job_line(replace(job, waits_for="“Adding A”")) == "waits for “Adding A”"


def test_a_long_video_shows_how_far_it_is() -> None:
    """One file of one would stand still for an hour."""
    job = JobValue(
        id="j", kind=JobKind.INDEX, title="t", state=JobState.RUNNING, total=1, fraction=0.437
    )
    assert job_line(job) == "0 of 1 · 43 % of the next one"
