"""Files and lines that pass between the engine and its trainer: the order and the findings.

Paths are bytes and travel as base64.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

SPEC, DATASET, RESULT, POINTS = "spec.json", "dataset.json", "result.json", "points.jsonl"
SCHEMA = 2
STOPPED = 75
"""The trainer's exit code where it was asked to stop and has saved its state."""
_EXAMPLES = 5


class Stage(StrEnum):
    """The stages of a run, in order."""

    LOOK = "look"
    FEATURES = "features"
    TRIAL = "trial"
    TRAIN = "train"
    MEASURE = "measure"
    SAVE = "save"


class CaptionedPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo and its human captions."""

    path: bytes
    captions: tuple[str, ...] = ()


class SkippedFiles(msgspec.Struct, kw_only=True):
    """Files that cannot teach, all for one reason: their number, and a few of them."""

    count: int = 0
    examples: list[bytes] = []


Skipped = dict[str, SkippedFiles]
"""Skipped files by reason."""


def add_skipped(skipped: Skipped, reason: str, path: bytes) -> None:
    """Counts a file."""
    files = skipped.setdefault(reason, SkippedFiles())
    files.count += 1
    if len(files.examples) < _EXAMPLES:
        files.examples.append(path)


class TuningSpec(msgspec.Struct, frozen=True, kw_only=True):
    """``spec.json``: one run. ``method`` names a tuning method, ``model`` is an ``open_backend``
    source.

    ``model_id`` names the weights there when the run was ordered: with others it does not
    go on. ``not_human`` maps a text's path to the SHA-256 of a machine's caption that
    CocaDesk wrote there: while it holds those bytes it is no training data.
    ``library_media`` media must be embedded again where stored vectors lose their validity.
    ``lines`` says what the lines of a text beside a photo are: *auto*, *each* or *joined*.
    """

    schema: int = SCHEMA
    title: str = ""
    method: str = "head"
    seed: int = 1
    model: str = "starter"
    model_id: str = ""
    device: str = "auto"
    folders: tuple[bytes, ...] = ()
    photos: tuple[CaptionedPhoto, ...] = ()
    not_human: Mapping[bytes, str] = {}
    library_media: int = 0
    lines: str = "auto"


class TuningDataset(msgspec.Struct, frozen=True, kw_only=True):
    """``dataset.json``: photos in a fixed order, and the skipped files.

    The captions are cleaned; no photo is without one. ``notes`` are the texts whose
    reading is worth a look.
    """

    photos: tuple[CaptionedPhoto, ...] = ()
    skipped: Skipped = {}
    notes: Skipped = {}

    @property
    def caption_count(self) -> int:
        """All captions of all photos."""
        return sum(len(photo.captions) for photo in self.photos)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``inspect``; ``seconds`` stays None until the dry run is done."""

    photos: int = 0
    captions: int = 0
    skipped: Skipped = {}
    samples: tuple[CaptionedPhoto, ...] = ()
    held_out: int = 0
    is_trial: bool = False
    seconds: float | None = None
    reembed_seconds: float = 0.0
    problem: str = ""
    notes: tuple[str, ...] = ()
    is_joined: bool = False
