"""Counts the human annotations that a long random walk loses: it must be none.

    python tests/bench/bench_human_annotations.py [--steps 3000] [--kills 100] [--seed 1]

Walks over the real store in this process (edit, undo, redo, caption, tag, write,
re-index, move, rename, touch, edit the picture), and through real engines that end by
SIGKILL in the middle of something. After each step every human annotation and every ``.txt``
is compared with a model of its own (tests/support/annotation_model.py). Exit 1 on any loss.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.annotation_walk import Walk

STEPS_A_LIFE = 8
LIVES_A_LIBRARY = 10


def main() -> int:
    """Runs walks, each in a fresh library, until there are enough steps and kills."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    lives = max(1, options.kills)
    between = max(1, -(-options.steps // lives) - STEPS_A_LIFE - 1)
    steps, kills, losses, seed = 0, 0, 0, options.seed
    done: Counter[str] = Counter()
    start = time.monotonic()
    while kills < options.kills or steps < options.steps:
        with tempfile.TemporaryDirectory(prefix="cocadesk-walk-") as base:
            walk = Walk(Path(base), seed, photos=4 + 12 * (seed % 4))
            try:
                for _ in range(LIVES_A_LIBRARY):
                    walk.walk(between)
                    walk.engine_life(STEPS_A_LIFE)
                walk.check_hands()
            except AssertionError as error:
                losses += 1
                print(f"seed {seed}: {error!r}", flush=True)
            finally:
                walk.close()
        steps, kills, seed = steps + walk.steps, kills + walk.kills, seed + 1
        done += walk.done
        seconds = time.monotonic() - start
        print(f"{steps} steps, {kills} kills, {losses} losses, {seconds:.0f} s", flush=True)
    print(dict(done.most_common()))
    print(f"human annotations lost, overwritten or under the wrong hand: {losses}")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
