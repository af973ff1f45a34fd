"""The tuning data set: photos with human captions, and the skipped files with reasons.

A run keeps it in its folder, so that a resumed run learns from the same captions.
"""

from __future__ import annotations

import gzip
import os
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cocadesk.errors import UserError, kept, tr
from cocadesk.media.scanning import scan
from cocadesk.media.types import FoundFile, ScanProblem
from cocadesk.resources import resource_path
from cocadesk.trainer_messages import (
    DATASET,
    SCHEMA,
    SPEC,
    CaptionedPhoto,
    Skipped,
    TuningDataset,
    TuningSpec,
    add_skipped,
)
from trainer.tuning.caption_files import (
    CaptionFileError,
    CaptionLines,
    clean_captions,
    once,
    read_captions,
)

JOINED = "Lines that go on were read as one caption"
GUESSED = "The encoding was guessed and read as {}"
GONE = kept("The photo is not there any more.")


def find_dataset(spec: TuningSpec) -> TuningDataset:
    """The photos of the library and of the folders; reads the texts, no photo yet."""
    captions: dict[bytes, list[str]] = {}
    skipped: Skipped = {}
    notes: Skipped = {}
    for given in spec.photos:
        path = os.path.abspath(given.path)  # noqa: PTH100
        kept = clean_captions(given.captions)
        if not os.path.isfile(path):  # noqa: PTH113
            add_skipped(skipped, GONE, path)
        elif kept:
            captions.setdefault(path, []).extend(kept)
    for found in scan(spec.folders):
        if isinstance(found, FoundFile):
            _take(found.path, spec, captions, skipped, notes)
        elif isinstance(found, ScanProblem):
            add_skipped(skipped, found.reason, found.path)
    photos = tuple(
        CaptionedPhoto(path=path, captions=once(texts)) for path, texts in sorted(captions.items())
    )
    return TuningDataset(photos=photos, skipped=skipped, notes=notes)


def _take(
    path: bytes,
    spec: TuningSpec,
    captions: dict[bytes, list[str]],
    skipped: Skipped,
    notes: Skipped,
) -> None:
    try:
        found = read_captions(path, spec.not_human, CaptionLines(spec.lines))
    except CaptionFileError as error:
        # A photo with captions in the library needs no text beside it.
        if not captions.get(path):
            captions.pop(path, None)
            add_skipped(skipped, str(error), path)
        return
    captions.setdefault(path, []).extend(found.captions)
    if found.is_joined:
        add_skipped(notes, JOINED, found.path)
    if found.guessed:
        add_skipped(notes, GUESSED.format(found.guessed), found.path)


def load_spec(run_folder: Path) -> TuningSpec:
    """Reads ``spec.json``.

    Raises:
        UserError: it is missing, damaged, or of another schema.
    """
    try:
        spec = msgspec.json.decode((run_folder / SPEC).read_bytes(), type=TuningSpec)
        if spec.schema != SCHEMA:
            raise ValueError(f"its schema is {spec.schema}, not {SCHEMA}")
        return spec
    except OSError as error:
        raise UserError(
            tr("The teaching run {run_folder} cannot be read.", run_folder=run_folder), f"{error}."
        ) from error
    except ValueError as error:
        raise UserError(
            tr("The teaching run {run_folder} cannot be used.", run_folder=run_folder),
            tr("Its {spec} is damaged: {error}.", spec=SPEC, error=error),
            tr("Start the run again."),
        ) from error


def load_dataset(run_folder: Path) -> TuningDataset | None:
    """The data set of a run; None where it has not been stored yet.

    Raises:
        UserError: the file is damaged.
    """
    try:
        return msgspec.json.decode((run_folder / DATASET).read_bytes(), type=TuningDataset)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            tr("The run {run_folder} cannot go on.", run_folder=run_folder),
            tr("Its {dataset} is damaged ({error}).", dataset=DATASET, error=error),
            tr("Start the run again."),
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralSet:
    """The knowledge that tuning must not lose.

    The captions of ``photos`` only measure. Two in three of the pictures (``replayed``) are
    shown to the decoder, with captions of the untuned model.
    """

    photos: tuple[CaptionedPhoto, ...]
    sentences: tuple[str, ...]

    @property
    def replayed(self) -> tuple[int, ...]:
        """Numbers of the photos that are replayed."""
        return tuple(i for i in range(len(self.photos)) if i % 3)

    @property
    def unseen(self) -> tuple[int, ...]:
        """Numbers of the others: captions are measured on them."""
        return tuple(range(0, len(self.photos), 3))


def load_general() -> GeneralSet:
    """Reads the shipped set.

    Raises:
        UserError: a shipped file is missing or damaged.
    """
    sentences = resource_path("general", "sentences.txt.gz")
    table = resource_path("samples", "photos.toml")
    folder = resource_path("samples", "photos")
    try:
        lines = gzip.decompress(sentences.read_bytes()).decode().splitlines()
        photos = tuple(
            CaptionedPhoto(
                path=os.fsencode(folder / f"{row['name']}.jpg"), captions=(row["caption"],)
            )
            for row in tomllib.loads(table.read_text("utf-8"))["photo"]
        )
    except (OSError, EOFError, zlib.error, KeyError, ValueError) as error:
        raise UserError(
            tr("The general set that ships with CocaDesk cannot be read."),
            f"{error}.",
            tr("Install CocaDesk again."),
        ) from error
    return GeneralSet(
        photos=photos, sentences=tuple(t for t in lines if t and not t.startswith("#"))
    )
