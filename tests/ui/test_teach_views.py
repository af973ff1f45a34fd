"""The parts of the teaching page by themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.protocol.messages import DatasetSummary
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionLines,
    JobAction,
    JobKind,
    JobState,
    JobValue,
    MetricValue,
    RunState,
    RunValue,
    TeachPoint,
    TeachSample,
    TuningMethod,
)
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.teach.run import RunView
from ui.teach.setup import TeachSetup
from ui.teach.source import SourceBox

# Only the screenless platform says this, of every window of its own.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

RUNNING = RunValue(
    id="r", folder=WirePath("/r"), state=RunState.RUNNING, method=TuningMethod.HEAD,
    title="Quillets", photos=12, captions=24, step=3, steps=40,
)  # fmt: skip
JOB = JobValue(id="r", kind=JobKind.TEACH, title="t", state=JobState.RUNNING, done=3, total=40)


def _metric(value: float, name: str = "t2i_r1") -> MetricValue:
    return MetricValue(name=name, value=value, n=6, low=value - 5, high=value + 5)


WAITING = replace(
    RUNNING, state=RunState.WAITING, before=(_metric(10),), after=(_metric(80),), seconds=125.0
)


def _carried(signal: SignalInstance) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    signal.connect(lambda *values: found.append(values))
    return found


@pytest.fixture
def view(app_theme: AppTheme, qtbot: QtBot) -> RunView:
    """An empty view of a run."""
    made = RunView()
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    return made


@pytest.fixture
def pictures() -> Iterator[ImageLoader]:
    """A loader that is never asked for a file that exists."""
    made = ImageLoader(long_side_px=64, keep=4, workers=1)
    yield made
    made.close()


@pytest.fixture
def setup(app_theme: AppTheme, pictures: ImageLoader, qtbot: QtBot) -> TeachSetup:
    """The choices for a run, with nothing chosen."""
    made = TeachSetup(pictures)
    qtbot.addWidget(made)
    made.resize(800, 900)
    made.show()
    return made


def test_until_a_run_is_known_nothing_of_another_is_shown(view: RunView) -> None:
    """Keep it, above all, would be meant for the other run."""
    assert not view.keep.isVisible()
    view.show_run(WAITING, None)
    assert view.keep.isVisible()
    view.clear()
    assert not view.keep.isVisible()
    assert view.title.text() == ""
    view.show_run(WAITING, None)
    assert view.keep.isVisible()


def test_a_run_under_way_can_be_paused_and_stopped(view: RunView) -> None:
    """The button of a paused one resumes it."""
    wanted = _carried(view.progress.control)
    view.show_run(RUNNING, JOB)
    assert view.about.text().startswith("12 photos with 24 captions")
    assert view.progress.line.text() == "Learning · 3 of 40"
    view.progress.pause.click()
    view.show_run(RUNNING, replace(JOB, state=JobState.PAUSED))
    assert view.progress.pause.text() == "Resume"
    view.progress.pause.click()
    view.progress.cancel.click()
    actions = (JobAction.PAUSE, JobAction.RESUME, JobAction.CANCEL)
    assert wanted == [(JOB.id, action) for action in actions]


def test_a_run_without_its_job_cannot_be_controlled_yet(view: RunView) -> None:
    """The job's answer comes a little later."""
    view.show_run(RUNNING, None)
    assert not view.progress.pause.isEnabled()
    assert not view.progress.cancel.isEnabled()
    assert view.progress.line.text() == "Learning · step 3 of 40"


def test_a_run_that_waits_asks_for_a_decision_once(view: RunView) -> None:
    """The advised button stands out; neither can be pressed twice."""
    decided = _carried(view.decided)
    view.show_run(WAITING, replace(JOB, state=JobState.DONE))
    assert view.keep.isVisible()
    assert view.keep.property("role") == "primary"
    assert not view.progress.pause.isVisible()
    view.keep.click()
    assert not view.discard.isEnabled()
    view.show_run(replace(WAITING, after=(_metric(5),)), None)
    assert view.discard.property("role") == "primary"
    view.discard.click()
    assert decided == [(True,), (False,)]


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (WAITING, "If you keep it, search uses it at once."),
        (replace(WAITING, reembed_seconds=730.0), "every photo of the library is read again"),
        (replace(WAITING, is_trial=True), "The figures come from a trial."),
    ],
)
def test_keeping_names_its_price(view: RunView, run: RunValue, sentence: str) -> None:
    """Before it is chosen."""
    view.show_run(run, None)
    assert sentence in view.price.text()


def test_a_kept_run_can_be_tried(view: RunView) -> None:
    """Its figures stay; a name that it has learned is a search."""
    searched = _carried(view.search_wanted)
    view.show_run(replace(WAITING, state=RunState.KEPT), None)
    assert view.figures.isVisible()
    assert not view.keep.isVisible()
    QTest.keyClick(view.attempt, Qt.Key.Key_Return)
    view.attempt.setText("  a quillet ")
    view.search.click()
    assert searched == [("a quillet",)]
    view.show_run(replace(WAITING, id="other", state=RunState.KEPT), None)
    assert view.attempt.text() == ""


def test_a_run_that_failed_says_why(view: RunView) -> None:
    """In place of a verdict."""
    failed = replace(RUNNING, state=RunState.FAILED, message="The disk is full.")
    view.show_run(failed, replace(JOB, state=JobState.FAILED))
    assert view.verdict.text() == "The disk is full."
    assert not view.figures.isVisible()
    assert not view.keep.isVisible()


