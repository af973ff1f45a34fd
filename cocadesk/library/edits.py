"""Human annotations: an append-only log is the truth, columns of ``media`` are its projection."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from cocadesk.library.layout import MEDIA
from cocadesk.library.literals import literal
from cocadesk.library.rows import BatchMark, Edit, MediaRow, new_key
from cocadesk.library.schema import EDITS, HUMAN_COLUMNS, TABLES, arrow_to_rows, rows_to_arrow
from cocadesk.library.store import Store

FILE_FIELD = "file"
"""The field of a file written beside a photo; it has no column in ``media``."""

PERSON = "person"
"""The author of what people write, in an edit's ``who``."""

NO_WORDS: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(MediaRow)
    if field.name in HUMAN_COLUMNS
}
"""The human columns where nobody has said anything."""


class EditLog:
    """The log of human annotations, and its projection into ``media``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_seq: int | None = None

    def record(self, edits: Sequence[Edit]) -> list[Edit]:
        """Append ``edits`` (numbered here) and project them; the log is written first.

        ``field`` is one of the ``human_*`` columns of media, or ``FILE_FIELD``. All
        go into the log at once: after a crash all of them are there, or none.
        """
        unknown = {edit.field for edit in edits} - {*HUMAN_COLUMNS, FILE_FIELD}
        if unknown:
            raise ValueError(f"not a field of human annotations: {sorted(unknown)}")
        if not edits:
            return []
        with self._store.writing():
            first = self.next_seq()
            places = self._places({edit.key for edit in edits})
            numbered = [
                dataclasses.replace(e, seq=first + i, **places.get(e.key, {}))
                for i, e in enumerate(edits)
            ]
            self._store.append(EDITS, rows_to_arrow(EDITS, numbered))
            self._last_seq = numbered[-1].seq
            self.project({edit.key for edit in numbered if edit.field != FILE_FIELD})
        return numbered

    def replace_all(self, edits: Sequence[Edit]) -> None:
        """Let ``edits``, numbered anew in their order, be the whole log, in one commit.

        ``replay`` projects them.
        """
        with self._store.writing():
            numbered = [dataclasses.replace(e, seq=1 + i) for i, e in enumerate(edits)]
            self._store.replace(EDITS, rows_to_arrow(EDITS, numbered))
            self._last_seq = len(numbered)

    def rebuild(self, who: str, *, only_unknown: bool) -> int:
        """Take from ``media`` what the log lacks of human annotations, as one batch.

        For a log that has lost its end: the columns of ``media`` are ahead of it. The
        batch cannot be undone, as it only says what was said before. With
        ``only_unknown`` (the columns were set back too) the log is right where it says
        anything. Returns the number of fields.
        """
        with self._store.writing():
            words = projected(self._where(_OF_WORDS))
            batch, when = new_key(), datetime.now(UTC)
            found = []
            for row in self._store.read(MEDIA, columns=("key", *HUMAN_COLUMNS)).to_pylist():
                known = words.get(row["key"], {})
                logged = {**NO_WORDS, **known}
                found += [
                    Edit(
                        batch=batch,
                        key=row["key"],
                        who=who,
                        when=when,
                        field=field,
                        old=json.dumps(logged[field]),
                        new=json.dumps(value),
                        undoes=batch,
                    )
                    for field, value in _plain(row).items()
                    if field in HUMAN_COLUMNS
                    and value != logged[field]
                    and not (only_unknown and field in known)
                ]
            self.record(found)
        return len(found)

    def differing(self) -> int:
        """The number of media whose human columns are not what the log says."""
        words = projected(self._where(_OF_WORDS))
        rows = self._store.read(MEDIA, columns=("key", *HUMAN_COLUMNS)).to_pylist()
        return sum(
            {"key": row["key"], **NO_WORDS, **words.get(row["key"], {})} != _plain(row)
            for row in rows
        )

    def _places(self, keys: set[str]) -> dict[str, dict[str, Any]]:
        """Path and hash of the files of ``keys``."""
        columns = ("key", "path", "file_hash")
        if len(keys) > _KEYS_TO_ASK_FOR:
            table = self._store.read(MEDIA, columns=columns)
        else:
            table = self._store.read_in(MEDIA, "key", keys, columns)
        return {row.pop("key"): row for row in table.select(columns).to_pylist()}

    def next_seq(self) -> int:
        """The number of the next edit; ours alone to give, as we are the only writer."""
        if self._last_seq is None:
            numbers = self._store.read(EDITS, columns=["seq"])["seq"].to_pylist()
            self._last_seq = max(numbers, default=0)
        return self._last_seq + 1

    def version(self) -> int:
        """A number that changes with each edit."""
        return self._store.version(EDITS)

    def of_keys(self, keys: Iterable[str]) -> list[Edit]:
        """The edits of ``keys``, oldest first."""
        return _oldest_first(arrow_to_rows(Edit, self._store.read_in(EDITS, "key", keys)))

    def of_batch(self, batch: str) -> list[Edit]:
        """The edits of one batch, oldest first."""
        return self._where(f"batch = {literal(batch)}")

    def annotated_keys(self) -> set[str]:
        """The media about which a person ever said something, taken back or not."""
        return set(self._store.read(EDITS, where=_OF_WORDS, columns=["key"])["key"].to_pylist())

    def of_files(self) -> list[Edit]:
        """The edits that wrote files, oldest first."""
        return self._where(f"field = {literal(FILE_FIELD)}")

    def marks(self) -> list[BatchMark]:
        """All batches in the order of their first edits."""
        table = self._store.read(EDITS, columns=["seq", "batch", "undoes"])
        # Grouped by Arrow: a log may have many more edits than batches.
        grouped = table.group_by("batch", use_threads=False)
        found = grouped.aggregate([("seq", "min"), ("undoes", "first")]).to_pylist()
        found.sort(key=lambda row: row["seq_min"])
        return [BatchMark(row["batch"], row["undoes_first"]) for row in found]

    def all(self) -> list[Edit]:
        """The whole log, oldest first."""
        return _oldest_first(arrow_to_rows(Edit, self._store.read(EDITS)))

    def _where(self, where: str) -> list[Edit]:
        return _oldest_first(arrow_to_rows(Edit, self._store.read(EDITS, where=where)))

    def replay(self) -> None:
        """Make the projection equal to the log (a crash may lie between the two)."""
        if self._store.count(EDITS):
            self._project(projected(self._where(_OF_WORDS)))

    def project(self, keys: Iterable[str]) -> None:
        """Write the human columns of ``keys`` where they differ from the log."""
        keys = set(keys)
        if len(keys) > _KEYS_TO_ASK_FOR:
            words = projected(self._where(_OF_WORDS))
        else:
            words = projected(self.of_keys(keys))
        self._project({key: words.get(key, {}) for key in keys})

    def _project(self, words: Mapping[str, Mapping[str, object]]) -> None:
        columns = ("key", *HUMAN_COLUMNS)
        if len(words) > _KEYS_TO_ASK_FOR:
            table = self._store.read(MEDIA, columns=columns)
        else:
            table = self._store.read_in(MEDIA, "key", words, columns)
        changed = [
            wanted
            for row in table.select(columns).to_pylist()
            if row["key"] in words
            and (wanted := {"key": row["key"], **NO_WORDS, **words[row["key"]]}) != _plain(row)
        ]
        if changed:
            schema = pa.schema([TABLES[MEDIA].field(name) for name in columns])
            rows = pa.Table.from_pylist(changed, schema=schema)
            self._store.merge(MEDIA, ["key"], rows, insert=False)


_KEYS_TO_ASK_FOR = 2000
"""For more, reading a table whole is quicker than asking for its rows by key."""
_OF_WORDS = f"field != {literal(FILE_FIELD)}"


def _oldest_first(edits: list[Edit]) -> list[Edit]:
    return sorted(edits, key=lambda edit: edit.seq)


def projected(edits: Iterable[Edit]) -> dict[str, dict[str, object]]:
    """The last value of each field of each key, from edits in order; files have no column."""
    words: dict[str, dict[str, object]] = {}
    for edit in edits:
        if edit.field == FILE_FIELD:
            continue
        value = json.loads(edit.new)
        words.setdefault(edit.key, {})[edit.field] = (
            tuple(value) if isinstance(value, list) else value
        )
    return words


def _plain(row: dict[str, object]) -> dict[str, object]:
    """A row of the table in the form of ``NO_WORDS``: lists as tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
