"""``cocadesk album``: albums made, filled, ordered, renamed, deleted and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import FilterOption, Options, absolute_paths, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report, path_fields
from cocadesk.errors import UserError, grouped, tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cocadesk.engine.local import AnyEngine
    from cocadesk.protocol.messages import (
        AddToAlbum,
        AnnotationsReply,
        RemoveFromAlbum,
        RequestBody,
    )
    from cocadesk.protocol.values import Row

app = App(help=tr("Albums: your own ordered lists of photos and videos."))

_STRETCH = 2000
# typer reads the annotations at run time, so they stay in the form that it knows.
NameArgument = Annotated[str, typer.Argument(metavar=tr("NAME"), help=tr("The album's name."))]
NewNameArgument = Annotated[str, typer.Argument(metavar=tr("NEW_NAME"), help=tr("Its new name."))]
MediaArgument = Annotated[
    list[str], typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos of the library."))
]
SomeMediaArgument = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Argument(metavar=tr("PATH"), help=tr("Photos or videos of the library.")),
]


@app.command("list")
@command(takes_model=False)
def list_albums(options: Options, report: Report) -> int:
    """List all albums with the number of photos and videos in each."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import Albums, ListAlbums

    with open_engine(options, report) as engine:
        albums = engine.ask(ListAlbums(), Albums).albums
    report.document({"albums": [{"name": one.name, "count": one.count} for one in albums]})
    for one in albums:
        report.line(f"{grouped(one.count):>7}  {one.name}")
    if not albums:
        report.line(tr("There are no albums yet: cocadesk album new NAME PATH…"))
    return OK


@app.command("show")
@command(takes_model=False)
def show(options: Options, report: Report, name: NameArgument) -> int:
    """List the photos and videos of an album in its order."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import GetRows, Rows, album_filter

    results: list[Row] = []
    with open_engine(options, report) as engine:
        keys = _keys_of(engine, album_filter(name))
        for start in range(0, len(keys), _STRETCH):
            results += engine.ask(GetRows(keys=keys[start : start + _STRETCH]), Rows).rows
    fields = [{**path_fields(row.path), "caption": row.caption} for row in results]
    report.document({"album": name, "results": fields})
    for row in results:
        report.line(f"{row.path.text}  {row.caption}" if row.caption else row.path.text)
    if not results:
        report.line(tr("The album is empty."))
    return OK


@app.command("new")
@command(takes_model=False)
def new(
    options: Options,
    report: Report,
    name: NameArgument,
    paths: SomeMediaArgument = None,
    filter_text: FilterOption = "",
) -> int:
    """Make an album, with these photos and videos or those that fit a filter.

    With --json: "changed" counts the photos and videos in it.
    """
    from cocadesk.protocol.messages import NewAlbum

    def body(keys: tuple[str, ...]) -> RequestBody:
        return NewAlbum(name=name, keys=keys)

    return _change(options, report, body, paths or (), filter_text)


@app.command("add")
@command(takes_model=False)
def add(
    options: Options,
    report: Report,
    name: NameArgument,
    paths: SomeMediaArgument = None,
    filter_text: FilterOption = "",
) -> int:
    """Add photos and videos to an album, at its end: these, or those that fit a filter."""
    from cocadesk.protocol.messages import AddToAlbum

    return _change_some(options, report, AddToAlbum, name, paths, filter_text)


@app.command("remove")
@command(takes_model=False)
def remove(
    options: Options,
    report: Report,
    name: NameArgument,
    paths: SomeMediaArgument = None,
    filter_text: FilterOption = "",
) -> int:
    """Take photos and videos out of an album; they stay in the library."""
    from cocadesk.protocol.messages import RemoveFromAlbum

    return _change_some(options, report, RemoveFromAlbum, name, paths, filter_text)


@app.command("move")
@command(takes_model=False)
def move(
    options: Options,
    report: Report,
    name: NameArgument,
    paths: MediaArgument,
    before: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--before", metavar=tr("PATH"), help=tr("Put them before this one.")),
    ] = None,
) -> int:
    """Put photos and videos of an album elsewhere in it, in this order: at its end."""
    from cocadesk.protocol.messages import MoveInAlbum

    places = [*paths] if before is None else [*paths, before]

    def body(keys: tuple[str, ...]) -> RequestBody:
        if before is None:
            return MoveInAlbum(album=name, keys=keys)
        return MoveInAlbum(album=name, keys=keys[:-1], before=keys[-1])

    return _change(options, report, body, places)


@app.command("rename")
@command(takes_model=False)
def rename(options: Options, report: Report, name: NameArgument, new_name: NewNameArgument) -> int:
    """Give an album another name."""
    from cocadesk.protocol.messages import RenameAlbum

    return _change(options, report, lambda _keys: RenameAlbum(album=name, name=new_name))


@app.command("delete")
@command(takes_model=False)
def delete(options: Options, report: Report, name: NameArgument) -> int:
    """Delete an album; its photos and videos stay in the library. Undo brings it back."""
    from cocadesk.protocol.messages import DeleteAlbum

    return _change(options, report, lambda _keys: DeleteAlbum(album=name))


def _change_some(
    options: Options,
    report: Report,
    change: type[AddToAlbum | RemoveFromAlbum],
    name: str,
    paths: Sequence[str] | None,
    filter_text: str,
) -> int:
    if not paths and not filter_text:
        raise UserError(
            tr("No photos or videos are named."), "", tr("Give some, or --filter TEXT.")
        )
    return _change(
        options, report, lambda keys: change(album=name, keys=keys), paths or (), filter_text
    )


def _change(
    options: Options,
    report: Report,
    body: Callable[[tuple[str, ...]], RequestBody],
    paths: Sequence[str] = (),
    filter_text: str = "",
) -> int:
    """Asks for a change of the media at ``paths`` and of those that fit a filter."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply, GetKeys, Keys

    with open_engine(options, report, Access.WRITE) as engine:
        keys: tuple[str, ...] = ()
        if paths:
            keys = engine.ask(GetKeys(paths=absolute_paths(paths)), Keys).keys
        if filter_text:
            keys += _keys_of(engine, filter_text)
        done = engine.ask(body(keys), AnnotationsReply)
    return show_change(report, done)


def show_change(report: Report, done: AnnotationsReply) -> int:
    """The answer to a change of an album or a saved search."""
    report.document({"changed": done.count, "title": done.title})
    report.line(tr("{title}: done.", title=done.title) if done.title else tr("No change."))
    return OK


def _keys_of(engine: AnyEngine, filter_text: str) -> tuple[str, ...]:
    from cocadesk.protocol.messages import Keys, ListNewest

    keys: tuple[str, ...] = ()
    while True:
        body = ListNewest(offset=len(keys), limit=_STRETCH, filter=filter_text)
        answer = engine.ask(body, Keys)
        keys += answer.keys
        if not answer.keys or len(keys) >= answer.total:
            return keys
