"""``cocadesk tag`` and ``cocadesk caption``: files in the library and outside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import (
    Choices,
    FilterOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    Options,
    PathsArgument,
    absolute_paths,
    run,
)
from cocadesk.cli.report import Report, failed_fields, failed_files, path_fields, shown
from cocadesk.cli.session import open_engine, show_progress
from cocadesk.engine.local import Access
from cocadesk.protocol.messages import DescribedFile, DescribedFiles, DescribeFiles, ReplyBody
from cocadesk.protocol.values import DescriptionKind


def tag(
    context: typer.Context,
    paths: PathsArgument,
    labels: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Option("--labels", metavar="FILE", help="Your own tags, one a line."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="At most so many tags each.")] = 8,
    filter_text: FilterOption = "",
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name what is in photos and videos, with tags of a list."""
    choices = Choices(library=library, model=model, as_json=as_json)
    run(
        context,
        choices,
        lambda options, report: _tag(options, report, paths, labels, top, filter_text),
    )


def caption(
    context: typer.Context,
    paths: PathsArgument,
    filter_text: FilterOption = "",
    library: LibraryOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Describe photos and videos in a sentence each."""
    choices = Choices(library=library, model=model, as_json=as_json)
    run(context, choices, lambda options, report: _caption(options, report, paths, filter_text))


def _tag(
    options: Options,
    report: Report,
    paths: list[str],
    labels: Path | None,
    top: int,
    filter_text: str,
) -> int:
    from cocadesk.annotations.vocabulary import load_vocabulary

    body = DescribeFiles(
        paths=absolute_paths(paths),
        kind=DescriptionKind.TAGS,
        labels=load_vocabulary(labels).tags if labels else (),
        top=top,
        filter=filter_text,
    )
    return _describe(options, report, body, _tags_text, _tags_fields)


def _caption(options: Options, report: Report, paths: list[str], filter_text: str) -> int:
    body = DescribeFiles(
        paths=absolute_paths(paths), kind=DescriptionKind.CAPTION, filter=filter_text
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
    described: list[DescribedFile] = []

    def on_partial(part: ReplyBody) -> None:
        assert isinstance(part, DescribedFile)
        described.append(part)
        report.line(f"{shown(part.path.to_bytes())}: {text(part)}")

    with (
        open_engine(options, report, Access.OPTIONAL) as engine,
        report.progress(only_with_json=True) as display,
    ):
        task = display.add_task("Describing", total=None, numbers="", left="")
        end = engine.ask(
            body,
            DescribedFiles,
            on_partial=on_partial,
            on_progress=lambda now: show_progress(display, task, now, "Describing"),
        )
    if end.unkept:
        report.note(f"The words were not kept. {end.unkept}")
    failed = failed_files(end.failed)
    if report.as_json:
        in_order = sorted(described, key=lambda file: file.place)
        results = [{**path_fields(file.path.to_bytes()), **fields(file)} for file in in_order]
        report.document({"results": results, "failed": failed_fields(failed)})
    report.failures(failed)
    return SOME_FAILED if failed else OK


def _tags_text(file: DescribedFile) -> str:
    """Tags with their scores in percent."""
    tags = ", ".join(f"{tag.tag} {tag.score or 0:.0%}" for tag in file.tags)
    return tags or "(no tag fits)"


def _tags_fields(file: DescribedFile) -> dict[str, Any]:
    return {"tags": [{"tag": tag.tag, "score": round(tag.score or 0, 4)} for tag in file.tags]}
