"""Small numbers for the keys of media, so that arrays can speak of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import compress
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

_NONE = np.zeros(0, "S26")
_RECENT = 20_000
"""So many keys whose number was asked for lately are found at once."""
_KEPT_AT_ONCE = 5_000
"""Longer lists are no results of one search, and go through no loop of Python's."""


class KeyNumbers:
    """Keys numbered in the order of their first mention; no number ever changes. Any thread.

    ``first`` are the keys of the first numbers, as bytes, and ``order`` sorts them.
    """

    def __init__(
        self, first: NDArray[np.bytes_] = _NONE, order: NDArray[np.integer] | None = None
    ) -> None:
        self._first = first
        self._order = np.argsort(first) if order is None else order
        self._later: list[str] = []
        self._number_of: dict[str, int] = {}
        self._recent: dict[str, int] = {}
        self._lock = threading.Lock()
        self._sorted = self._order

    def __len__(self) -> int:
        return len(self._first) + len(self._later)

    def key(self, number: int) -> str:
        """The key of a number."""
        if number < len(self._first):
            return bytes(self._first[number]).decode()
        return self._later[number - len(self._first)]

    def keys_of(self, numbers: NDArray[np.integer]) -> list[str]:
        """The keys of numbers, many at once."""
        if len(numbers) and int(numbers.max()) >= len(self._first):
            return list(map(self.key, numbers.tolist()))
        keys = [key.decode() for key in self._first[numbers].tolist()]
        self._keep(keys, numbers)
        return keys

    def number(self, key: str) -> int:
        """The number of a key; -1 where it has none."""
        return int(self.numbers([key])[0])

    def numbers(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """The number of each of ``keys``; -1 where it has none."""
        if len(keys) > _KEPT_AT_ONCE:
            return self._searched(keys)
        recent = self._recent
        found = np.fromiter((recent.get(key, -1) for key in keys), np.int32, len(keys))
        missing = np.flatnonzero(found < 0)
        if len(missing):
            unknown = [keys[place] for place in missing.tolist()]
            found[missing] = numbers = self._searched(unknown)
            self._keep(unknown, numbers)
        return found

    def _keep(self, keys: Sequence[str], numbers: NDArray[np.integer]) -> None:
        """One search asks for the numbers of its results several times."""
        if len(keys) > _KEPT_AT_ONCE:
            return
        if len(self._recent) > _RECENT:
            self._recent = {}
        pairs = zip(keys, numbers.tolist(), strict=True)
        self._recent.update((key, number) for key, number in pairs if number >= 0)

    def _searched(self, keys: Sequence[str]) -> NDArray[np.int32]:
        later = self._number_of
        if later:
            found = np.fromiter((later.get(key, -1) for key in keys), np.int32, len(keys))
        else:
            found = np.full(len(keys), -1, np.int32)
        if len(self._first) and (found < 0).any():
            wanted = np.array([key.encode() for key in keys], "S")
            places = np.searchsorted(self._first, wanted, sorter=self._order)
            numbers = self._order[np.minimum(places, len(self._first) - 1)]
            is_known = self._first[numbers] == wanted
            found[is_known] = numbers[is_known]
        return found

    def in_key_order(self) -> NDArray[np.integer]:
        """All numbers, sorted by their keys: by the time at which media were added."""
        with self._lock:
            if len(self._sorted) != len(self):
                later = np.array([key.encode() for key in self._later], "S")
                order = np.argsort(later)
                places = np.searchsorted(self._first, later[order], sorter=self._order)
                self._sorted = np.insert(self._order, places, order + len(self._first))
            return self._sorted

    def add(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """The number of each of ``keys``; those without one get the next."""
        with self._lock:
            numbers = self.numbers(keys)
            for place in np.flatnonzero(numbers < 0).tolist():
                key = keys[place]
                if key not in self._number_of:
                    self._later.append(key)
                    self._number_of[key] = len(self) - 1
                numbers[place] = self._number_of[key]
            return numbers


class KeySet(Set[str]):
    """The keys of the numbers that ``mask`` is True for; each is made when it is asked for."""

    def __init__(self, keys: KeyNumbers, mask: NDArray[np.bool_]) -> None:
        self.keys = keys
        self.mask = mask

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> set[T]:
        return set(it)  # what & and | give

    def __contains__(self, key: object) -> bool:
        number = self.keys.number(key) if isinstance(key, str) else -1
        return 0 <= number < len(self.mask) and bool(self.mask[number])

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys.keys_of(np.flatnonzero(self.mask)))

    def __len__(self) -> int:
        return int(np.count_nonzero(self.mask))

    def those_of(self, keys: Sequence[str]) -> list[str]:
        """Those of ``keys`` that are in it, in their order."""
        numbers = self.keys.numbers(keys)
        is_known = (numbers >= 0) & (numbers < len(self.mask))
        is_known[is_known] = self.mask[numbers[is_known]]
        return list(compress(keys, is_known.tolist()))


class KeyList(Sequence[str]):
    """The keys of ``numbers``, in their order; each is made when it is asked for."""

    def __init__(self, keys: KeyNumbers, numbers: NDArray[np.integer]) -> None:
        self.keys = keys
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.keys.keys_of(self.numbers[index])
        return self.keys.key(int(self.numbers[index]))
