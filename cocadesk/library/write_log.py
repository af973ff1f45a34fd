"""The writes of a library's tables as this process makes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import pyarrow as pa

from cocadesk.library.layout import MEDIA, VIEWS_PREFIX

_ROWS_KEPT = 2048
"""An index writes some hundred rows a second, and a search asks every few seconds."""


class WriteLog:
    """The keys that each write of a table has touched, so that a memory can follow.

    And the last ``rows_kept`` rows: asking a table of a million for some takes 0.2 s beside an
    index. Only media and views have one, and each of them a single one.
    """

    def __init__(self, *, rows_kept: int = _ROWS_KEPT) -> None:
        self._rows_kept = rows_kept
        self._rows: dict[str, dict[int, pa.Table]] = defaultdict(dict)
        # As Arrow's strings: without an engine that follows, an index keeps those of all files.
        self._writes: dict[str, list[pa.StringArray | None]] = defaultdict(list)
        self._forgotten: dict[str, int] = {}

    def add(self, name: str, keys: Collection[str] | None, rows: pa.Table | None = None) -> None:
        """Note a write of a table; ``keys`` None where it is not known which rows it touched.

        ``rows``, where given, are all rows with these keys since, in all columns.
        """
        kept = self._rows[name]
        if rows is not None:
            kept[len(self._writes[name])] = rows
            while sum(part.num_rows for part in kept.values()) > self._rows_kept:
                del kept[min(kept)]
        is_followed = name == MEDIA or name.startswith(VIEWS_PREFIX)
        followed = keys if is_followed else None
        self._writes[name].append(
            None if followed is None else pa.array(list(followed), pa.string())
        )

    def count(self, name: str) -> int:
        """The number of writes of a table."""
        return len(self._writes[name])

    def touched(self, name: str, since: int) -> set[str] | None:
        """The keys of all rows that were written or deleted after so many writes.

        None where that is not known, also where another process writes. Those of earlier
        writes are let go of: who asks has followed them.
        """
        self.forget(name, since)
        later = self._writes[name][since:]
        if not later or any(keys is None for keys in later):
            return None
        return {key for keys in later if keys is not None for key in keys.to_pylist()}

    def rows(self, name: str, since: int, columns: Sequence[str]) -> pa.Table | None:
        """All rows with the keys of ``touched``; None where they must be read from the table."""
        writes, rows = self._writes[name][since:], self._rows[name]
        kept = [rows[number] for number in range(since, since + len(writes)) if number in rows]
        keys = [key for own in writes if own is not None for key in set(own.to_pylist())]
        if not kept or len(kept) < len(writes) or len(set(keys)) < len(keys):
            return None  # or a later write changed a row again
        return pa.concat_tables(part.select(list(columns)) for part in kept)

    def forget(self, name: str, before: int) -> None:
        """Let go of the keys of the first writes: nobody asks for them any more."""
        writes, start = self._writes[name], self._forgotten.get(name, 0)
        end = min(before, len(writes))
        if end > start:
            writes[start:end] = [None] * (end - start)
            self._forgotten[name] = end
            for number in [one for one in self._rows[name] if one < end]:
                del self._rows[name][number]
