"""The numbers of indexing and of large libraries, as one table with what they must reach.

    .venv/bin/python -m tests.bench.indexing --quick SHARD…   # less than a minute, 12,000 rows
    .venv/bin/python -m tests.bench.indexing SHARD…           # a million rows, about half an hour

The shards are photos with captions (WebDataset). Queries are distinct captions, each asked
once, so that no vector and no result is remembered; encoding is included. Recall is against
a plain product with all vectors. Exits with 1 where a number falls short of its bar.

Recipe: ``index_speed`` takes turns with a plain loop; ``many_files`` indexes 100,000 small
files and scans them again, with a stand-in for the model; ``large_library`` enlarges the
vectors of real photos to as many rows as are wanted, ``million`` writes them through the
library's own store, lets it make its index, and searches in a process of its own, before and
after a tenth more rows, and in an engine that indexes photos meanwhile. ``--media`` is a
folder of odd photos with a table of what each is (``photos.csv``); what needs it is left out
without it. A quick run leaves that table out; what it has too few photos for has no bar in it.
``--parts`` names what alone is measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# As the engine and the command line do, before numpy: many BLAS threads for one
# small product wait for each other (58 against 8 ms beside a training run).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cocadesk.locations import collect_rarely
from tests.bench.figures import Figure, exit_code, print_table
from tests.bench.index_speed import SpeedPlan, speed_figures
from tests.bench.many_files import file_figures
from tests.bench.million import Plan, million_figures
from tests.support.photo_table import (
    PhotoTable,
    decoded,
    has_marker,
    is_required,
    wrong_markers,
    wrong_metadata,
    wrong_sizes,
)

_PARTS = ("speed", "files", "million", "same", "table")


def plans_of(options: argparse.Namespace) -> tuple[SpeedPlan, Plan, int]:
    """The sizes of a quick run, or of a whole one; the last one counts files."""
    folder, shards, media = options.folder, tuple(options.shards), options.media
    speed = SpeedPlan(folder=folder / "speed", shards=shards, media=media)
    plan = Plan(
        rows=options.rows,
        folder=folder,
        shards=shards,
        texts=options.texts,
        real_photos=options.photos,
    )
    if not options.quick:
        return speed, plan, 100_000
    speed = SpeedPlan(
        folder=folder / "speed", shards=shards, media=media,
        small=96, jpegs=10, heic_copies=1, raws=1, embedded=48, turns=1, plain_every=5,
    )  # fmt: skip
    plan = Plan(
        rows=12_000,
        folder=folder,
        shards=shards,
        texts=30,
        real_photos=100,
        small_rows=4_000,
        indexed_files=24,
        memory_rows=5_000,
    )
    return speed, plan, 400


def table_figure(media: Path, folder: Path) -> Iterator[Figure]:
    """The files that are read with another size, orientation or metadata than their table has."""
    if not (media / "photos.csv").exists():
        print(f"no photos.csv in {media}: not measured")
        return
    table = PhotoTable(media, folder / "names")
    outcome = decoded(table)
    sizes = [line.split(": ")[0] for line in wrong_sizes(table, outcome)]
    fields = [line[0] for line in wrong_metadata(table, outcome)]
    wrong = {*sizes, *wrong_markers(table, outcome), *fields}
    checked = [
        row for row in table.rows if is_required(row) or has_marker(row) or row["expect"] == "ok"
    ]
    yield Figure(
        name=f"wrong of {len(checked)} odd photos",
        value=100 * len(wrong) / len(checked), unit="%", bar=1, aim=0,
    )  # fmt: skip


def same_figures(options: argparse.Namespace) -> Iterator[Figure]:
    """Those of groups of same pictures."""
    if find_spec("tests.bench.same_pictures") is None:
        print("groups of same pictures: not measured")
        return
    same = import_module("tests.bench.same_pictures")
    photos = 60 if options.quick else options.same_photos
    yield from same.same_picture_figures(options.shards, photos, options.folder)


def figures(options: argparse.Namespace) -> Iterator[Figure]:
    """All that is wanted, each when it is known."""
    speed, plan, files = plans_of(options)
    parts = {
        "speed": lambda: speed_figures(speed),
        "files": lambda: file_figures(options.folder / "files", files),
        "million": lambda: million_figures(plan),
        "same": lambda: same_figures(options),
        "table": lambda: table_figure(options.media.resolve(), options.folder),
    }
    for name in options.parts or (_PARTS[:-1] if options.quick else _PARTS):
        yield from parts[name]()


def main() -> int:
    """Print each number when it is known, and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, help="default: all")
    parser.add_argument("--media", type=Path, default=Path("../shared/media/photos"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=500, help="queries")
    parser.add_argument("--photos", type=int, default=4_000, help="photos whose vectors are mixed")
    parser.add_argument(
        "--same-photos", type=int, default=10_000, help="for groups; 100,000 take some hours"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("/tmp/cocadesk-bench"),
        help="holds the folder of this run, which is removed, and vectors for the next one",
    )
    options = parser.parse_args()
    collect_rarely()  # as the engine does
    options.folder.mkdir(parents=True, exist_ok=True)
    options.folder = Path(tempfile.mkdtemp(prefix="run-", dir=options.folder))
    found: list[Figure] = []
    try:
        for figure in figures(options):
            print(figure.line(), flush=True)
            found.append(figure)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    print_table(found)
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
