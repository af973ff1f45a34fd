"""The numbers of a folder of many files: memory while they are indexed, and another scan.

Small pictures and a stand-in for the model: its own memory does not count, and decoding and
embedding of large ones is measured elsewhere. Measured in a process of its own, which prints
seconds and bytes, among them the memory after each twentieth of the files (``curve``). The
highest is at the end, where the tables are merged:

    python -m tests.bench.many_files FOLDER COUNT
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexProgress, IndexReport, IndexStage
from cocadesk.library.library import Library
from cocadesk.locations import collect_rarely
from tests.bench.figures import Figure
from tests.support.fake_backend import FakeBackend

_FILES_A_FOLDER = 500
_POINTS = 20
_LOOK_S = 0.2
_MANY = 100_000
"""The bar of a scan is that of so many."""


def run_to_end(steps: Generator[object, None, IndexReport]) -> IndexReport:
    """The report of an index."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            report: IndexReport = done.value
            return report


def noted(
    steps: Generator[IndexProgress, None, IndexReport], curve: dict[int, int], every: int
) -> Generator[IndexProgress, None, IndexReport]:
    """The same steps; ``curve`` gets the memory by the files done, after each ``every`` files."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as done:
            report: IndexReport = done.value
            return report
        is_due = progress.done >= max(curve, default=0) + every
        if is_due and progress.stage is IndexStage.EMBED:
            curve[progress.done] = resident_bytes()[0]
        yield progress


def resident_bytes() -> tuple[int, int]:
    """The memory that this process holds: all of it, and what no file stands behind."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {
        line.split(":")[0]: int(line.split()[1])
        for line in lines
        if line.startswith(("VmRSS", "RssAnon"))
    }
    return kib["VmRSS"] << 10, kib["RssAnon"] << 10


class MemoryWatch:
    """Looks at this process's memory now and then, on a thread of its own."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self.seen.append(resident_bytes()[0])

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


def make_files(photos: Path, count: int) -> None:
    """Different small JPEGs."""
    rng = np.random.default_rng(0)
    for number in range(count):
        folder = photos / f"{number // _FILES_A_FOLDER:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8)).resize((64, 48))
        picture.save(folder / f"IMG_{number:07d}.jpg", quality=80)


def measured(folder: Path, count: int) -> dict[str, Any]:
    """Seconds of an index and of a scan of the same files, bytes before and meanwhile."""
    photos = folder / "photos"
    make_files(photos, count)
    found = [os.fsencode(photos)]
    with Library.open(folder / "library") as library:
        backend: Any = FakeBackend()
        before = resident_bytes()[0]
        with MemoryWatch() as watch:
            start, curve = time.perf_counter(), dict[int, int]()
            steps = noted(index_steps(library, backend, found), curve, count // _POINTS or 1)
            report = run_to_end(steps)
            indexed_s = time.perf_counter() - start
        assert report.indexed == count, report
        start = time.perf_counter()
        report = run_to_end(index_steps(library, backend, found))
        scanned_s = time.perf_counter() - start
        assert report.unchanged == count, report
    above = [one - before for one in watch.seen]
    points = [held - before for _, held in sorted(curve.items())]
    half = len(points) // 2
    return {
        "indexed_s": indexed_s,
        "scanned_s": scanned_s,
        "curve": {done: held - before for done, held in curve.items()},
        "peak": max(above),
        "grown": max(points[half:]) - max(points[:half]),
    }


def file_figures(folder: Path, count: int) -> Iterator[Figure]:
    """All of them."""
    command = [sys.executable, "-m", "tests.bench.many_files", str(folder), str(count)]
    environment = dict(os.environ) | {"MALLOC_ARENA_MAX": "2"}  # as an engine has it
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    answer = json.loads(done.stdout.splitlines()[-1])
    yield Figure(
        name=f"engine memory above the model's, indexing {count:,} files",
        value=answer["peak"] / 1e6, unit="MB", bar=500, aim=250,
    )  # fmt: skip
    yield Figure(
        name="the same while files are read: grown in the second half",
        value=answer["grown"] / 1e6, unit="MB",
    )  # fmt: skip
    yield Figure(
        name="indexing small files without a model",
        value=count / answer["indexed_s"], unit="files/s",
    )  # fmt: skip
    yield Figure(
        name=f"scanning {count:,} unchanged files again",
        value=answer["scanned_s"], unit="s", bar=15 if count >= _MANY else None, aim=4,
    )  # fmt: skip


if __name__ == "__main__":
    collect_rarely()
    print(json.dumps(measured(Path(sys.argv[1]), int(sys.argv[2]))))
