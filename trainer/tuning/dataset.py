"""The tuning data set: photos with human captions, and the skipped files with reasons.

A run keeps it in its folder, so that a resumed run learns from the same captions.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cocadesk.errors import UserError
from cocadesk.evaluation.retrieval import caption_key
from cocadesk.media.scanning import scan
from cocadesk.media.types import FoundFile
from cocadesk.model.tokenizers.byte_pairs import clean_caption
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

MAX_TEXT_BYTES = 64 << 10
MAX_CAPTIONS = 50
MAX_CAPTION_CHARS = 1000

NO_TEXT = "There is no .txt with captions beside the photo."
NO_CAPTION = "The .txt beside the photo is empty."
TOO_LARGE = "The .txt beside the photo is too large to hold captions."
NOT_TEXT = "The .txt beside the photo is not text."
MACHINE = "The .txt beside the photo holds a caption that CocaDesk wrote, not a human one."
UNREADABLE = "The .txt beside the photo cannot be read."
GONE = "The photo is not there any more."


class _SidecarError(Exception):
    """A ``.txt`` gives no captions; the message is one of the reasons above."""


def find_dataset(spec: TuningSpec) -> TuningDataset:
    """The photos of the library and of the folders; reads the texts, no photo yet."""
    captions: dict[bytes, list[str]] = {}
    skipped: Skipped = {}
    for given in spec.photos:
        path = os.path.abspath(given.path)  # noqa: PTH100
        kept = clean_captions(given.captions)
        if not os.path.isfile(path):  # noqa: PTH113
            add_skipped(skipped, GONE, path)
        elif kept:
            captions.setdefault(path, []).extend(kept)
    for found in scan(spec.folders):
        if isinstance(found, FoundFile):
            _take(found.path, spec, captions, skipped)
        else:
            add_skipped(skipped, found.reason, found.path)
    photos = tuple(
        CaptionedPhoto(path=path, captions=_once(texts)) for path, texts in sorted(captions.items())
    )
    return TuningDataset(photos=photos, skipped=skipped)


def _take(
    path: bytes, spec: TuningSpec, captions: dict[bytes, list[str]], skipped: Skipped
) -> None:
    try:
        captions.setdefault(path, []).extend(read_sidecar(path, spec.not_human))
    except _SidecarError as error:
        # A photo with captions in the library needs no .txt.
        if not captions.get(path):
            captions.pop(path, None)
            add_skipped(skipped, str(error), path)


def read_sidecar(photo: bytes, not_human: Mapping[bytes, str]) -> list[str]:
    """The captions of ``name.txt`` beside ``name.jpg`` (or ``name.jpg.txt``), one a line."""
    for candidate in (os.path.splitext(photo)[0] + b".txt", photo + b".txt"):  # noqa: PTH122
        if os.path.isfile(candidate):  # noqa: PTH113
            data = _read(candidate)
            if not_human.get(candidate) == hashlib.sha256(data).hexdigest():
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
        raise UserError(f"The teaching run {run_folder} cannot be read.", f"{error}.") from error
    except ValueError as error:
        raise UserError(
            f"The teaching run {run_folder} cannot be used.",
            f"Its {SPEC} is damaged: {error}.",
            "Start the run again.",
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
            f"The run {run_folder} cannot go on.",
            f"Its {DATASET} is damaged ({error}).",
            "Start the run again.",
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
    sentences = resource_path("general", "sentences.txt")
    table = resource_path("samples", "photos.toml")
    folder = resource_path("samples", "photos")
    try:
        lines = sentences.read_text("utf-8").splitlines()
        photos = tuple(
            CaptionedPhoto(
                path=os.fsencode(folder / f"{row['name']}.jpg"), captions=(row["caption"],)
            )
            for row in tomllib.loads(table.read_text("utf-8"))["photo"]
        )
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            "The general set that ships with CocaDesk cannot be read.",
            f"{error}.",
            "Install CocaDesk again.",
        ) from error
    return GeneralSet(
        photos=photos, sentences=tuple(t for t in lines if t and not t.startswith("#"))
    )
