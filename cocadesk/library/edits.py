"""Human annotations: an append-only log is the truth, columns of ``media`` are its projection."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cocadesk.library.layout import EDITS, MEDIA
from cocadesk.library.literals import is_in, literal
from cocadesk.library.rows import ALBUM, SAVED_SEARCH, BatchMark, Edit, MediaRow, new_key
from cocadesk.library.schema import HUMAN_COLUMNS, TABLES, arrow_to_rows, rows_to_arrow
from cocadesk.library.store import Store

FILE_FIELD = "file"
"""The field of a file written beside a photo; it has no column in ``media``."""

_PLACE = "place in "

GROUP_BEST = "best of its group"
"""The field of a medium that a person calls the best of its group: true, or null."""

_APART = "not the same as "

PERSON = "person"
"""The author of what people write, in an edit's ``who``."""

NO_WORDS: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(MediaRow)
    if field.name in HUMAN_COLUMNS
}
"""The human columns where nobody has said anything."""

_ALBUM_COLUMNS = ("human_albums", "human_places")
_WORDS = frozenset(NO_WORDS) - set(_ALBUM_COLUMNS)


def place_field(album: str) -> str:
    """The field of a medium's place in an album (None: it is not in it).

    One for each album, so that adding a photo to a long one is one short entry.
    """
    return _PLACE + album


def album_of(field: str) -> str | None:
    """The album whose places a field holds, if it does."""
    return field.removeprefix(_PLACE) if field.startswith(_PLACE) else None


def apart_field(other: str) -> str:
    """The field of a medium that does not belong with another one: true, or null.

    It stands with the medium whose key comes first. One for each pair, so that forgetting
    either takes it away.
    """
    return _APART + other


def apart_from(field: str) -> str | None:
    """The other medium of an ``apart_field``, if it is one."""
    return field.removeprefix(_APART) if field.startswith(_APART) else None


def apart_pairs(log: EditLog) -> set[tuple[str, str]]:
    """All pairs of media that people set apart, the lower key first."""
    said = {(e.key, e.field.removeprefix(_APART)): json.loads(e.new) for e in log.of_apart()}
    return {pair for pair, is_so in said.items() if is_so}


def best_keys(log: EditLog) -> list[str]:
    """The media that people call the best of their groups, the last choice at the end."""
    found: dict[str, None] = {}
    for edit in log.of_best():
        found.pop(edit.key, None)
        if json.loads(edit.new):
            found[edit.key] = None
    return list(found)


def columns_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The human columns of a medium with these fields of the log."""
    found = {name: value for name, value in fields.items() if name in _WORDS}
    places = [(album_of(name), place) for name, place in fields.items() if album_of(name)]
    inside = sorted((album, place) for album, place in places if album and place is not None)
    albums, order = zip(*inside, strict=True) if inside else ((), ())
    return {**NO_WORDS, **found, "human_albums": tuple(albums), "human_places": tuple(order)}


def fields_of(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the log that give these human columns; the converse of ``columns_of``."""
    found = {name: columns[name] for name in NO_WORDS if name in _WORDS}
    places = zip(columns["human_albums"], columns["human_places"], strict=True)
    return found | {place_field(album): place for album, place in places}


