"""Bytes looked for in all files of folders: also within zip files and the rows of Parquet files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow.parquet as pq


def contents(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Each file below some folders with its content."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield from _contents(str(path.relative_to(folder)), path.read_bytes())


def _contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if name.endswith(".parquet"):
        yield name, repr(pq.read_table(io.BytesIO(data)).to_pylist()).encode()
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from _contents(f"{name}/{member}", archive.read(member))


def found_in(wanted: Mapping[str, bytes], *folders: Path) -> dict[str, set[str]]:
    """The files in which each of the wanted bytes are."""
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for place, data in contents(*folders):
        for name, needle in wanted.items():
            if needle in data:
                found[name].add(place)
    return found
