"""Seconds to forget one photo of many, and the bytes that are found of it afterwards.

    .venv/bin/python -m tests.bench.bench_forget            # 100,000 made-up rows
    .venv/bin/python -m tests.bench.bench_forget --rows 10000

Exits with 1 where it took longer than the limit, or anything of the photo is left.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from cocadesk.engine.local import Access
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow
from cocadesk.locations import CACHE_VARIABLE, cache_folder
from cocadesk.protocol.messages import Forget, Forgotten
from cocadesk.protocol.paths import WirePath
from tests.support.engines import local_engine
from tests.support.found_bytes import found_in
from tests.support.index_tools import human_caption
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

DIMENSION = 320
AT_ONCE = 10_000
LIMIT_S = 5.0


def fill(folder: Path, count: int) -> list[MediaRow]:
    """A tidy library of made-up photos, each with a caption by a machine; some by people."""
    rng = np.random.default_rng(5)
    rows: list[MediaRow] = []
    with Library.open(folder) as library:
        library.roots.add(b"/photos")
        library.views.create(IMAGE_ID, DIMENSION)
        library.set_model(IMAGE_ID)
        for start in range(0, count, AT_ONCE):
            names = [f"{n:07d}.jpg".encode() for n in range(start, min(count, start + AT_ONCE))]
            part = [media_row(name, machine_caption=secrets.token_hex(24)) for name in names]
            insert(library, *part)
            vectors = rng.standard_normal((len(part), DIMENSION)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            views = [view_row(row, vectors[place]) for place, row in enumerate(part)]
            library.views.commit(IMAGE_ID, views)
            rows += part
        said = [human_caption(row.key, secrets.token_hex(24)) for row in rows[:: count // 1000]]
        library.edits.record(said)
        library.tidy()
    return rows


def needles(folder: Path, row: MediaRow) -> dict[str, bytes]:
    """Bytes that only this photo has left."""
    with Library.open(folder, writer=False) as library:
        (view,) = library.views.of_keys(IMAGE_ID, [row.key])[row.key]
        (stored,) = library.media.rows([row.key])
    return {
        "vector": np.asarray(view.vector, np.float16).tobytes(),
        "machine caption": (stored.machine_caption or "").encode(),
        "human caption": (stored.human_caption or "").encode(),
        "key": row.key.encode(),
    }


def found(folder: Path, wanted: dict[str, bytes]) -> int:
    """The number of files in which any of the bytes are: in library, backups and cache."""
    return len(set().union(*found_in(wanted, folder, cache_folder()).values()))


def main() -> int:
    """Prints a line a photo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    is_good = True
    with tempfile.TemporaryDirectory() as base:
        os.environ[CACHE_VARIABLE] = str(Path(base) / "cache")
        folder = Path(base) / "library"
        rows = fill(folder, arguments.rows)
        for time_no in range(arguments.times):
            row = rows[(time_no + 1) * (arguments.rows // 1000) * 100]
            wanted = needles(folder, row)
            before = found(folder, wanted)
            body = Forget(paths=(WirePath.of(row.path),))
            with local_engine(folder, Access.WRITE) as engine:
                engine.ask(Forget(paths=body.paths, is_preview=True), Forgotten)
                started_s = time.perf_counter()
                engine.ask(body, Forgotten)
                seconds = time.perf_counter() - started_s
            after = found(folder, wanted)
            print(
                f"{arguments.rows:,} rows: forgotten in {seconds:.2f} s; "
                f"files with its bytes: {before} before, {after} after"
            )
            is_good &= seconds <= LIMIT_S and before > 0 and after == 0
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
