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

_EMPTY: dict[str, object] = {
    "human_caption": None,
    "human_verdict": None,
    "human_tags_added": (),
    "human_tags_removed": (),
    "human_rating": None,
}


class EditLog:
    """Appends to the log of human words and keeps their projection right."""

    def __init__(self, store: Store, media: MediaTable) -> None:
        self._store = store
        self._media = media

    def record(self, edits: Sequence[Edit]) -> list[Edit]:
        """Append ``edits`` (numbered here) and project them; the log is written first.

        ``field`` is one of the ``human_*`` columns of media.
        """
        unknown = {edit.field for edit in edits} - set(HUMAN_COLUMNS)
        if unknown:
            raise ValueError(f"not a field of human words: {sorted(unknown)}")
        if not edits:
            return []
        with self._store.writing():
            first = self._next_number()
            numbered = [dataclasses.replace(e, seq=first + i) for i, e in enumerate(edits)]
            self._store.append(EDITS, rows_to_arrow(EDITS, numbered))
            self.project({edit.key for edit in numbered})
        return numbered

    def _next_number(self) -> int:
        numbers = self._store.read(EDITS, columns=["seq"])["seq"].to_pylist()
        return max(numbers, default=0) + 1

    def of_keys(self, keys: Iterable[str]) -> list[Edit]:
        """The edits of ``keys``, oldest first."""
        literals = [text_literal(key) for key in keys]
        rows = arrow_to_rows(Edit, self._store.read_in(EDITS, "key", literals))
        return sorted(rows, key=lambda edit: edit.seq)

    def all(self) -> list[Edit]:
        """The whole log, oldest first."""
        return sorted(arrow_to_rows(Edit, self._store.read(EDITS)), key=lambda edit: edit.seq)

    def replay(self) -> None:
        """Make the projection equal to the log (a crash may lie between the two)."""
        if self._store.count(EDITS):
            self.project({edit.key for edit in self.all()})

    def project(self, keys: Iterable[str]) -> None:
        """Write the human columns of ``keys`` where they differ from the log."""
        keys = sorted(keys)
        words = projected(self.of_keys(keys))
        rows = self._media.rows(keys)
        changed = [
            wanted for row in rows if (wanted := _with_words(row, words.get(row.key, {}))) != row
        ]
        if changed:
            table = rows_to_arrow(MEDIA, changed, ("key", *HUMAN_COLUMNS))
            self._store.merge(MEDIA, ["key"], table, insert=False)


def projected(edits: Iterable[Edit]) -> dict[str, dict[str, object]]:
    """The last value of each field of each key, from edits in order."""
    words: dict[str, dict[str, object]] = {}
    for edit in edits:
        value = json.loads(edit.new)
        words.setdefault(edit.key, {})[edit.field] = (
            tuple(value) if isinstance(value, list) else value
        )
    return words


def _with_words(row: MediaRow, words: dict[str, object]) -> MediaRow:
    return dataclasses.replace(row, **{**_EMPTY, **words})  # type: ignore[arg-type]
