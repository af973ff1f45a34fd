"""Real trouble, many times over: random histories, kills, damage; exit 1 where anything is lost.

    python tests/bench/faults.py [--quick] [--steps 20000] [--kills 6]

Each row of the table is a kind of trouble with the number of tries and of losses. The
short form of every row stands in the tests.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support import killed_annotations, killed_index
from tests.support.damaged_library import counts_of, damage_each_file
from tests.support.identity_world import Simulation
from tests.support.interleaved import index_between_any_two_steps

STEPS_A_HISTORY = 150


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of trouble: ``check`` gives the number of tries and raises on a loss."""

    name: str
    check: Callable[[Path], int]
    is_quick: bool = True


def histories(steps: int) -> Callable[[Path], int]:
    """Random histories of files and disks beside the reference: words on the wrong medium."""

    def play(_base: Path) -> int:
        for seed in range(-(-steps // STEPS_A_HISTORY)):
            simulation = Simulation(10_000 + seed)
            for _ in range(STEPS_A_HISTORY):
                simulation.step()
        return steps

    return play


def rows(options: argparse.Namespace) -> list[Row]:
    """All kinds of trouble."""
    kills = 2 if options.quick else options.kills
    photos, every = (20, 5) if options.quick else (60, 1)

    def killed_indexes(base: Path) -> int:
        killed_index.index_killed_at_random(base, 11, kills=kills, photos=photos, videos=3)
        return kills

    def killed_switches(base: Path) -> int:
        killed_index.switch_killed_at_random(base, 14, kills=kills)
        return kills

    def index_cut(base: Path) -> int:
        return killed_index.index_cut_between_writes(base, every=every)

    def switch_cut(base: Path) -> int:
        return killed_index.switch_cut_between_writes(base, every=every)

    def killed_again_and_again(work: str, base: Path) -> int:
        times = 2 if options.quick else 10
        found = killed_index.killed_every(
            base, work, seconds=5, kills=times, photos=60 * times, picture_s=0.05
        )
        print(f"  {work}: stored {found.stored}, lost s {[round(s, 2) for s in found.lost_s]}")
        assert found.wrong == 0, f"{found.wrong} rows lost or doubled"
        assert max(found.lost_s) <= 2, f"{max(found.lost_s):.1f} s of work lost by one kill"
        assert found.stored[-1] > found.stored[0] > 0, "it does not get on"
        return times

    def damaged(base: Path) -> int:
        counts = counts_of(damage_each_file(base))
        print(f"  damage: {dict(counts)}")
        broken = {name: n for name, n in counts.items() if name not in ("tried", "said")}
        assert not broken, f"promises broken: {broken}"
        return counts["tried"]

    return [
        Row("words on another photo, files doubled", histories(options.steps)),
        Row("index killed at a random instant", killed_indexes),
        Row("index cut before a write", index_cut),
        Row("index killed every 5 s", partial(killed_again_and_again, "index")),
        Row("switch killed every 5 s", partial(killed_again_and_again, "switch"), is_quick=False),
        Row("index between two steps of a switch", index_between_any_two_steps, is_quick=False),
        Row("each file of a library damaged in 4 ways", damaged, is_quick=False),
        Row("switch of models killed", killed_switches, is_quick=False),
        Row("switch cut before a write", switch_cut),
        Row("files beside photos cut before a write", killed_annotations.write_cut_between_writes),
        Row("undo cut before a write", killed_annotations.undo_cut_between_writes),
        Row("edit cut before a write", killed_annotations.edit_cut_between_writes),
    ]


def main() -> int:
    """Tries every kind in a fresh folder and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--steps", type=int, default=0, help="of random histories")
    parser.add_argument("--kills", type=int, default=6)
    options = parser.parse_args()
    options.steps = options.steps or (1_500 if options.quick else 20_000)
    logging.disable(logging.WARNING)
    losses = 0
    print(f"{'trouble':<45}{'tries':>8}{'lost':>6}{'s':>6}")
    for row in rows(options):
        if options.quick and not row.is_quick:
            continue
        start, lost, tries = time.monotonic(), 0, 0
        with tempfile.TemporaryDirectory(prefix="cocadesk-faults-") as base:
            try:
                tries = row.check(Path(base))
            except AssertionError as error:
                lost = 1
                print(f"  {row.name}: {str(error)[:300]}")
        losses += lost
        print(f"{row.name:<45}{tries:>8}{lost:>6}{time.monotonic() - start:>6.0f}", flush=True)
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
