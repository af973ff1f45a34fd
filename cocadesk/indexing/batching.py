"""What an index and a change-over share: the decoder, and commits by rows or seconds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence

from cocadesk.indexing.pipeline import Batch, Decoder, FilePlanner, Pipeline
from cocadesk.indexing.types import ImageEmbedder, IndexOptions, ModelDescription
from cocadesk.library import Library
from cocadesk.media import FoundFile, InputSpec, ResizeMode

_TIDY_EVERY_COMMITS = 64


@contextlib.contextmanager
def opened_decoder(
    pool: Decoder | None, model: ModelDescription, options: IndexOptions
) -> Iterator[Decoder]:
    """The given pool, or one of our own for the model's input size."""
    if pool is not None:
        yield pool
        return
    from cocadesk.media import DecoderPool

    spec = InputSpec(size_px=model.image_size_px, resize=ResizeMode(model.resize))
    with DecoderPool(spec=spec, workers=options.workers) as own:
        yield own


def read_steps(
    candidates: Sequence[FoundFile],
    *,
    planner: FilePlanner,
    library: Library,
    embedder: ImageEmbedder,
    pool: Decoder | None,
    options: IndexOptions,
    commit: Callable[[Batch], None],
) -> Generator[int, None, None]:
    """Decode, embed and commit these files; yields and closes as ``commit_steps`` does."""
    with opened_decoder(pool, embedder.info(), options) as decoder:
        pipeline = Pipeline(
            candidates=candidates,
            decoder=decoder,
            planner=planner,
            embedder=embedder,
            keep_thumbnail=library.write_thumbnail,
            options=options,
        )
        yield from commit_steps(pipeline, options, commit=commit, tidy=library.tidy)


def commit_steps(
    pipeline: Pipeline,
    options: IndexOptions,
    *,
    commit: Callable[[Batch], None],
    tidy: Callable[[], None],
) -> Generator[int, None, None]:
    """Run a pipeline to its end, committing as rows or seconds are due.

    Yields the number of files that wait for the next commit. Closing it, and an
    error in a thread, commits what is embedded by then.
    """
    pending = Batch()
    commits = 0
    last_s = time.monotonic()
    pipeline.start()
    with contextlib.closing(pipeline):
        try:
            while (batch := pipeline.next_batch(options.progress_s)) is not None:
                pending.add(batch)
                is_due = time.monotonic() - last_s >= options.commit_s
                if len(pending) >= options.commit_rows or (is_due and len(pending)):
                    full, pending = pending, Batch()
                    commit(full)
                    commits += 1
                    last_s = time.monotonic()
                    if commits % _TIDY_EVERY_COMMITS == 0:
                        tidy()
                yield len(pending)
        finally:
            # Also when cancelled, or when a thread failed: what is embedded stays embedded.
            if len(pending):
                commit(pending)


def seconds_left(done: int, total: int | None, elapsed_s: float) -> float | None:
    """The pace so far drawn on; None while nothing can be said."""
    if total is None or (done == 0 and total > 0):
        return None
    return elapsed_s / done * (total - done) if done else 0.0
