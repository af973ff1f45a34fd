"""``cocadesk teach``: new words from photos that have them, measured before they are kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import FilterOption, Options, command, existing_folders
from cocadesk.cli.report import Report, duration, measure
from cocadesk.errors import UserError, decimal, grouped, tr, tr_as, tr_count

if TYPE_CHECKING:
    from cocadesk.engine.local import AnyEngine
    from cocadesk.protocol.messages import DatasetSummary, ReplyBody
    from cocadesk.protocol.values import (
        JobValue,
        RunValue,
        SkippedValue,
        TeachSource,
        TuningMethod,
    )

EXAMPLES_SHOWN = 3
SAMPLES_SHOWN = 5


SourcesArgument = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it
    typer.Argument(
        metavar=tr("SOURCE"),
        help=tr("Folders of photos with texts beside them: .txt or .caption."),
    ),
]
LinesOption = Annotated[
    Literal["auto", "each", "joined"],
    typer.Option(
        "--lines",
        help=tr("each: a line is a caption. joined: a text is one caption, wrapped over lines."),
    ),
]


@command()
def teach(
    options: Options,
    report: Report,
    folders: SourcesArgument = None,
    library_words: Annotated[
        bool,
        typer.Option("--library-words", help=tr("Also learn from your captions and tags.")),
    ] = False,
    method: Annotated[
        Literal["head", "deeper"],
        typer.Option(
            "--method",
            help=tr("head: learns names. deeper: learns to see, too."),
        ),
    ] = "head",
    lines: LinesOption = "auto",
    keep: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--keep/--discard", help=tr("Decide without being asked.")),
    ] = None,
    filter_text: FilterOption = "",
) -> int:
    """Teach the model your own names and captions; measured before you keep it."""
    from cocadesk.cli.session import follow, started_engine
    from cocadesk.protocol.messages import GetRun, Run
    from cocadesk.protocol.values import JobAction, TuningMethod

    started_s = time.monotonic()
    source = _source(folders or [], library_words, filter_text, lines)
    tuning = TuningMethod(method)
    with started_engine(options) as engine:
        found = _preview(engine, source, tuning, report)
        job = _start(engine, source, tuning, report)
        follow(engine, job, report, JobAction.PAUSE)
        run = engine.ask(GetRun(run_id=job.id), Run).run
        _show_skipped(report, _skipped_later(found, run))
        _show(report, run)
        if keep is None:
            keep = _ask(report, run)
        if keep is not None:
            run = _decide(engine, run, keep, report)
    if keep is None:
        report.line(
            tr("Nothing has changed yet. To keep it: cocadesk model use run:{id}", id=run.id)
        )
    else:
        report.line(run.message)
    seconds = time.monotonic() - started_s
    report.document(_document(run, found, seconds, kept=bool(keep)))
    return OK


def _source(folders: list[str], uses_library: bool, filter_text: str, lines: str) -> TeachSource:
    """The photos to learn from.

    Raises:
        UserError: nothing was chosen, or a folder is not there.
    """
    from cocadesk.protocol.values import CaptionLines, TeachSource

    if not folders and not uses_library:
        raise UserError(
            tr("There is nothing to learn from."),
            tr("Neither a folder nor --library-words was given."),
            tr("Give a folder of photos with .txt files beside them, or --library-words."),
        )
    existing = existing_folders(folders)
    return TeachSource(
        folders=existing,
        uses_library=uses_library,
        filter=filter_text,
        lines=CaptionLines(lines),
    )


def _preview(
    engine: AnyEngine, source: TeachSource, method: TuningMethod, report: Report
) -> DatasetSummary:
    """The photos and captions; for people with the time, which a dry run measures.

    Raises:
        UserError: nothing can be learned from it.
    """
    from cocadesk.protocol.messages import DatasetSummary, PreviewDataset

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
    from cocadesk.protocol.messages import ControlJob, GetRun, JobReply, Run, StartTeach
    from cocadesk.protocol.values import JobAction, JobState

    job = engine.ask(StartTeach(source=source, method=method), JobReply).job
    if job.state is JobState.PAUSED:
        run = engine.ask(GetRun(run_id=job.id), Run).run
        report.note(
            tr_count(
                run.photos,
                "Resuming the run that was stopped, with the {n} photos that it has.",
                "Resuming the run that was stopped, with the {n} photos that it has.",
            )
            if run.photos
            else tr("Resuming the run that was stopped.")
        )
        job = engine.ask(ControlJob(job_id=job.id, action=JobAction.RESUME), JobReply).job
    return job


def _decide(engine: AnyEngine, run: RunValue, keep: bool, report: Report) -> RunValue:
    """The run once the decision holds: kept means that search answers with its model."""
    from cocadesk.cli.session import follow
    from cocadesk.protocol.messages import DecideRun, GetRun, Jobs, ListJobs, Run
    from cocadesk.protocol.values import JobAction, JobKind

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
            tr(
                "Keeping it reads all photos again, in about {duration}; the old model "
                "answers meanwhile.",
                duration=duration(max(1.0, run.reembed_seconds)),
            )
        )
    answers = {"k": True, "d": False, tr_as("key", "k"): True, tr_as("key", "d"): False}
    later = {"l", "", tr_as("key", "l")}
    while True:
        sys.stderr.write(tr("Keep this model, discard it, or decide later? [k/d/l] "))
        sys.stderr.flush()
        answer = sys.stdin.readline().strip().lower()[:1]
        if answer in answers:
            return answers[answer]
        if answer in later:
            return None


def _show_found(report: Report, found: DatasetSummary) -> None:
    report.line(
        tr(
            "{photos} with {captions} to learn from.",
            photos=tr_count(found.photos, "{n} photo", "{n} photos"),
            captions=tr_count(found.captions, "{n} caption", "{n} captions"),
        )
    )
    for sample in found.samples[:SAMPLES_SHOWN]:
        report.line(f"  {sample.path.text}: {'; '.join(sample.captions)}")
    if found.is_trial:
        report.line(
            tr(
                "That is few: a trial run holds back {held_out} of them to measure with; "
                "the model that you may keep learns from all.",
                held_out=found.held_out,
            )
        )
    elif found.held_out:
        report.line(
            tr(
                "{held_out} of them are held back to measure with.",
                held_out=grouped(found.held_out),
            )
        )
    for note in found.notes:
        report.note(note)
    if found.is_joined:
        report.note(tr("Is each line a caption? Then: --lines each."))
    _show_skipped(report, found.skipped)


def _skipped_later(found: DatasetSummary, run: RunValue) -> list[SkippedValue]:
    """The files that only the run itself could not use: a photo is first read there."""
    from cocadesk.protocol.values import changed

    told = {item.reason: item.count for item in found.skipped}
    return [
        changed(item, count=item.count - told.get(item.reason, 0))
        for item in run.skipped
        if item.count > told.get(item.reason, 0)
    ]


def _show_skipped(report: Report, skipped: Iterable[SkippedValue]) -> None:
    for item in skipped:
        names = ", ".join(path.text for path in item.examples[:EXAMPLES_SHOWN])
        report.note(
            tr(
                "Skipped {count}: {reason} ({names})",
                count=grouped(item.count),
                reason=item.reason,
                names=names,
            )
            if names
            else item.reason
        )


def _show_time(report: Report, found: DatasetSummary, method: TuningMethod) -> None:
    if found.seconds is not None:
        report.line(
            tr("It will take about {duration}.", duration=duration(max(1.0, found.seconds)))
        )
    if found.reembed_seconds:
        report.line(
            tr(
                "The method {method} changes what photos' vectors mean: keeping it reads "
                "the library's photos again, about {duration} more.",
                method=method.value,
                duration=duration(max(1.0, found.reembed_seconds)),
            )
        )


def _show(report: Report, run: RunValue) -> None:
    """Before and after, with what each figure rests on."""
    from rich.table import Table

    table = Table(tr("measure"), tr("before"), tr("after"), "n", tr("95 % interval after"))
    for title, before, after in (
        (tr("your photos"), run.before, run.after),
        (tr("photos in general"), run.general_before, run.general_after),
    ):
        earlier = {metric.name: metric for metric in before}
        for metric in after:
            known = earlier.get(metric.name)
            table.add_row(
                f"{title}: {measure(metric.name)}",
                "" if known is None else _number(known.value),
                _number(metric.value),
                str(metric.n),
                tr("{low} to {high}", low=_number(metric.low), high=_number(metric.high)),
            )
    report.table(table)
    if run.is_trial:
        report.line(tr("Your photos were measured in a trial run that did not learn from them."))


def _number(value: float) -> str:
    said = f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return said.replace(".", decimal(0.0)[1])


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
        "notes": list(found.notes),
        "skipped": [{"reason": reason, "count": count} for reason, count in skipped.items()],
        **{name: {m.name: m.value for m in metrics} for name, metrics in sets.items()},
        # The basis of each figure: n, and its 95 % interval.
        "intervals": {
            name: {m.name: {"n": m.n, "low": m.low, "high": m.high} for m in metrics}
            for name, metrics in sets.items()
        },
    }
