"""WebDataset shards (tar files of ``KEY.jpg`` or ``KEY.mp4`` + ``KEY.json``), never unpacked.

Bytes of a shard are as hostile as any other file: members are read by name and
size limits; links, devices and names with absolute or parent paths are skipped
and counted, never followed.

A sample's parts are found by their key over the whole shard, wherever they lie in it;
where it is not certain that a text belongs to a picture, both are skipped and counted.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any, Self

from cocadesk.errors import UserError, grouped, tr
from cocadesk.texts.reading import NotTextError, read_text

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
VIDEO_SUFFIXES = frozenset({".mp4", ".webm", ".mkv", ".mov"})
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
TEXT_SUFFIXES = (".json", ".txt", ".caption")
MAX_MEDIA_BYTES = 64 * 2**20
MAX_TEXT_BYTES = 2**20
MAX_CAPTIONS = 1000
MAX_SHARDS = 100_000

KEPT_BYTES = 256 * 2**20
"""So much of a compressed shard's media is kept until it is read: it can only be read onwards."""
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)", re.ASCII)


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
    """Samples read from shards, and what was skipped by reason.

    ``guessed`` counts the texts that name no encoding, by the one that they were read in.
    """

    samples: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    guessed: Counter[str] = field(default_factory=Counter)

    def skip(self, reason: str, number: int = 1) -> None:
        """Counts what was skipped."""
        self.skipped[reason] = self.skipped.get(reason, 0) + number

    def sentence(self) -> str:
        """The reasons with their numbers; empty where nothing was skipped."""
        reasons = "; ".join(f"{number} x {reason}" for reason, number in self.skipped.items())
        return f"Skipped: {reasons}." if reasons else ""


def expand_braces(path: Path) -> list[Path]:
    """``a-{000..012}.tar`` and ``{a,b}.tar`` as the files that they name; any other as it is.

    Raises:
        UserError: they name far too many.
    """
    pieces = _BRACES.split(str(path))
    if len(pieces) == 1 or path.exists():
        return [path]
    choices = [_choices(piece) if n % 2 else [piece] for n, piece in enumerate(pieces)]
    number = 1
    for choice in choices:
        number *= len(choice)
    if number > MAX_SHARDS:
        raise UserError(
            tr("{path} names {number} shards.", path=path, number=grouped(number)),
            tr("{max_shards} are the most.", max_shards=grouped(MAX_SHARDS)),
        )
    return [Path("".join(parts)) for parts in product(*choices)]


def _choices(inside: str) -> Sequence[str]:
    """The texts that a pair of braces stands for."""
    if (numbers := _RANGE.fullmatch(inside)) is not None:
        first, last = numbers.groups()
        count = range(int(first), min(int(last), int(first) + MAX_SHARDS) + 1)
        width = len(first) if first.startswith("0") else 0
        return [f"{number:0{width}}" for number in count]
    return inside.split(",") if "," in inside else [f"{{{inside}}}"]


def read_shards(
    paths: Iterable[Path],
    counts: ShardCounts | None = None,
    suffixes: frozenset[str] = IMAGE_SUFFIXES,
) -> Iterator[ShardSample]:
    """All samples of the shards, in order; pictures unless ``suffixes`` says more.

    Raises:
        UserError: a shard is missing, cut short or no tar file.
    """
    counts = counts if counts is not None else ShardCounts()
    for path in paths:
        for shard in expand_braces(path):
            yield from _read_shard(shard, counts, suffixes)


def read_captions(path: Path) -> list[str]:
    """Captions without pictures, one a line, in a text file, plain or gzip.

    Raises:
        UserError: it cannot be read, or is no text.
    """
    try:
        data = path.read_bytes()
        text = read_text(gzip.decompress(data) if path.suffix == ".gz" else data).text
    except (OSError, EOFError, zlib.error, NotTextError) as error:
        raise UserError(
            tr("The text file {path} cannot be read.", path=path), f"{error}."
        ) from error
    return [line for line in text.split("\n") if line.strip()]


