"""``cocadesk words write``: captions as files beside the photos."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cocadesk.cli import session
from cocadesk.cli.guard import OK, SOME_FAILED
from cocadesk.cli.interrupt import Interrupt
from cocadesk.cli.options import Options
from cocadesk.cli.own_place import OwnPlace, follow, keys_below, place_for_own_words
from cocadesk.cli.report import Failed, Report, duration, failed_fields, path_fields, shown

if TYPE_CHECKING:
    from cocadesk.annotations import AnnotationProgress, PlannedFile

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What a write did, in files; ``failed`` of the kept ones the disk has refused."""

    written: int
    unchanged: int
    kept: tuple[Failed, ...]
    failed: int = 0


def write(
    options: Options, report: Report, paths: Sequence[str], *, preview: bool, overwrite: bool
) -> int:
    """Writes the captions, or says what that would change."""
    if preview:
        return _preview(options, report, paths, overwrite=overwrite)
    with place_for_own_words(options) as place:
        keys = keys_below(place.library, paths)
        if place.engine is not None:
            done = _through_engine(place, keys, report, overwrite=overwrite)
        else:
            done = _write(place, keys, report, overwrite=overwrite)
    _say(report, done, "written", {})
    return SOME_FAILED if done.failed else OK


def _preview(options: Options, report: Report, paths: Sequence[str], *, overwrite: bool) -> int:
    """Reads only, so it needs no engine."""
    from cocadesk.annotations import FileAction, plan_write

    session.check_library(options)
    with session.reading_library(options) as library:
        planned = list(plan_write(library, keys_below(library, paths), overwrite=overwrite))
    changes = [item for item in planned if item.action in (FileAction.NEW, FileAction.CHANGED)]
    done = _Written(
        written=len(changes),
        unchanged=sum(item.action is FileAction.UNCHANGED for item in planned),
        kept=tuple(
            Failed(path=item.path, reason=item.reason)
            for item in planned
            if item.action is FileAction.KEPT
        ),
    )
    for item in changes:
        before = f"{item.old.text} → " if item.action is FileAction.CHANGED else ""
        report.line(f"{shown(item.path)}: {before}{item.new.text}")
    _say(report, done, "to write", {"preview": True, "files": [_fields(i) for i in changes]})
    return OK


def _fields(item: PlannedFile) -> dict[str, Any]:
    return {
        **path_fields(item.path),
        "kind": item.action.value,
        "old": item.old.text or None,
        "new": item.new.text,
    }


def _say(report: Report, done: _Written, verb: str, more: dict[str, Any]) -> None:
    if report.as_json:
        report.document(
            {
                "written": done.written,
                "unchanged": done.unchanged,
                "kept": failed_fields(done.kept),
                **more,
            }
        )
    else:
        report.line(
            f"{done.written:,} {verb}, {done.unchanged:,} unchanged, {len(done.kept):,} kept."
        )
    for reason, files in _by_reason(done.kept).items():
        others = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        report.note(f"{shown(files[0])}{others}: {reason}")


def _by_reason(kept: Sequence[Failed]) -> dict[str, list[bytes]]:
    """The files that are kept for the same reason: often very many."""
    grouped: dict[str, list[bytes]] = {}
    for item in kept:
        grouped.setdefault(item.reason, []).append(item.path)
    return grouped


def _through_engine(
    place: OwnPlace, keys: Sequence[str], report: Report, *, overwrite: bool
) -> _Written:
    from cocadesk.protocol.messages import StartWrite
    from cocadesk.protocol.values import Scope, WriteReport

    assert place.engine is not None
    body = StartWrite(scope=Scope(keys=tuple(keys)), overwrite=overwrite)
    end = follow(place.engine, body, report)
    outcome = end.report if isinstance(end.report, WriteReport) else WriteReport()
    return _Written(
        written=outcome.written,
        unchanged=outcome.unchanged,
        kept=tuple(Failed(path=i.path.to_bytes(), reason=i.reason) for i in outcome.kept),
        failed=end.job.failed,
    )


def _write(place: OwnPlace, keys: Sequence[str], report: Report, *, overwrite: bool) -> _Written:
    from cocadesk.annotations import HumanAnnotations, write_steps
    from cocadesk.library import new_key

    words = HumanAnnotations(place.library)
    steps = write_steps(place.library, words, keys, batch=new_key(), overwrite=overwrite)
    done = run_steps(steps, report, "Writing captions")
    return _Written(
        written=done.written,
        unchanged=done.unchanged,
        kept=tuple(Failed(path=item.path, reason=item.reason) for item in done.kept),
        failed=done.failed,
    )


def run_steps(steps: Generator[AnnotationProgress, None, Done], report: Report, title: str) -> Done:
    """Drives a job step by step; Ctrl-C ends it between two, with all that is done kept."""
    with Interrupt(report) as interrupt, report.progress() as display:
        task = display.add_task(title, total=None, numbers="", left="")
        try:
            while True:
                now = next(steps)
                interrupt.check()
                left = "" if now.seconds_left is None else f"{duration(now.seconds_left)} left"
                display.update(
                    task,
                    completed=now.done,
                    total=now.total,
                    numbers=f"{now.done:,} of {now.total:,}",
                    left=left,
                )
        except StopIteration as end:
            done: Done = end.value
            return done
        finally:
            steps.close()
