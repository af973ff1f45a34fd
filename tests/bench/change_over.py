"""The change-over of a library to a large network against embedding its photos alone.

A library of photos with another model's vectors is switched as ``cocadesk model use`` does it:
files are decoded by worker processes beside the embedding, vectors and rows committed. Before
and after that the same network embeds the same photos as ready tensors. The figure is the share
of the change-over's processor time that embedding alone takes (workers included); the share of
wall time stands beside it, which on a busy machine says little.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.pipeline import DECODER_NICENESS
from cocadesk.indexing.reembed import SWITCHING, reembed_steps
from cocadesk.library.library import Library
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, read_shards
from cocadesk.model.backend import Backend
from tests.bench.figures import Figure
from tests.bench.many_files import run_to_end
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import InProcessDecoder, write_photo

BAR, AIM = 0.9, 0.97
PHOTOS, FEW = 1000, 48
AT_ONCE = 64
SHARD = "data/flickr8k-dev-000.tar"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of processors by this process and the children that it ended."""

    wall_s: float
    processor_s: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall_s + other.wall_s, self.processor_s + other.processor_s)


def spent(work: Callable[[], object]) -> Spent:
    """The cost of doing something once."""
    wall, processor = time.perf_counter(), _processor_s()
    work()
    return Spent(time.perf_counter() - wall, _processor_s() - processor)


def _processor_s() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(each.ru_utime + each.ru_stime for each in used)


def figures(backend: Backend, folder: Path, *, is_quick: bool) -> list[Figure]:
    """Both shares; a quick one is of too few photos for its bar."""
    files = write_photos(folder / "photos", FEW if is_quick else PHOTOS)
    tensors = _tensors(backend, files)
    backend.embed_images(tensors[:AT_ONCE])  # opens, converts and compares
    with Library.open(folder / "library") as library:
        old = index_steps(library, FakeBackend(), [os.fsencode(folder / "photos")],
                          pool=InProcessDecoder())  # fmt: skip
        run_to_end(old)
        half = len(tensors) // 2
        before = spent(lambda: _embedded(backend, tensors[:half]))
        changed = spent(lambda: _changed(library, backend))
        after = spent(lambda: _embedded(backend, tensors[half:]))
        if library.model != backend.info().image_id:
            raise RuntimeError("the library has not changed over")
    alone, count = before + after, len(files)
    name = f"change-over of {count:,} photos ({{}}): embedding alone ÷ it, {{}} time"
    sizes = f"{len(tensors)} pictures, {backend.info().precision}"
    bar, aim = (None, None) if is_quick else (BAR, AIM)
    print(
        f"{count / changed.wall_s:.3g} photos/s changed over, {count / alone.wall_s:.3g} embedded"
    )
    return [
        Figure(
            name=name.format(sizes, "processor"), value=alone.processor_s / changed.processor_s,
            bar=bar, aim=aim, is_most=False,
        ),
        Figure(name=name.format(sizes, "wall"), value=alone.wall_s / changed.wall_s),
    ]  # fmt: skip


def _changed(library: Library, backend: Backend) -> None:
    spec = backend.info().input_spec
    with DecoderPool(spec=spec, workers=2, niceness=DECODER_NICENESS) as pool:
        for _ in reembed_steps(library, backend, source="other", pool=pool, options=SWITCHING):
            pass


def _embedded(backend: Backend, tensors: NDArray[np.uint8]) -> None:
    for start in range(0, len(tensors), AT_ONCE):
        backend.embed_images(tensors[start : start + AT_ONCE])


def _tensors(backend: Backend, files: Sequence[Path]) -> NDArray[np.uint8]:
    spec, inputs = backend.info().input_spec, []
    for file in files:
        photo = decode_rgb(file.read_bytes(), spec.size_px)
        inputs.append(prepare_input(photo.rgb_HWC, spec, (photo.width, photo.height)))
    return np.stack(inputs)


def write_photos(folder: Path, count: int) -> list[Path]:
    """So many photos of the shared shard; where it is absent, or too short, made-up ones."""
    folder.mkdir(parents=True)
    shared = Path(os.environ.get("COCADESK_SHARED", Path(__file__).parents[3] / "shared"))
    pictures = list[bytes]()
    with suppress(OSError):
        samples = read_shards([shared / SHARD], ShardCounts(), IMAGE_SUFFIXES)
        pictures = [sample.image for sample, _ in zip(samples, range(count), strict=False)]
    files = []
    for number in range(count):
        file = folder / f"{number:04}.jpg"
        if number < len(pictures):
            file.write_bytes(pictures[number])
        else:
            write_photo(file, number)
        files.append(file)
    return files
