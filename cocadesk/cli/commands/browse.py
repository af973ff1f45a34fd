"""``cocadesk browse``: what a library can be looked through by, with the number of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, path_fields
from cocadesk.cli.words import word
from cocadesk.errors import grouped, tr

if TYPE_CHECKING:
    from cocadesk.engine.local import AnyEngine
    from cocadesk.protocol.messages import BranchKind, BranchValue

#: The kinds of lists as a shell takes them.
KindName = Literal["lists", "folders", "albums", "searches", "places", "people", "tags"]
_KINDS = {
    "folders": "folder",
    "albums": "album",
    "searches": "search",
    "places": "place",
    "people": "person",
    "tags": "tag",
}
KindArgument = Annotated[
    KindName,
    typer.Argument(
        metavar=tr("KIND"), help=tr("lists, folders, albums, searches, places, people, tags.")
    ),
]
DepthOption = Annotated[
    int, typer.Option("--depth", min=1, max=100, help=tr("So many levels of folders or places."))
]


@command(takes_model=False)
def browse(
    options: Options, report: Report, kind: KindArgument = "lists", depth: DepthOption = 2
) -> int:
    """Count what a library can be looked through by, each with the filter that finds it.

    Lists are those that every library has: favourites, videos, what has no caption and so on.
    What is missing counts nowhere but in the list of that name.
    """
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import BranchKind, GetOverview, Overview

    with open_engine(options, report) as engine:
        if kind == "lists":
            lists = engine.ask(GetOverview(), Overview).lists
            found = [{"name": o.name.value, "filter": o.query, "count": o.count} for o in lists]
        else:
            found = _inside(engine, BranchKind(_KINDS[kind]), "", depth)
    report.document({kind: found})
    _print(report, found, is_named=kind == "lists")
    if not found:
        report.line(tr("There are none yet."))
    return OK


def _inside(engine: AnyEngine, kind: BranchKind, under: str, depth: int) -> list[dict[str, Any]]:
    """All branches in one, as they stand in a document."""
    from cocadesk.protocol.messages import Branches, GetBranches

    found: list[dict[str, Any]] = []
    total = 1
    while len(found) < total:
        body = GetBranches(kind=kind, under=under, offset=len(found))
        answer = engine.ask(body, Branches)
        if not answer.branches:
            break
        total = answer.total
        for one in answer.branches:
            below = _inside(engine, kind, one.id, depth - 1) if one.below and depth > 1 else []
            found.append(_fields(one) | ({"below": below} if below else {}))
    return found


def _fields(one: BranchValue) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": one.name, "filter": one.query}
    if one.count is not None:
        fields["count"] = one.count
    if one.is_offline:
        fields["is_offline"] = True
    return fields | ({} if one.path is None else path_fields(one.path))


def _print(
    report: Report, found: list[dict[str, Any]], indent: str = "", *, is_named: bool
) -> None:
    """The lists, with those inside below; ``is_named``: their names are words of the protocol."""
    for one in found:
        number = f"{grouped(one['count']):>9}" if "count" in one else " " * 9
        name = word(one["name"]) if is_named else one["name"]
        away = tr("(not connected)") if one.get("is_offline") else ""
        parts = (number, f"{indent}{name}", away, one["filter"])
        report.line("  ".join(part for part in parts if part))
        _print(report, one.get("below", []), f"{indent}  ", is_named=is_named)