def _read_shard(path: Path, counts: ShardCounts, suffixes: frozenset[str]) -> Iterator[ShardSample]:
    try:
        with _Archive.open(path, "r:*", tarinfo=_Header) as tar:
            index = _Index(suffixes)
            fault = ""
            try:
                index.fill(tar, counts)
                fault = tar.fault_at_end()
            except _DAMAGED as error:
                fault = tr("It is cut short or damaged ({error}).", error=error)
            yield from _samples(tar, index, counts)
    except (OSError, *_DAMAGED) as error:
        # Of a file that is no archive tarfile lists, line by line, what each of its readers said.
        is_other = isinstance(error, tarfile.ReadError) and "\n" in str(error)
        said = tr("It is no tar archive, or cut short.") if is_other else f"{error}."
        raise _unreadable(path, said) from error
    if fault:
        raise _unreadable(path, fault)


def _unreadable(path: Path, why: str) -> UserError:
    return UserError(
        tr("The shard {path} cannot be read.", path=path),
        why,
        tr("Give whole WebDataset tar files (KEY.jpg or KEY.mp4 with KEY.json or KEY.txt)."),
    )


class _Archive(tarfile.TarFile):
    """A shard's archive, which remembers what ended it."""

    ended_by: tarfile.HeaderError | None = None

    @property
    def is_compressed(self) -> bool:
        """True where a step back is a start anew."""
        return not isinstance(self.fileobj, io.BufferedReader)

    def fault_at_end(self) -> str:
        """A sentence where no empty block ends the archive: tarfile takes a cut for its end."""
        found = type(self.ended_by).__name__  # tarfile has the names without telling of them
        if found in ("EmptyHeaderError", "TruncatedHeaderError"):
            return tr("It is cut short: its end is missing.")
        return "" if found == "EOFHeaderError" else tr("It is damaged in the middle.")

    def content(self, member: tarfile.TarInfo) -> bytes:
        """The bytes of a file in it."""
        handle = self.extractfile(member)
        return handle.read() if handle is not None else b""


class _Header(tarfile.TarInfo):
    """A member's header."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> Self:
        """The header at the archive's place."""
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if isinstance(tar, _Archive):
                tar.ended_by = error
            raise


@dataclass(slots=True, kw_only=True)
class _Parts:
    """The parts of one key: media and texts, each with the name that stands behind the key.

    ``is_counted`` where a part was skipped with a reason of its own.
    """

    media: list[tuple[str, tarfile.TarInfo]] = field(default_factory=list)
    texts: list[tuple[str, bytes]] = field(default_factory=list)
    has_others: bool = False
    is_counted: bool = False

    def of_stem(self, stem: str) -> _Parts:
        """The parts whose names differ by the last ending alone."""
        return _Parts(
            media=[part for part in self.media if _stem(part[0]) == stem],
            texts=[part for part in self.texts if _stem(part[0]) == stem],
        )

    @property
    def is_one_sample(self) -> bool:
        """True where all texts are certainly those of the one picture or video."""
        names = [name.lower() for name, _ in (*self.media, *self.texts)]
        return len({_stem(name) for name, _ in self.media}) == 1 and len(set(names)) == len(names)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


class _Index:
    """The members of one shard by key; texts are read, media are noted.

    ``kept`` are the media of a compressed shard that were read on the way, by place.
    """

    def __init__(self, suffixes: frozenset[str]) -> None:
        self._suffixes = suffixes
        self.keys: dict[str, _Parts] = {}
        self.kept: dict[int, bytes] = {}

    def fill(self, tar: _Archive, counts: ShardCounts) -> None:
        """Reads the archive once, from start to end."""
        room = KEPT_BYTES if tar.is_compressed else 0
        for member in tar:
            name = _safe_name(member, counts)
            if name is None:
                continue
            # The key ends at the first dot of the last part, as webdataset has it.
            start, _, rest = name.name.partition(".")
            parts = self.keys.setdefault(str(name.parent / start), _Parts())
            suffix = name.suffix.lower()
            if member.size > (MAX_TEXT_BYTES if suffix in TEXT_SUFFIXES else MAX_MEDIA_BYTES):
                counts.skip("a file over the size limit")
                parts.is_counted = True
            elif suffix in self._suffixes:
                parts.media.append((f".{rest}", member))
                if member.size <= room:
                    self.kept[member.offset] = tar.content(member)
                    room -= member.size
            elif suffix in TEXT_SUFFIXES:
                parts.texts.append((f".{rest}", tar.content(member)))
            else:
                parts.has_others = True

    def samples(self, counts: ShardCounts) -> Iterator[tuple[str, tarfile.TarInfo, _Parts]]:
        """Key, medium and parts of every sample, in the order of the media."""
        found = [
            (media.offset, f"{key}{extra}", media, parts)
            for key, of_key in self.keys.items()
            for extra, media, parts in _split(of_key, counts)
        ]
        for _, key, media, parts in sorted(found, key=lambda sample: sample[0]):
            yield key, media, parts


