"""A lesson whose trainer is killed at random instants ends as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from cocadesk.model.checkpoints.checkpoint import WEIGHTS
from cocadesk.model.checkpoints.weight_files import map_safetensors
from tests.support.program import ROOT, environment
from tests.support.tuning_photos import points_of, write_run

_COMMAND = [sys.executable, "-P", "-m", "tests.support.short_trainer", "teach"]
LIMIT_S = 300.0


def lesson_killed_at_random(base: Path, seed: int, *, kills: int) -> int:
    """Kills the trainer ``kills`` times in one run; weights and curve are equal to the bit."""
    unbroken_s = _to_its_end(write_run(base / "unbroken"))
    run, draw = write_run(base / "killed"), random.Random(seed)
    for _ in range(kills):
        with _started(run) as trainer:
            try:
                trainer.wait(draw.uniform(0.0, unbroken_s))
            except subprocess.TimeoutExpired:
                trainer.kill()
    _to_its_end(run)
    first, second = (
        map_safetensors(folder / "checkpoints" / "best" / WEIGHTS)
        for folder in (base / "unbroken", run)
    )
    assert set(first) == set(second), "another network"
    assert all((first[name] == second[name]).all() for name in first), "other weights"
    assert points_of(run) == points_of(base / "unbroken"), "another curve"
    return kills


def _to_its_end(run: Path) -> float:
    start_s = time.monotonic()
    with _started(run) as trainer:
        assert trainer.wait(LIMIT_S) == 0, f"the lesson ended with code {trainer.returncode}"
    return time.monotonic() - start_s


def _started(run: Path) -> subprocess.Popen[bytes]:
    # Sums in one order: more threads would add in another each time.
    variables = environment() | {"OMP_NUM_THREADS": "1"}
    command = [*_COMMAND, os.fspath(run), "--json-lines"]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, env=variables, stdin=pipe, stdout=nowhere, cwd=ROOT)
