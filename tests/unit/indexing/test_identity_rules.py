"""The identity rules over random histories, beside a slow reference."""

from __future__ import annotations

import pytest

from tests.support.identity_world import Simulation


@pytest.mark.parametrize("seed", range(12))
def test_words_stay_with_their_bytes_through_any_history(seed: int) -> None:
    """No words on other bytes, no file twice; each row is where the plain rules put it."""
    simulation = Simulation(seed)
    for _ in range(150):
        simulation.step()
    assert simulation.indexed > 10
