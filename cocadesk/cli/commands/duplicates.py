"""``cocadesk duplicates``: exact copies, same pictures and bursts, and what to think of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.commands.album import show_change
from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, absolute_paths, command
from cocadesk.cli.report import Report, path_fields
from cocadesk.cli.words import word
from cocadesk.errors import UserError, tr, tr_count

if TYPE_CHECKING:
    from cocadesk.protocol.messages import Groups, PictureGroup

_AT_ONCE = 200
_MEMBERS = 1000
_WIDTH = max(len(tr("best")), *(len(word(label)) for label in ("exact", "same", "burst")))
_BEST = "cocadesk duplicates --best a.jpg"
_NOT_SAME = "cocadesk duplicates --not-same a.jpg"


LabelOption = Annotated[
    Optional[Literal["exact", "same", "burst"]],  # noqa: UP045
    typer.Option(
        help=tr(
            "Only copies of the same bytes, the same picture in another size, format, crop "
            "or save, or neighbours of a burst."
        )
    ),
]


@command(takes_model=False)
def duplicates(
    options: Options,
    report: Report,
    paths: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos that you decide about.")),
    ] = None,
    label: LabelOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help=tr("How many groups."))] = 50,
    again: Annotated[bool, typer.Option("--again", help=tr("Compare everything anew."))] = False,
    not_same: Annotated[
        bool,
        typer.Option(
            "--not-same",
            help=tr("These do not belong together (one alone: not to its group)."),
        ),
    ] = False,
    best: Annotated[bool, typer.Option("--best", help=tr("This one is the best."))] = False,
) -> int:
    """List photos that are copies of each other, the best first; nothing is deleted.

    What has come since the last time is compared first. Decisions can be undone:
    cocadesk words undo.
    """
    if not_same or best:
        return _decide(options, report, paths or [], is_best=best and not not_same)
    if paths:
        raise UserError(
            tr("It is not said what to do with these photos."),
            "",
            tr("Add --not-same or --best, or leave the paths out to list all groups."),
        )
    from cocadesk.cli.session import do_job, open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import Groups, ListGroups, StartGrouping
    from cocadesk.protocol.values import GroupLabel

    wanted = None if label is None else GroupLabel(label)
    with open_engine(options, report, Access.WRITE) as engine:
        do_job(engine, StartGrouping(again=again), report)
        groups: list[PictureGroup] = []
        while True:
            body = ListGroups(
                label=wanted,
                offset=len(groups),
                limit=min(_AT_ONCE, limit - len(groups)),
                members=_MEMBERS,
            )
            answer = engine.ask(body, Groups)
            groups += answer.groups
            if not answer.groups or len(groups) >= min(limit, answer.total):
                break
    return _show(report, groups, answer)


def _decide(options: Options, report: Report, paths: list[str], *, is_best: bool) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply, GetKeys, Keys, SetBest, SetNotSame

    if not paths or (is_best and len(paths) > 1):
        raise UserError(
            tr("Name one photo.")
            if is_best
            else tr("Name the photos that do not belong together."),
            "",
            tr("For example: {command}.", command=_BEST if is_best else _NOT_SAME),
        )
    with open_engine(options, report, Access.WRITE) as engine:
        keys = engine.ask(GetKeys(paths=absolute_paths(paths)), Keys).keys
        body = SetBest(key=keys[0]) if is_best else SetNotSame(keys=keys)
        done = engine.ask(body, AnnotationsReply)
    return show_change(report, done)


def _show(report: Report, groups: list[PictureGroup], answer: Groups) -> int:
    """Groups, each with its files, the best first."""
    counts = {"exact": answer.exact, "same": answer.same, "burst": answer.burst}
    report.document({"groups": list(map(_fields, groups)), "total": answer.total, **counts})
    for group in groups:
        files = tr_count(group.count, "{n} files", "{n} files")
        if more := group.count - len(group.members):
            rest = tr_count(more, "{n} more", "{n} more")
            files = tr("{files}, {rest}", files=files, rest=rest)
        report.line(f"{word(group.label)}: {files} ({group.reason})")
        for place, member in enumerate(group.members):
            row, label = member.row, word(member.label) if place else tr("best")
            bytes_ = tr_count(row.size_bytes, "{n} bytes", "{n} bytes")
            report.line(
                f"  {label:<{_WIDTH}}  {row.width} × {row.height}  {bytes_}  {row.path.text}"
            )
    if answer.total > len(groups):
        report.line(
            tr_count(
                answer.total - len(groups), "... and {n} more groups.", "... and {n} more groups."
            )
        )
    if not groups:
        report.line(tr("No such groups were found."))
    return OK


def _fields(group: PictureGroup) -> dict[str, Any]:
    return {
        "label": group.label.value,
        "reason": group.reason,
        "chosen": group.is_chosen,
        "count": group.count,
        "spare_bytes": group.spare_bytes,
        "files": [
            {
                **path_fields(member.row.path),
                "label": member.label.value,
                "part": member.part,
                "size_bytes": member.row.size_bytes,
                "width": member.row.width,
                "height": member.row.height,
            }
            for member in group.members
        ],
    }
