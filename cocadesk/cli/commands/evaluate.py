"""``cocadesk evaluate``: measures the model on pictures whose words are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypeVar

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.measured_media import (
    class_folders,
    labelled_photos,
    named_photos,
    shard_files,
    shard_media,
)
from cocadesk.cli.options import Options, StyleName, command
from cocadesk.cli.parser import App
from cocadesk.cli.report import Report, digits, measure, shown
from cocadesk.cli.words import word
from cocadesk.errors import UserError, decimal, grouped, tr
from cocadesk.model.values import GenerationOptions, usual_writing

if TYPE_CHECKING:
    from cocadesk.annotations.tagging import ZeroShotTagger
    from cocadesk.evaluation.intervals import Interval
    from cocadesk.evaluation.runs import Labelled
    from cocadesk.evaluation.sheet import Card, Seen
    from cocadesk.evaluation.tags import Tagged
    from cocadesk.model.backend import Backend
    from cocadesk.model.values import Openings

Item = TypeVar("Item")
REASONS_SHOWN = 5
SHEET_PX = 176
WRITING = GenerationOptions()


app = App(help=tr("Measure the model on pictures, most with known captions or labels."))

ShardsArgument = Annotated[
    list[Path], typer.Argument(metavar=tr("SHARDS"), help=tr("WebDataset tars."))
]
SheetOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--sheet", metavar="FILE.html", help=tr("Also write a page to look through.")),
]
StyleOption = Annotated[
    StyleName, typer.Option("--style", help=tr("The style of captions, where the model knows it."))
]
BeamsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--beams", min=1, help=tr("Beams of the search; as the model's captions else.")),
]
LengthPenaltyOption = Annotated[
    float,
    typer.Option("--length-penalty", help=tr("Likelihood is divided by length to this power.")),
]
RerankOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--rerank", help=tr("Weight of a beam's cosine with the picture.")),
]
NoRepeatOption = Annotated[
    int,
    typer.Option("--no-repeat", min=0, help=tr("Never the same N tokens in a row (0: allowed).")),
]
NoRepeatPhrasesOption = Annotated[
    bool, typer.Option("--no-repeat-phrases", help=tr("Never the same word after an article."))
]
BackgroundOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        metavar=tr("FOLDER"),
        help=tr("Photos of none of the classes: how many are given none of them as a tag?"),
    ),
]
OpeningsOption = Annotated[
    bool,
    typer.Option("--openings/--no-openings", help=tr("Try captions that begin with a likely tag.")),
]
LimitOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--limit", min=1, metavar="N", help=tr("Only the first N pictures.")),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Measures by name, each with its 95 % interval."""

    metrics: dict[str, float]
    intervals: Mapping[str, Interval]

    def with_background(self, tagged: Tagged) -> Figures:
        """These, and how many photos of other things were given no tag."""
        name = "background_untagged"
        return Figures(
            metrics={**self.metrics, name: tagged.metrics().untagged},
            intervals={**self.intervals, name: tagged.intervals()["untagged"]},
        )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, value, low and high for people."""
        found = []
        for name, value in self.metrics.items():
            interval = self.intervals[name]
            numbers = (value, interval.low, interval.high)
            form = digits if name in _NO_PERCENTAGES else _in_percent
            shown_value, low, high = map(form, numbers)
            found.append((name, shown_value, low, high))
        return found


@app.command("retrieval")
@command()
def retrieval(
    options: Options, report: Report, shards: ShardsArgument, sheet: SheetOption = None
) -> int:
    """Measure how often the right photo is found by its caption, and the caption by its photo."""
    # Recall at 1, 5 and 10 in both directions, over photos and videos.
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import evaluate_retrieval
    from cocadesk.evaluation.sheet import ranking_cards
    from cocadesk.media.shards import MEDIA_SUFFIXES

    files, skipped, seen = shard_files(shards), list[str](), _seen(sheet)
    with open_model(options) as backend:
        media = shard_media(files, backend.info(), report, skipped, MEDIA_SUFFIXES)
        samples = _counted(seen.noted(media), report, skipped, tr("Reading pictures"))
        ranking = evaluate_retrieval(backend, samples)
        model = backend.info().model_id
    figures = Figures(metrics=asdict(ranking.metrics()), intervals=ranking.intervals())
    _show(report, figures, {"model": model}, skipped)
    _write(
        sheet,
        report,
        tr("Retrieval with {model}", model=model),
        figures,
        lambda: ranking_cards(seen, ranking),
    )
    return OK


@app.command("captions")
@command()
def captions(
    options: Options,
    report: Report,
    shards: ShardsArgument,
    sheet: SheetOption = None,
    style: StyleOption = "sentence",
    beams: BeamsOption = None,
    length_penalty: LengthPenaltyOption = WRITING.length_penalty,
    rerank: RerankOption = None,
    no_repeat: NoRepeatOption = WRITING.no_repeat_ngram,
    no_repeat_phrases: NoRepeatPhrasesOption = WRITING.no_repeat_phrases,
    openings: OpeningsOption = True,
    limit: LimitOption = None,
) -> int:
    """Measure how close the model's captions come to those of people."""
    # CIDEr-D, BLEU-4 and ROUGE-L.
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import Sample, evaluate_captions
    from cocadesk.evaluation.sheet import caption_cards
    from cocadesk.media.shards import IMAGE_SUFFIXES

    files, skipped, seen = shard_files(shards), list[str](), _seen(sheet)
    with open_model(options) as backend:
        found = shard_media(files, backend.info(), report, skipped, IMAGE_SUFFIXES)
        pictures = islice((item for item in found if isinstance(item, Sample)), limit)
        counted = _counted(seen.noted(pictures), report, skipped, tr("Writing captions"))
        usual = usual_writing(backend.info())
        writing = replace(
            usual,
            style=style.replace("-", " "),
            beams=usual.beams if beams is None else beams,
            length_penalty=length_penalty,
            rerank_weight=usual.rerank_weight if rerank is None else rerank,
            no_repeat_ngram=no_repeat,
            no_repeat_phrases=no_repeat_phrases,
        )
        if openings:
            writing = replace(writing, openings=_openings(backend))
        written = evaluate_captions(backend, counted, writing)
        model = backend.info().model_id
    metrics = asdict(written.scores.metrics())
    context = {"tokenizer": metrics.pop("tokenizer"), "model": model}
    figures = Figures(metrics=metrics, intervals=written.scores.intervals())
    _show(report, figures, context, skipped)
    _write(
        sheet,
        report,
        tr("Captions of {model}", model=model),
        figures,
        lambda: caption_cards(seen, written),
    )
    return OK


