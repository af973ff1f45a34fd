"""``cocadesk evaluate``: measures the model on pictures whose words are known."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cocadesk.cli.errors import OK
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.evaluation.runs import Labelled, Sample, VideoSample
    from cocadesk.media.shards import ShardSample
    from cocadesk.model.backend import ModelInfo

Item = TypeVar("Item")
REASONS_SHOWN = 5


app = typer.Typer(help="Measure the model on pictures whose words are known.")

ShardsArgument = Annotated[list[Path], typer.Argument(metavar="SHARDS", help="WebDataset tars.")]


@app.command("retrieval")
@command()
def retrieval(options: Options, report: Report, shards: ShardsArgument) -> int:
    """Measure how often the right photo is found by its caption, and the caption by its photo."""
    # Recall at 1, 5 and 10 in both directions, over photos and videos.
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import evaluate_retrieval
    from cocadesk.media.shards import MEDIA_SUFFIXES

    files, skipped = shard_files(shards), list[str]()
    with open_model(options) as backend:
        media = _media(files, backend.info(), report, skipped, MEDIA_SUFFIXES)
        samples = _counted(media, report, skipped, "Reading pictures")
        metrics = evaluate_retrieval(backend, samples)
        model = backend.info().model_id
    _show(report, asdict(metrics), {"model": model}, skipped)
    return OK


@app.command("captions")
@command()
def captions(options: Options, report: Report, shards: ShardsArgument) -> int:
    """Measure how close the model's captions come to those of people."""
    # CIDEr-D, BLEU-4 and ROUGE-L.
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import Sample, evaluate_captions
    from cocadesk.media.shards import IMAGE_SUFFIXES

    files, skipped = shard_files(shards), list[str]()
    with open_model(options) as backend:
        found = _media(files, backend.info(), report, skipped, IMAGE_SUFFIXES)
        pictures = (item for item in found if isinstance(item, Sample))
        samples = _counted(pictures, report, skipped, "Writing captions")
        metrics = asdict(evaluate_captions(backend, samples))
        model = backend.info().model_id
    _show(report, metrics, {"tokenizer": metrics.pop("tokenizer"), "model": model}, skipped)
    return OK


@app.command("zeroshot")
@command()
def zeroshot(
    options: Options,
    report: Report,
    folder: Annotated[str, typer.Argument(help="One subfolder a class, its name the label.")],
) -> int:
    """Measure how often a photo's class is named by words alone."""
    from cocadesk.annotations.prompts import class_vectors
    from cocadesk.cli.session import open_model
    from cocadesk.evaluation.runs import evaluate_zeroshot

    classes = class_folders(os.path.abspath(os.fsencode(folder)))  # noqa: PTH100 - bytes
    labels = [shown(os.path.basename(path)).replace("_", " ") for path in classes]  # noqa: PTH119
    skipped = list[str]()
    with open_model(options) as backend:
        vectors = class_vectors(backend, labels)
        labelled = _labelled(classes, backend.info(), skipped)
        pictures = _counted(labelled, report, skipped, "Naming pictures")
        metrics = evaluate_zeroshot(backend, pictures, vectors)
        model = backend.info().model_id
    _show(report, asdict(metrics), {"model": model, "classes": len(classes)}, skipped)
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
        return VideoSample(frames_NHWC=sample_frames(shard.video, spec), captions=words)
    picture = decode_rgb(shard.image, spec.size_px)
    full_size = (picture.width, picture.height)
    return Sample(image_HWC=prepare_input(picture.rgb_HWC, spec, full_size), captions=words)


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
                yield Labelled(image_HWC=picture, label=labels[place])


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


def _show(
    report: Report, metrics: dict[str, Any], context: dict[str, Any], skipped: list[str]
) -> None:
    """A table for people, or the one document."""
    from rich.table import Table

    from cocadesk.protocol.paths import printable

    report.document({"metrics": metrics, **context, "skipped": len(skipped)})
    table = Table("measure", "value")
    for name, value in metrics.items():
        table.add_row(name, f"{value:.4g}" if name in _FRACTIONS else f"{value:.1f} %")
    for name, value in context.items():
        table.add_row(name, printable(str(value)))
    report.table(table)
    report.notes([f"Skipped {line}." for line in skipped])


_FRACTIONS = frozenset({"cider_d", "bleu4", "rouge_l"})
