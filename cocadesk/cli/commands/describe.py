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
StyleOption = Annotated[
    Optional[StyleName],  # noqa: UP045 - typer reads it
    typer.Option(
        "--style", help=tr("Made anew where the caption has another. New ones: sentence.")
    ),
]
LengthOption = Annotated[
    LengthName,
    typer.Option("--length", help=tr("Of new captions; those that there are stay.")),
]
BeamsOption = Annotated[
    int,
    typer.Option(
        "--beams",
        min=0,
        help=tr("So many wordings are followed at once: more take longer. 0: as suits the model."),
    ),
]
_DRAWING = tr("Drawing: other captions each time")
_RULES = tr("Words and length")
PromptOption = Annotated[
    str,
    typer.Option(
        "--prompt", metavar=tr("WORDS"), help=tr("Each new caption begins with these words.")
    ),
]
TemperatureOption = Annotated[
    float,
    typer.Option(
        "--temperature",
        rich_help_panel=_DRAWING,
        help=tr(
            "Above 0 words are drawn: near 0 the most probable ones, at 1 as the model "
            "rates them. 0: searched for, not drawn."
        ),
    ),
]
TopKOption = Annotated[
    int,
    typer.Option(
        "--top-k",
        rich_help_panel=_DRAWING,
        help=tr("From so many most probable tokens. 0: from all."),
    ),
]
TopPOption = Annotated[
    float,
    typer.Option(
        "--top-p",
        rich_help_panel=_DRAWING,
        help=tr("From the fewest tokens that have this probability together."),
    ),
]
SeedOption = Annotated[
    int,
    typer.Option("--seed", rich_help_panel=_DRAWING, help=tr("The same one draws the same again.")),
]
PenaltyOption = Annotated[
    float,
    typer.Option(
        "--repetition-penalty",
        rich_help_panel=_RULES,
        help=tr("Above 1 words that a caption has come again less."),
    ),
]
NoRepeatOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--no-repeat",
        min=0,
        rich_help_panel=_RULES,
        help=tr("Never the same N tokens in a row again. 0: allowed."),
    ),
]
NoRepeatPhrasesOption = Annotated[
    bool,
    typer.Option(
        "--no-repeat-phrases",
        rich_help_panel=_RULES,
        help=tr("Never the same words after an article."),
    ),
]
LeastOption = Annotated[
    int,
    typer.Option(
        "--min-tokens",
        min=0,
        rich_help_panel=_RULES,
        help=tr("At least so many tokens; most words are one. 0: as suits the model."),
    ),
]
MostOption = Annotated[
    int,
    typer.Option(
        "--max-tokens",
        min=0,
        rich_help_panel=_RULES,
        help=tr("At most so many tokens. 0: as suits the model."),
    ),
]
LengthPenaltyOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--length-penalty",
        rich_help_panel=_RULES,
        help=tr("Wordings are compared by likelihood over length to this power."),
    ),
]
RerankOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--rerank",
        rich_help_panel=_RULES,
        help=tr("How much it counts that a wording fits the photo. 0: not."),
    ),
]


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
    style: StyleOption = None,
    length: LengthOption = "usual",
    beams: BeamsOption = 0,
    prompt: PromptOption = "",
    temperature: TemperatureOption = 0.0,
    top_k: TopKOption = 0,
    top_p: TopPOption = 1.0,
    seed: SeedOption = 0,
    repetition_penalty: PenaltyOption = 1.0,
    no_repeat: NoRepeatOption = None,
    no_repeat_phrases: NoRepeatPhrasesOption = False,
    min_tokens: LeastOption = 0,
    max_tokens: MostOption = 0,
    length_penalty: LengthPenaltyOption = None,
    rerank: RerankOption = None,
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
        writing=CaptionWriting(
            length=CaptionLength(length),
            beams=beams,
            prompt=prompt,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            repetition_penalty=repetition_penalty,
            no_repeat=no_repeat,
            no_repeat_phrases=no_repeat_phrases,
            min_tokens=min_tokens,
            max_tokens=max_tokens,
            length_penalty=length_penalty,
            rerank_weight=rerank,
        ),
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
