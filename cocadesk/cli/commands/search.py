"""``cocadesk search``: the photos and videos that fit a description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import FilterOption, Options, command
from cocadesk.cli.report import Report, clock, path_fields, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.protocol.values import Hit


@command()
def search(
    options: Options,
    report: Report,
    query: Annotated[
        str,
        typer.Argument(help='What to look for, e.g. "a dog on a beach" or "a dog kind:video".'),
    ],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many results.")] = 50,
    filter_text: FilterOption = "",
) -> int:
    """Find the photos and videos that fit a description, best first."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import Hits, Search

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
