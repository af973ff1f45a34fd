"""``cocadesk forget``, ``purge`` and ``exclude``: what the library is not to know."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cocadesk.cli.errors import OK, StoppedError
from cocadesk.cli.options import Options, absolute_paths, command
from cocadesk.cli.parser import confirmed
from cocadesk.cli.report import Report
from cocadesk.errors import UserError, tr, tr_count

if TYPE_CHECKING:
    from cocadesk.protocol.messages import Forget, Forgotten
    from cocadesk.protocol.values import ForgottenValue

YesOption = Annotated[bool, typer.Option("--yes", help=tr("Do not ask first."))]


@command(takes_model=False)
def forget(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str],
        typer.Argument(metavar=tr("PATH"), help=tr("Photos, videos or folders of the library.")),
    ],
    yes: YesOption = False,
) -> int:
    """Forget photos, videos or whole folders for good: also their captions and history.

    The files themselves are left alone. What is still there in a folder that stays is
    excluded, so that no index brings it back. It can't be undone.
    """
    from cocadesk.protocol.messages import Forget

    return _forget(options, report, Forget(paths=absolute_paths(paths)), yes)


@command(takes_model=False)
def purge(
    options: Options,
    report: Report,
    folders: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar=tr("FOLDER"), help=tr("Only what was in these folders.")),
    ] = None,
    yes: YesOption = False,
) -> int:
    """Forget for good what is missing: files that are gone, or excluded by now."""
    from cocadesk.protocol.messages import Forget

    body = Forget(paths=absolute_paths(folders or []), is_missing=True)
    return _forget(options, report, body, yes)


@command(takes_model=False)
def exclude(
    options: Options,
    report: Report,
    folder: Annotated[
        str, typer.Argument(metavar=tr("FOLDER"), help=tr("A folder that was added."))
    ],
    patterns: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            metavar=tr("PATTERN"), help=tr('Such as "*.png", Screenshots or "2019/raw/*".')
        ),
    ] = None,
    remove: Annotated[
        bool,
        typer.Option("--remove", help=tr("Remove these patterns; the next index adds the files.")),
    ] = False,
    list_only: Annotated[bool, typer.Option("--list", help=tr("Only list the patterns."))] = False,
) -> int:
    """Leave out files and folders of a folder by pattern; without one, list the patterns.

    A pattern without a slash fits names anywhere below, one with a slash the path from
    FOLDER on; * stands for anything. What is known of excluded photos and videos is kept,
    but not shown: they count as missing until purged.
    """
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import Excluded, SetExcludes
    from cocadesk.protocol.paths import WirePath

    (place,) = absolute_paths([folder])
    chosen = tuple(WirePath.of(os.fsencode(text)) for text in patterns or ())
    if list_only and chosen:
        raise UserError(tr("Choose one: --list, or patterns."))
    body = SetExcludes(folder=place, add=() if remove else chosen, remove=chosen if remove else ())
    with open_engine(options, report, Access.WRITE if chosen else Access.READ) as engine:
        done = engine.ask(body, Excluded)
    names = [pattern.text for pattern in done.patterns]
    report.document({"folder": done.folder.text, "patterns": names, "hidden": done.hidden})
    for name in names:
        report.line(name)
    if not names:
        report.line(tr("Nothing is excluded there."))
    if done.hidden:
        report.note(tr("Not shown any more: {media}.", media=_media(done.hidden)))
    return OK


def _forget(options: Options, report: Report, body: Forget, yes: bool) -> int:
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import Forgotten
    from cocadesk.protocol.values import changed

    with open_engine(options, report, Access.WRITE) as engine:
        preview = changed(body, is_preview=True)
        planned = engine.ask(preview, Forgotten)
        is_anything = any(_numbers(planned.counts).values())
        if is_anything and not yes:
            _ask(report, planned)
        done = engine.ask(body, Forgotten) if is_anything else planned
    report.document(
        {**_numbers(done.counts), "excluded": [pattern.text for pattern in done.excluded]}
    )
    report.line(
        tr("Forgotten: {sentence}.", sentence=_sentence(done.counts))
        if is_anything
        else tr("Nothing to forget.")
    )
    for pattern in done.excluded:
        report.note(tr("Excluded, so that it does not come back: {pattern}", pattern=pattern.text))
    if done.counts.runs:
        report.note(
            tr("A model that was taught with it keeps what it learned; see: cocadesk model list.")
        )
    return OK


def _ask(report: Report, planned: Forgotten) -> None:
    """Asks whether to forget.

    Raises:
        UserError: there is no terminal to ask on.
        StoppedError: no.
    """
    if report.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(
            tr("Forgetting can't be undone, so it asks first."),
            tr(
                "This would go: {sentence}. There is no terminal to ask on.",
                sentence=_sentence(planned.counts),
            ),
            tr("Add --yes to forget without being asked."),
        )
    report.line(tr("This will be forgotten: {sentence}.", sentence=_sentence(planned.counts)))
    if not confirmed(tr("It can't be undone. Forget it?")):
        raise StoppedError


def _numbers(counts: ForgottenValue) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in counts.__struct_fields__}


def _sentence(counts: ForgottenValue) -> str:
    """The numbers that are not zero: "1 photo or video, 1 vector"."""
    c = counts
    parts = (
        (c.media, _media(c.media)),
        (c.vectors, tr_count(c.vectors, "{n} vector", "{n} vectors")),
        (c.captions, tr_count(c.captions, "{n} caption", "{n} captions")),
        (
            c.edits,
            tr_count(c.edits, "{n} entry of your history", "{n} entries of your history"),
        ),
        (c.thumbnails, tr_count(c.thumbnails, "{n} thumbnail", "{n} thumbnails")),
        (c.previews, tr_count(c.previews, "{n} preview", "{n} previews")),
        (
            c.failures,
            tr_count(c.failures, "{n} note of an unreadable file", "{n} notes of unreadable files"),
        ),
        (c.folders, tr_count(c.folders, "{n} folder of the list", "{n} folders of the list")),
        (c.jobs, tr_count(c.jobs, "{n} job", "{n} jobs")),
        (c.backups, tr_count(c.backups, "{n} backup, cleaned of it", "{n} backups, cleaned of it")),
        (
            c.versions,
            tr_count(c.versions, "{n} old version of a table", "{n} old versions of tables"),
        ),
    )
    return ", ".join(text for number, text in parts if number) or tr("nothing")


def _media(number: int) -> str:
    return tr_count(number, "{n} photo or video", "{n} photos and videos")
