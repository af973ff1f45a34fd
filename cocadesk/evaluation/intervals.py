"""95 % intervals of figures by the bootstrap over pictures (Efron 1979, percentile method)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
_COUNTS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a figure over ``n`` pictures lies in 95 of 100 sets of as many such pictures."""

    n: int
    low: float
    high: float


def bootstrap(
    parts_NM: NDArray[np.float64],
    figure: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    seed: int = 0,
) -> Interval:
    """The interval of a figure that is a function of sums over pictures.

    ``parts_NM`` holds what each of N pictures adds to the M sums; ``figure`` takes sums
    (R, M) and gives R values. A picture is drawn with all its captions, since they are not
    independent of each other.

    Raises:
        ValueError: no pictures.
    """
    n = len(parts_NM)
    if n == 0:
        raise ValueError("no pictures to draw from")
    random = np.random.default_rng(seed)
    values: list[NDArray[np.float64]] = []
    step = max(1, _COUNTS_AT_ONCE // n)
    for start in range(0, RESAMPLES, step):
        rounds = min(step, RESAMPLES - start)
        counts_RN = random.multinomial(n, np.full(n, 1 / n), rounds).astype(np.float64)
        values.append(figure(counts_RN @ parts_NM))
    low, high = np.quantile(np.concatenate(values), (0.025, 0.975))
    return Interval(n=n, low=float(low), high=float(high))


def interval_of_mean(values_N: NDArray[np.floating], *, seed: int = 0) -> Interval:
    """The interval of the mean of one value a picture."""
    n = len(values_N)
    parts = np.asarray(values_N, np.float64)[:, None]
    return bootstrap(parts, lambda sums: sums[:, 0] / n, seed=seed)


def interval_of_share(
    found_N: NDArray[np.floating], tried_N: NDArray[np.floating], *, seed: int = 0
) -> Interval:
    """The interval of found ÷ tried over all pictures, such as captions that found theirs."""
    parts = np.stack((found_N, tried_N), axis=1).astype(np.float64)
    return bootstrap(parts, lambda sums: sums[:, 0] / sums[:, 1], seed=seed)
