"""The numbers of a large library: searches, memory, writing, bytes.

What is searched is measured in a process of its own, as the engine is one:

    python -m tests.bench.million FOLDER TEXTS.json MEMORY_ROWS
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.commits import paths_of, table_folder, tables_in
from cocadesk.library.lance_files import manifest_name, parse_manifest, version_numbers
from cocadesk.library.layout import STORE_FOLDER
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import MediaChange, MediaRow, ViewRow
from cocadesk.media.shards import read_shards
from cocadesk.model.backend import Backend, open_backend
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import Hits, JobReply, Jobs, ListJobs, Search, StartIndex
from cocadesk.protocol.paths import WirePath
from cocadesk.search.filters import parse_filter
from cocadesk.search.searcher import Searcher
from tests.bench.figures import Figure
from tests.bench.large_library import (
    AT_ONCE,
    VectorSource,
    exact_best,
    fill,
    keys_of,
    media_table,
    real_vectors,
)
from tests.bench.many_files import resident_bytes
from tests.support.engines import stop

LIMIT = 50
FILTERS = {
    "all": "",
    "50 %": "taken:..2009",
    "5 %": "camera:leica",
    "0.1 %": "keyword:rare",
}
_WARM_UP = ("a dog", "a boat on a lake", "people")
_COMMIT_ROWS = 256
_COMMITS = 24
_APPENDED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sizes of one run; ``folder`` holds what is made, some GB for a million.

    ``memory_rows``: as ``Sizes``, smaller where few rows stand for many.
    """

    rows: int
    folder: Path
    shards: tuple[Path, ...]
    texts: int = 500
    real_photos: int = 4_000
    small_rows: int = 10_000
    indexed_files: int = 400
    model: str = "starter"
    memory_rows: int = 100_000


def distinct_captions(shards: Sequence[Path], count: int) -> list[str]:
    """``count`` different captions."""
    captions = itertools.chain.from_iterable(sample.captions for sample in read_shards(shards))
    texts = list(itertools.islice(dict.fromkeys(captions), count))
    if len(texts) < count:
        sys.exit(f"the shards have only {len(texts)} different captions")
    return texts


def masks_of(count: int) -> dict[str, NDArray[np.bool_]]:
    """By name of the filter the photos of ``media_table`` that pass."""
    n = np.arange(count)
    days = np.datetime64("2000-01-01") + (n * 7919 % 7305).astype("timedelta64[D]")
    return {
        "all": np.ones(count, np.bool_),
        "50 %": days < np.datetime64("2010-01-01"),
        "5 %": n * 31 % 20 == 7,
        "0.1 %": n * 37 % 1000 == 3,
    }


def searches(library: Library, backend: Backend, texts: Sequence[str]) -> dict[str, Any]:
    """Milliseconds and found numbers of each text under each filter."""
    found: dict[str, Any] = {}
    for name, text in FILTERS.items():
        searcher = Searcher(library, backend)  # a new one remembers no text's vector
        among = parse_filter(text)
        for warm in _WARM_UP:
            searcher.search(warm, LIMIT, among)
        took_ms, computed_ms, numbers = [], [], []
        for caption in texts:
            start, computed = time.perf_counter(), time.process_time()
            hits = searcher.search(caption, LIMIT, among)
            took_ms.append((time.perf_counter() - start) * 1000)
            computed_ms.append((time.process_time() - computed) * 1000)
            numbers.append([int(hit.key[3:]) for hit in hits])
        found[name] = {"ms": took_ms, "computed_ms": computed_ms, "found": numbers}
    return found


def search_process(folder: Path, texts: Path, memory_rows: int) -> dict[str, Any]:
    """What a process that serves searches measures: see ``searches``; memory, seconds to open."""
    captions = json.loads(texts.read_text())
    with open_backend("starter") as backend:
        backend.embed_texts(["a photo"])
        before, anonymous_before = resident_bytes()
        start = time.perf_counter()
        with Library.open(folder, sizes=Sizes(memory_rows=memory_rows)) as library:
            Searcher(library, backend).search("anything", LIMIT)
            opened_s = time.perf_counter() - start
            start = time.perf_counter()
            library.counts()
            counted_s = time.perf_counter() - start
            found = searches(library, backend, captions)
            encoded_ms = []
            for caption in captions:
                computed = time.process_time()
                backend.embed_texts([f"{caption} "])
                encoded_ms.append((time.process_time() - computed) * 1000)
            after, anonymous_after = resident_bytes()
    return {
        "opened_s": opened_s,
        "counted_s": counted_s,
        "encoded_ms": float(np.median(encoded_ms)),
        "mb": (after - before) / 1e6,
        "anonymous_mb": (anonymous_after - anonymous_before) / 1e6,
        "searches": found,
    }


