"""``cocadesk search``: the photos and videos that fit a description."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import (
    Choices,
    FilterOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    Options,
    run,
)
from cocadesk.cli.report import Report, clock, path_fields, shown
from cocadesk.cli.session import open_engine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import Hits, Search
from cocadesk.protocol.values import Hit


def search(
    context: typer.Context,
    query: Annotated[
        str,
        typer.Argument(help='What to look for, e.g. "a dog on a beach" or "a dog kind:video".'),
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many results.")] = 50,
    filter_text: FilterOption = "",
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the photos and videos that fit a description, best first."""
    choices = Choices(library=library, model=model, as_json=as_json)
    run(
        context,
        choices,
        lambda options, report: _search(options, report, query, limit, filter_text),
    )


def _search(options: Options, report: Report, query: str, limit: int, filter_text: str) -> int:
    text = query.encode("utf-8", "replace").decode().strip()
    if not text:
        raise UserError("There is nothing to search for.", "The query is empty.", "Give words.")
    with open_engine(options, report) as engine:
        hits = engine.ask(Search(text=text, limit=limit, filter=filter_text), Hits).hits
    if report.as_json:
        report.document({"results": [_fields(hit) for hit in hits]})
    elif not hits:
        report.line("Nothing in the library fits.")
    for hit in hits:
        moment = "" if hit.time_s is None else f" at {clock(hit.time_s)}"
        caption = f"  {hit.caption}" if hit.caption else ""
        report.line(f"{hit.score:6.3f}  {shown(hit.path.to_bytes())}{moment}{caption}")
    return OK


def _fields(hit: Hit) -> dict[str, Any]:
    return {
        **path_fields(hit.path.to_bytes()),
        "score": hit.score,
        "caption": hit.caption,
        "time": hit.time_s,
        "moments": [{"time": moment.time_s, "score": moment.score} for moment in hit.moments],
    }
