"""An index into an object store beside one into a folder, with the shipped model.

    .venv/bin/python -m tests.bench.bench_object_store [PHOTOS]

PHOTOS is a folder (default: the samples). The store is moto's server on this machine, which
computes on the same processors: the ratio says what the program's own way to a store costs,
not what a network does. No number has a bar.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

# As the engine and the command line do, before numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cocadesk.indexing.index import index_steps
from cocadesk.library.library import Library
from cocadesk.library_uri import parse_uri, working_folder
from cocadesk.locations import STARTER
from cocadesk.model.backend import Backend, open_source
from cocadesk.resources import resource_path
from cocadesk.search.searcher import open_searcher
from tests.bench.figures import Figure, print_table
from tests.support.object_store import VARIABLES, serving


def times_s(folder: Path, photos: Path, backend: Backend) -> dict[str, float]:
    """The seconds to make a library, to index into it, and to search it from new."""
    marks = [time.perf_counter()]
    with Library.open(folder) as library:
        marks.append(time.perf_counter())
        for _ in index_steps(library, backend, [os.fsencode(photos)]):
            pass
        library.set_model(backend.info().image_id)
        marks.append(time.perf_counter())
    closed = time.perf_counter()
    with open_searcher(folder, backend) as searcher:
        assert searcher.search("a dog on the beach", 50)
    return {
        "making": marks[1] - marks[0],
        "indexing": marks[2] - marks[1],
        "first search": time.perf_counter() - closed,
    }


def main(photos: Path) -> None:
    """Both, after one index that warms the caches of files and of the model."""
    os.environ.update(VARIABLES)
    with tempfile.TemporaryDirectory() as base, serving() as server:
        backend = open_source(STARTER, None, is_chosen_here=True)
        times_s(Path(base) / "warm", photos, backend)
        uri = parse_uri(server.new_library())
        here = times_s(Path(base) / "library", photos, backend)
        there = times_s(working_folder(uri, Path(base) / "cache"), photos, backend)
        backend.close()
    figures = [
        Figure(name=f"{name}, {place}", value=1000 * times[name], unit="ms")
        for name in here
        for place, times in (("a folder", here), ("an object store", there))
    ]
    ratio = there["indexing"] / here["indexing"]
    print_table([*figures, Figure(name="indexing, store ÷ folder", value=ratio)])


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]) if given else resource_path("samples", "photos"))
