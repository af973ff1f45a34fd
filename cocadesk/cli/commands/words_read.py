"""``cocadesk words read``: texts beside the photos as captions of the person."""

from __future__ import annotations

from typing import Annotated

import typer

from cocadesk.cli.commands.words_write import note_skipped
from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import FilterOption, Options, absolute_paths, command
from cocadesk.cli.report import Report, failed_fields
from cocadesk.errors import grouped, tr


@command(takes_model=False)
def read(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str],
        typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos of the library, or folders.")),
    ],
    filter_text: FilterOption = "",
) -> int:
    """Take texts beside photos and videos over as your captions: name.txt, name.caption.

    A caption that you wrote here stays, and so does what CocaDesk wrote there itself. One
    undo takes all of it back.

    With --json: "taken", "unchanged" and "without" (a text) count photos and videos, "kept"
    names those whose text was left alone.
    """
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import StartTakeOver
    from cocadesk.protocol.values import Scope, TakeOverReport

    scope = Scope(folders=absolute_paths(paths), filter=filter_text)
    with open_engine(options, report, Access.WRITE) as engine:
        end = do_job(engine, StartTakeOver(scope=scope), report)
    done = end.report
    assert isinstance(done, TakeOverReport)
    report.document(
        {
            "taken": done.taken,
            "unchanged": done.unchanged,
            "without": done.without,
            "kept": failed_fields(done.skipped),
        }
    )
    report.line(
        tr(
            "{taken} taken over, {unchanged} unchanged, {without} without a text, "
            "{skipped} skipped.",
            taken=grouped(done.taken),
            unchanged=grouped(done.unchanged),
            without=grouped(done.without),
            skipped=grouped(len(done.skipped)),
        )
    )
    note_skipped(report, done.skipped)
    return SOME_FAILED if end.job.failed else OK
