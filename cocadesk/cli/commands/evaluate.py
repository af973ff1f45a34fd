"""``cocadesk evaluate``: measures the model on pictures whose words are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, TypeVar

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, measure, shown
from cocadesk.errors import UserError
from cocadesk.model.values import GenerationOptions

if TYPE_CHECKING:
    from cocadesk.evaluation.intervals import Interval
    from cocadesk.evaluation.runs import Labelled, Sample, VideoSample
    from cocadesk.evaluation.sheet import Card, Seen
    from cocadesk.media.shards import ShardSample
    from cocadesk.model.backend import ModelInfo

Item = TypeVar("Item")
REASONS_SHOWN = 5
SHEET_PX = 176
WRITING = GenerationOptions()


app = typer.Typer(help="Measure the model on pictures with known captions or labels.")

ShardsArgument = Annotated[list[Path], typer.Argument(metavar="SHARDS", help="WebDataset tars.")]
SheetOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--sheet", metavar="FILE.html", help="Also write a page to look through."),
]
StyleOption = Annotated[
    str, typer.Option("--style", help="sentence, short or alt-text, where the model knows it.")
]
BeamsOption = Annotated[int, typer.Option("--beams", min=1, help="Beams of the search.")]
LengthPenaltyOption = Annotated[
    float, typer.Option("--length-penalty", help="Likelihood is divided by length to this power.")
]
RerankOption = Annotated[
    float, typer.Option("--rerank", help="Weight of a beam's cosine with the picture.")
]
NoRepeatOption = Annotated[
    int, typer.Option("--no-repeat", min=0, help="Never the same N tokens in a row (0: allowed).")
]
NoRepeatPhrasesOption = Annotated[
    bool, typer.Option("--no-repeat-phrases", help="Never the same word after an article.")
]
LimitOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--limit", min=1, metavar="N", help="Only the first N pictures."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Measures by name, each with its 95 % interval."""

    metrics: dict[str, float]
    intervals: Mapping[str, Interval]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, value, low and high for people."""
        found = []
        for name, value in self.metrics.items():
            form = "{:.4g}" if name in _FRACTIONS else "{:.1f} %"
            interval = self.intervals[name]
            numbers = (value, interval.low, interval.high)
            shown_value, low, high = map(form.format, numbers)
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
        media = _media(files, backend.info(), report, skipped, MEDIA_SUFFIXES)
        samples = _counted(seen.noted(media), report, skipped, "Reading pictures")
        ranking = evaluate_retrieval(backend, samples)
        model = backend.info().model_id
    figures = Figures(metrics=asdict(ranking.metrics()), intervals=ranking.intervals())
    _show(report, figures, {"model": model}, skipped)
    _write(sheet, report, f"Retrieval with {model}", figures, lambda: ranking_cards(seen, ranking))
    return OK


@app.command("captions")
@command()
def captions(
    options: Options,
    report: Report,
    shards: ShardsArgument,
    sheet: SheetOption = None,
    style: StyleOption = WRITING.style,
    beams: BeamsOption = WRITING.beams,
    length_penalty: LengthPenaltyOption = WRITING.length_penalty,
    rerank: RerankOption = WRITING.rerank_weight,
    no_repeat: NoRepeatOption = WRITING.no_repeat_ngram,
    no_repeat_phrases: NoRepeatPhrasesOption = WRITING.no_repeat_phrases,
    limit: LimitOption = None,
) -> int:
    """Measure how close the model's captions come to those of people."""
    # CIDEr-D, BLEU-4 and ROUGE-L.
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import Sample, evaluate_captions
    from cocadesk.evaluation.sheet import caption_cards
    from cocadesk.media.shards import IMAGE_SUFFIXES

    writing = GenerationOptions(
        style=style.replace("-", " "),
        beams=beams,
        length_penalty=length_penalty,
        rerank_weight=rerank,
        no_repeat_ngram=no_repeat,
        no_repeat_phrases=no_repeat_phrases,
    )
    files, skipped, seen = shard_files(shards), list[str](), _seen(sheet)
    with open_model(options) as backend:
        found = _media(files, backend.info(), report, skipped, IMAGE_SUFFIXES)
        pictures = islice((item for item in found if isinstance(item, Sample)), limit)
        counted = _counted(seen.noted(pictures), report, skipped, "Writing captions")
        written = evaluate_captions(backend, counted, writing)
        model = backend.info().model_id
    metrics = asdict(written.scores.metrics())
    context = {"tokenizer": metrics.pop("tokenizer"), "model": model}
    figures = Figures(metrics=metrics, intervals=written.scores.intervals())
    _show(report, figures, context, skipped)
    _write(sheet, report, f"Captions of {model}", figures, lambda: caption_cards(seen, written))
    return OK


@app.command("zeroshot")
@command()
def zeroshot(
    options: Options,
    report: Report,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="One subfolder a class, named by its label.")
    ],
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
        labelled = seen.noted(_labelled(classes, backend.info(), skipped))
        pictures = _counted(labelled, report, skipped, "Naming pictures")
        naming = evaluate_zeroshot(backend, pictures, vectors)
        model = backend.info().model_id
    figures = Figures(metrics=asdict(naming.metrics()), intervals=naming.intervals())
    _show(report, figures, {"model": model, "classes": len(classes)}, skipped)
    _write(sheet, report, f"Names by {model}", figures, lambda: class_cards(seen, naming, labels))
    return OK


