"""Many texts in one array of bytes: a million of them are compared with another at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

_PIECE_BYTES = 1 << 22
"""So much is looked through at a time: more would leave the processor's caches."""
_SAMPLE_BYTES = 1 << 16


class Texts(Sequence[str]):
    """Texts in UTF-8: text i lies in ``data`` from ``offsets[i]`` to ``offsets[i + 1]``.

    ``aid`` is what a search has made of the first of them (see ``word_index``); where others
    are added behind them it stays.
    """

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.data = data
        self.offsets = offsets
        self.aid: object = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Those of any iterable."""
        return cls.of_bytes(text.encode() for text in texts)

    @classmethod
    def of_bytes(cls, encoded: Iterable[bytes]) -> Texts:
        """Those that are encoded already, or are no texts at all."""
        parts = list(encoded)
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        return cls(np.frombuffer(b"".join(parts), np.uint8), offsets)

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """The texts of all ``parts``, one after the other."""
        parts = [part for part in parts if len(part)] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(part.offsets[-1] for part in parts)])
        offsets = [p.offsets[:-1] + start for p, start in zip(parts, starts, strict=False)]
        found = cls(
            np.concatenate([part.data for part in parts]),
            np.concatenate([*offsets, starts[-1:]]),
        )
        found.aid = parts[0].aid
        return found

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.bytes_of(index).decode()

    def bytes_of(self, index: int) -> bytes:
        """A text as it is encoded."""
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def some(self, indexes: NDArray[np.integer]) -> Texts:
        """These texts, in this order."""
        lengths = self.offsets[indexes + 1] - self.offsets[indexes]
        offsets = np.zeros(len(indexes) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # For each byte of the new texts its place in the old ones.
        places = np.repeat(self.offsets[indexes] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Texts(self.data[places], offsets)

    def equal(self, text: str) -> NDArray[np.bool_]:
        """True for each text that is ``text``."""
        wanted = text.encode()
        return self._beginning(np.flatnonzero(np.diff(self.offsets) == len(wanted)), wanted)

    def starting(self, text: str) -> NDArray[np.bool_]:
        """True for each text that begins with ``text``."""
        wanted = text.encode()
        return self._beginning(np.flatnonzero(np.diff(self.offsets) >= len(wanted)), wanted)

    def _beginning(self, indexes: NDArray[np.intp], wanted: bytes) -> NDArray[np.bool_]:
        for place, byte in enumerate(wanted):
            if not len(indexes):
                break
            indexes = indexes[self.data[self.offsets[indexes] + place] == byte]
        return self._mask(indexes)

    def containing(self, text: str) -> NDArray[np.bool_]:
        """True for each text that holds ``text``."""
        wanted = text.encode()
        if not wanted:
            return np.ones(len(self), np.bool_)
        places = np.concatenate(
            [
                self._places(wanted, start, min(start + _PIECE_BYTES, len(self.data)))
                for start in range(0, len(self.data), _PIECE_BYTES)
            ]
            or [np.zeros(0, np.intp)]
        )
        owners = np.searchsorted(self.offsets, places, side="right") - 1
        is_inside = places + len(wanted) <= self.offsets[owners + 1]
        return self._mask(owners[is_inside])

    def _places(self, wanted: bytes, start: int, end: int) -> NDArray[np.intp]:
        """The places from ``start`` to ``end`` at which ``wanted`` begins."""
        last = min(end, len(self.data) - len(wanted) + 1)
        if last <= start:
            return np.zeros(0, np.intp)
        # By the rarest of its bytes first: few places are left for the others.
        counts = np.bincount(self.data[start:last][:_SAMPLE_BYTES], minlength=256)
        order = sorted(range(len(wanted)), key=lambda place: int(counts[wanted[place]]))
        rarest = order[0]
        places = np.flatnonzero(self.data[start + rarest : last + rarest] == wanted[rarest]) + start
        for place in order[1:]:
            places = places[self.data[places + place] == wanted[place]]
        return places

    def _mask(self, indexes: NDArray[np.intp]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self), np.bool_)
        mask[indexes] = True
        return mask