def _split(parts: _Parts, counts: ShardCounts) -> Iterator[tuple[str, tarfile.TarInfo, _Parts]]:
    """The samples of one key: one, or one for each stem where every picture has its own."""
    if not parts.media:
        if not parts.is_counted:
            is_text = parts.texts and not parts.has_others
            counts.skip("a text without a picture" if is_text else "a sample of another kind")
    elif parts.is_one_sample:
        yield "", parts.media[0][1], parts
    else:
        stems = list(dict.fromkeys(_stem(name) for name, _ in parts.media))
        for stem in stems:
            own = parts.of_stem(stem)
            if len(stems) > 1 and own.is_one_sample and own.texts:
                yield stem, own.media[0][1], own
            else:
                counts.skip("a sample whose key stands there twice", len(own.media))


def _safe_name(member: tarfile.TarInfo, counts: ShardCounts) -> PurePosixPath | None:
    if member.isdir():
        return None
    name = PurePosixPath(member.name)
    if name.name.startswith("._") or "__MACOSX" in name.parts:
        return None  # what macOS keeps beside a file when it packs it
    if not member.isreg():
        counts.skip("a link or device in the archive")
        return None
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        counts.skip("an unsafe path in the archive")
        return None
    return name


def _samples(tar: _Archive, index: _Index, counts: ShardCounts) -> Iterator[ShardSample]:
    for key, media, parts in index.samples(counts):
        try:
            captions, source = _captions(parts.texts, counts)
        except (ValueError, RecursionError):
            counts.skip("a caption file that cannot be read")
            continue
        kept = index.kept.pop(media.offset, None)
        data = tar.content(media) if kept is None else kept
        counts.samples += 1
        suffix = PurePosixPath(media.name).suffix.lower()
        is_video = suffix in VIDEO_SUFFIXES
        yield ShardSample(
            key=key,
            image=b"" if is_video else data,
            suffix=suffix,
            captions=captions,
            source=source,
            video=data if is_video else None,
        )


def _captions(
    texts: Sequence[tuple[str, bytes]], counts: ShardCounts
) -> tuple[tuple[str, ...], str]:
    """Captions and source: a ``.json`` that has captions goes before lines of text.

    Raises:
        ValueError: there is a text, and none that can be read.
    """
    captions: list[str] = []
    lines: list[str] = []
    source, faults = "", list[ValueError]()
    for name, data in sorted(texts):
        try:
            found = read_text(data)
            if name.lower().endswith(".json"):
                own, source = _of_record(found.text)
                captions += own
            else:
                lines += [line for line in found.text.split("\n") if line.strip()]
            if found.guessed:
                counts.guessed[found.guessed] += 1
        except ValueError as error:
            faults.append(error)
    kept = tuple((captions or lines)[:MAX_CAPTIONS])
    if faults and not kept:
        raise faults[0]
    return kept, source


def _of_record(text: str) -> tuple[list[str], str]:
    """The captions of a ``.json`` and their source; of one of metadata there are none.

    Raises:
        ValueError: it cannot be understood.
    """
    record: Any = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError("not an object")
    texts = record.get("captions", record.get("caption")) or []
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list):
        raise ValueError("captions are no list")
    kept = [text for text in texts if isinstance(text, str) and text.strip()]
    return kept, str(record.get("source") or "")
