"""The comparison of two image towers: by the processor's time, and again where it was close."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.model.runtime.agreement import Pooled, Verdict, compare, tried


def tower(work: Callable[[], object], shift: float = 0.0) -> Callable[[NDArray[np.uint8]], Pooled]:
    """A tower that does this each time, and gives means of the picture."""

    def computed(images_BHWC: NDArray[np.uint8]) -> Pooled:
        work()
        mean_BC = images_BHWC.astype(np.float32).mean((1, 2)) + shift
        return mean_BC, mean_BC[:, None]

    return computed


def busy() -> None:
    """Takes the processor for a while."""
    end = time.process_time() + 0.03
    while time.process_time() < end:
        pass


def test_time_in_which_others_have_the_processor_does_not_count() -> None:
    """A tower that only waits is the faster one, though it takes longer by the clock."""
    found = compare(tower(busy), tower(lambda: time.sleep(0.1)), 32)
    assert found.speedup > 2
    assert found.cosine == pytest.approx(1, abs=1e-6)
    alone = tried(tower(busy), 32).against(tried(tower(lambda: time.sleep(0.1), 99.0), 32))
    assert alone.speedup < 0.5
    assert alone.cosine < 0.9999


def test_a_close_verdict_is_taken_thrice_and_is_the_mean() -> None:
    """A clear one at once."""
    assert Verdict(1.0, 3.0).settles(0.99)
    assert Verdict(1.0, 0.3).settles(0.99)
    assert Verdict(0.98, 1.1).settles(0.99), "it disagrees, however fast it is"
    first = Verdict(0.9999, 1.1)
    second = Verdict(0.9998, 0.9).after(first)
    assert not first.settles(0.99)
    assert (second.cosine, second.comparisons, second.settles(0.99)) == (0.9998, 2, False)
    assert second.speedup == pytest.approx((1.1 * 0.9) ** 0.5)
    third = Verdict(1.0, 1.2).after(second)
    assert third.settles(0.99)
    assert third.speedup == pytest.approx((1.1 * 0.9 * 1.2) ** (1 / 3))


def test_a_verdict_is_kept_with_the_number_of_comparisons(tmp_path: Path) -> None:
    """One that an older program kept was a single one."""
    file = tmp_path / "kept.json"
    Verdict(0.99, 1.1, 2).keep(file)
    assert Verdict.kept_in(file) == Verdict(0.99, 1.1, 2)
    file.write_text('{"cosine": 0.99, "speedup": 1.1}', "utf-8")
    assert Verdict.kept_in(file) == Verdict(0.99, 1.1, 1)
    for damaged in ('{"cosine": 0.99}', '{"cosine": 1, "speedup": 0}', "{"):
        file.write_text(damaged, "utf-8")
        assert Verdict.kept_in(file) is None
