"""The comparison of two image towers on made-up pictures, and its verdict, which is kept."""

from __future__ import annotations

import math
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
_TURNS = 2
_CLOSE, _MOST_COMPARISONS = 1.25, 3
"""A speed that differs by less than this is measured again at the next starts, so often in all."""
_LEAST_S = 1e-4
"""The clock of processes may have a tick of 16 ms (Windows)."""


class ImageTower(Protocol):
    """(B, S, S, 3) uint8 → vectors (B, E) and the decoder's tokens (B, Q, D), float32."""

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled: ...

    def vectors(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Those alone: the tokens of CoCa B-32 are half a megabyte a picture."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The smallest cosine of vectors and of pooled tokens, and how much faster the second is.

    ``comparisons`` is how often they were compared; the speed is the mean of these.
    """

    cosine: float
    speedup: float
    comparisons: int = 1

    def accepts(self, min_cosine: float) -> bool:
        """True where the second tower may stand in for the first."""
        return self.cosine >= min_cosine and self.speedup > 1

    def settles(self, min_cosine: float) -> bool:
        """True where another comparison would say the same: else a busy machine would decide."""
        is_close = 1 / _CLOSE < self.speedup < _CLOSE
        return self.cosine < min_cosine or not is_close or self.comparisons >= _MOST_COMPARISONS

    def after(self, before: Verdict | None) -> Verdict:
        """This comparison together with those before it."""
        if before is None:
            return self
        times = before.comparisons + 1
        speedup = math.exp(
            (before.comparisons * math.log(before.speedup) + math.log(self.speedup)) / times
        )
        return Verdict(min(self.cosine, before.cosine), speedup, times)

    @classmethod
    def kept_in(cls, path: Path) -> Verdict | None:
        """The verdict that was kept there; None where there is none that can be read."""
        found = read_verdict(path)
        if found is None or not {"cosine", "speedup"} <= found.keys() or not found["speedup"] > 0:
            return None
        return cls(found["cosine"], found["speedup"], int(found.get("comparisons", 1)))

    def keep(self, path: Path) -> None:
        """Keeps it for the next start."""
        keep_verdict(asdict(self), path)


class Trial:
    """What a tower gives for the test pictures, and how long it takes."""

    def __init__(self, tower: ImageTower, size_px: int, pictures: int) -> None:
        self._images = test_pictures(size_px)[:pictures]
        self.seconds = math.inf
        self.given = self.turn(tower)

    def turn(self, tower: ImageTower) -> Pooled:
        """Takes the processor's time once more: the shortest counts, as the first also allocates.

        Unlike the clock's it is hardly longer where other programs run.
        """
        start = time.process_time()
        given = tower(self._images)
        self.seconds = min(self.seconds, max(time.process_time() - start, _LEAST_S))
        return given

    def against(self, first: Trial) -> Verdict:
        """The verdict on this tower, that it may stand in for the first."""
        cosines = [float(_cosine(a, b).min()) for a, b in zip(first.given, self.given, strict=True)]
        return Verdict(min(cosines), first.seconds / self.seconds)


def tried(tower: ImageTower, size_px: int, *, pictures: int = _PICTURES) -> Trial:
    """A trial of a tower alone, where there is no memory for two."""
    trial = Trial(tower, size_px, pictures)
    trial.turn(tower)
    return trial


def compare(first: ImageTower, second: ImageTower, size_px: int) -> Verdict:
    """How near ``second`` comes to ``first``, and how fast; they take turns."""
    one, other = (Trial(tower, size_px, _PICTURES) for tower in (first, second))
    for _ in range(_TURNS):
        one.turn(first)
        other.turn(second)
    return other.against(one)


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
