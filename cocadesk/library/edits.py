"""Human words: an append-only log is the truth, columns of ``media`` are its projection."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence

from cocadesk.library.convert import arrow_to_rows, rows_to_arrow
from cocadesk.library.media_table import MediaTable
from cocadesk.library.rows import Edit, MediaRow
from cocadesk.library.schema import EDITS, HUMAN_COLUMNS
from cocadesk.library.store import Store, text_literal
from cocadesk.library.tables import MEDIA
from cocadesk.library.undoing import BatchMark

FILE_FIELD = "file"
"""The field of a file written beside a photo; it has no column in ``media``."""

NO_WORDS: dict[str, object] = {
    "human_caption": None,
    "human_verdict": None,
    "human_tags_added": (),
    "human_tags_removed": (),
    "human_rating": None,
}
"""What the human columns hold where nobody has said anything."""


class EditLog:
    """Appends to the log of human words and keeps their projection right."""

    def __init__(self, store: Store, media: MediaTable) -> None:
        self._store = store
        self._media = media
        self._last_seq: int | None = None

    def record(self, edits: Sequence[Edit]) -> list[Edit]:
        """Append ``edits`` (numbered here) and project them; the log is written first.

        ``field`` is one of the ``human_*`` columns of media, or ``FILE_FIELD``. All
        go into the log at once: after a crash all of them are there, or none.
        """
        unknown = {edit.field for edit in edits} - {*HUMAN_COLUMNS, FILE_FIELD}
        if unknown:
            raise ValueError(f"not a field of human words: {sorted(unknown)}")
        if not edits:
            return []
        with self._store.writing():
            first = self.next_seq()
            numbered = [dataclasses.replace(e, seq=first + i) for i, e in enumerate(edits)]
            self._store.append(EDITS, rows_to_arrow(EDITS, numbered))
            self._last_seq = numbered[-1].seq
            self.project({edit.key for edit in numbered if edit.field != FILE_FIELD})
        return numbered

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
        literals = [text_literal(key) for key in keys]
        return _oldest_first(arrow_to_rows(Edit, self._store.read_in(EDITS, "key", literals)))

    def of_batch(self, batch: str) -> list[Edit]:
        """The edits of one batch, oldest first."""
        return self._where(f"batch = {text_literal(batch)}")

    def of_files(self) -> list[Edit]:
        """The edits that wrote files, oldest first."""
        return self._where(f"field = {text_literal(FILE_FIELD)}")

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
            keys = self._store.read(EDITS, where=_OF_WORDS, columns=["key"])["key"]
            self.project(set(keys.to_pylist()))

    def project(self, keys: Iterable[str]) -> None:
        """Write the human columns of ``keys`` where they differ from the log."""
        keys = sorted(keys)
        if not keys:
            return
        words = projected(self.of_keys(keys))
        rows = self._media.rows(keys)
        changed = [
            wanted for row in rows if (wanted := _with_words(row, words.get(row.key, {}))) != row
        ]
        if changed:
            table = rows_to_arrow(MEDIA, changed, ("key", *HUMAN_COLUMNS))
            self._store.merge(MEDIA, ["key"], table, insert=False)


_OF_WORDS = f"field != {text_literal(FILE_FIELD)}"


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


def _with_words(row: MediaRow, words: dict[str, object]) -> MediaRow:
    return dataclasses.replace(row, **{**NO_WORDS, **words})  # type: ignore[arg-type]
