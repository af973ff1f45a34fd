"""``cocadesk words vocabulary``: the tags that the machine chooses from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.protocol.messages import VocabularyReply


@command()
def vocabulary(
    options: Options,
    report: Report,
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="FILE", help="Your own tags, one a line."),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Go back to the tags that ship with CocaDesk.")
    ] = False,
) -> int:
    """Show the tags that the machine chooses from, or set your own.

    All photos and videos are then tagged again from what was seen before; no file is
    read again.
    """
    from cocadesk.annotations.vocabulary import load_vocabulary
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import GetVocabulary, SetVocabulary, VocabularyReply
    from cocadesk.protocol.values import CaptionReport

    if file is not None and shipped:
        raise UserError("Choose one: a file of your own tags, or --shipped.")
    if file is None and not shipped:
        with open_engine(options, report) as engine:
            return _show(report, engine.ask(GetVocabulary(), VocabularyReply))
    tags = load_vocabulary(file).tags if file is not None else ()
    with open_engine(options, report, Access.WRITE) as engine:
        done = do_job(engine, SetVocabulary(tags=tags), report).report
        tagged = done.described if isinstance(done, CaptionReport) else 0
        return _show_set(report, engine.ask(GetVocabulary(), VocabularyReply), tagged)


def _show(report: Report, answer: VocabularyReply) -> int:
    if report.as_json:
        report.document(_fields(answer))
    else:
        report.note(f"{_count(answer)}{' of your own' if answer.is_own else ''}:")
    for tag in answer.tags:
        report.line(tag)
    return OK


def _show_set(report: Report, answer: VocabularyReply, tagged: int) -> int:
    if report.as_json:
        report.document({**_fields(answer), "tagged": tagged})
    whose = "of your own" if answer.is_own else "that ship with CocaDesk"
    report.line(f"{_count(answer)} {whose}; photos and videos tagged again: {tagged:,}.")
    return OK


def _fields(answer: VocabularyReply) -> dict[str, Any]:
    return {"tags": list(answer.tags), "is_own": answer.is_own}


def _count(answer: VocabularyReply) -> str:
    count = len(answer.tags)
    return f"{count:,} {'tag' if count == 1 else 'tags'}"
