"""Kills indexes, switches of the model and commands on annotations, and counts the losses.

    python tests/bench/bench_kills.py [--kills 6] [--seeds 2]

The long form of the kill tests: SIGKILL at random moments, and a cut before each single
write in turn. Exit 1 on any loss.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support import killed_annotations, killed_index


def main() -> int:
    """Runs all checks, each in a fresh folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    checks: dict[str, Callable[[Path], object]] = {
        "index cut between writes": killed_index.index_cut_between_writes,
        "videos cut between writes": killed_index.recut_videos_cut_between_writes,
        "switch cut between writes": killed_index.switch_cut_between_writes,
        "files cut between writes": killed_annotations.write_cut_between_writes,
        "undo cut between writes": killed_annotations.undo_cut_between_writes,
        "edit cut between writes": killed_annotations.edit_cut_between_writes,
    }
    for seed in range(1, options.seeds + 1):

        def killed_indexes(base: Path, seed: int = seed) -> None:
            killed_index.index_killed_at_random(
                base, seed, kills=options.kills, photos=60, videos=10
            )

        def killed_switches(base: Path, seed: int = seed) -> None:
            killed_index.switch_killed_at_random(base, seed + 3, kills=2)

        checks[f"index killed, seed {seed}"] = killed_indexes
        checks[f"switch killed, seed {seed + 3}"] = killed_switches
    losses = 0
    for name, check in checks.items():
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="cocadesk-kills-") as base:
            try:
                writes = check(Path(base))
            except AssertionError as error:
                losses += 1
                print(f"{name}: LOST {error!r}", flush=True)
                continue
        shown = "" if writes is None else f", each of {writes} writes the last"
        print(f"{name}: whole{shown}, {time.monotonic() - start:.0f} s", flush=True)
    print(f"losses: {losses}")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
