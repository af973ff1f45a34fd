"""``cocadesk words tags``, ``rename-tag``, ``merge-tag``, ``remove-tag``: tags as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report
from cocadesk.errors import UserError, grouped, tr

if TYPE_CHECKING:
    from cocadesk.engine.local import AnyEngine
    from cocadesk.protocol.messages import RemoveTag, RenameTag, TagUse

TagArgument = Annotated[
    str, typer.Argument(metavar=tr("TAG"), help=tr("Upper and lower case do not count."))
]
SuggestedOption = Annotated[
    bool, typer.Option("--suggested", help=tr("Also where the tag is only suggested."))
]


@command(takes_model=False)
def tags(
    options: Options,
    report: Report,
    own: Annotated[
        bool, typer.Option("--own", help=tr("Only tags that you gave yourself."))
    ] = False,
) -> int:
    """List all tags with the number of photos and videos that have them, yours first.

    With --json: "own" counts those to which you gave it, "suggested" those where it is only
    suggested; "all_own" and "all_suggested" include what is missing or hidden.
    """
    from cocadesk.cli.session import open_engine

    with open_engine(options, report) as engine:
        found = [use for use in _tags(engine) if use.all_own or not own]
    report.document({"tags": [_fields(use) for use in found]})
    if not found:
        report.line(tr("There are none yet."))
        return OK
    report.note(f"{tr('yours'):>9} {tr('suggested'):>10}")
    for use in found:
        report.line(f"{grouped(use.own):>9} {grouped(use.suggested):>10}  {use.tag}")
    return OK


@command(takes_model=False)
def rename_tag(
    options: Options,
    report: Report,
    tag: TagArgument,
    name: Annotated[str, typer.Argument(metavar=tr("NAME"), help=tr("The new name."))],
    suggested: SuggestedOption = False,
) -> int:
    """Give a tag of yours another name on all photos and videos that have it.

    Where another tag has that name, the two become one. Suggestions stay as they are unless
    you say --suggested: then they are accepted under the new name. Keywords in your files are
    not touched. One undo takes all of it back.

    With --json: "changed" counts the photos and videos that changed.
    """
    from cocadesk.protocol.messages import RenameTag

    return _change(options, report, RenameTag(tag=tag, name=name, with_suggested=suggested))


@command(takes_model=False)
def merge_tag(
    options: Options,
    report: Report,
    tag: TagArgument,
    into: Annotated[str, typer.Argument(metavar=tr("INTO"), help=tr("A tag that there is."))],
    suggested: SuggestedOption = False,
) -> int:
    """Make a tag one with another one that there is already; see rename-tag."""
    from cocadesk.cli.session import open_engine
    from cocadesk.protocol.messages import RenameTag

    with open_engine(options, report) as engine:
        known = {use.tag.casefold(): use.tag for use in _tags(engine)}
    if into.strip().casefold() not in known:
        raise UserError(
            tr("No photo or video has the tag “{into}”.", into=into),
            "",
            tr("Give a tag that there is, or rename: cocadesk words rename-tag TAG NAME."),
        )
    into = known[into.strip().casefold()]
    return _change(options, report, RenameTag(tag=tag, name=into, with_suggested=suggested))


@command(takes_model=False)
def remove_tag(
    options: Options, report: Report, tag: TagArgument, suggested: SuggestedOption = False
) -> int:
    """Take a tag of yours off all photos and videos; with --suggested reject it there too.

    With --json: "changed" counts the photos and videos that changed.
    """
    from cocadesk.protocol.messages import RemoveTag

    return _change(options, report, RemoveTag(tag=tag, with_suggested=suggested))


def _tags(engine: AnyEngine) -> tuple[TagUse, ...]:
    from cocadesk.protocol.messages import ListTags, Tags

    return engine.ask(ListTags(), Tags).tags


def _change(options: Options, report: Report, body: RenameTag | RemoveTag) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import AnnotationsReply

    with open_engine(options, report, Access.WRITE) as engine:
        done = engine.ask(body, AnnotationsReply)
    report.document({"changed": done.count, "title": done.title})
    report.line(f"{done.title}." if done.count else tr("No change."))
    return OK


def _fields(use: TagUse) -> dict[str, Any]:
    return {
        "tag": use.tag,
        "filter": use.term,
        "own": use.own,
        "suggested": use.suggested,
        "all_own": use.all_own,
        "all_suggested": use.all_suggested,
    }
