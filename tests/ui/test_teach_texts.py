"""The teaching page's sentences by themselves."""

from __future__ import annotations

from msgspec.structs import replace

from cocadesk.protocol.messages import DatasetSummary
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    MetricValue,
    RunState,
    RunValue,
    SkippedValue,
    TuningMethod,
)
from ui.teach.texts import (
    certainty,
    figure,
    held_out_line,
    progress_line,
    run_subtitle,
    skipped_line,
    time_line,
    verdict,
)


def _recall(value: float, n: int = 6, low: float = 0.0, high: float = 100.0) -> MetricValue:
    return MetricValue(name="t2i_r1", value=value, n=n, low=low, high=high)


def _cider(value: float, low: float, high: float) -> MetricValue:
    return MetricValue(name="cider_d", value=value, n=6, low=low, high=high)


def _run(
    was: float, now: float, general: tuple[float, float] | None = None, **more: object
) -> RunValue:
    """A finished run whose intervals are narrow."""
    run = RunValue(
        id="r",
        folder=WirePath("/runs/r"),
        state=RunState.WAITING,
        method=TuningMethod.HEAD,
        before=(_recall(was, high=was + 5),),
        after=(_recall(now, low=now - 5),),
        general_before=() if general is None else (_recall(general[0], 200),),
        general_after=() if general is None else (_recall(general[1], 200),),
    )
    return replace(run, **more)


def test_a_share_is_told_in_photos_and_a_score_as_it_is() -> None:
    """Six photos are no hundred: 50 % of them is said as 3 of 6."""
    assert figure(_recall(50.0)) == "3 of 6"
    assert certainty(_recall(50.0, low=18.8, high=81.2)) == "50\u00a0%; likely 19–81\u00a0%"
    assert figure(_cider(0.9, 0.4, 1.3)) == "0.90"
    assert certainty(_cider(0.9, 0.4, 1.3)) == "likely 0.40–1.30"


def test_a_clear_gain_is_worth_keeping_without_a_doubt() -> None:
    """Intervals apart, nothing forgotten."""
    said = verdict(_run(16.7, 83.3, (42.0, 41.5)))
    assert said.advises_keeping
    assert "first for 1 of 6 before, for 5 of 6 now, and everything else as well as" in said.text
    assert "luck" not in said.text


def test_the_figure_that_rose_most_is_told() -> None:
    """The very photo of a caption may stay behind others of its name."""
    before = (_recall(0), MetricValue(name="t2i_r5", value=0.0, n=6, low=0.0, high=40.0))
    after = (_recall(33), MetricValue(name="t2i_r5", value=100.0, n=6, low=60.0, high=100.0))
    said = verdict(_run(0, 0, (42, 42), before=before, after=after))
    assert said.advises_keeping
    assert "among the first 5 for 0 of 6 before, for 6 of 6 now" in said.text


def test_a_gain_within_the_intervals_says_that_it_may_be_luck() -> None:
    """Few photos cannot tell more."""
    said = verdict(_run(50.0, 66.7, before=(_recall(50.0, high=81.0),)))
    assert said.advises_keeping
    assert "With 6 photos to measure by, some of that can be luck" in said.text


def test_what_was_forgotten_is_weighed_against_the_gain() -> None:
    """A little is said; a lot turns the advice."""
    little, much = verdict(_run(20, 80, (42, 38))), verdict(_run(20, 80, (42, 30)))
    assert little.advises_keeping
    assert "a little worse" in little.text
    assert not much.advises_keeping
    assert "has forgotten other things (42\u00a0% before, 30\u00a0% now, of 200)" in much.text


def test_no_gain_is_not_worth_keeping_unless_its_captions_are() -> None:
    """Search and captions are two things that one may want."""
    assert not verdict(_run(50, 50, (42, 42))).advises_keeping
    captions = {
        "before": (_recall(50), _cider(0.2, 0.1, 0.3)),
        "after": (_recall(50), _cider(0.9, 0.7, 1.1)),
    }
    assert verdict(_run(50, 50, (42, 42), **captions)).advises_keeping
    assert not verdict(_run(50, 50, (42, 20), **captions)).advises_keeping


def test_a_run_without_figures_is_not_praised() -> None:
    """Nothing to compare is said as such."""
    said = verdict(_run(0, 0, before=(), after=()))
    assert not said.advises_keeping
    assert "nothing to measure" in said.text


def test_a_trial_says_how_many_are_held_back_and_that_all_are_learned_from() -> None:
    """n is there, before anything starts."""
    trial = held_out_line(DatasetSummary(photos=12, captions=24, held_out=3, is_trial=True))
    assert "3 of 12" in trial
    assert "learns from all 12" in trial
    assert "200 of 1,000" in held_out_line(DatasetSummary(photos=1000, held_out=200))


def test_the_price_in_time_is_told_when_it_is_known() -> None:
    """Measuring first; then minutes; and what looking again costs."""
    assert "Measuring" in time_line(DatasetSummary(photos=12))
    assert time_line(DatasetSummary(seconds=125)) == (
        "Learning takes about 2 minutes on this computer."
    )
    assert "read again, about 12 minutes" in time_line(
        DatasetSummary(seconds=125, reembed_seconds=730)
    )


def test_what_is_left_out_is_named_with_its_reason() -> None:
    """A few names, and a sign where there are more."""
    line = skipped_line(
        SkippedValue(
            reason="The .txt beside the photo is empty.",
            count=5,
            examples=tuple(WirePath(f"/photos/{n}.jpg") for n in range(5)),
        )
    )
    assert line == "5 files skipped (0.jpg, 1.jpg, 2.jpg, …): The .txt beside the photo is empty."
    assert skipped_line(SkippedValue(reason="Gone.", count=1)) == "1 file skipped: Gone."


def test_a_run_that_was_stopped_is_not_called_discarded() -> None:
    """Discarded is what somebody has read the figures of and did not want."""
    seen = _run(10.0, 20.0, state=RunState.DISCARDED)
    assert run_subtitle(seen) == "discarded"
    assert run_subtitle(replace(seen, after=())) == "stopped"


def test_how_far_a_run_is_follows_from_its_job() -> None:
    """n of m, time left, paused, waiting."""
    run = _run(0, 0, step=30, steps=100)

    def said(**job: object) -> str:
        return progress_line(run, JobValue(id="r", kind=JobKind.TEACH, title="", **job))  # type: ignore[arg-type]

    running = said(state=JobState.RUNNING, stage="Trying", done=3, total=9, seconds_left=120.0)
    assert running == "Trying · 3 of 9 · about 2 minutes left"
    assert said(state=JobState.PAUSED, done=3, total=9).startswith("Paused at 3 of 9.")
    assert said(state=JobState.QUEUED) == "Waiting for its turn."
    measuring = said(state=JobState.RUNNING, stage="Measuring", done=0, total=1)
    assert measuring == "Measuring · step 30 of 100"
    assert progress_line(run, None) == "Learning · step 30 of 100"