def run_search_process(plan: Plan, texts: Sequence[str]) -> dict[str, Any]:
    """The answer of ``search_process`` in a process of its own."""
    file = plan.folder / "texts.json"
    file.write_text(json.dumps(list(texts)))
    command = [sys.executable, "-m", "tests.bench.million", str(plan.folder / "library")]
    done = subprocess.run(
        [*command, str(file), str(plan.memory_rows)], check=True, capture_output=True, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def search_figures(
    when: str, found: dict[str, Any], exact: dict[str, NDArray[np.intp]]
) -> Iterator[Figure]:
    """Median and 95th percentile of each filter, and the share of the nearest that was found."""
    for name, measured in found["searches"].items():
        bar, aim = (25, 8) if name == "all" else (50, 15)
        took_ms = measured["ms"]
        label = f"search {when}, filter {name}" if name != "all" else f"search {when}"
        yield Figure(
            name=f"{label}: p50", value=float(np.median(took_ms)), unit="ms", bar=bar, aim=aim
        )
        yield Figure(name=f"{label}: p95", value=float(np.percentile(took_ms, 95)), unit="ms")
        # What a busy machine can't lengthen much.
        computed_ms = float(np.median(measured["computed_ms"]))
        yield Figure(name=f"{label}: p50 of processor time", value=computed_ms, unit="ms")
        shares = [
            len(set(one) & set(other.tolist())) / len(other)
            for one, other in zip(measured["found"], exact[name], strict=True)
        ]
        yield Figure(
            name=f"{label}: recall@{LIMIT}",
            value=float(np.mean(shares)),
            bar=0.98,
            aim=0.99,
            is_most=False,
        )


def appended(
    library: Library, image_id: str, numbers: range, vectors_ND: NDArray[np.float32]
) -> None:
    """Commit photos through the library, as an index does."""
    rows = media_table(image_id, numbers).to_pylist()
    taken = [row["taken_local"] for row in rows]
    media = [
        MediaRow(
            key=key,
            root=b"/photos",
            path=row["path"],
            size_bytes=row["size_bytes"],
            mtime_ns=row["mtime_ns"],
            file_hash=row["file_hash"],
            picture_hash=row["picture_hash"],
            width=4000,
            height=3000,
            taken_local=when,
            camera=row["camera"],
            keywords=tuple(row["keywords"]),
            embedded=(image_id,),
        )
        for key, row, when in zip(keys_of(numbers), rows, taken, strict=True)
    ]
    library.views.commit(
        image_id,
        [
            ViewRow(
                key=row.key, view=0, picture_hash=row.picture_hash, vector=vector,
                root=row.root, folder_text=row.folder_text,
            )
            for row, vector in zip(media, vectors_ND, strict=True)
        ],
    )  # fmt: skip
    library.media.commit([MediaChange(row=row, is_new=True) for row in media])


class Writing:
    """Commits of a batch each into a small and a large library by turns, and their seconds."""

    def __init__(self, plan: Plan, image_id: str, source: VectorSource, large: Library) -> None:
        small = plan.folder / "small"
        for _ in fill(small, image_id, source, plan.small_rows):
            pass
        self._libraries = {"small": Library.open(small), "large": large}
        self._libraries["small"].tidy()
        self._next = {"small": plan.small_rows, "large": plan.rows}
        self._image_id = image_id
        self._source = source
        self.large_vectors: list[NDArray[np.float32]] = []

    def ratio(self) -> float:
        """The speed at the large one by that at the small one."""
        took_s: dict[str, list[float]] = {"small": [], "large": []}
        for name in ["small", "large"] * _COMMITS:
            numbers = range(self._next[name], self._next[name] + _COMMIT_ROWS)
            vectors_ND = self._source.draw(_COMMIT_ROWS)
            start = time.perf_counter()
            appended(self._libraries[name], self._image_id, numbers, vectors_ND)
            took_s[name].append(time.perf_counter() - start)
            self._next[name] = numbers.stop
            if name == "large":
                self.large_vectors.append(vectors_ND)
        self._libraries["small"].close()
        return float(np.median(took_s["small"]) / np.median(took_s["large"]))


def searches_beside_an_index(plan: Plan, texts: Sequence[str]) -> Iterator[Figure]:
    """Searches of an engine that indexes photos meanwhile, asked as a window asks."""
    photos = plan.folder / "new"
    photos.mkdir()
    for number, sample in enumerate(itertools.islice(read_shards(plan.shards), plan.indexed_files)):
        (photos / f"{number:05d}{sample.suffix}").write_bytes(sample.image)
    took_ms: list[float] = []
    with connect_or_start(plan.folder / "library", extra=["--no-watching"]) as engine:
        engine.ask(Search(text="anything", limit=LIMIT), Hits, timeout_s=60)
        start = time.perf_counter()
        engine.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply)
        for text in itertools.cycle(f"{text} again" for text in texts):
            begun = time.perf_counter()
            engine.ask(Search(text=text, limit=LIMIT), Hits)
            took_ms.append((time.perf_counter() - begun) * 1000)
            if all(job.state.is_final for job in engine.ask(ListJobs(), Jobs).jobs):
                break
            time.sleep(0.05)  # as a person types
        seconds = time.perf_counter() - start
        stop(engine)
    yield Figure(
        name="search while indexing: p95",
        value=float(np.percentile(took_ms, 95)),
        unit="ms",
        bar=300,
        aim=120,
    )
    yield Figure(name="search while indexing: p50", value=float(np.median(took_ms)), unit="ms")
    yield Figure(
        name="indexing beside searches", value=plan.indexed_files / seconds, unit="photos/s"
    )


