"""``cocadesk tag`` and ``cocadesk caption``: files in the library and outside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import (
    FilterOption,
    Options,
    PathsArgument,
    StyleName,
    absolute_paths,
    command,
)
from cocadesk.cli.report import Report, failed_fields, path_fields, percent
from cocadesk.errors import tr

if TYPE_CHECKING:
    from cocadesk.protocol.messages import DescribedFile, DescribeFiles, ReplyBody

#: The lengths of captions beside the usual one.
LengthName = Literal["usual", "shorter", "longer"]


@command()
def tag(
    options: Options,
    report: Report,
    paths: PathsArgument,
    labels: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option("--labels", metavar=tr("FILE"), help=tr("Your own tags, one a line.")),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help=tr("At most so many tags each."))] = 8,
    filter_text: FilterOption = "",
) -> int:
    """Name what is in photos and videos, with tags of a list."""
    from cocadesk.annotations.vocabulary import load_vocabulary
    from cocadesk.protocol.messages import DescribeFiles
    from cocadesk.protocol.values import DescriptionKind

    chosen = load_vocabulary(labels) if labels else None
    for note in chosen.notes if chosen else ():
        report.note(note)
    body = DescribeFiles(
        paths=absolute_paths(paths),
        kind=DescriptionKind.TAGS,
        labels=chosen.tags if chosen else (),
        top=top,
        filter=filter_text,
    )
    return _describe(options, report, body, _tags_text, _tags_fields)


@command()
def caption(
    options: Options,
    report: Report,
    paths: PathsArgument,
    style: Annotated[
        Optional[StyleName],  # noqa: UP045 - typer reads it
        typer.Option(
            "--style", help=tr("Made anew where the caption has another. New ones: sentence.")
        ),
    ] = None,
    length: Annotated[
        LengthName,
        typer.Option("--length", help=tr("Of new captions; those that there are stay.")),
    ] = "usual",
    beams: Annotated[
        int,
        typer.Option(
            "--beams",
            min=0,
            help=tr(
                "So many wordings are followed at once: more take longer. 0: as suits the model."
            ),
        ),
    ] = 0,
    filter_text: FilterOption = "",
) -> int:
    """Describe photos and videos in a sentence each, or as the style says."""
    from cocadesk.protocol.captions import CaptionLength, CaptionWriting
    from cocadesk.protocol.messages import DescribeFiles
    from cocadesk.protocol.values import CaptionStyle, DescriptionKind

    body = DescribeFiles(
        paths=absolute_paths(paths),
        kind=DescriptionKind.CAPTION,
        filter=filter_text,
        style=CaptionStyle(style.replace("-", " ")) if style else None,
        writing=CaptionWriting(length=CaptionLength(length), beams=beams),
    )
    return _describe(
        options,
        report,
        body,
        lambda file: file.caption or "",
        lambda file: {"caption": file.caption},
    )


def _describe(
    options: Options,
    report: Report,
    body: DescribeFiles,
    text: Callable[[DescribedFile], str],
    fields: Callable[[DescribedFile], dict[str, Any]],
) -> int:
    from cocadesk.cli.session import open_engine, show_progress
    from cocadesk.engine.local import Access
    from cocadesk.protocol.messages import DescribedFile, DescribedFiles

    described: list[DescribedFile] = []

    def on_partial(part: ReplyBody) -> None:
        assert isinstance(part, DescribedFile)
        described.append(part)
        report.line(f"{part.path.text}: {text(part)}")

    with (
        open_engine(options, report, Access.OPTIONAL) as engine,
        report.progress(only_with_json=True) as display,
    ):
        task = display.add_task(tr("Describing"), total=None, numbers="", left="")
        end = engine.ask(
            body,
            DescribedFiles,
            on_partial=on_partial,
            on_progress=lambda now: show_progress(display, task, now, tr("Describing")),
        )
    if end.unkept:
        report.note(tr("They were not stored in the library. {unkept}", unkept=end.unkept))
    in_order = sorted(described, key=lambda file: file.place)
    results = [{**path_fields(file.path), **fields(file)} for file in in_order]
    report.document({"results": results, "failed": failed_fields(end.failed)})
    report.failures(end.failed)
    return SOME_FAILED if end.failed else OK


def _tags_text(file: DescribedFile) -> str:
    """Tags with their scores in percent."""
    tags = ", ".join(f"{tag.tag} {percent(tag.score or 0)}" for tag in file.tags)
    return tags or tr("(no tag fits)")


def _tags_fields(file: DescribedFile) -> dict[str, Any]:
    return {"tags": [{"tag": tag.tag, "score": round(tag.score or 0, 4)} for tag in file.tags]}