def shard_files(paths: Sequence[Path]) -> list[Path]:
    """The tar files named, also as ``a-{000..012}.tar``, and those in folders that are named.

    Raises:
        UserError: one is not there, or a folder has none.
    """
    from cocadesk.media.shards import expand_braces

    files: list[Path] = []
    for path in (each for given in paths for each in expand_braces(given)):
        inside = sorted(path.glob("*.tar")) if path.is_dir() else [path]
        if not inside or not path.exists():
            raise UserError(
                f"There is no shard in {shown(os.fsencode(path))}.",
                "",
                "Give WebDataset tar files (KEY.jpg or KEY.mp4 with KEY.json).",
            )
        files.extend(inside)
    return files


def class_folders(folder: bytes) -> list[bytes]:
    """The subfolders, one a class, by name; hidden ones do not count.

    Raises:
        UserError: the folder is not there or has fewer than two.
    """
    try:
        with os.scandir(folder) as entries:
            inside = sorted(
                entry.path
                for entry in entries
                if entry.is_dir() and not entry.name.startswith(b".")
            )
    except OSError as error:
        raise UserError(
            f"{shown(folder)} cannot be read.", f"{error.strerror or error}.", "Give a folder."
        ) from error
    if len(inside) < 2:
        raise UserError(
            f"{shown(folder)} has no classes.",
            "It needs at least two subfolders of photos, the name of each its label.",
            "Give a folder of folders.",
        )
    return inside


def _media(
    files: Sequence[Path],
    info: ModelInfo,
    report: Report,
    skipped: list[str],
    suffixes: frozenset[str],
) -> Iterator[Sample | VideoSample]:
    """The shards' pictures and clips with captions; what cannot be used is noted."""
    from cocadesk.media.shards import ShardCounts, read_shards
    from cocadesk.media.types import PhotoError

    counts = ShardCounts()
    for shard in read_shards(files, counts, suffixes):
        words = tuple(caption for caption in shard.captions if caption.strip())
        if not words:
            skipped.append(f"{shard.key}: it has no caption")
            continue
        try:
            yield _medium(shard, words, info)
        except PhotoError as error:
            skipped.append(f"{shard.key}: {error}")
    skipped.extend(f"{count} x {reason}" for reason, count in counts.skipped.items())
    for name, count in counts.guessed.items():
        report.note(f"{count:,} texts name no encoding and were read as {name}, which is a guess.")


def _medium(shard: ShardSample, words: tuple[str, ...], info: ModelInfo) -> Sample | VideoSample:
    """One picture or clip as the model takes it.

    Raises:
        PhotoError: it cannot be decoded.
    """
    from cocadesk.evaluation.runs import Sample, VideoSample
    from cocadesk.media.photo.decode import decode_rgb
    from cocadesk.media.photo.resize import prepare_input
    from cocadesk.media.video.decode import sample_frames

    spec = info.input_spec
    if shard.video is not None:
        frames_NHWC = sample_frames(shard.video, spec)
        return VideoSample(frames_NHWC=frames_NHWC, captions=words, name=shard.key)
    picture = decode_rgb(shard.image, spec.size_px)
    full_size = (picture.width, picture.height)
    image_HWC = prepare_input(picture.rgb_HWC, spec, full_size)
    return Sample(image_HWC=image_HWC, captions=words, name=shard.key)


def _labelled(classes: Sequence[bytes], info: ModelInfo, skipped: list[str]) -> Iterator[Labelled]:
    """The photos below each class's folder; what cannot be read is noted."""
    from cocadesk.annotations.describe import WantedPicture
    from cocadesk.engine.decoding import PoolDecoder
    from cocadesk.evaluation.runs import Labelled
    from cocadesk.media.scanning import scan
    from cocadesk.media.types import FoundFile

    wanted: list[WantedPicture] = []
    labels: list[int] = []
    for label, folder in enumerate(classes):
        for item in scan([folder]):
            if isinstance(item, FoundFile):
                wanted.append(WantedPicture(key=str(len(wanted)), path=item.path))
                labels.append(label)
    with PoolDecoder(info) as decode:
        for key, picture in decode(wanted) if wanted else ():
            place = int(key)
            if isinstance(picture, str):
                skipped.append(f"{shown(wanted[place].path)}: {picture}")
            else:
                name = shown(os.path.basename(wanted[place].path))  # noqa: PTH119 - bytes
                yield Labelled(image_HWC=picture, label=labels[place], name=name)


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
            display.update(task, completed=number, numbers=f"{number:,}")
            yield item
    if not number:
        first = "; ".join(skipped[:REASONS_SHOWN])
        raise UserError(
            "There is nothing to measure.",
            f"No picture could be used{f' ({first})' if first else ''}.",
        )


def _show(report: Report, figures: Figures, context: dict[str, Any], skipped: list[str]) -> None:
    """A table for people, or the one document."""
    from rich.table import Table

    from cocadesk.protocol.paths import printable

    intervals = {name: asdict(found) for name, found in figures.intervals.items()}
    counts = {**context, "skipped": len(skipped)}
    report.document({"metrics": figures.metrics, "intervals": intervals, **counts})
    table = Table("measure", "value", "95 % interval")
    for name, value, low, high in figures.rows():
        table.add_row(measure(name), value, f"{low} to {high}")
    for name, value in context.items():
        table.add_row(name, printable(str(value)), "")
    report.table(table)
    report.notes([f"Skipped {line}." for line in skipped])


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
            f"{shown(os.fsencode(path))} cannot be written.",
            f"{error.strerror or error}.",
            "Name another file; the figures above are as measured.",
        ) from error
    report.line(f"To look through: {shown(os.fsencode(path))}")


_FRACTIONS = frozenset({"cider_d", "bleu4", "rouge_l"})
