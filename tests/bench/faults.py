"""Real trouble, many times over: random histories, kills, damage; exit 1 where anything is lost.

    python tests/bench/faults.py [--quick] [--steps 20000] [--kills 6] [--seeds 2]

Each row of the table is a kind of trouble with the number of tries and of losses. The
tests hold a short form of each, but of the kills every five seconds: those need a quiet
machine, since the start of a process must fit into them.
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


def histories(_base: Path, *, steps: int) -> int:
    """Random histories of files and disks beside the reference: words on the wrong medium."""
    for seed in range(-(-steps // STEPS_A_HISTORY)):
        simulation = Simulation(10_000 + seed)
        for _ in range(STEPS_A_HISTORY):
            simulation.step()
    return steps


def killed_every_five_seconds(base: Path, *, work: str, kills: int) -> int:
    """An index or a switch that is never left in peace: it gets on, and a kill costs 2 s."""
    found = killed_index.killed_every(
        base, work, seconds=5, kills=kills, photos=60 * kills, picture_s=0.05
    )
    print(f"  {work}: stored {found.stored}, lost s {[round(s, 2) for s in found.lost_s]}")
    assert found.wrong == 0, f"{found.wrong} rows lost or doubled"
    assert max(found.lost_s) <= 2, f"{max(found.lost_s):.1f} s of work lost by one kill"
    assert found.stored[-1] > found.stored[0] > 0, "it does not get on"
    return kills


def damaged(base: Path) -> int:
    """Each file of a library flipped, cut, emptied, removed; what is lost or wrong unsaid."""
    counts = counts_of(damage_each_file(base))
    print(f"  damage: {dict(counts)}")
    broken = {name: n for name, n in counts.items() if name not in ("tried", "said")}
    assert not broken, f"promises broken: {broken}"
    return counts["tried"]


def killed_at_random(base: Path, *, seeds: int, kills: int, photos: int) -> int:
    """An index that is killed while the files change."""
    for seed in range(1, seeds + 1):
        killed_index.index_killed_at_random(
            base / str(seed), seed, kills=kills, photos=photos, videos=photos // 6
        )
    return seeds * kills


def switch_killed(base: Path, *, seeds: int) -> int:
    """A switch of the model that is killed twice."""
    for seed in range(1, seeds + 1):
        killed_index.switch_killed_at_random(base / str(seed), seed + 3, kills=2)
    return 2 * seeds


def rows(options: argparse.Namespace) -> list[Row]:
    """All kinds of trouble."""
    quick = options.quick
    every = 5 if quick else 1
    kills = 2 if quick else options.kills
    seeds = 1 if quick else options.seeds
    photos = 20 if quick else 60
    index, words = killed_index, killed_annotations
    recut = partial(index.recut_videos_cut_between_writes, every=every)
    again = partial(killed_every_five_seconds, kills=2 if quick else 10)
    return [
        Row("words on another photo, files doubled", partial(histories, steps=options.steps)),
        Row("index killed", partial(killed_at_random, seeds=seeds, kills=kills, photos=photos)),
        Row("index cut before a write", partial(index.index_cut_between_writes, every=every)),
        Row("recut video cut before a write", recut, is_quick=False),
        Row("index killed every 5 s", partial(again, work="index")),
        Row("switch killed every 5 s", partial(again, work="switch"), is_quick=False),
        Row("index between two steps of a switch", index_between_any_two_steps, is_quick=False),
        Row("each file of a library damaged in 4 ways", damaged, is_quick=False),
        Row("switch killed", partial(switch_killed, seeds=seeds), is_quick=False),
        Row("switch cut before a write", partial(index.switch_cut_between_writes, every=every)),
        Row("files cut before a write", partial(words.write_cut_between_writes, every=every)),
        Row("undo cut before a write", partial(words.undo_cut_between_writes, every=every)),
        Row("edit cut before a write", partial(words.edit_cut_between_writes, every=every)),
    ]


def main() -> int:
    """Tries every kind in a fresh folder and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--steps", type=int, default=0, help="of random histories")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=2)
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
