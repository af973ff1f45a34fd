"""The comparison of two image towers on made-up pictures, and its verdict, which is kept."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.runtime.verdict import keep_verdict, read_verdict
from cocadesk.vectors import unit_vectors

Pooled = tuple[NDArray[np.float32], NDArray[np.float32]]
_PICTURES = 8


class ImageTower(Protocol):
    """(B, S, S, 3) uint8 → vectors (B, E) and the decoder's tokens (B, Q, D), float32."""

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The smallest cosine of vectors and of pooled tokens, and how much faster the second is."""

    cosine: float
    speedup: float

    def accepts(self, min_cosine: float) -> bool:
        """True where the second tower may stand in for the first."""
        return self.cosine >= min_cosine and self.speedup > 1

    @classmethod
    def kept_in(cls, path: Path) -> Verdict | None:
        """The verdict that was kept there; None where there is none that can be read."""
        found = read_verdict(path)
        if found is None or not {"cosine", "speedup"} <= found.keys():
            return None
        return cls(found["cosine"], found["speedup"])

    def keep(self, path: Path) -> None:
        """Keeps it for the next start."""
        keep_verdict(asdict(self), path)


def compare(
    first: ImageTower,
    second: ImageTower,
    size_px: int,
    *,
    turns: int = 1,
    pictures: int = _PICTURES,
) -> Verdict:
    """How near ``second`` comes to ``first``; times are the best of so many turns."""
    images = test_pictures(size_px)[:pictures]
    second(images)  # the first call also allocates
    seconds: list[list[float]] = [[], []]
    for _ in range(turns):
        start = time.perf_counter()
        there = first(images)
        middle = time.perf_counter()
        here = second(images)
        seconds[0].append(middle - start)
        seconds[1].append(time.perf_counter() - middle)
    cosines = [float(_cosine(a, b).min()) for a, b in zip(there, here, strict=True)]
    return Verdict(min(cosines), min(seconds[0]) / min(seconds[1]))


def _cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    a, b = unit_vectors(a.reshape(len(a), -1)), unit_vectors(b.reshape(len(b), -1))
    return np.asarray((a * b).sum(1), np.float32)


def test_pictures(size_px: int) -> NDArray[np.uint8]:
    """Eight pictures: smooth colours with edges and some noise."""
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 1, size_px, dtype=np.float32)
    pictures = []
    for _ in range(_PICTURES):
        waves = random.uniform(1, 12, (3, 2))
        picture = [np.sin(ramp[:, None] * a * 6) * np.cos(ramp[None] * b * 6) for a, b in waves]
        picture_HWC = np.stack(picture, -1) * 100 + 128
        picture_HWC[size_px // 4 : size_px // 2, size_px // 3 :] = random.uniform(0, 255, 3)
        noise = random.normal(0, 12, picture_HWC.shape)
        pictures.append(np.clip(picture_HWC + noise, 0, 255).astype(np.uint8))
    return np.stack(pictures)
