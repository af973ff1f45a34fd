"""LanceDB's vector indexes and ours side by side: seconds to make, milliseconds, recall, bytes.

    .venv/bin/python -m tests.bench.vector_indexes VECTORS.npy --rows 200000

The vectors are those that ``indexing`` keeps of real photos, enlarged as there. Queries are
made-up photos too: texts lie further away from all cells, so that recall is a little lower
for them; ``indexing`` measures that.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import HnswPq, HnswSq, IvfFlat, IvfPq, IvfRq, IvfSq
from numpy.typing import NDArray

from cocadesk.library.cells import (
    count_of_cells,
    grouped,
    main_axes,
    nearest_cells,
    sample_size,
    short_of,
    train_centers,
)
from cocadesk.library.schema import vectors_to_arrow
from cocadesk.library.vector_memory import WHOLE, CellRows, VectorMemory, no_views
from tests.bench.large_library import VectorSource

LIMIT = 66
QUERIES = 100
INDEXES: dict[str, tuple[Any, list[dict[str, int]]]] = {
    "none (flat)": (None, [{}]),
    "IVF_FLAT": (IvfFlat, [{}, {"nprobes": 64}]),
    "IVF_SQ": (IvfSq, [{}, {"nprobes": 64}, {"nprobes": 64, "refine_factor": 3}]),
    "IVF_RQ": (IvfRq, [{"nprobes": 64}, {"nprobes": 64, "refine_factor": 10}]),
    "IVF_PQ": (IvfPq, [{"nprobes": 64, "refine_factor": 10}]),
    "HNSW_SQ": (HnswSq, [{}, {"ef": 400}, {"ef": 400, "refine_factor": 3}]),
    "HNSW_PQ": (HnswPq, [{"ef": 400, "refine_factor": 10}]),
}


def measured(
    ask: Callable[[NDArray[np.float32]], list[int]],
    queries: NDArray[np.float32],
    wanted: list[set[int]],
) -> tuple[float, float]:
    """Median milliseconds, and the share of the wanted rows that is found."""
    took_ms, shares = [], []
    for query, right in zip(queries, wanted, strict=True):
        start = time.perf_counter()
        found = ask(query)
        took_ms.append((time.perf_counter() - start) * 1000)
        shares.append(len(right.intersection(found)) / len(right))
    return float(np.median(took_ms)), float(np.mean(shares))


def lance_asker(table: Any, options: dict[str, int]) -> Callable[[NDArray[np.float32]], list[int]]:
    """A search of a table."""

    def ask(query: NDArray[np.float32]) -> list[int]:
        search = table.search(query.astype(np.float16), vector_column_name="vector")
        search = search.distance_type("cosine").select(["number"]).limit(LIMIT)
        for name, value in options.items():
            search = getattr(search, name)(value)
        found: list[int] = search.to_arrow()["number"].to_pylist()
        return found

    return ask


def ours(vectors_ND: NDArray[np.float32], share: float) -> VectorMemory:
    """All vectors in cells, of which a search goes through that share."""
    rng = np.random.default_rng(0)
    count = len(vectors_ND)
    sample = vectors_ND[rng.choice(count, sample_size(count), replace=False)]
    centers = train_centers(sample, count_of_cells(count), rng)
    order, starts = grouped(nearest_cells(vectors_ND, centers), len(centers))
    mean_D, axes_dD = main_axes(sample)
    by_number, number_starts = grouped(order.astype(np.int32), count)
    rows = CellRows(
        numbers=order.astype(np.int32),
        views=np.zeros(count, np.int32),
        times=np.full(count, np.nan),
        short_Nd=short_of(vectors_ND[order], mean_D, axes_dD),
        whole_ND=np.round(vectors_ND[order] * WHOLE).astype(np.int16),
        axes_dD=axes_dD,
        centers_CD=centers,
        starts=starts,
        by_number=by_number.astype(np.int32),
        number_starts=number_starts,
    )
    return VectorMemory(
        later=(no_views(vectors_ND.shape[1]),),
        cells=rows,
        is_kept=np.ones(count, np.bool_),
        scanned_share=share,
        scanned_least=1000,
    )


def bytes_in(folder: Path) -> float:
    """Megabytes of the files of indexes."""
    return sum(p.stat().st_size for p in folder.rglob("_indices/*/*") if p.is_file()) / 1e6


def main() -> None:
    """Print a row a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    source = VectorSource(np.load(options.vectors))
    vectors_ND, queries = source.draw(options.rows), source.draw(QUERIES)
    wanted = [set(np.argpartition(-(vectors_ND @ q), LIMIT)[:LIMIT].tolist()) for q in queries]
    print("| index | made in s | p50 ms | recall | MB |\n|---|---|---|---|---|")
    numbers = pa.array(range(options.rows), pa.int64())
    rows = pa.table({"number": numbers, "vector": vectors_to_arrow(vectors_ND)})
    for name, (config, ways) in INDEXES.items():
        with tempfile.TemporaryDirectory() as folder:
            table = lancedb.connect(folder).create_table("t", rows)
            start = time.perf_counter()
            if config is not None:
                table.create_index("vector", config=config(distance_type="cosine"))
            made_s = time.perf_counter() - start
            for way in ways:
                took_ms, share = measured(lance_asker(table, way), queries, wanted)
                said = " ".join(f"{key} {value}" for key, value in way.items())
                print(
                    f"| {name} {said} | {made_s:.1f} | {took_ms:.1f} | {share:.3f} "
                    f"| {bytes_in(Path(folder)):.0f} |",
                    flush=True,
                )
    for part in (0.03, 0.07, 0.14):
        start = time.perf_counter()
        memory = ours(vectors_ND, part)
        made_s = time.perf_counter() - start
        took_ms, share = measured(
            lambda query, of=memory: of.nearest(query, LIMIT).numbers.tolist(), queries, wanted
        )
        print(f"| ours, {part:.0%} | {made_s:.1f} | {took_ms:.1f} | {share:.3f} | |", flush=True)


if __name__ == "__main__":
    main()
