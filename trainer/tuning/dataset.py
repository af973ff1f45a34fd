"""What there is to learn from: photos with people's words, and what was left out and why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from cocadesk.evaluation import caption_key
from cocadesk.media import FoundFile, scan
from cocadesk.model.tokenizers.byte_pairs import clean_caption
from trainer.tuning.spec import TeachSpec

MAX_TEXT_BYTES = 64 << 10
MAX_CAPTIONS = 50
MAX_CAPTION_CHARS = 1000
MAX_EXAMPLES = 3

NO_TEXT = "There is no .txt with captions beside the photo."
NO_CAPTION = "The .txt beside the photo is empty."
TOO_LARGE = "The .txt beside the photo is too large to hold captions."
NO_WORDS = "The .txt beside the photo is not text."
MACHINE = "The .txt beside the photo holds CocaDesk's own caption, not a person's."
UNREADABLE = "The .txt beside the photo cannot be read."
GONE = "The photo is not there any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningPhoto:
    """A photo and its captions, cleaned, never empty."""

    path: bytes
    captions: tuple[str, ...]


@dataclass(slots=True)
class Skips:
    """Files that cannot teach: how many for each reason, and a few of them."""

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
    """Photos in a fixed order and what was left out."""

    photos: tuple[TuningPhoto, ...]
    skips: Skips

    @property
    def caption_count(self) -> int:
        """All captions of all photos."""
        return sum(len(photo.captions) for photo in self.photos)


class _SidecarError(Exception):
    """Why a ``.txt`` gives no captions; the message is one of the reasons above."""


def find_lesson(spec: TeachSpec) -> TuningDataset:
    """Looks through the folders and the library's photos; reads the texts, no photo yet."""
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


def _take(path: bytes, spec: TeachSpec, captions: dict[bytes, list[str]], skips: Skips) -> None:
    try:
        captions.setdefault(path, []).extend(read_sidecar(path, spec.not_human))
    except _SidecarError as error:
        # A photo that the library has words for needs no .txt.
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
    """A text file as people's editors write it: UTF-8 or UTF-16 with a mark, else Latin-1."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\x00" in text:
        raise _SidecarError(NO_WORDS)
    return text


def clean_captions(texts: Iterable[str]) -> list[str]:
    """One line each, without ends' blanks; empty ones go, equal ones stay once."""
    cleaned = (clean_caption(text[:MAX_CAPTION_CHARS]) for text in texts)
    return list(_once(text for text in cleaned if any(ch.isalnum() for ch in text)))[:MAX_CAPTIONS]


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(caption_key(text), text)
    return tuple(kept.values())
