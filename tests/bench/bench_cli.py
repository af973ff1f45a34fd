"""How long a command takes from start to end: ``search`` on an indexed library, and ``--help``.

    python tests/bench/bench_cli.py [--photos DIR] [--library DIR] [--model SOURCE] [--runs 7]

Each run is a process of its own (no engine is left running between them). Without
``--library`` the photos (by default the samples) are indexed into a temporary one first.
Prints one JSON document; times are wall-clock seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-P", "-m", "cocadesk.cli"]
QUERIES = ("a dog on grass", "people at a beach", "a building at night", "food on a plate")


def timed(arguments: list[str]) -> float:
    """Seconds from the start of the process to its end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run([*COMMAND, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def summary(seconds: list[float]) -> dict[str, float | int]:
    """Median, best and worst; the first run of all is left out, as it fills the disk cache."""
    warm = seconds[1:] or seconds
    return {
        "median_s": round(statistics.median(warm), 3),
        "best_s": round(min(warm), 3),
        "worst_s": round(max(warm), 3),
        "first_s": round(seconds[0], 3),
        "runs": len(warm),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", default=str(ROOT / "resources" / "samples" / "photos"))
    parser.add_argument("--library")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--runs", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        library = chosen.library or str(Path(temporary) / "library")
        common = ["--library", library, "--model", chosen.model]
        if chosen.library is None:
            timed(["index", chosen.photos, *common])
        runs = range(chosen.runs + 1)
        searches = [timed(["search", QUERIES[i % len(QUERIES)], *common]) for i in runs]
        helps = [timed(["--help"]) for _ in runs]
    figures = {"search": summary(searches), "help": summary(helps), "model": chosen.model}
    print(json.dumps({**figures, "load_average": os.getloadavg()[0]}, indent=2))


if __name__ == "__main__":
    main()
