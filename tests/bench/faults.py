"""Real trouble, many times over: random histories, kills, damage; exit 1 where anything is lost.

    python tests/bench/faults.py [--quick] [--only WORD] [--steps 20000] [--kills 6] [--seeds 4]

Each row of the table is a kind of trouble with the number of tries and of losses; one that
can't be tried here (disks are mounted by root alone) has the reason in its place. The
tests hold a short form of each, but of the kills every five seconds: those need a quiet
machine, since the start of a process must fit into them. By default 52 processes that
index or switch are killed: 24 + 8 at random instants, 20 every five seconds.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pytest

from cocadesk.engine.local import Access
from tests.support import hostile_media, interleaved, killed_annotations, killed_index
from tests.support import refused_disks as refused
from tests.support.damaged_library import counts_of, damage_each_file
from tests.support.identity_world import Simulation
from tests.support.killed_lesson import lesson_killed_at_random
from tests.support.pulled_disk import pulled_at_each_look
from tests.support.shared import shared_path

Check = Callable[[Path], int]
STEPS_A_HISTORY = 150


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of trouble: ``check`` gives the number of tries and raises on a loss."""

    name: str
    check: Check
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


def damaged(base: Path, *, every: int, access: Access, is_read_only: bool = False) -> int:
    """Each file of a library flipped, cut, emptied, removed; what is lost or wrong unsaid."""
    counts = counts_of(damage_each_file(base, access, is_read_only=is_read_only, every=every))
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


def hostile(base: Path, *, files: int) -> int:
    """Files that were damaged at random among good ones."""
    piece = 300
    for seed in range(1, files // piece + 1) if files > piece else (1,):
        hostile_media.hostile_among_good(
            base / str(seed), seed=seed + files, count=min(files, piece)
        )
    return files


def odd(base: Path) -> int:
    """All odd photos and videos of the shared media."""
    photos = hostile_media.odd_photos(base / "1", shared_path("media/photos").resolve())
    videos = hostile_media.odd_videos(base / "2", shared_path("media/videos"))
    more = [shared_path(f"faults/{name}").resolve() for name in ("photos", "videos", "texts")]
    return photos + videos + hostile_media.odd_files(base / "3", *more)


def lessons_killed(base: Path, *, seeds: int, kills: int) -> int:
    """Lessons whose trainer is killed end with the weights of an undisturbed one."""
    for seed in range(1, seeds + 1):
        lesson_killed_at_random(base / str(seed), seed, kills=kills)
    return seeds * kills


def rows_of_kills(options: argparse.Namespace) -> list[Row]:
    """Kills and power cuts in each kind of work."""
    quick = options.quick
    every = 11 if quick else 1
    kills, seeds = (2, 1) if quick else (options.kills, options.seeds)
    photos = 20 if quick else 60
    index, words = killed_index, killed_annotations
    recut = partial(index.recut_videos_cut_between_writes, every=every)
    again = partial(killed_every_five_seconds, kills=2 if quick else 10)
    return [
        Row("index killed", partial(killed_at_random, seeds=seeds, kills=kills, photos=photos)),
        Row("index cut before a write", partial(index.index_cut_between_writes, every=every)),
        Row("recut video cut before a write", recut, is_quick=False),
        Row("index killed every 5 s", partial(again, work="index")),
        Row("switch killed every 5 s", partial(again, work="switch"), is_quick=False),
        Row("switch killed", partial(switch_killed, seeds=seeds), is_quick=False),
        Row("switch cut before a write", partial(index.switch_cut_between_writes, every=every)),
        Row("lesson killed", partial(lessons_killed, seeds=seeds, kills=kills), is_quick=False),
        Row("files cut before a write", partial(words.write_cut_between_writes, every=every)),
        Row("undo cut before a write", partial(words.undo_cut_between_writes, every=every)),
        Row("edit cut before a write", partial(words.edit_cut_between_writes, every=every)),
        Row("album cut before a write", partial(words.album_cut_between_writes, every=every)),
    ]


def rows_of_orders(_options: argparse.Namespace) -> list[Row]:
    """Every order of the steps of a switch, of an index and of a person's changes."""
    within = interleaved.steps_of_an_index_in_between
    orders: list[tuple[str, Check]] = [
        ("index between two steps of a switch", interleaved.index_between_any_two_steps),
        ("changes some steps before the index", interleaved.changes_before_an_index),
        ("steps of an index in a switch", partial(within, index_first=True)),
        ("steps of a switch in an index", partial(within, index_first=False)),
    ]
    return [Row(name, check, is_quick=False) for name, check in orders]


def rows_of_damage(options: argparse.Namespace) -> list[Row]:
    """Each file of a library in four ways, for whoever opens it."""
    reader = partial(damaged, every=113 if options.quick else 1, access=Access.READ)
    return [
        Row("damage, opened by a writer", partial(reader, access=Access.WRITE)),
        Row("damage, opened by a reader", reader),
        Row("damage, nothing can be mended", partial(reader, is_read_only=True)),
    ]


def rows_of_disks(options: argparse.Namespace) -> list[Row]:
    """Disks that are full, go and come, know no links, or take nothing."""
    quick = options.quick
    rooms = (0, 16 << 10) if quick else (0, *(1 << power for power in range(12, 21)))
    pulled = partial(pulled_at_each_look, every=13 if quick else 1)
    return [
        Row("library's disk full", partial(refused.full_disk, rooms=rooms)),
        Row("photos' disk pulled, back or another", pulled),
        Row("library's disk without hard links", refused.no_hard_links, is_quick=False),
        Row("library's disk read-only", refused.read_only_library),
        Row("photos' disk read-only", refused.read_only_photos),
        Row("photos' folder closed", refused.closed_photos),
    ]


def rows(options: argparse.Namespace) -> list[Row]:
    """All kinds of trouble."""
    return [
        Row("words on another photo, files doubled", partial(histories, steps=options.steps)),
        *rows_of_kills(options),
        *rows_of_orders(options),
        *rows_of_damage(options),
        *rows_of_disks(options),
        Row("hostile media", partial(hostile, files=90 if options.quick else 6_000)),
        Row("odd media of the shared folder", odd, is_quick=False),
    ]


def tried(row: Row) -> bool:
    """Tries a kind in a fresh folder and prints its line; False where anything was lost."""
    start, lost, tries = time.monotonic(), 0, "0"
    with tempfile.TemporaryDirectory(prefix="cocadesk-faults-") as base:
        try:
            tries = f"{row.check(Path(base)):,}"
        except AssertionError as error:
            lost = 1
            traceback.print_exc()
            print(f"  {row.name}: {str(error)[:300]}")
        except pytest.skip.Exception as reason:
            tries = "-"
            print(f"  {row.name}: {reason}")
    print(f"{row.name:<45}{tries:>8}{lost:>6}{time.monotonic() - start:>6.0f}", flush=True)
    return not lost


def main() -> int:
    """Tries every kind and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--only", default="", help="the kinds with this in their names")
    parser.add_argument("--steps", type=int, default=0, help="of random histories")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    options.steps = options.steps or (1_500 if options.quick else 20_000)
    logging.disable(logging.WARNING)
    chosen = [
        row
        for row in rows(options)
        if options.only in row.name and (row.is_quick or not options.quick)
    ]
    print(f"{'trouble':<45}{'tries':>8}{'lost':>6}{'s':>6}")
    lost = [row.name for row in chosen if not tried(row)]
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
