"""The pictures that ``cocadesk evaluate`` measures: of shards, of class folders, as named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.cli.report import Report, shown
from cocadesk.errors import UserError, grouped, tr

if TYPE_CHECKING:
    from cocadesk.evaluation.runs import Labelled, Sample, VideoSample
    from cocadesk.media.shards import ShardSample
    from cocadesk.model.backend import ModelInfo


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
                tr("There is no shard in {shown}.", shown=shown(os.fsencode(path))),
                "",
                tr("Give WebDataset tar files (KEY.jpg or KEY.mp4 with KEY.json)."),
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
            tr("{shown} cannot be read.", shown=shown(folder)),
            f"{error.strerror or error}.",
            tr("Give a folder."),
        ) from error
    if len(inside) < 2:
        raise UserError(
            tr("{shown} has no classes.", shown=shown(folder)),
            tr("It needs at least two subfolders of photos, the name of each its label."),
            tr("Give a folder of folders."),
        )
    return inside


def shard_media(
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
            skipped.append(tr("{key}: it has no caption", key=shard.key))
            continue
        try:
            yield _medium(shard, words, info)
        except PhotoError as error:
            skipped.append(f"{shard.key}: {error}")
    skipped.extend(f"{count} x {reason}" for reason, count in counts.skipped.items())
    for name, count in counts.guessed.items():
        report.note(
            tr(
                "{count} texts name no encoding and were read as {name}, which is a guess.",
                count=grouped(count),
                name=name,
            )
        )


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


def labelled_photos(
    classes: Sequence[bytes], info: ModelInfo, skipped: list[str]
) -> Iterator[Labelled]:
    """The photos below each class's folder; what cannot be read is noted."""
    from cocadesk.media.scanning import scan
    from cocadesk.media.types import FoundFile

    paths: list[bytes] = []
    labels: list[int] = []
    for label, folder in enumerate(classes):
        inside = [item.path for item in scan([folder]) if isinstance(item, FoundFile)]
        paths += inside
        labels += [label] * len(inside)
    yield from _decoded(paths, labels, info, skipped)


def named_photos(paths: Sequence[str], info: ModelInfo, skipped: list[str]) -> Iterator[Labelled]:
    """The photos that are named, and those below folders; what cannot be read is noted.

    Raises:
        UserError: none of the paths is there.
    """
    from cocadesk.engine.file_descriptions import find_files

    found = find_files([os.path.abspath(os.fsencode(path)) for path in paths])  # noqa: PTH100
    skipped += [f"{failure.path.text}: {failure.reason}" for failure in found.failed]
    yield from _decoded(found.paths, [0] * len(found.paths), info, skipped)


def _decoded(
    paths: Sequence[bytes], labels: Sequence[int], info: ModelInfo, skipped: list[str]
) -> Iterator[Labelled]:
    from cocadesk.annotations.describe import WantedPicture
    from cocadesk.engine.decoding import PoolDecoder
    from cocadesk.evaluation.runs import Labelled

    wanted = [WantedPicture(key=str(place), path=path) for place, path in enumerate(paths)]
    with PoolDecoder(info) as decode:
        for key, picture in decode(wanted) if wanted else ():
            place = int(key)
            if isinstance(picture, str):
                skipped.append(f"{shown(paths[place])}: {picture}")
            else:
                name = shown(os.path.basename(paths[place]))  # noqa: PTH119 - bytes
                yield Labelled(image_HWC=picture, label=labels[place], name=name)
