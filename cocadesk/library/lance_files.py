"""Lance's manifests read without LanceDB: the files that each version of a table is made of.

A table's folder holds ``_versions/N.manifest``, N counted down from 2⁶⁴ - 1, so that the
newest name sorts first. A manifest ends with the position of a protobuf message
(``Manifest`` in Lance's ``table.proto``), a version of the format and "LANC". LanceDB
cannot be asked: it refuses the whole table where one of these files is damaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

VERSIONS = "_versions"
HINT = f"{VERSIONS}/latest_version_hint.json"
MAGIC = b"LANC"
_NEWEST = 2**64 - 1
_FOOTER_BYTES = 16
_NAME = re.compile(rf"^{VERSIONS}/(\d{{20}})\.manifest$")
_FRAGMENTS, _NUMBER, _INDEXES, _TIME = 2, 3, 6, 7
_VARINT, _EIGHT_BYTES, _MESSAGE, _FOUR_BYTES = 0, 1, 2, 5
_FIXED = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Some rows of a table: ``files`` are paths in the table's folder and sizes where known."""

    number: int
    rows: int
    files: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One commit of a table. ``indexes`` are folders; all paths lie in the table's folder."""

    number: int
    committed_utc: datetime
    fragments: tuple[Fragment, ...]
    indexes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The number of rows that are not deleted."""
        return sum(fragment.rows for fragment in self.fragments)


def manifest_name(number: int) -> str:
    """The path of a version's manifest in the table's folder."""
    return f"{VERSIONS}/{_NEWEST - number:020d}.manifest"


def version_numbers(table: Path) -> list[int]:
    """The versions whose manifests are there, newest first."""
    try:
        names = [f"{VERSIONS}/{path.name}" for path in (table / VERSIONS).iterdir()]
    except OSError:
        return []
    return numbers_of(names)


def numbers_of(names: Iterable[str]) -> list[int]:
    """The versions whose manifests are among files of a table, newest first."""
    found = (_NAME.match(name) for name in names)
    return sorted((_NEWEST - int(match.group(1)) for match in found if match), reverse=True)


def parse_manifest(data: bytes) -> Version:
    """The version that a manifest describes.

    Raises:
        ValueError: the bytes are no manifest, or damaged where it shows.
    """
    try:
        return _parsed(data)
    except (IndexError, TypeError, KeyError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"the manifest is damaged: {error}") from error


def without(data: bytes, fragments: Set[int], *, indexes: bool) -> bytes:
    """The manifest ``data`` without these fragments, and without the indexes unless ``indexes``."""
    position, message = _message(data)
    kept = bytearray()
    for field, value, raw in _fields(message):
        is_dropped = field == _FRAGMENTS and _fragment(_bytes(value)).number in fragments
        if not is_dropped and (indexes or field != _INDEXES):
            kept += raw
    return b"".join([data[:position], len(kept).to_bytes(4, "little"), kept, data[-_FOOTER_BYTES:]])


def _parsed(data: bytes) -> Version:
    number = 0
    indexes: tuple[str, ...] = ()
    committed = datetime.fromtimestamp(0, UTC)
    fragments: list[Fragment] = []
    for field, value, _ in _fields(_message(data)[1]):
        if field == _FRAGMENTS:
            fragments.append(_fragment(_bytes(value)))
        elif field == _NUMBER:
            number = _whole(value)
        elif field == _INDEXES:
            indexes = _indexes(data, _whole(value))
        elif field == _TIME:
            seconds = {f: v for f, v, _ in _fields(_bytes(value))}.get(1, 0)
            committed = datetime.fromtimestamp(_whole(seconds), UTC)
    return Version(
        number=number,
        committed_utc=committed,
        fragments=tuple(fragments),
        indexes=indexes,
    )


def _message(data: bytes) -> tuple[int, bytes]:
    """Position and bytes of the manifest's message."""
    if len(data) < _FOOTER_BYTES or data[-4:] != MAGIC:
        raise ValueError("the manifest is cut off")
    position = int.from_bytes(data[-_FOOTER_BYTES:-8], "little")
    length = int.from_bytes(data[position : position + 4], "little")
    if position + 4 + length != len(data) - _FOOTER_BYTES:
        raise ValueError("the manifest has another length than it says")
    return position, data[position + 4 : position + 4 + length]


def _fragment(message: bytes) -> Fragment:
    number, rows, deleted = 0, 0, 0
    files: list[tuple[str, int | None]] = []
    deletion: dict[int, int | bytes] | None = None
    for field, value, _ in _fields(message):
        if field == 1:
            number = _whole(value)
        elif field == 2:
            file = {f: v for f, v, _ in _fields(_bytes(value))}
            size = _whole(file.get(6, 0))
            files.append((f"data/{_bytes(file[1]).decode()}", size or None))
        elif field == 3:
            deletion = {f: v for f, v, _ in _fields(_bytes(value))}
        elif field == 4:
            rows = _whole(value)
    if deletion is not None:
        deleted = _whole(deletion.get(4, 0))
        suffix = "bin" if deletion.get(1, 0) else "arrow"
        read, salt = _whole(deletion.get(2, 0)), _whole(deletion.get(3, 0))
        name = f"{number}-{read}-{salt}.{suffix}"
        files.append((f"_deletions/{name}", None))
    return Fragment(number=number, rows=rows - deleted, files=tuple(files))


def _indexes(data: bytes, position: int) -> tuple[str, ...]:
    """The folders of a version's indexes, from the section of the manifest at ``position``."""
    length = int.from_bytes(data[position : position + 4], "little")
    section = data[position + 4 : position + 4 + length]
    found = []
    for field, value, _ in _fields(section):
        if field == 1:
            index = {f: v for f, v, _ in _fields(_bytes(value))}
            uuid = {f: v for f, v, _ in _fields(_bytes(index[1]))}
            found.append(f"_indices/{UUID(bytes=_bytes(uuid[1]))}")
    return tuple(dict.fromkeys(found))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes, bytes]]:
    """Number, value and raw bytes of each field of a protobuf message."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == _VARINT:
            value, at = _varint(message, at)
        else:
            length = _FIXED.get(kind)
            if kind == _MESSAGE:
                length, at = _varint(message, at)
            if length is None or at + length > len(message):
                raise ValueError("the manifest is damaged")
            value, at = message[at : at + length], at + length
        yield tag >> 3, value, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _whole(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise TypeError("a number was expected")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("bytes were expected")
    return value
