"""A switch of the model, an index and a person's changes, in each order of their steps.

The short form; the long one leaves no order out (``tests/support/interleaved.py``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.interleaved import (
    changes_before_an_index,
    index_between_any_two_steps,
    steps_of_an_index_in_between,
)


def test_an_index_runs_between_any_two_steps_of_a_switch(tmp_path: Path) -> None:
    """Files that were edited, moved, swapped and copied have the views of their own pictures."""
    assert index_between_any_two_steps(tmp_path) > 8


def test_files_change_some_steps_before_the_index_that_sees_it(tmp_path: Path) -> None:
    """The switch has read some of them by then, as they are now or were before."""
    assert changes_before_an_index(tmp_path, every=29) >= 3


@pytest.mark.parametrize("index_first", [True, False])
def test_steps_of_an_index_lie_between_those_of_a_switch(tmp_path: Path, index_first: bool) -> None:
    """Also an index that goes on with the model of before when the switch is over."""
    assert steps_of_an_index_in_between(tmp_path, index_first=index_first, every=41) >= 3
