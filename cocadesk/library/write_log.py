"""The writes of a library's tables as this process makes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from cocadesk.library.layout import MEDIA, VIEWS_PREFIX


class WriteLog:
    """The keys that each write of a table has touched, so that a memory can follow.

    Only media and views have one, and each of them a single one.
    """

    def __init__(self) -> None:
        self._writes: dict[str, list[Collection[str] | None]] = defaultdict(list)
        self._forgotten: dict[str, int] = {}

    def add(self, name: str, keys: Collection[str] | None) -> None:
        """Note a write of a table; None where it is not known which rows it touched."""
        is_followed = name == MEDIA or name.startswith(VIEWS_PREFIX)
        self._writes[name].append(keys if is_followed else None)

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
        if not later or None in later:
            return None
        return {key for keys in later if keys is not None for key in keys}

    def forget(self, name: str, before: int) -> None:
        """Let go of the keys of the first writes: nobody asks for them any more."""
        writes, start = self._writes[name], self._forgotten.get(name, 0)
        end = min(before, len(writes))
        if end > start:
            writes[start:end] = [None] * (end - start)
            self._forgotten[name] = end
