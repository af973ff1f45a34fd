"""The identity rules over random histories, beside a slow reference."""

from __future__ import annotations

import pytest

from tests.support.identity_world import Simulation
from tests.support.parts_world import PartsSimulation


@pytest.mark.parametrize("seed", range(12))
def test_words_stay_with_their_bytes_through_any_history(seed: int) -> None:
    """No words on other bytes, no file twice; each row is where the plain rules put it."""
    simulation = Simulation(seed)
    for _ in range(150):
        simulation.step()
    assert simulation.indexed > 10


@pytest.mark.parametrize("seed", range(12))
def test_shots_of_several_files_keep_their_words_through_any_history(seed: int) -> None:
    """No file is two media's or nobody's, no words jump or get lost; a second index rests."""
    simulation = PartsSimulation(seed)
    for _ in range(200):
        simulation.step()
    assert simulation.joined + simulation.shown_anew
