"""A run's state for every combination of facts, and after a kill between any two of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest

from cocadesk.engine.teaching.run_state import (
    ANSWERS,
    DELETED,
    RESTING,
    STOPPED,
    SWITCHING,
    UNFINISHED,
    RunFacts,
    run_message,
    run_state,
    summary_text,
)
from cocadesk.engine.teaching.runs import Choice, RunRecord, RunResult, RunStore
from cocadesk.errors import UserError
from cocadesk.protocol.values import JobState, MetricValue, RunState, TeachSource, TuningMethod
from cocadesk.trainer_messages import CaptionedPhoto, SkippedFiles, TuningSpec
from trainer.tuning.dataset import load_spec

_OPEN = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)
_ALL = [
    RunFacts(choice=choice, job=job, has_result=result, is_used=used, is_awaited=awaited)
    for choice, job, result, used, awaited in itertools.product(
        Choice, (None, *JobState), (False, True), (False, True), (False, True)
    )
]


def _expected(facts: RunFacts) -> RunState:
    """The rules as sentences, one after another."""
    gone = facts.choice in (Choice.DISCARDED, Choice.STOPPED)
    rules = [
        (facts.is_used, RunState.KEPT),
        (gone, RunState.DISCARDED),
        (facts.job in _OPEN, RunState.RUNNING),
        (facts.job is JobState.CANCELLED, RunState.DISCARDED),
        (not facts.has_result, RunState.FAILED),
        (facts.choice is Choice.KEPT or facts.is_awaited, RunState.KEPT),
        (True, RunState.WAITING),
    ]
    return next(state for is_so, state in rules if is_so)


@pytest.mark.parametrize("facts", _ALL, ids=str)
def test_every_combination_of_facts_has_its_state(facts: RunFacts) -> None:
    """And a message where the state needs one."""
    assert run_state(facts) is _expected(facts)
    message = run_message(facts, RunResult(photos=3), "The disk is full.")
    assert bool(message) is (run_state(facts) is not RunState.RUNNING)


def test_every_state_of_a_job_is_open_or_final() -> None:
    """The table above covers them all."""
    final = {state for state in JobState if state.is_final}
    assert final == set(JobState) - set(_OPEN)


@pytest.mark.parametrize(
    ("done", "states"),
    [
        pytest.param(
            [
                {"job": None},
                {"job": JobState.QUEUED},
                {"job": JobState.RUNNING},
                {"has_result": True},
                {"job": JobState.DONE},
                {"is_used": True},
                {"choice": Choice.KEPT},
                {"is_used": False},
            ],
            ["failed", "running", "running", "running", "waiting", "kept", "kept", "kept"],
            id="kept at once",
        ),
        pytest.param(
            [
                {"job": JobState.DONE, "has_result": True},
                {"is_awaited": True},
                {"choice": Choice.KEPT},
                {"is_used": True},
                {"is_awaited": False},
            ],
            ["waiting", "kept", "kept", "kept", "kept"],
            id="kept after a switch",
        ),
        pytest.param(
            [
                {"job": JobState.DONE, "has_result": True},
                {"choice": Choice.DISCARDED},
                {"job": None},
            ],
            ["waiting", "discarded", "discarded"],
            id="discarded",
        ),
        pytest.param(
            [{"job": JobState.RUNNING}, {"job": JobState.CANCELLED}, {"choice": Choice.STOPPED}],
            ["running", "discarded", "discarded"],
            id="cancelled",
        ),
        pytest.param(
            [{"job": JobState.RUNNING}, {"job": JobState.FAILED}, {"job": JobState.QUEUED}],
            ["running", "failed", "running"],
            id="failed and begun again",
        ),
    ],
)
def test_a_kill_between_any_two_acts_leaves_a_sensible_state(
    done: list[dict[str, object]], states: list[str]
) -> None:
    """Each step is on disk before the next; whoever looks in between sees one of these."""
    facts: dict[str, object] = {}
    found = []
    for act in done:
        facts |= act
        found.append(str(run_state(RunFacts(**facts))))  # type: ignore[arg-type]
    assert found == states


def test_messages_tell_states_of_one_name_apart() -> None:
    """A kept model answers, waits for its switch, or rests; a discarded one was stopped or not."""
    result = RunResult(photos=2, captions=3)

    def message(said: str = "", **facts: object) -> str:
        return run_message(RunFacts(**facts), result, said)  # type: ignore[arg-type]

    kept = {"choice": Choice.KEPT, "has_result": True}
    assert message(**kept, is_used=True) == ANSWERS
    assert message(**kept, is_awaited=True) == SWITCHING
    assert message(**kept) == RESTING
    assert message(choice=Choice.DISCARDED) == DELETED
    assert message(job=JobState.CANCELLED) == STOPPED
    assert message("No byte is left.", job=JobState.FAILED) == "No byte is left."
    assert message() == UNFINISHED
    assert message(has_result=True).startswith("Learned from 2 photos with 3 captions.")


def test_the_summary_names_the_gain_and_what_could_not_be_used() -> None:
    """Without figures before and after only the numbers."""
    before = MetricValue(name="t2i_r1", value=20.0, n=4, low=5.0, high=60.0)
    after = MetricValue(name="t2i_r1", value=80.4, n=4, low=30.0, high=95.0)
    skipped = {"a": SkippedFiles(count=2), "b": SkippedFiles(count=1)}
    result = RunResult(
        photos=1200, captions=2400, before=(before,), after=(after,), skipped=skipped
    )
    text = summary_text(result)
    assert "Learned from 1,200 photos with 2,400 captions. 3 could not be used." in text
    assert "The right photo comes first for 80 % of captions, 20 % before (n = 4)." in text
    assert summary_text(RunResult(photos=1, captions=1)).endswith("Keep the model or discard it.")


def _record(run_id: str = "abc") -> RunRecord:
    return RunRecord(
        id=run_id,
        title="Florbits",
        method=TuningMethod.HEAD,
        source=TeachSource(uses_library=True),
        model="starter",
        created="2026-11-28T10:00:00+00:00",
    )


def test_a_choice_is_kept_with_the_record(tmp_path: Path) -> None:
    """Read back by another store; the rest of the record stays."""
    store = RunStore(tmp_path)
    store.create(_record(), b"{}")
    assert store.get("abc").choice is Choice.NONE
    store.choose("abc", Choice.KEPT)
    assert RunStore(tmp_path).get("abc") == msgspec.structs.replace(_record(), choice=Choice.KEPT)


@pytest.mark.parametrize("choice", [Choice.DISCARDED, Choice.STOPPED])
def test_what_is_not_kept_loses_its_model_and_keeps_its_figures(
    tmp_path: Path, choice: Choice
) -> None:
    """Also where it is chosen twice, e.g. again after a kill in the middle of the deletion."""
    store = RunStore(tmp_path)
    store.create(_record(), b"{}")
    folder = store.folder("abc")
    (folder / "checkpoints" / "best").mkdir(parents=True)
    (folder / "state").mkdir()
    (folder / "own.tokens.f16").write_bytes(b"x")
    (folder / "points.jsonl").write_text('{"step": 1}\n{"st')
    (folder / "result.json").write_text("{}")
    assert store.has_model("abc")
    assert store.has_state("abc")
    for _ in range(2):
        store.choose("abc", choice)
    assert not store.has_model("abc")
    assert sorted(f.name for f in folder.iterdir()) == [
        "points.jsonl",
        "result.json",
        "run.json",
        "spec.json",
    ]
    assert [point.step for point in store.points("abc")] == [1]


def test_runs_that_cannot_be_read_are_left_alone(tmp_path: Path) -> None:
    """A damaged record, a foreign folder, a result cut in two."""
    store = RunStore(tmp_path)
    assert RunStore(tmp_path / "none").all() == []
    store.create(_record(), b"{}")
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    assert store.all() == [_record()]
    assert store.result("abc") is None
    (store.folder("abc") / "result.json").write_text("{")
    assert store.result("abc") is None
    for unknown in ("nope", "../abc", ""):
        with pytest.raises(UserError, match="no such teaching run"):
            store.get(unknown)


def test_the_counts_come_from_the_data_set_that_the_trainer_has_found(tmp_path: Path) -> None:
    """Zero until it is there."""
    store = RunStore(tmp_path)
    store.create(_record(), b"{}")
    assert store.counts("abc") == (0, 0)
    photos = [{"path": "eA==", "captions": ["a", "b"]}, {"path": "eQ==", "captions": ["c"]}]
    (store.folder("abc") / "dataset.json").write_bytes(msgspec.json.encode({"photos": photos}))
    assert store.counts("abc") == (2, 3)


@pytest.mark.parametrize("method", list(TuningMethod))
def test_the_trainer_reads_the_order_that_the_engine_writes(
    tmp_path: Path, method: TuningMethod
) -> None:
    """Every field, with paths that are no UTF-8."""
    written = TuningSpec(
        title="Käthe",
        method=method,
        seed=3,
        model="starter",
        model_id="starter-0123456789ab",
        device="cpu",
        folders=(b"/photos/\xff",),
        photos=(CaptionedPhoto(path=b"/a/\xfe.jpg", captions=("a florbit", "two")),),
        not_human={b"/a/\xfd.txt": "ab12"},
        library_media=7,
    )
    (tmp_path / "spec.json").write_bytes(msgspec.json.encode(written))
    assert load_spec(tmp_path) == written
