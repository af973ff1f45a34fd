"""The numbers of indexing and of large libraries, as one table with what they must reach.

    .venv/bin/python -m tests.bench.indexing --quick SHARD…   # less than a minute, 20,000 rows
    .venv/bin/python -m tests.bench.indexing SHARD…           # a million rows, about half an hour

The shards are photos with captions (WebDataset). Queries are distinct captions, each asked
once, so that no vector and no result is remembered; encoding is included. Recall is against
a plain product with all vectors. Exits with 1 where a number falls short of its bar.

Recipe: ``large_library`` enlarges the vectors of real photos to as many rows as are wanted;
``million`` writes them through the library's own store, lets it make its index, and searches
in a process of its own, before and after a tenth more rows.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

# As the engine and the command line do, before numpy: many BLAS threads for one
# small product wait for each other (58 against 8 ms beside a training run).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.bench.figures import Figure, exit_code, print_table
from tests.bench.million import Plan, million_figures


def plan_of(options: argparse.Namespace) -> Plan:
    """The sizes of a quick run, or of a whole one."""
    plan = Plan(
        rows=options.rows,
        folder=options.folder,
        shards=tuple(options.shards),
        texts=options.texts,
        real_photos=options.photos,
    )
    if not options.quick:
        return plan
    return Plan(
        rows=20_000,
        folder=options.folder,
        shards=tuple(options.shards),
        texts=100,
        real_photos=200,
        scanned_files=5_000,
        small_rows=5_000,
        indexed_files=60,
        memory_rows=8_000,
    )


def main() -> int:
    """Print each number when it is known, and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=500, help="queries")
    parser.add_argument("--photos", type=int, default=4_000, help="photos whose vectors are mixed")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("/tmp/cocadesk-bench"),
        help="holds the folder of this run, which is removed, and vectors for the next one",
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder = Path(tempfile.mkdtemp(prefix="run-", dir=options.folder))
    figures: list[Figure] = []
    try:
        for figure in million_figures(plan_of(options)):
            print(figure.line(), flush=True)
            figures.append(figure)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    sys.exit(main())