def bytes_figure(plan: Plan, dimension: int) -> Figure:
    """The bytes of the library's files a photo, without its float16 vectors."""
    folder = plan.folder / "library"
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    for table in tables_in(folder / STORE_FOLDER):
        # What older versions hold goes when the library is tidied later.
        place = table_folder(folder / STORE_FOLDER, table)
        newest = parse_manifest((place / manifest_name(version_numbers(place)[0])).read_bytes())
        size += sum((place / path).stat().st_size for path in paths_of(place, newest))
    return Figure(
        name="store bytes a photo beyond its vectors",
        value=(size / plan.rows - dimension * 2) / 1e3,
        unit="kB", bar=1.5, aim=0.7,
    )  # fmt: skip


def cached_vectors(plan: Plan, backend: Backend) -> NDArray[np.float32]:
    """The vectors of real photos, kept beside the folder for the next run."""
    file = plan.folder.parent / f"vectors-{backend.info().image_id}-{plan.real_photos}.npy"
    if not file.exists():
        np.save(file, real_vectors(backend, plan.shards, plan.real_photos))
    vectors: NDArray[np.float32] = np.load(file)
    return vectors


def million_figures(plan: Plan) -> Iterator[Figure]:
    """All of them, each when it is known."""
    with open_backend(plan.model) as backend:
        image_id = backend.info().image_id
        texts = distinct_captions(plan.shards, plan.texts)
        query_QD = np.concatenate(
            [backend.embed_texts(texts[n : n + 8]) for n in range(0, len(texts), 8)]
        )
        photos_ND = cached_vectors(plan, backend)
        source = VectorSource(photos_ND)
        folder = plan.folder / "library"
        exact = exact_best(
            query_QD, fill(folder, image_id, source, plan.rows), masks_of(plan.rows), LIMIT
        )
        sizes = Sizes(memory_rows=plan.memory_rows)
        with Library.open(folder, sizes=sizes) as library:
            start = time.perf_counter()
            library.tidy()
            library.renew_base()
            yield Figure(name="making the index", value=time.perf_counter() - start, unit="s")
        yield bytes_figure(plan, query_QD.shape[1])
        found = run_search_process(plan, texts)
        yield from search_figures("before", found, exact)
        yield Figure(name="opening, to the first answer", value=found["opened_s"], unit="s", bar=1)
        yield Figure(
            name="encoding alone: p50 of processor time", value=found["encoded_ms"], unit="ms"
        )
        yield Figure(name="counts", value=found["counted_s"] * 1000, unit="ms")
        yield Figure(
            name="engine memory above the model's", value=found["mb"], unit="MB", bar=900, aim=400
        )
        yield Figure(name="of it not of files", value=found["anonymous_mb"], unit="MB")
        with Library.open(folder, sizes=sizes) as library:
            writing = Writing(plan, image_id, source, library)
            yield Figure(
                name=f"writing at {plan.rows:,} rows ÷ at {plan.small_rows:,}",
                value=writing.ratio(), bar=0.85, aim=0.97, is_most=False,
            )  # fmt: skip
            more = list(writing.large_vectors)
            first = plan.rows + sum(map(len, more))
            last = plan.rows + plan.rows // 10
            for number in range(first, last, _APPENDED_AT_ONCE):
                numbers = range(number, min(last, number + _APPENDED_AT_ONCE))
                more.append(source.draw(len(numbers)))
                appended(library, image_id, numbers, more[-1])
        yield from _after(plan, photos_ND, query_QD, exact, more, texts)
        yield from searches_beside_an_index(plan, texts)


def _after(
    plan: Plan,
    photos_ND: NDArray[np.float32],
    query_QD: NDArray[np.float32],
    exact: dict[str, NDArray[np.intp]],
    more: Sequence[NDArray[np.float32]],
    texts: Sequence[str],
) -> Iterator[Figure]:
    """The searches again, after a tenth more rows."""
    again = VectorSource(photos_ND)
    again.draw(1)
    starts = range(0, plan.rows, AT_ONCE)
    before = (again.draw(min(AT_ONCE, plan.rows - start)) for start in starts)  # as ``fill`` does
    count = plan.rows + sum(map(len, more))
    exact = exact_best(query_QD, itertools.chain(before, more), masks_of(count), LIMIT)
    yield from search_figures("after 10 % more", run_search_process(plan, texts), exact)


if __name__ == "__main__":
    print(json.dumps(search_process(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
