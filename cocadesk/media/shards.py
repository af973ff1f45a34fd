"""WebDataset shards (tar files of ``KEY.jpg`` or ``KEY.mp4`` + ``KEY.json``), never unpacked.

Bytes of a shard are as hostile as any other file: members are read by name and
size limits; links, devices and names with absolute or parent paths are skipped
and counted, never followed.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cocadesk.errors import UserError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
VIDEO_SUFFIXES = frozenset({".mp4", ".webm", ".mkv", ".mov"})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
MAX_MEDIA_BYTES = 64 * 2**20
MAX_TEXT_BYTES = 2**20
MAX_CAPTIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSample:
    """One picture or video with its captions.

    ``image`` is the content of a picture's file and empty for a video;
    ``video`` that of a video's file and None for a picture.
    """

    key: str
    image: bytes
    suffix: str
    captions: tuple[str, ...]
    source: str
    video: bytes | None = None


@dataclass(slots=True, kw_only=True)
class ShardCounts:
    """Samples read from shards, and what was skipped by reason."""

    samples: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Counts one thing that was skipped."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def read_shards(
    paths: Iterable[Path],
    counts: ShardCounts | None = None,
    suffixes: frozenset[str] = IMAGE_SUFFIXES,
) -> Iterator[ShardSample]:
    """All samples of the shards, in order; pictures unless ``suffixes`` says more.

    Raises:
        UserError: a shard is missing or no tar file.
    """
    counts = counts if counts is not None else ShardCounts()
    for path in paths:
        yield from _read_shard(path, counts, suffixes)


def _read_shard(path: Path, counts: ShardCounts, suffixes: frozenset[str]) -> Iterator[ShardSample]:
    try:
        with tarfile.open(path, "r:*") as tar:
            parts: dict[str, bytes] = {}
            current = ""
            for member in tar:
                name = _safe_name(member, counts)
                if name is None:
                    continue
                key, suffix = str(name.with_suffix("")), name.suffix.lower()
                if key != current:
                    yield from _finish(current, parts, counts, suffixes)
                    parts, current = {}, key
                handle = tar.extractfile(member)
                if handle is not None:
                    parts[suffix] = handle.read()
            yield from _finish(current, parts, counts, suffixes)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(
            f"The shard {path} cannot be read.",
            f"{error}.",
            "Give WebDataset tar files (KEY.jpg or KEY.mp4 with KEY.json).",
        ) from error


def _safe_name(member: tarfile.TarInfo, counts: ShardCounts) -> PurePosixPath | None:
    if member.isdir():
        return None
    if not member.isreg():
        counts.skip("a link or device in the archive")
        return None
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        counts.skip("an unsafe path in the archive")
        return None
    text = name.suffix.lower() in (".json", ".txt")
    if member.size > (MAX_TEXT_BYTES if text else MAX_MEDIA_BYTES):
        counts.skip("a file over the size limit")
        return None
    return name


def _finish(
    key: str, parts: dict[str, bytes], counts: ShardCounts, suffixes: frozenset[str]
) -> Iterator[ShardSample]:
    media = [suffix for suffix in parts if suffix in suffixes]
    if not media:
        if parts and not (parts.keys() <= {".json", ".txt"}):
            counts.skip("a sample of another kind")
        return
    try:
        captions, source = _captions(parts)
    except (ValueError, UnicodeDecodeError):
        counts.skip("a caption file that cannot be read")
        return
    counts.samples += 1
    suffix = media[0]
    is_video = suffix in VIDEO_SUFFIXES
    yield ShardSample(
        key=key,
        image=b"" if is_video else parts[suffix],
        suffix=suffix,
        captions=captions,
        source=source,
        video=parts[suffix] if is_video else None,
    )


def _captions(parts: dict[str, bytes]) -> tuple[tuple[str, ...], str]:
    if ".json" in parts:
        record: Any = json.loads(parts[".json"])
        if not isinstance(record, dict):
            raise ValueError("not an object")
        texts = record.get("captions", record.get("caption", []))
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list):
            raise ValueError("captions are no list")
        kept = tuple(text for text in texts[:MAX_CAPTIONS] if isinstance(text, str))
        return kept, str(record.get("source", ""))
    lines = parts.get(".txt", b"").decode("utf-8").splitlines()
    return tuple(lines[:MAX_CAPTIONS]), ""