@app.command("zeroshot")
@command()
def zeroshot(
    options: Options,
    report: Report,
    folder: Annotated[
        str,
        typer.Argument(metavar=tr("FOLDER"), help=tr("One subfolder a class, named by its label.")),
    ],
    background: BackgroundOption = None,
    sheet: SheetOption = None,
) -> int:
    """Measure how often a photo's class is named by words alone."""
    from cocadesk.annotations.prompts import class_vectors
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import evaluate_zeroshot
    from cocadesk.evaluation.sheet import class_cards

    classes = class_folders(os.path.abspath(os.fsencode(folder)))  # noqa: PTH100 - bytes
    labels = [shown(os.path.basename(path)).replace("_", " ") for path in classes]  # noqa: PTH119
    skipped, seen = list[str](), _seen(sheet)
    with open_model(options) as backend:
        vectors = class_vectors(backend, labels)
        labelled = seen.noted(labelled_photos(classes, backend.info(), skipped))
        pictures = _counted(labelled, report, skipped, tr("Naming pictures"))
        naming = evaluate_zeroshot(backend, pictures, vectors)
        figures = Figures(metrics=asdict(naming.metrics()), intervals=naming.intervals())
        if background is not None:
            others = _counted(
                named_photos([background], backend.info(), skipped),
                report,
                skipped,
                tr("Tagging other pictures"),
            )
            figures = figures.with_background(_tagged(backend, others, labels))
        model = backend.info().model_id
    _show(report, figures, {"model": model, "classes": len(classes)}, skipped)
    _write(
        sheet,
        report,
        tr("Names by {model}", model=model),
        figures,
        lambda: class_cards(seen, naming, labels),
    )
    return OK


@app.command("tags")
@command()
def tags(
    options: Options,
    report: Report,
    paths: Annotated[
        list[str], typer.Argument(metavar=tr("PATH..."), help=tr("Photos, or folders of them."))
    ],
    sheet: SheetOption = None,
) -> int:
    """Measure how many tags photos are given and how sure they are; best seen with --sheet."""
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.sheet import tag_cards

    skipped, seen = list[str](), _seen(sheet)
    with open_model(options) as backend:
        named = seen.noted(named_photos(paths, backend.info(), skipped))
        tagged = _tagged(backend, _counted(named, report, skipped, tr("Tagging pictures")))
        model = backend.info().model_id
    figures = Figures(metrics=asdict(tagged.metrics()), intervals=tagged.intervals())
    _show(report, figures, {"model": model, "photos": len(tagged.given)}, skipped)
    _write(
        sheet,
        report,
        tr("Tags by {model}", model=model),
        figures,
        lambda: tag_cards(seen, tagged.given),
    )
    return OK


