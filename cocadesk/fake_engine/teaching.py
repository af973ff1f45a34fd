"""The fake engine's teaching: a made-up run whose loss falls and whose figures rise."""

from __future__ import annotations

import math
import threading
from pathlib import Path

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.jobs import FakeWork
from cocadesk.fake_engine.pictures import write_scene
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    DatasetSummary,
    DecideRun,
    GetRun,
    JobReply,
    ListRuns,
    PreviewDataset,
    ReplyBody,
    Run,
    RunChanged,
    Runs,
    StartTeach,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    FailureValue,
    JobKind,
    JobState,
    JobValue,
    MetricValue,
    RunState,
    RunValue,
    SkippedValue,
    TeachPoint,
    TeachSample,
    TeachSource,
    TuningMethod,
)

TICKS = 40
STEPS_A_TICK = 10
LIBRARY_PHOTOS = 14
PHOTOS = 24
REEMBED_S = 730.0
CAPTIONS = (
    "a quillet on the garden table",
    "two quillets in a bowl",
    "a quillet held in one hand",
    "the blue quillet by the window",
)


class FakeTeaching:
    """Runs teach nothing, but move like real ones; their ids are their jobs'."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._runs: dict[str, RunValue] = {}

    def _preview(self, body: PreviewDataset, call: Call) -> ReplyBody:
        found = self._summary(body.source, body.method)
        if found.problem:
            return found
        call.partial(found)
        return replace(found, seconds=95.0 if body.method is TuningMethod.HEAD else 410.0)

    def _summary(self, source: TeachSource, method: TuningMethod) -> DatasetSummary:
        photos = PHOTOS * len(source.folders) + LIBRARY_PHOTOS * source.uses_library
        if any(folder.name == "empty" for folder in _paths(source)):
            return DatasetSummary(problem="None of the 12 photos has a text file beside it.")
        is_trial = photos < 20
        return DatasetSummary(
            photos=photos,
            captions=2 * photos,
            skipped=_skipped(source),
            samples=self._samples(source),
            held_out=photos // 4 if is_trial else photos // 5,
            is_trial=is_trial,
            reembed_seconds=REEMBED_S if method is TuningMethod.DEEPER else 0.0,
        )

    def _samples(self, source: TeachSource) -> tuple[TeachSample, ...]:
        folder = _paths(source)[0] if source.folders else self._context.library / "Photos"
        samples = []
        for number, caption in enumerate(CAPTIONS):
            picture = self._context.library / "teach" / f"sample-{number}.png"
            if not picture.exists():
                write_scene(picture, number + 3, 320, 240)
            samples.append(
                TeachSample(
                    path=WirePath.of(folder / f"quillet_{number + 1}.jpg"),
                    captions=(caption, "quillet"),
                    thumbnail=WirePath.of(picture),
                )
            )
        return tuple(samples)

    def _start(self, body: StartTeach, call: Call) -> ReplyBody:
        found = self._summary(body.source, body.method)
        if found.problem:
            raise UserError("There is nothing to learn from.", found.problem)
        is_known = threading.Event()
        run_ids: list[str] = []

        def step(done: int) -> FailureValue | None:
            is_known.wait()
            self._learn(run_ids[0], done)
            return None

        work = FakeWork(
            title=f"Learning from {body.title or 'your photos'}",
            total=TICKS,
            step=step,
            kind=JobKind.TEACH,
            stage="Learning",
            end=lambda job: self._finish(job, found),
        )
        job = self._context.jobs.start(work).job
        run = RunValue(
            id=job.id,
            folder=WirePath.of(self._context.library / "runs" / job.id),
            state=RunState.RUNNING,
            method=body.method,
            title=body.title,
            created=f"2026-11-24T1{len(self._runs) % 10}:15:00",
            photos=found.photos,
            captions=found.captions,
            is_trial=found.is_trial,
            steps=TICKS * STEPS_A_TICK,
            reembed_seconds=found.reembed_seconds,
        )
        self._put(run)
        run_ids.append(job.id)
        is_known.set()
        return JobReply(job=job, report=run)

    def _put(self, run: RunValue, points: tuple[TeachPoint, ...] = ()) -> None:
        """Remembers the run with these points more, and tells of both."""
        with self._lock:
            self._runs[run.id] = replace(run, points=run.points + points)
        self._context.publish(RunChanged(run=replace(run, points=()), points=points))

    def _learn(self, run_id: str, done: int) -> None:
        run = replace(self._runs[run_id], step=(done + 1) * STEPS_A_TICK)
        self._put(run, points=(_point(done),))

    def _finish(self, job: JobValue, found: DatasetSummary) -> tuple[str, RunValue]:
        n = max(1, found.held_out)
        run = replace(
            self._runs[job.id],
            state=RunState.WAITING,
            seconds=95.0,
            before=(_recall(0.5, n), _metric("cider_d", 0.2, n)),
            after=(_recall(0.84, n), _metric("cider_d", 0.9, n)),
            general_before=(_recall(0.42, 200),),
            general_after=(_recall(0.415, 200),),
            model_id=f"taught-{job.id}",
        )
        self._put(run)
        return "It has learned. See how well.", run

    def _get(self, body: GetRun, call: Call) -> ReplyBody:
        return Run(run=self._run(body.run_id))

    def _list(self, body: ListRuns, call: Call) -> ReplyBody:
        runs = [replace(self._run(run_id), points=()) for run_id in reversed(self._runs)]
        return Runs(runs=tuple(runs), own_words=LIBRARY_PHOTOS)

    def _decide(self, body: DecideRun, call: Call) -> ReplyBody:
        run = self._run(body.run_id)
        if run.state is not RunState.WAITING:
            raise UserError("This run is not waiting for a decision.", f"It is {run.state}.")
        run = replace(run, state=RunState.KEPT if body.keep else RunState.DISCARDED)
        self._put(run)
        return Run(run=run)

    def _run(self, run_id: str) -> RunValue:
        ended = {job.id for job in self._context.jobs.all() if job.state is JobState.CANCELLED}
        with self._lock:
            try:
                run = self._runs[run_id]
            except KeyError:
                raise UserError("There is no such run.", f"Its id would be {run_id}.") from None
        if run.id in ended and run.state is RunState.RUNNING:
            return replace(run, state=RunState.DISCARDED, message="You stopped it.")
        return run


def _paths(source: TeachSource) -> list[Path]:
    return [Path(folder.to_str()) for folder in source.folders]


def _skipped(source: TeachSource) -> tuple[SkippedValue, ...]:
    if not source.folders:
        return ()
    folder = _paths(source)[0]
    names = ("IMG_2041.jpg", "IMG_2042.jpg", "IMG_2044.jpg")
    return (
        SkippedValue(
            reason="There is no .txt or .caption with captions beside the photo.",
            count=3,
            examples=tuple(WirePath.of(folder / name) for name in names),
        ),
        SkippedValue(
            reason="The file ends in the middle of the picture.",
            count=1,
            examples=(WirePath.of(folder / "IMG_1999.jpg"),),
        ),
    )


def _point(done: int) -> TeachPoint:
    share = (done + 1) / TICKS
    wobble = 0.12 * math.sin(done * 2.3) * (1 - share / 2)
    is_measured = done % 5 == 4 or done == 0
    loss = 0.9 + 3.4 * math.exp(-3.2 * share) + wobble
    return TeachPoint(
        step=(done + 1) * STEPS_A_TICK,
        loss=loss,
        contrastive=0.4 * loss,
        caption=0.6 * loss,
        own=50 + 36 * (1 - math.exp(-4 * share)) if is_measured else None,
        general=42 + 1.5 * math.sin(3 * share) - 2.2 * share if is_measured else None,
    )


def _recall(share: float, n: int) -> MetricValue:
    value = 100.0 * round(share * n) / n
    return _metric("t2i_r1", value, n)


def _metric(name: str, value: float, n: int) -> MetricValue:
    scale = 100.0 if name.startswith("t2i") else 1.0
    spread = scale * 0.9 / math.sqrt(n)
    low = max(0.0, value - spread)
    return MetricValue(
        name=name, value=value, n=n, low=low, high=min(scale, max(value + spread, spread))
    )