def test_the_curves_come_with_the_second_point(view: RunView) -> None:
    """One point is no line; the gain needs figures."""
    view.show_run(RUNNING, JOB)
    view.show_points([TeachPoint(step=1, loss=3.0)])
    assert not view.loss.isVisible()
    view.show_points([TeachPoint(step=1, loss=3.0), TeachPoint(step=2, loss=2.0)])
    assert view.loss.isVisible()
    assert not view.gain.isVisible()
    measured = [TeachPoint(step=n, loss=1.0, own=10.0 * n, general=40.0) for n in (1, 2)]
    view.show_points(measured)
    assert view.gain.isVisible()
    assert view.gain.points() == {"yours": [(1, 10.0), (2, 20.0)], "others": [(1, 40.0), (2, 40.0)]}


def test_a_summary_says_what_was_found_and_suggests_a_name(
    setup: TeachSetup, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Counts at once, the time when it was measured."""
    folder = tmp_path_factory.mktemp("Quillets")
    setup.source.add([str(folder)])
    setup.show_checking()
    assert setup.check.text() == "Checking…"
    sample = TeachSample(path=WirePath("/q/1.jpg"), captions=("a quillet", "quillet", "third"))
    summary = DatasetSummary(photos=12, captions=24, held_out=3, samples=(sample,))
    setup.show_found(summary)
    assert setup.found.counts.text() == "12 photos with 24 captions"
    assert setup.found.measuring.isVisible()
    assert setup.name.text() == setup.source.title() == folder.name
    setup.show_found(replace(summary, seconds=125.0, notes=("Lines that go on were read so.",)))
    assert "Lines that go on were read so." in setup.found.skipped.text()
    assert not setup.found.measuring.isVisible()
    assert "about 2 minutes" in setup.found.time.text()
    assert setup.start.isEnabled()


def test_another_choice_takes_the_summary_away(setup: TeachSetup, tmp_path: object) -> None:
    """It would no longer be true."""
    changed = _carried(setup.changed)
    setup.source.add([str(tmp_path)])
    setup.show_found(DatasetSummary(photos=12, captions=24, seconds=9.0))
    setup.deeper.setChecked(True)
    assert not setup.found.isVisible()
    assert not setup.start.isEnabled()
    assert setup.method() is TuningMethod.DEEPER
    assert len(changed) >= 2


def test_a_problem_stands_where_the_summary_would(setup: TeachSetup, tmp_path: object) -> None:
    """One may try again."""
    setup.source.add([str(tmp_path)])
    setup.show_problem(UserError("There is no such folder."))
    assert setup.problem.text() == "There is no such folder."
    assert setup.check.isEnabled()
    setup.show_found(DatasetSummary(problem="None of the 12 photos has a caption."))
    assert "None of the 12" in setup.problem.text()
    assert not setup.start.isEnabled()


def test_enter_in_the_name_starts_only_what_can_be_started(setup: TeachSetup) -> None:
    """Nothing was found yet."""
    wanted = _carried(setup.start_wanted)
    QTest.keyClick(setup.name, Qt.Key.Key_Return)
    assert wanted == []
    setup.show_found(DatasetSummary(photos=12, captions=24, seconds=9.0))
    QTest.keyClick(setup.name, Qt.Key.Key_Return)
    assert len(wanted) == 1


@pytest.mark.parametrize(
    ("number", "text", "is_enabled"),
    [
        (None, "Photos of my library with my own captions or tags", True),
        (0, "Photos of my library with my own captions or tags: none yet", False),
        (1, "The 1 photo of my library with my own captions or tags", True),
        (14, "The 14 photos of my library with my own captions or tags", True),
    ],
)
def test_the_librarys_own_annotations_are_counted(
    app_theme: AppTheme, qtbot: QtBot, number: int | None, text: str, is_enabled: bool
) -> None:
    """What holds nothing cannot be chosen."""
    box = SourceBox()
    qtbot.addWidget(box)
    box.set_annotated_count(number)
    assert box.library.text() == text
    assert box.library.isEnabled() is is_enabled


def test_a_source_is_what_was_chosen(app_theme: AppTheme, qtbot: QtBot, tmp_path: object) -> None:
    """Folders once each; of a file, its folder; the library by its box."""
    box = SourceBox()
    qtbot.addWidget(box)
    assert box.is_empty()
    assert box.title() == "My captions and tags"
    box.add([str(tmp_path), f"{tmp_path}/missing.jpg", str(tmp_path)])
    box.library.setChecked(True)
    source = box.source()
    assert [path.to_str() for path in source.folders] == [str(tmp_path)]
    assert source.uses_library
    assert source.lines is CaptionLines.AUTO
    with qtbot.waitSignal(box.changed):
        box.text_lines.setCurrentIndex(1)
    assert box.source().lines is CaptionLines.EACH
    assert box.text_lines.isVisibleTo(box)


def test_another_theme_goes_through_all_parts(
    setup: TeachSetup, view: RunView, app_theme: AppTheme
) -> None:
    """With and without something to show."""
    view.show_run(WAITING, None)
    for _ in range(2):
        app_theme.toggle()
    assert view.figures.isVisible()


def test_the_loss_of_a_trial_is_not_joined_with_that_of_the_run_after_it(view: RunView) -> None:
    """The training on all photos begins anew; a run without a trial is one line."""
    points = [TeachPoint(step=step, loss=1.0) for step in (1, 5, 10, 11, 15, 20)]
    view.show_run(replace(WAITING, is_trial=True, steps=20), None)
    view.show_points(points)
    losses = [loss for _step, loss in next(iter(view.loss.points().values()))]
    assert [math.isnan(loss) for loss in losses] == [False] * 3 + [True] + [False] * 3
    view.show_points(points[:3])
    assert len(next(iter(view.loss.points().values()))) == 3
    view.show_run(replace(WAITING, is_trial=False, steps=20), None)
    view.show_points(points)
    assert len(next(iter(view.loss.points().values()))) == 6
