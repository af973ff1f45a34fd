"""Warm search over 10,000 photos: milliseconds from text to hits, encoding included.

    python tests/bench/bench_search.py SHARD… [--model starter] [--photos 10000] [--texts 300]

Captions of the shards are the texts, each asked once (so that no vector is
remembered). The rows are synthetic around real vectors of the shards' photos.
Exit code 1 where the median exceeds ``--most``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

# As the engine and the command line do, before numpy: many BLAS threads for one
# small product wait for each other (58 against 8 ms beside a training run).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaRow, ViewRow, new_key
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.shards import read_shards
from cocadesk.model.backend import Backend, open_backend
from cocadesk.search.searcher import Searcher

REAL_PHOTOS = 256
BATCH_ROWS = 1000


def real_vectors(backend: Backend, shards: Sequence[Path]) -> NDArray[np.float32]:
    """(N, D) vectors of the first photos of the shards."""
    info = backend.info()
    spec = info.input_spec
    samples = itertools.islice(read_shards(shards), REAL_PHOTOS)
    pictures = np.stack([decode_photo(sample.image, spec).input_HWC for sample in samples])
    return backend.embed_images(pictures)


def fill(library: Library, image_id: str, vectors: NDArray[np.float32], count: int) -> None:
    """``count`` media whose vectors lie around real ones."""
    rng = np.random.default_rng(0)
    library.views.create(image_id, vectors.shape[1])
    for start in range(0, count, BATCH_ROWS):
        rows = [synthetic_row(image_id, number) for number in range(start, start + BATCH_ROWS)]
        noise = rng.standard_normal((BATCH_ROWS, vectors.shape[1])) * 0.5 / vectors.shape[1] ** 0.5
        near = vectors[rng.integers(0, len(vectors), BATCH_ROWS)] + noise
        near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
        library.views.commit(
            image_id,
            [
                ViewRow(
                    key=row.key,
                    view=0,
                    picture_hash=row.picture_hash,
                    vector=vector,
                    root=row.root,
                    folder_text=row.folder_text,
                )
                for row, vector in zip(rows, near, strict=True)
            ],
        )
        library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
    library.set_model(image_id)
    library.tidy()


def synthetic_row(image_id: str, number: int) -> MediaRow:
    """A row like those of real photos."""
    return MediaRow(
        key=new_key(),
        root=b"/photos",
        path=b"/photos/%03d/IMG_%06d.jpg" % (number // 500, number),
        size_bytes=2_000_000 + number,
        mtime_ns=number * 10**9,
        file_hash=f"{number:032x}",
        picture_hash=f"{number:032x}",
        format="JPEG",
        width=4000,
        height=3000,
        camera="a camera",
        keywords=("some", "words"),
        embedded=(image_id,),
        machine_caption="a dog runs over the green grass",
    )


def distinct_captions(shards: Sequence[Path], count: int) -> list[str]:
    """``count`` different captions."""
    captions = itertools.chain.from_iterable(sample.captions for sample in read_shards(shards))
    texts = list(itertools.islice(dict.fromkeys(captions), count))
    if len(texts) < count:
        sys.exit(f"the shards have only {len(texts)} different captions")
    return texts


def main() -> int:
    """Fill, warm up, ask, print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--most", type=float, default=40.0, help="milliseconds")
    options = parser.parse_args()
    texts = distinct_captions(options.shards, options.texts)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_backend(options.model) as backend,
        Library.open(Path(folder) / "library") as library,
    ):
        image_id = backend.info().image_id
        fill(library, image_id, real_vectors(backend, options.shards), options.photos)
        searcher = Searcher(library, backend)
        for text in ("a dog", "a boat on a lake", "people"):
            searcher.search(text)
        total_ms, encode_ms = [], []
        for text in texts:
            start = time.perf_counter()
            hits = searcher.search(text)
            total_ms.append((time.perf_counter() - start) * 1000)
            start = time.perf_counter()
            backend.embed_texts([text + " "])
            encode_ms.append((time.perf_counter() - start) * 1000)
            assert len(hits) == 50
    median = float(np.median(total_ms))
    result = {
        "photos": options.photos,
        "texts": len(texts),
        "p50_ms": round(median, 1),
        "p95_ms": round(float(np.percentile(total_ms, 95)), 1),
        "encode_p50_ms": round(float(np.median(encode_ms)), 1),
    }
    print(json.dumps(result, indent=1))
    return 0 if median <= options.most else 1


if __name__ == "__main__":
    sys.exit(main())
