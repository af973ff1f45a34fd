"""``cocadesk words write``: captions as files beside the photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import FilterOption, Options, absolute_paths, command
from cocadesk.cli.report import Report, failed_fields, path_fields
from cocadesk.errors import grouped, tr, tr_count

if TYPE_CHECKING:
    from cocadesk.protocol.messages import ReplyBody
    from cocadesk.protocol.values import Scope, WriteItem, WriteReport


@command(takes_model=False)
def write(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str],
        typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos of the library, or folders.")),
    ],
    preview: Annotated[
        bool, typer.Option("--preview", help=tr("Only say what would change."))
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help=tr("Also replace files that CocaDesk didn't write."))
    ] = False,
    filter_text: FilterOption = "",
) -> int:
    """Write captions beside photos and videos: name.txt, one line; yours, else the program's.

    One without any caption is skipped with the reason. Of two with the same name
    (a.jpg, a.png) the first gets a.txt. One undo takes all of it back.

    With --json: "written" and "unchanged" count files, "kept" names those left alone.
    """
    from cocadesk.protocol.values import Scope

    scope = Scope(folders=absolute_paths(paths), filter=filter_text)
    work = _preview if preview else _write
    return work(options, report, scope, overwrite)


def _write(options: Options, report: Report, scope: Scope, overwrite: bool) -> int:
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import StartWrite
    from cocadesk.protocol.values import WriteReport

    with open_engine(options, report, Access.WRITE) as engine:
        end = do_job(engine, StartWrite(scope=scope, overwrite=overwrite), report)
    assert isinstance(end.report, WriteReport)
    _show(report, end.report, {})
    return SOME_FAILED if end.job.failed else OK


def _preview(options: Options, report: Report, scope: Scope, overwrite: bool) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import PlanWrite, WritePlan
    from cocadesk.protocol.values import WriteKind, WriteReport

    items: list[WriteItem] = []

    def on_partial(part: ReplyBody) -> None:
        assert isinstance(part, WritePlan)
        items.extend(part.items)

    with open_engine(options, report) as engine:
        body = PlanWrite(scope=scope, overwrite=overwrite, is_streamed=True)
        plan = engine.ask(body, WritePlan, on_partial=on_partial)
    changes = [item for item in items if item.kind in (WriteKind.NEW, WriteKind.CHANGED)]
    for item in changes:
        before = f"{item.old} → " if item.kind is WriteKind.CHANGED else ""
        report.line(f"{item.path.text}: {before}{item.new}")
    skipped = tuple(item for item in items if item.kind is WriteKind.SKIPPED)
    done = WriteReport(written=len(changes), unchanged=plan.unchanged, skipped=skipped)
    _show(report, done, {"preview": True, "files": [_fields(i) for i in changes]})
    return OK


def _fields(item: WriteItem) -> dict[str, Any]:
    return {
        **path_fields(item.path),
        "kind": item.kind.value,
        "old": item.old or None,
        "new": item.new,
    }


def _show(report: Report, done: WriteReport, more: dict[str, Any]) -> None:
    report.document(
        {
            "written": done.written,
            "unchanged": done.unchanged,
            "kept": failed_fields(done.skipped),
            **more,
        }
    )
    written = grouped(done.written)
    report.line(
        tr(
            "{written}, {unchanged} unchanged, {skipped} skipped.",
            written=tr("{number} to write", number=written)
            if more.get("preview")
            else tr("{number} written", number=written),
            unchanged=grouped(done.unchanged),
            skipped=grouped(len(done.skipped)),
        )
    )
    note_skipped(report, done.skipped)


def note_skipped(report: Report, skipped: Sequence[WriteItem]) -> None:
    """A line for each reason, with the first file that is skipped for it."""
    for reason, files in _by_reason(skipped).items():
        named = files[0]
        if more := len(files) - 1:
            named = tr_count(more, "{file} and {n} more", "{file} and {n} more", file=named)
        report.note(f"{named}: {reason}")


def _by_reason(skipped: Sequence[WriteItem]) -> dict[str, list[str]]:
    """The files that are skipped for the same reason: often very many."""
    found: dict[str, list[str]] = {}
    for item in skipped:
        found.setdefault(item.reason, []).append(item.path.text)
    return found