class EditLog:
    """The log of human annotations, and its projection into ``media``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_seq: int | None = None
        self.decisions = 0
        """A number that changes with each decision about groups."""
        self._marks: tuple[int, dict[str, BatchMark], list[BatchMark]] | None = None
        self.is_projected = False
        """True where the human columns of media are known to be what the log says."""

    def record(self, edits: Sequence[Edit]) -> list[Edit]:
        """Append ``edits`` (numbered here) and project them; the log is written first.

        ``field`` is one of the ``human_*`` columns of media, a ``place_field``, ``ALBUM``,
        ``SAVED_SEARCH``, ``FILE_FIELD``, ``GROUP_BEST`` or an ``apart_field``. All go into the
        log at once: after a crash all of them are there, or none.
        """
        fields = {edit.field for edit in edits} - {*_WORDS, *_WITHOUT_COLUMN}
        unknown = {field for field in fields if not album_of(field) and not apart_from(field)}
        if unknown:
            raise ValueError(f"not a field of human annotations: {sorted(unknown)}")
        if not edits:
            return []
        with self._store.writing():
            first = self.next_seq()
            files = self._files({edit.key for edit in edits})
            numbered = [
                dataclasses.replace(e, seq=first + i, **files.get(e.key, {}))
                for i, e in enumerate(edits)
            ]
            was_projected, self.is_projected = self.is_projected, False
            before = self.version()
            self._store.append(EDITS, rows_to_arrow(EDITS, numbered))
            self._last_seq = numbered[-1].seq
            self._note_marks(numbered, before)
            self.project({e.key for e in numbered if _has_column(e.field)})
            self.is_projected = was_projected
            self.decisions += any(
                e.field == GROUP_BEST or apart_from(e.field) is not None for e in numbered
            )
        return numbered

    def replace_all(self, edits: Sequence[Edit]) -> None:
        """Let ``edits``, numbered anew in their order, be the whole log, in one commit.

        ``replay`` projects them.
        """
        with self._store.writing():
            numbered = [dataclasses.replace(e, seq=1 + i) for i, e in enumerate(edits)]
            self.is_projected = False
            self._store.replace(EDITS, rows_to_arrow(EDITS, numbered))
            self._last_seq = len(numbered)
            self.decisions += 1

    def rebuild(self, who: str, *, only_unknown: bool) -> int:
        """Take from ``media`` what the log lacks of human annotations, as one batch.

        For a log that has lost its end: the columns of ``media`` are ahead of it. The
        batch cannot be undone, as it only says what was said before. With
        ``only_unknown`` (the columns were set back too) the log is right where it says
        anything. An album whose name is lost gets one. Returns the number of fields.
        """
        with self._store.writing():
            words = projected(self._where(_OF_WORDS))
            batch, when = new_key(), datetime.now(UTC)
            found, albums = [], set[str]()

            def said(key: str, field: str, old: object, new: object) -> Edit:
                return Edit(
                    batch=batch,
                    key=key,
                    who=who,
                    when=when,
                    field=field,
                    old=json.dumps(old),
                    new=json.dumps(new),
                    undoes=batch,
                )

            for row in self._store.read(MEDIA, columns=("key", *HUMAN_COLUMNS)).to_pylist():
                known = words.get(row["key"], {})
                logged, there = {**fields_of(NO_WORDS), **known}, fields_of(_plain(row))
                albums.update(row["human_albums"])
                found += [
                    said(row["key"], field, logged.get(field), there.get(field))
                    for field in dict.fromkeys((*there, *logged))
                    if there.get(field) != logged.get(field)
                    and not (only_unknown and field in known)
                ]
            lost = sorted(albums - self.values_of(ALBUM).keys())
            names = (f"Recovered album {number}" for number in range(1, len(lost) + 1))
            found += [said(*named) for named in zip(lost, repeat(ALBUM), repeat(None), names)]
            self.record(found)
        return len(found)

    def differing(self) -> int:
        """The number of media whose human columns are not what the log says."""
        words = projected(self._where(_OF_WORDS))
        rows = self._store.read(MEDIA, columns=("key", *HUMAN_COLUMNS)).to_pylist()
        return sum(
            {"key": row["key"], **columns_of(words.get(row["key"], {}))} != _plain(row)
            for row in rows
        )

    def _files(self, keys: set[str]) -> dict[str, dict[str, Any]]:
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
            numbers = self._store.read(EDITS, columns=["seq"])["seq"]
            self._last_seq = int(pc.max(numbers).as_py() or 0)
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

    def values_of(self, field: str) -> dict[str, list[Any]]:
        """All values that a field ever had, by key, the oldest first."""
        where = f"field = {literal(field)}"
        table = self._store.read(EDITS, where=where, columns=["seq", "key", "new"])
        found: dict[str, list[Any]] = {}
        for row in sorted(table.to_pylist(), key=itemgetter("seq")):
            found.setdefault(row["key"], []).append(json.loads(row["new"]))
        return found

    def of_apart(self) -> list[Edit]:
        """The edits that set pairs of media apart, oldest first."""
        return self._where(OF_APART)

    def of_best(self) -> list[Edit]:
        """The edits that choose the best of groups, oldest first."""
        return self._where(f"field = {literal(GROUP_BEST)}")

    def of_files(self) -> list[Edit]:
        """The edits that wrote files, oldest first."""
        return self._where(f"field = {literal(FILE_FIELD)}")

    def marks(self) -> list[BatchMark]:
        """All batches in the order of their first edits.

        The same list as before with new ones at its end, while this process alone writes.
        """
        version = self.version()
        if self._marks is None or self._marks[0] != version:
            found = self._read_marks()
            self._marks = version, {mark.batch: mark for mark in found}, found
        return self._marks[2]

    def _note_marks(self, edits: Iterable[Edit], version: int) -> None:
        """Bring the marks of a version of the log forward by what was appended to it."""
        if self._marks is None or self._marks[0] != version:
            return
        _, known, marks = self._marks
        for edit in edits:
            if edit.batch not in known:
                known[edit.batch] = mark = BatchMark(edit.batch, edit.undoes)
                marks.append(mark)
        self._marks = self.version(), known, marks

    def _read_marks(self) -> list[BatchMark]:
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
        self.is_projected = True

    def project(self, keys: Iterable[str]) -> None:
        """Write the human columns of ``keys`` where they differ from the log."""
        keys = set(keys)
        if len(keys) > max(_KEYS_TO_ASK_FOR, self._store.count(EDITS) // _PART_TO_ASK_FOR):
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
            and (wanted := {"key": row["key"], **columns_of(words[row["key"]])}) != _plain(row)
        ]
        if changed:
            schema = pa.schema([TABLES[MEDIA].field(name) for name in columns])
            rows = pa.Table.from_pylist(changed, schema=schema)
            self._store.merge(MEDIA, ["key"], rows, insert=False)


_KEYS_TO_ASK_FOR = 2000
"""For more, reading a table whole is quicker than asking for its rows by key."""
_PART_TO_ASK_FOR = 4
"""A long log is asked by key for up to this part of its entries: each is read as JSON."""
_WITHOUT_COLUMN = (FILE_FIELD, ALBUM, SAVED_SEARCH, GROUP_BEST)
OF_APART = f"starts_with(field, {literal(_APART)})"
"""Finds the edits that set pairs of media apart."""
_OF_WORDS = f"NOT {is_in('field', _WITHOUT_COLUMN)} AND NOT {OF_APART}"


def _has_column(field: str) -> bool:
    return field not in _WITHOUT_COLUMN and apart_from(field) is None


def _oldest_first(edits: list[Edit]) -> list[Edit]:
    return sorted(edits, key=lambda edit: edit.seq)


def projected(edits: Iterable[Edit]) -> dict[str, dict[str, object]]:
    """The last value of each field of each key, from edits in order; files have no value."""
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
