"""What the locked image side makes of several views of every photo, kept in the run's folder.

Photos are decoded in the media room's disposable processes. The file grows photo by
photo: an interrupted run goes on where it was, and once it is whole the photos are not
read again, so a run may be resumed although they are gone.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.media import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeRequest,
    DecoderPool,
    InputSpec,
)
from trainer.augment import make_view
from trainer.checkpoint import write_atomic
from trainer.config import FeatureConfig
from trainer.tuning.network import ImageSide

NOT_A_PHOTO = "This is no photo; only photos teach."
BUDGET_BYTES = 512 << 20
VIEWS = FeatureConfig(views=8, min_area=0.5, light=0.2)
_CHUNK = 8

Progress = Callable[[int, int], None]
"""Gets (photos done, all); it may raise to stop the work between two photos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A photo that gave no picture."""

    photo: int
    reason: str


class ViewStore:
    """Vectors (P, V, E) and tokens (P, V, N, D), float16, of P photos' V views.

    View 0 is the photo as search sees it. ``failed`` photos have no rows worth reading.
    """

    def __init__(self, folder: Path, name: str, photos: int, views: int) -> None:
        self._folder = folder
        self._name = name
        self._photos = photos
        self.views = views
        self._done = 0
        self._sizes: tuple[int, int, int] | None = None
        self.failures: list[Failure] = []
        self._open()

    @property
    def _marker(self) -> Path:
        return self._folder / f"{self._name}.json"

    def _open(self) -> None:
        if not self._marker.exists():
            return
        record = json.loads(self._marker.read_text("utf-8"))
        if (record["photos"], record["views"]) != (self._photos, self.views):
            return
        self._sizes = (record["e"], record["n"], record["d"])
        self._done = int(record["done"])
        self.failures = [Failure(photo=int(p), reason=r) for p, r in record["failures"]]

    @property
    def is_whole(self) -> bool:
        """Whether every photo was tried."""
        return self._done >= self._photos

    def arrays(self, mode: str = "r") -> tuple[NDArray[np.float16], NDArray[np.float16]]:
        """The two arrays, mapped from disk."""
        if self._sizes is None:
            raise ValueError("no view has been made yet")
        e, n, d = self._sizes
        shapes = ((self._photos, self.views, e), (self._photos, self.views, n, d))
        first, second = (
            self._map(f"{self._name}.{kind}.f16", shape, mode)
            for kind, shape in zip(("vectors", "tokens"), shapes, strict=True)
        )
        return first, second

    def _map(self, name: str, shape: tuple[int, ...], mode: str) -> NDArray[np.float16]:
        path = self._folder / name
        if mode == "r+":
            _reserve(path, 2 * math.prod(shape))
        array: NDArray[np.float16] = np.memmap(path, np.float16, mode, shape=shape)  # type: ignore[call-overload]
        return array

    def fill(
        self,
        paths: Sequence[bytes],
        pool: DecoderPool | None,
        image_side: ImageSide,
        seed: int,
        progress: Progress,
    ) -> None:
        """Makes what is missing; safe to call again after an interruption.

        A whole store needs no ``pool``.
        """
        if self.is_whole or pool is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        for start in range(self._done, self._photos, _CHUNK):
            chunk = range(start, min(start + _CHUNK, self._photos))
            self._fill_chunk(chunk, paths, pool, image_side, seed)
            progress(self._done, self._photos)

    def _fill_chunk(
        self,
        chunk: range,
        paths: Sequence[bytes],
        pool: DecoderPool,
        image_side: ImageSide,
        seed: int,
    ) -> None:
        failures = []
        for result in pool.decode(DecodeRequest(token=i, path=paths[i]) for i in chunk):
            if isinstance(result, DecodedPhoto):
                self._put(
                    result.token,
                    views_of(result.input_HWC, self.views, seed, result.token),
                    image_side,
                )
                continue
            if isinstance(result, DecodedVideo):
                result.close()
            reason = result.reason if isinstance(result, DecodeFailure) else NOT_A_PHOTO
            failures.append(Failure(photo=result.token, reason=reason))
        self.failures += sorted(failures, key=lambda failure: failure.photo)
        self._mark(chunk.stop)

    def _put(self, photo: int, views_VHWC: NDArray[np.uint8], image_side: ImageSide) -> None:
        vectors, tokens = image_side(views_VHWC)
        if self._sizes is None:
            self._sizes = (vectors.shape[1], tokens.shape[1], tokens.shape[2])
        stored_vectors, stored_tokens = self.arrays("r+")
        stored_vectors[photo], stored_tokens[photo] = vectors, tokens

    def _mark(self, done: int) -> None:
        self._done = done
        e, n, d = self._sizes or (0, 0, 0)
        record = {
            "photos": self._photos,
            "views": self.views,
            "done": done,
            "e": e,
            "n": n,
            "d": d,
            "failures": [[failure.photo, failure.reason] for failure in self.failures],
        }
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


def views_of(plain_HWC: NDArray[np.uint8], views: int, seed: int, photo: int) -> NDArray[np.uint8]:
    """(V, S, S, 3): the picture itself, then random crops, mirrored and relit."""
    size = plain_HWC.shape[0]
    made = [make_view(plain_HWC, size, VIEWS, (seed, 2, photo, v)) for v in range(1, views)]
    return np.stack([plain_HWC, *made])


def affordable_views(photos: int, bytes_per_view: int) -> int:
    """How many views of each photo fit the budget, at most eight, at least one."""
    return max(1, min(VIEWS.views, BUDGET_BYTES // max(1, photos * bytes_per_view)))


def open_pool(spec: InputSpec) -> DecoderPool:
    """Two disposable processes that decode; a context manager."""
    return DecoderPool(spec=spec, workers=2, thumbnail_px=32)


class EtaEstimator:
    """Seconds that a stage still needs, from its own speed."""

    def __init__(self) -> None:
        self._start: tuple[int, float] | None = None

    def left(self, done: int, total: int) -> float | None:
        """None until there is something to judge by."""
        now = time.monotonic()
        if self._start is None:
            self._start = (done, now)
            return None
        first, since = self._start
        return (now - since) / (done - first) * (total - done) if done > first else None
