"""``cocadesk teach``: new words from photos that have them, measured before they are kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import (
    Choices,
    FilterOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    Options,
    existing_folders,
    run,
)
from cocadesk.cli.report import Report, duration, shown
from cocadesk.cli.session import follow, started_engine
from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    ControlJob,
    DatasetSummary,
    DecideRun,
    GetRun,
    JobReply,
    Jobs,
    ListJobs,
    PreviewDataset,
    ReplyBody,
    Run,
    StartTeach,
)
from cocadesk.protocol.values import (
    JobAction,
    JobKind,
    JobState,
    JobValue,
    MetricValue,
    RunValue,
    SkippedValue,
    TeachSource,
    TuningMethod,
    changed,
)

EXAMPLES_SHOWN = 3
SAMPLES_SHOWN = 5


def teach(
    context: typer.Context,
    folders: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it
        typer.Argument(
            metavar="SOURCE", help="Folders of photos with .txt beside them, one caption a line."
        ),
    ] = None,
    library_words: Annotated[
        bool, typer.Option("--library-words", help="Learn from your words in the library, too.")
    ] = False,
    method: Annotated[
        TuningMethod,
        typer.Option("--method", help="head: keeps all vectors. deeper: the poolers learn too."),
    ] = TuningMethod.HEAD,
    keep: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--keep/--discard", help="Decide without being asked."),
    ] = None,
    filter_text: FilterOption = "",
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach the model from photos with words of yours; measured before you keep it."""
    wanted = _Wanted(
        folders=folders or [],
        uses_library=library_words,
        method=method,
        keep=keep,
        filter=filter_text,
    )
    choices = Choices(library=library, model=model, as_json=as_json)
    run(context, choices, lambda options, report: _teach(options, report, wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The arguments; ``keep`` None means: ask, where there is a terminal."""

    folders: list[str]
    uses_library: bool
    method: TuningMethod
    keep: bool | None
    filter: str

    def source(self) -> TeachSource:
        """The photos to learn from.

        Raises:
            UserError: nothing was chosen, or a folder is not there.
        """
        if not self.folders and not self.uses_library:
            raise UserError(
                "There is nothing to learn from.",
                "Neither a folder nor --library-words was given.",
                "Give a folder of photos with .txt files beside them, or --library-words.",
            )
        return TeachSource(
            folders=existing_folders(self.folders),
            uses_library=self.uses_library,
            filter=self.filter,
        )


def _teach(options: Options, report: Report, wanted: _Wanted) -> int:
    """Looks, learns, shows before and after, and keeps the model or not.

    Raises:
        UserError: there is nothing to learn from, or the run failed.
    """
    started_s = time.monotonic()
    source = wanted.source()
    with started_engine(options) as engine:
        found = _preview(engine, source, wanted.method, report)
        job = _start(engine, source, wanted.method, report)
        follow(engine, job, report, JobAction.PAUSE)
        run = engine.ask(GetRun(run_id=job.id), Run).run
        _show_skipped(report, _skipped_later(found, run))
        _show(report, run)
        keep = _ask(report, run) if wanted.keep is None else wanted.keep
        if keep is not None:
            run = _decide(engine, run, keep, report)
    if keep is None:
        report.line(f"Nothing has changed yet. To keep it: cocadesk model use run:{run.id}")
    else:
        report.line(run.message)
    seconds = time.monotonic() - started_s
    if report.as_json:
        report.document(_document(run, found, seconds, kept=bool(keep)))
    return OK


def _preview(
    engine: AnyEngine, source: TeachSource, method: TuningMethod, report: Report
) -> DatasetSummary:
    """The photos and captions; for people with the time, which a dry run measures.

    Raises:
        UserError: nothing can be learned from it.
    """
    parts: list[DatasetSummary] = []

    def on_partial(part: ReplyBody) -> None:
        assert isinstance(part, DatasetSummary)
        if not parts:
            _show_found(report, part)
        parts.append(part)

    body = PreviewDataset(source=source, method=method, is_timed=not report.as_json)
    found = engine.ask(body, DatasetSummary, on_partial=on_partial)
    if found.problem:
        _show_skipped(report, found.skipped)
        raise UserError(found.problem)
    if not parts:
        _show_found(report, found)
    _show_time(report, found, method)
    return found


def _start(
    engine: AnyEngine, source: TeachSource, method: TuningMethod, report: Report
) -> JobValue:
    """The run's job: a new one, or the one that was paused before."""
    job = engine.ask(StartTeach(source=source, method=method), JobReply).job
    if job.state is JobState.PAUSED:
        run = engine.ask(GetRun(run_id=job.id), Run).run
        its = f", with the {run.photos:,} photos that it has" if run.photos else ""
        report.note(f"Going on with the run that was stopped{its}.")
        job = engine.ask(ControlJob(job_id=job.id, action=JobAction.RESUME), JobReply).job
    return job


def _decide(engine: AnyEngine, run: RunValue, keep: bool, report: Report) -> RunValue:
    """The run once the decision holds: kept means that search answers with its model."""
    run = engine.ask(DecideRun(run_id=run.id, keep=keep), Run).run
    if keep:
        for job in engine.ask(ListJobs(), Jobs).jobs:
            if job.kind is JobKind.SWITCH_MODEL and not job.state.is_final:
                follow(engine, job, report, JobAction.PAUSE)
        run = engine.ask(GetRun(run_id=run.id), Run).run
    return run


def _ask(report: Report, run: RunValue) -> bool | None:
    """The person's decision; None where nobody can be asked, or for later."""
    if report.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    if run.reembed_seconds:
        report.line(
            "Keeping it reads all photos again, in about "
            f"{duration(max(1.0, run.reembed_seconds))}; the old model answers meanwhile."
        )
    while True:
        sys.stderr.write("Keep this model, discard it, or decide later? [k/d/l] ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip().lower()
        if answer[:1] in ("k", "d"):
            return answer[:1] == "k"
        if answer[:1] in ("l", ""):
            return None


def _show_found(report: Report, found: DatasetSummary) -> None:
    report.line(f"{found.photos:,} photos with {found.captions:,} captions to learn from.")
    for sample in found.samples[:SAMPLES_SHOWN]:
        report.line(f"  {shown(sample.path.to_bytes())}: {'; '.join(sample.captions)}")
    if found.is_trial:
        report.line(
            f"That is few: a trial run holds out {found.held_out} of them to measure with; "
            "the model that you may keep learns from all."
        )
    elif found.held_out:
        report.line(f"{found.held_out:,} of them are held out to measure with.")
    _show_skipped(report, found.skipped)


def _skipped_later(found: DatasetSummary, run: RunValue) -> list[SkippedValue]:
    """The files that only the run itself could not use: a photo is first read there."""
    told = {item.reason: item.count for item in found.skipped}
    return [
        changed(item, count=item.count - told.get(item.reason, 0))
        for item in run.skipped
        if item.count > told.get(item.reason, 0)
    ]


def _show_skipped(report: Report, skipped: Iterable[SkippedValue]) -> None:
    for item in skipped:
        names = ", ".join(shown(path.to_bytes()) for path in item.examples[:EXAMPLES_SHOWN])
        report.note(f"Skipped {item.count:,}: {item.reason} ({names})" if names else item.reason)


def _show_time(report: Report, found: DatasetSummary, method: TuningMethod) -> None:
    if found.seconds is not None:
        report.line(f"It will take about {duration(max(1.0, found.seconds))}.")
    if found.reembed_seconds:
        report.line(
            f"The method {method.value} changes what photos' vectors mean: keeping it reads the "
            f"library's photos again, about {duration(max(1.0, found.reembed_seconds))} more."
        )


def _show(report: Report, run: RunValue) -> None:
    """Before and after, with what each figure rests on."""
    from rich.table import Table

    table = Table("measure", "before", "after", "n", "95 % interval after")
    for title, before, after in (
        ("your photos", run.before, run.after),
        ("photos in general", run.general_before, run.general_after),
    ):
        earlier = {metric.name: metric for metric in before}
        for metric in after:
            known = earlier.get(metric.name)
            table.add_row(
                f"{title}: {metric.name}",
                "" if known is None else _number(known.value),
                _number(metric.value),
                str(metric.n),
                f"{_number(metric.low)} to {_number(metric.high)}",
            )
    report.table(table)
    if run.is_trial:
        report.line("Your photos were measured in a trial run that did not learn from them.")


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def _document(
    run: RunValue, found: DatasetSummary, seconds: float, *, kept: bool
) -> dict[str, Any]:
    sets = {
        "before": run.before,
        "after": run.after,
        "general_before": run.general_before,
        "general_after": run.general_after,
    }
    skipped = {item.reason: item.count for item in found.skipped}
    for item in _skipped_later(found, run):
        skipped[item.reason] = skipped.get(item.reason, 0) + item.count
    return {
        "run": run.id,
        "model": run.model_id,
        "kept": kept,
        "seconds": round(seconds, 3),
        "photos": run.photos,
        "captions": run.captions,
        "trial": run.is_trial,
        "skipped": [{"reason": reason, "count": count} for reason, count in skipped.items()],
        **{name: {m.name: m.value for m in metrics} for name, metrics in sets.items()},
        "intervals": {name: _intervals(metrics) for name, metrics in sets.items()},
    }


def _intervals(metrics: Iterable[MetricValue]) -> dict[str, dict[str, float]]:
    """The basis of each figure: n, and its 95 % interval."""
    return {m.name: {"n": m.n, "low": m.low, "high": m.high} for m in metrics}
