"""Photos a second with two workers of Ray and without, and the start of Ray.

    python -m tests.bench.ray_workers --photos 2000

On two cores Ray has nothing to win: the index alone uses both. The number says what it costs
there; more cores than one process can feed, or more computers, are what it is for.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.pipeline import Decoder
from cocadesk.indexing.ray_cluster import RayOptions
from cocadesk.indexing.ray_workers import RayWorkers
from cocadesk.indexing.types import IndexStage
from cocadesk.library.library import Library
from cocadesk.model.backend import Backend, open_backend
from tests.bench.figures import Figure, exit_code, print_table

_WORKERS = 2


def make_photos(folder: Path, count: int, size: tuple[int, int] = (1024, 768)) -> None:
    """So many JPEGs, each another one."""
    folder.mkdir()
    chance = np.random.default_rng(25)
    for number in range(count):
        small = chance.integers(0, 255, (24, 32, 3), np.uint8)
        picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        picture.save(folder / f"{number}.jpg", quality=85)


def timed(
    library: Path, backend: Backend, photos: Path, pool: Decoder | None
) -> tuple[float, float]:
    """Seconds until the first files are committed, and files a second from then on."""
    started_s = time.monotonic()
    with Library.open(library) as opened:
        first_s, first = 0.0, 0
        done = 0
        for step in index_steps(opened, backend, [os.fsencode(photos)], pool=pool):
            if step.stage is IndexStage.EMBED:
                done = step.done
                if done and not first:
                    first, first_s = done, time.monotonic()
        return first_s - started_s, (done - first) / max(1e-6, time.monotonic() - first_s)


def ray_figures(base: Path, photos: int) -> Iterator[Figure]:
    """The numbers of this benchmark; nothing of them has a bar."""
    folder = base / "photos"
    make_photos(folder, photos)
    with open_backend() as backend:
        timed(base / "warm-up", backend, folder / "0.jpg", None)
        _, plain = timed(base / "plain", backend, folder, None)
        opener, image_id = partial(open_backend), backend.info().image_id
        with RayWorkers(opener, image_id, RayOptions(workers=_WORKERS)) as workers:
            start_s, with_ray = timed(base / "ray", backend, folder, workers)
    yield Figure(name="index, photos/s without Ray", value=plain, is_most=False)
    yield Figure(name=f"index --ray-workers {_WORKERS}, photos/s", value=with_ray, is_most=False)
    yield Figure(name="the same ÷ without Ray", value=with_ray / plain, unit="×", is_most=False)
    yield Figure(name="first photos with Ray", value=start_s, unit="s")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cocadesk-bench-") as base:
        figures = list(ray_figures(Path(base), options.photos))
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    sys.exit(main())
