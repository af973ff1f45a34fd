"""Traces of forgotten media in texts, JSON, Parquet files and backups, and their removal."""

from __future__ import annotations

import base64
import io
import json
import os
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from cocadesk.library.archives import DAMAGED, from_parquet, to_parquet
from cocadesk.library.atomic import write_atomically
from cocadesk.library.edits import apart_from
from cocadesk.library.paths import is_under
from cocadesk.library.storage import Storage

_GONE = object()


class Traces:
    """Tells which texts and rows name forgotten media: by key, by path or by their folder.

    Paths are found as text and as base64, the two forms in which programs store them.
    """

    def __init__(
        self, keys: Collection[str], paths: Iterable[bytes], folders: Collection[bytes]
    ) -> None:
        self._keys = frozenset(keys)
        self._paths = frozenset(paths)
        self._folders = tuple(folders)
        places = [*self._paths, *self._folders]
        self._texts = frozenset(
            {_text(path) for path in places}
            | {base64.b64encode(path).decode() for path in places}
            | self._keys
        )
        self._folder_texts = tuple(_text(folder) for folder in self._folders)

    def has_path(self, path: bytes) -> bool:
        """True where a path is forgotten, or lies in a forgotten folder."""
        return path in self._paths or any(is_under(path, folder) for folder in self._folders)

    def is_named(self, text: str) -> bool:
        """True where a whole text is a forgotten key or path."""
        if text in self._texts:
            return True
        return any(text.startswith(folder + os.sep) for folder in self._folder_texts) or (
            bool(self._folders) and self._is_coded(text)
        )

    def _is_coded(self, text: str) -> bool:
        try:
            return self.has_path(base64.b64decode(text, validate=True))
        except ValueError:
            return False

    def is_in(self, document: str) -> bool:
        """True where any text of a JSON document names something forgotten."""
        try:
            content = json.loads(document)
        except ValueError:
            return True
        return any(self.is_named(text) for text in _texts_of(content))

    def without(self, content: Any) -> Any:
        """A JSON document without the entries that name something forgotten."""
        if isinstance(content, dict):
            return {
                key: kept
                for key, value in content.items()
                if not self.is_named(key) and (kept := self._kept(value)) is not _GONE
            }
        return self._kept(content)

    def _kept(self, value: Any) -> Any:
        if isinstance(value, str):
            return _GONE if self.is_named(value) else value
        if isinstance(value, list):
            return [kept for item in value if (kept := self._kept(item)) is not _GONE]
        if isinstance(value, dict):
            if any(isinstance(own, str) and self.is_named(own) for own in value.values()):
                return _GONE  # a record about it
            return self.without(value)
        return value

    def clean_json(self, path: Path) -> bool:
        """Take the entries out of a JSON file; True where there were any.

        One that is damaged can't be cleaned and is removed.
        """
        data = path.read_bytes()
        try:
            cleaned = self._cleaned("x.json", data)
        except ValueError:
            path.unlink(missing_ok=True)
            return False
        if cleaned != data:
            write_atomically(path, cleaned, durable=True)
        return cleaned != data

    def clean_backup(self, path: Path, storage: Storage) -> bool:
        """Take the rows and entries out of a backup (zip, Parquet or JSON); True where any were.

        One that is damaged can't be cleaned and is removed.

        Raises:
            OSError: it can't be read at all.
        """
        data = path.read_bytes()
        try:
            is_zip = path.suffix == ".zip"
            cleaned = self._cleaned_zip(data) if is_zip else self._cleaned(path.name, data)
        except DAMAGED:
            storage.remove(path)
            return True
        if cleaned != data:
            storage.write(path, cleaned)
        return cleaned != data

    def _cleaned_zip(self, data: bytes) -> bytes:
        buffer = io.BytesIO()
        is_changed = False
        with (
            zipfile.ZipFile(io.BytesIO(data)) as old,
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for name in old.namelist():
                member = old.read(name)
                cleaned = self._cleaned(name, member)
                is_changed |= cleaned != member
                new.writestr(name, cleaned)
        return buffer.getvalue() if is_changed else data

    def _cleaned(self, name: str, data: bytes) -> bytes:
        """The content of a file by its ending; the very same bytes where nothing is named."""
        if name.endswith(".parquet"):
            table = from_parquet(data)
            kept = self.rows_without(table)
            return data if kept.num_rows == table.num_rows else to_parquet(kept)
        if name.endswith(".json"):
            content = json.loads(data)
            kept = self.without(content)
            return data if kept == content else json.dumps(kept, indent=1).encode()
        return data

    def rows_without(self, table: pa.Table) -> pa.Table:
        """A table without the rows about a forgotten key or path."""
        keys = _column(table, "key")
        paths, fields = _column(table, "path"), _column(table, "field")
        kept = [
            not self._keys & {key, apart_from(field or "")}
            and not (isinstance(path, bytes) and self.has_path(path))
            for key, path, field in zip(keys, paths, fields, strict=True)
        ]
        return table.filter(pa.array(kept, pa.bool_()))


def _column(table: pa.Table, name: str) -> list[Any]:
    if name not in table.column_names:
        return [None] * table.num_rows
    values: list[Any] = table.column(name).to_pylist()
    return values


def _text(path: bytes) -> str:
    """A path as programs show it."""
    return os.fsdecode(path).encode("utf-8", "replace").decode()


def _texts_of(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for item in content:
            yield from _texts_of(item)
    elif isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _texts_of(value)
