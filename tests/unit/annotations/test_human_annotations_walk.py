"""Human annotations survive everything: a random walk with engines killed on the way.

The short form; ``tests/bench/bench_human_annotations.py`` walks for hours.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.annotation_walk import Walk

LIVES = 2
STEPS_A_LIFE = 4
STEPS_BETWEEN = 25


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_no_human_word_is_lost_overwritten_or_given_to_another_hand(tmp_path: Path) -> None:
    """60 steps of edits, undo, captions, tags, files and moves, two engines killed in one."""
    walk = Walk(tmp_path, seed=20261124, photos=6)
    for _ in range(LIVES):
        walk.walk(STEPS_BETWEEN)
        walk.engine_life(STEPS_A_LIFE)
    walk.check_hands()
    walk.close()
    assert walk.kills == LIVES
    assert walk.steps >= 60
    assert {"set", "undo", "redo", "write", "caption", "tag", "index", "move"} <= set(walk.done)
