"""Float16 features on disk, filled step by step; an interrupted filling goes on where it was."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.checkpoint import write_atomic

Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A photo that gave no picture."""

    photo: int
    reason: str


class FeatureStore:
    """Named arrays (photos, crops, …) with a record of how far they are filled.

    ``done`` counts whatever its user fills in order, up to ``total``. ``failures``
    have no rows worth reading.
    """

    def __init__(self, folder: Path, name: str, photos: int, crops: int, total: int) -> None:
        self._folder = folder
        self._name = name
        self.photos = photos
        self.crops = crops
        self.total = total
        self.done = 0
        self.failures: list[Failure] = []
        self._sizes: dict[str, list[int]] = {}
        self._open: dict[str, Halves] = {}
        self._read()

    @property
    def _marker(self) -> Path:
        return self._folder / f"{self._name}.json"

    def _read(self) -> None:
        if not self._marker.exists():
            return
        record = json.loads(self._marker.read_text("utf-8"))
        if (record["photos"], record["crops"]) != (self.photos, self.crops):
            return
        self._sizes, self.done = record["sizes"], int(record["done"])
        self.failures = [Failure(**failure) for failure in record["failures"]]

    @property
    def is_whole(self) -> bool:
        """True where everything was tried."""
        return self.done >= self.total

    def arrays(self) -> dict[str, Halves]:
        """The arrays by name, mapped from disk to read."""
        return {name: self._map(name, "r") for name in self._sizes}

    def put(self, index: Any, **features: NDArray[np.floating[Any]]) -> None:
        """Stores features at an index of photos (and crops); the first ones say the sizes."""
        for name, values in features.items():
            if name not in self._open:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._sizes.setdefault(name, list(values.shape[1:]))
                self._open[name] = self._map(name, "r+")
            self._open[name][index] = values

    def _map(self, name: str, mode: str) -> Halves:
        path = self._folder / f"{self._name}.{name}.f16"
        shape = (self.photos, self.crops, *self._sizes[name])
        if mode == "r+":
            _reserve(path, 2 * math.prod(shape))
        array: Halves = np.memmap(path, np.float16, mode, shape=shape)  # type: ignore[call-overload]
        return array

    def mark(self, done: int) -> None:
        """Records how far the arrays are filled."""
        self.done = done
        record = {
            "photos": self.photos,
            "crops": self.crops,
            "done": done,
            "sizes": self._sizes,
            "failures": [asdict(failure) for failure in self.failures],
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self._marker, json.dumps(record).encode())


def _reserve(path: Path, size: int) -> None:
    """Gives the file its room first: a full disk must be an error, not a bus error later."""
    if path.exists() and path.stat().st_size == size:
        return
    with path.open("wb") as handle:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle.fileno(), 0, size)
        else:
            for start in range(0, size, 1 << 20):
                handle.write(bytes(min(1 << 20, size - start)))
