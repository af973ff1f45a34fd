"""The tuning data set: photos with human captions, and the skipped files with reasons.

A run keeps it in its folder, so that a resumed run learns from the same captions.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.evaluation.retrieval import caption_key
from cocadesk.media.scanning import scan
from cocadesk.media.types import FoundFile
from cocadesk.model.tokenizers.byte_pairs import clean_caption
from trainer.checkpoint import write_atomic
from trainer.tuning.spec import TuningSpec

MAX_TEXT_BYTES = 64 << 10
MAX_CAPTIONS = 50
MAX_CAPTION_CHARS = 1000
MAX_EXAMPLES = 3
_NAME = "dataset.json"

NO_TEXT = "There is no .txt with captions beside the photo."
NO_CAPTION = "The .txt beside the photo is empty."
TOO_LARGE = "The .txt beside the photo is too large to hold captions."
NOT_TEXT = "The .txt beside the photo is not text."
MACHINE = "The .txt beside the photo holds a caption that CocaDesk wrote, not a human one."
UNREADABLE = "The .txt beside the photo cannot be read."
GONE = "The photo is not there any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningPhoto:
    """A photo and its captions, cleaned, never empty."""

    path: bytes
    captions: tuple[str, ...]


@dataclass(slots=True)
class Skips:
    """Skipped files: their number for each reason, and a few examples."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, reason: str, path: bytes) -> None:
        """Counts a file."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < MAX_EXAMPLES:
            shown.append(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningDataset:
    """Photos in a fixed order, and the skipped files."""

    photos: tuple[TuningPhoto, ...]
    skips: Skips

    @property
    def caption_count(self) -> int:
        """All captions of all photos."""
        return sum(len(photo.captions) for photo in self.photos)


class _SidecarError(Exception):
    """A ``.txt`` gives no captions; the message is one of the reasons above."""


def find_dataset(spec: TuningSpec) -> TuningDataset:
    """The photos of the library and of the folders; reads the texts, no photo yet."""
    captions: dict[bytes, list[str]] = {}
    skips = Skips()
    for given in spec.photos:
        path = os.path.abspath(given.path)  # noqa: PTH100
        kept = clean_captions(given.captions)
        if not os.path.isfile(path):  # noqa: PTH113
            skips.add(GONE, path)
        elif kept:
            captions.setdefault(path, []).extend(kept)
    for found in scan(spec.folders):
        if isinstance(found, FoundFile):
            _take(found.path, spec, captions, skips)
        else:
            skips.add(found.reason, found.path)
    photos = [
        TuningPhoto(path=path, captions=_once(texts)) for path, texts in sorted(captions.items())
    ]
    return TuningDataset(photos=tuple(photos), skips=skips)


def _take(path: bytes, spec: TuningSpec, captions: dict[bytes, list[str]], skips: Skips) -> None:
    try:
        captions.setdefault(path, []).extend(read_sidecar(path, spec.not_human))
    except _SidecarError as error:
        # A photo with captions in the library needs no .txt.
        if not captions.get(path):
            captions.pop(path, None)
            skips.add(str(error), path)


def read_sidecar(photo: bytes, not_human: object = None) -> list[str]:
    """The captions of ``name.txt`` beside ``name.jpg`` (or ``name.jpg.txt``), one a line."""
    machine = not_human if isinstance(not_human, dict) else {}
    for candidate in (os.path.splitext(photo)[0] + b".txt", photo + b".txt"):  # noqa: PTH122
        if os.path.isfile(candidate):  # noqa: PTH113
            data = _read(candidate)
            if machine.get(candidate) == hashlib.sha256(data).hexdigest():
                raise _SidecarError(MACHINE)
            kept = clean_captions(decode_captions(data).splitlines())
            if not kept:
                raise _SidecarError(NO_CAPTION)
            return kept
    raise _SidecarError(NO_TEXT)


def _read(path: bytes) -> bytes:
    try:
        with open(path, "rb") as handle:  # noqa: PTH123
            data = handle.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise _SidecarError(UNREADABLE) from error
    if len(data) > MAX_TEXT_BYTES:
        raise _SidecarError(TOO_LARGE)
    return data


def decode_captions(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a mark, else Latin-1."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\x00" in text:
        raise _SidecarError(NOT_TEXT)
    return text


def clean_captions(texts: Iterable[str]) -> list[str]:
    """One line each, stripped; empty ones are dropped, equal ones stay once."""
    cleaned = (clean_caption(text[:MAX_CAPTION_CHARS]) for text in texts)
    return list(_once(text for text in cleaned if any(ch.isalnum() for ch in text)))[:MAX_CAPTIONS]


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(caption_key(text), text)
    return tuple(kept.values())


def store_dataset(run_folder: Path, dataset: TuningDataset) -> None:
    """Writes the photos, their captions and the skipped files into a run's folder."""
    record = {
        "photos": [
            {"path": encode_path(photo.path), "captions": photo.captions}
            for photo in dataset.photos
        ],
        "skipped": dataset.skips.counts,
        "examples": encode_examples(dataset.skips),
    }
    write_atomic(run_folder / _NAME, json.dumps(record).encode())


def load_dataset(run_folder: Path) -> TuningDataset | None:
    """The data set of a run; None where it has not been stored yet.

    Raises:
        UserError: the file is damaged.
    """
    try:
        record = json.loads((run_folder / _NAME).read_text("utf-8"))
        return TuningDataset(
            photos=tuple(
                TuningPhoto(path=base64.b64decode(row["path"]), captions=tuple(row["captions"]))
                for row in record["photos"]
            ),
            skips=Skips(
                counts=dict(record["skipped"]),
                examples={r: list(map(base64.b64decode, p)) for r, p in record["examples"].items()},
            ),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The run {run_folder} cannot go on.",
            f"Its {_NAME} is damaged ({error}).",
            "Start the run again.",
        ) from error


def encode_examples(skips: Skips) -> dict[str, list[str]]:
    """A few files of each reason, as JSON carries them."""
    return {reason: list(map(encode_path, paths)) for reason, paths in skips.examples.items()}


def encode_path(path: bytes) -> str:
    """A path as JSON carries it."""
    return base64.b64encode(path).decode("ascii")
