"""``cocadesk saved``: searches kept under a name, asked anew each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cocadesk.cli.commands.album import show_change
from cocadesk.cli.commands.library import show_hits
from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report
from cocadesk.errors import grouped, tr

if TYPE_CHECKING:
    from cocadesk.protocol.messages import RequestBody

app = App(help=tr("Saved searches: a query under a name, always up to date."))

NameArgument = Annotated[
    str, typer.Argument(metavar=tr("NAME"), help=tr("The saved search's name."))
]
NewNameArgument = Annotated[str, typer.Argument(metavar=tr("NEW_NAME"), help=tr("Its new name."))]


@app.command("list")
@command(takes_model=False)
def list_searches(options: Options, report: Report) -> int:
    """List all saved searches with the number of photos and videos that each finds now."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import ListSavedSearches, SavedSearches

    with open_engine(options, report) as engine:
        searches = engine.ask(ListSavedSearches(), SavedSearches).searches
    fields = [
        {"name": one.name, "query": one.query, "count": None if one.problem else one.count}
        for one in searches
    ]
    report.document({"searches": fields})
    for one in searches:
        count = "?" if one.problem else grouped(one.count)
        report.line(f"{count:>7}  {one.name}: {one.query}")
    report.notes([f"{one.name}: {one.problem}" for one in searches if one.problem])
    if not searches:
        report.line(tr("There are no saved searches yet: cocadesk saved new NAME QUERY"))
    return OK


@app.command("show")
@command()
def show(
    options: Options,
    report: Report,
    name: NameArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, help=tr("How many results."))] = 50,
) -> int:
    """Find what a saved search finds now; see search."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import Hits, ListSavedSearches, SavedSearches, Search

    with open_engine(options, report) as engine:
        (saved,) = engine.ask(ListSavedSearches(name=name), SavedSearches).searches
        found = engine.ask(Search(text=saved.query, limit=limit), Hits)
    return show_hits(report, found)


@app.command("new")
@command(takes_model=False)
def new(
    options: Options,
    report: Report,
    name: NameArgument,
    query: Annotated[
        str,
        typer.Argument(metavar=tr("QUERY"), help=tr('Words and filters, e.g. "a dog rating:>=4".')),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help=tr("Give the one of that name this query."))
    ] = False,
) -> int:
    """Keep a query under a name."""
    from cocadesk.protocol.messages import SaveSearch

    return _change(options, report, SaveSearch(name=name, query=query, replaces=replace))


@app.command("rename")
@command(takes_model=False)
def rename(options: Options, report: Report, name: NameArgument, new_name: NewNameArgument) -> int:
    """Give a saved search another name."""
    from cocadesk.protocol.messages import RenameSavedSearch

    return _change(options, report, RenameSavedSearch(search=name, name=new_name))


@app.command("delete")
@command(takes_model=False)
def delete(options: Options, report: Report, name: NameArgument) -> int:
    """Delete a saved search. Undo brings it back."""
    from cocadesk.protocol.messages import DeleteSavedSearch

    return _change(options, report, DeleteSavedSearch(search=name))


def _change(options: Options, report: Report, body: RequestBody) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply

    with open_engine(options, report, Access.WRITE) as engine:
        done = engine.ask(body, AnnotationsReply)
    return show_change(report, done)