def _openings(backend: Backend) -> Openings | None:
    """The openings with which the program writes captions by this model."""
    from cocadesk.annotations.openings import caption_openings

    return caption_openings(backend.info(), lambda: _tagger(backend))


def _tagger(backend: Backend, tags: Sequence[str] | None = None) -> ZeroShotTagger:
    """The tagger of these tags, or of the shipped vocabulary."""
    from cocadesk.annotations.tagging import ZeroShotTagger
    from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
    from cocadesk.locations import text_vectors_folder

    named = load_vocabulary() if tags is None else Vocabulary(name="classes", tags=tuple(tags))
    return ZeroShotTagger(backend, named, cache=text_vectors_folder())


def _tagged(
    backend: Backend, photos: Iterable[Labelled], tags: Sequence[str] | None = None
) -> Tagged:
    """The tags of photos as people get them, of these tags or of the shipped vocabulary."""
    from cocadesk.evaluation.tags import evaluate_tags

    tagger = _tagger(backend, tags)
    return evaluate_tags(
        backend,
        photos,
        lambda vectors: [[(tag.tag, tag.score) for tag in row] for row in tagger.tag(vectors)],
    )


def _counted(
    items: Iterable[Item], report: Report, skipped: Sequence[str], title: str
) -> Iterator[Item]:
    """Passes the items on and shows how many there were.

    Raises:
        UserError: there were none; with the reasons.
    """
    number = 0
    with report.progress() as display:
        task = display.add_task(title, total=None, numbers="", left="")
        for number, item in enumerate(items, start=1):
            display.update(task, completed=number, numbers=grouped(number))
            yield item
    if not number:
        first = "; ".join(skipped[:REASONS_SHOWN])
        raise UserError(
            tr("There is nothing to measure."),
            tr("No picture could be used ({reasons}).", reasons=first)
            if first
            else tr("No picture could be used."),
        )


def _show(report: Report, figures: Figures, context: dict[str, Any], skipped: list[str]) -> None:
    """A table for people, or the one document."""
    from rich.table import Table

    from cocadesk.protocol.paths import printable

    intervals = {name: asdict(found) for name, found in figures.intervals.items()}
    counts = {**context, "skipped": len(skipped)}
    report.document({"metrics": figures.metrics, "intervals": intervals, **counts})
    table = Table(tr("measure"), tr("value"), tr("95 % interval"))
    for name, value, low, high in figures.rows():
        table.add_row(measure(name), value, tr("{low} to {high}", low=low, high=high))
    for name, value in context.items():
        table.add_row(word(name), printable(str(value)), "")
    report.table(table)
    report.notes([tr("Skipped {line}.", line=line) for line in skipped])


def _seen(sheet: Path | None) -> Seen:
    """What keeps small pictures for a sheet, where one is wanted."""
    from cocadesk.evaluation.sheet import Seen
    from cocadesk.media.photo.resize import thumbnail_jpeg

    return Seen(to_jpeg=None if sheet is None else lambda image: thumbnail_jpeg(image, SHEET_PX))


def _write(
    path: Path | None,
    report: Report,
    title: str,
    figures: Figures,
    cards: Callable[[], Sequence[Card]],
) -> None:
    """The sheet, where one is wanted.

    Raises:
        UserError: it cannot be written.
    """
    if path is None:
        return
    from cocadesk.evaluation.sheet import sheet_html
    from cocadesk.locations import UNCHANGED, umask_of_person

    try:
        path.write_text(sheet_html(title, figures.rows(), cards()), "utf-8")
        if umask_of_person() != UNCHANGED:
            path.chmod(0o666 & ~umask_of_person())
    except OSError as error:
        raise UserError(
            tr("{shown} cannot be written.", shown=shown(os.fsencode(path))),
            f"{error.strerror or error}.",
            tr("Name another file; the figures above are as measured."),
        ) from error
    report.line(tr("To look through: {shown}", shown=shown(os.fsencode(path))))


def _in_percent(value: float) -> str:
    return f"{decimal(value)} %"


_NO_PERCENTAGES = frozenset({"cider_d", "bleu4", "rouge_l", "tags_per_photo"})
