"""Our CoCa against open_clip 3.3's: the same random weights, speed, memory and agreement.

    python tests/bench/inference.py [--quick] [--only NAME …] [--batches 1 8 32] [--keep FOLDER]

Both sides run in this process on all its processors and take turns. Bars are for the ratio of
wall time. On a busy machine processor time tells more, and with ``--threads 1`` alone: several
threads burn it while they wait for each other. A row names the precision of ours, open_clip's
is float32. Theirs is slow: the whole takes about 20 quiet minutes. ``--quick``, under one, has
a few layers of the architecture, and so no bars of speed. ``--keep`` keeps weights and conversions
for the next run. Exit code 1 where a figure falls short.

A measure is a function of ``World`` in ``MEASURES`` that yields rows; it gets a name there.
"""

# ruff: noqa: E402 - the repository must be on the path, and BLAS told, before the imports

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch

from cocadesk.locations import cache_folder, collect_rarely
from cocadesk.model.checkpoints.checkpoint import load_model
from cocadesk.model.runtime.lanes import apart
from cocadesk.model.runtime.openvino import has_bfloat16
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import GenerationOptions
from tests.bench import change_over, parity
from tests.bench.engine_memory import STEPS
from tests.bench.engine_memory import measured as engine_peaks
from tests.bench.figures import Figure, exit_code, print_table
from tests.bench.inference_embeddings import (
    half_cosines,
    peak_mb,
    sample_photos,
    with_far_channels,
)
from tests.bench.inference_sides import (
    BEAM,
    GREEDY,
    TOKENS,
    Cost,
    Images,
    World,
    found_ids,
    in_turns,
    reference_folder,
)
from tests.support.open_clip_reference import run_reference

SMALL, LARGE = "coca_ViT-B-32", "coca_ViT-L-14"
FREE = TOKENS - 2
"""The tokens that open_clip chooses: its first and its last one are markers in any case."""
CLEAR = 1e-4
"""Where open_clip's two best logits are nearer than this, either may be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Ours against theirs on ``count`` pictures or texts a turn, by the median turn."""

    name: str
    count: int
    precision: str
    turns: tuple[tuple[Cost, Cost], ...]
    bar: float | None = None
    aim: float | None = None

    def _median(self, value: Callable[[Cost, Cost], float]) -> float:
        return statistics.median(value(ours, theirs) for ours, theirs in self.turns)

    def _ratio(self) -> Figure:
        ratio = self._median(lambda ours, theirs: theirs.wall_s / ours.wall_s)
        return Figure(name="", value=ratio, unit="×", bar=self.bar, aim=self.aim, is_most=False)

    @property
    def is_reached(self) -> bool:
        """True where the bar is reached, or there is none."""
        return self._ratio().is_reached

    def line(self) -> str:
        """The comparison as a row of a Markdown table."""
        cells = [
            f"{self.name}, {self.count}",
            self.precision,
            f"{self._median(lambda ours, _: self.count / ours.wall_s):.3g}",
            f"{self._median(lambda _, theirs: self.count / theirs.wall_s):.3g}",
            f"{self._median(lambda ours, theirs: theirs.processor_s / ours.processor_s):.3g} ×",
            f"{self._median(lambda ours, _: ours.peak_mb):,.0f} / "
            f"{self._median(lambda _, theirs: theirs.peak_mb):,.0f}",
        ]
        return f"| {' | '.join(cells)} {self._ratio().line()[len('|  ') :]}"


HEAD = (
    "| work, batch | precision | ours /s | open_clip /s | processor time ÷ "
    "| memory grew, MB | wall time ÷ | must | aim | reached |\n" + "|---" * 10 + "|"
)
Row = Comparison | Figure


def captions(
    name: str,
    world: World,
    batch: int,
    options: GenerationOptions,
    theirs: Callable[[Images], object],
    limits: tuple[float, float],
) -> Comparison:
    """One kind of captions, from pictures to text (theirs: to ids)."""
    images = world.images(batch)
    world.ours.caption(images, options)  # opens, and allocates
    turns = 1 if world.is_quick or (options is BEAM and batch > 1) else 3
    found = in_turns(
        lambda: world.ours.caption(images, options),
        lambda: world.on_our_lane(lambda: theirs(images)),
        turns,
    )
    bar, aim = limits if batch == 8 and not world.is_quick else (None, None)
    words = world.ours.captions.decoder.precision
    precision = f"pictures {world.ours.info().precision}, words {words}"
    return Comparison(
        name=name, count=batch, precision=precision, turns=tuple(found), bar=bar, aim=aim
    )


def greedy(world: World) -> Iterator[Row]:
    """Greedy captions of 20 tokens."""
    for batch in world.batches:
        yield captions("greedy captions", world, batch, GREEDY, world.their_greedy, (8, 15))


def beam(world: World) -> Iterator[Row]:
    """Our three beams against its default search."""
    for batch in (1,) if world.is_quick else world.batches:
        theirs: list[torch.Tensor] = []

        def search(images: Images, kept: list[torch.Tensor] = theirs) -> None:
            kept.append(world.their_beam(images))

        yield captions("beam captions", world, batch, BEAM, search, (25, 60))
        images = world.images(batch)
        ours = [found.ids for found in found_ids(world.ours, images, BEAM)]
        sums = [
            world.log_probabilities(images, _ended(world, some))
            for some in (ours, [row.tolist()[1:] for row in theirs[-1]])
        ]
        yield Figure(
            name=f"log-probability of a beam caption, batch {batch}: ours − open_clip's "
            f"({statistics.mean(sums[0]):.1f} and {statistics.mean(sums[1]):.1f})",
            value=statistics.mean(sums[0]) - statistics.mean(sums[1]),
            bar=None if world.is_quick else 0, is_most=False,
        )  # fmt: skip


def _ended(world: World, captions: list[list[int]] | list[tuple[int, ...]]) -> list[list[int]]:
    """Ids up to the first end marker; one that was cut by its length has none."""
    end = world.checkpoint.config.text.end_id
    longest = GREEDY.max_tokens
    ended = []
    for ids in captions:
        row = [*ids, end][: [*ids, end].index(end) + 1]
        ended.append(row[:longest])
    return ended


def tokens(world: World) -> Iterator[Row]:
    """Greedy tokens in float32 against open_clip's, on 64 pictures."""
    wrong = near = 0
    count = 8 if world.is_quick else 64
    for start in range(0, count, 8):
        images = world.images(8, seed=start + 2)
        theirs = _ended(world, [row.tolist()[1:-1] for row in world.known_greedy(images)])
        ours = _ended(world, [found.ids for found in found_ids(world.exact, images, GREEDY)])
        for image, one, other in zip(images, ours, theirs, strict=True):
            place = next(
                (
                    n
                    for n, pair in enumerate(zip(one[:FREE], other[:FREE], strict=False))
                    if pair[0] != pair[1]
                ),
                None,
            )
            if place is None:
                continue
            begin = world.checkpoint.config.text.begin_id
            ids = torch.tensor([[begin, *other[:place]]])
            two = world.their_logits(image[None], ids)[0, -1].topk(2).values
            if float(two[0] - two[1]) < CLEAR:
                near += 1
            else:
                wrong += 1
    yield Figure(
        name=f"greedy captions of {count} pictures, float32: other tokens than open_clip's "
        f"({near} more where its two best logits are nearer than {CLEAR:g})",
        value=wrong, bar=0,
    )  # fmt: skip


def agreement(world: World) -> Iterator[Row]:
    """The largest differences of vectors and logits, of both architectures."""
    count = 2 if world.is_quick else parity.pictures_of(world.model)
    found = parity.compare(world.checkpoint, world.answers(count), "cpu")
    yield from (_difference(world.model, name, value) for name, value in found.items())
    if world.is_quick or world.model != SMALL:
        return
    with tempfile.TemporaryDirectory(dir=world.folder.parent) as name:
        folder = Path(name)
        answers = run_reference(folder, LARGE, parity.pictures_of(LARGE))
        found = parity.compare(find_checkpoint(str(folder)), answers, "cpu")
    yield from (_difference(LARGE, name, value) for name, value in found.items())


def _difference(model: str, name: str, value: float) -> Figure:
    whole = f"{model}, {name}, float32: largest difference"
    return Figure(name=whole, value=value, bar=1e-4, aim=1e-5)


def change_over_figures(world: World) -> Iterator[Row]:
    """A library that changes over to the network, against embedding its photos alone."""
    with tempfile.TemporaryDirectory(dir=world.folder.parent) as name:
        yield from change_over.figures(world.ours, Path(name), is_quick=world.is_quick)


def images(world: World) -> Iterator[Row]:
    """Image vectors."""
    for batch in world.batches:
        pictures = world.images(batch)
        world.ours.embed_images(pictures)  # opens, and allocates
        turns = in_turns(
            lambda given=pictures: world.ours.embed_images(given),  # type: ignore[misc]
            lambda given=pictures: world.on_our_lane(  # type: ignore[misc]
                lambda: world.their_vectors(given)
            ),
            1 if world.is_quick else 3,
        )
        has_bar = batch == 8 and world.model == SMALL and has_bfloat16() and not world.is_quick
        bar, aim = (3, 5) if has_bar else (None, None)
        yield Comparison(
            name="image embeddings", count=batch, precision=world.ours.info().precision,
            turns=tuple(turns), bar=bar, aim=aim,
        )  # fmt: skip


def texts(world: World) -> Iterator[Row]:
    """Text vectors."""
    for batch in world.batches:
        asked = [f"a photo of {number} dogs on a beach at sunset" for number in range(batch)]
        world.ours.embed_texts(asked)
        turns = in_turns(
            lambda given=asked: world.ours.embed_texts(given),  # type: ignore[misc]
            lambda given=asked: world.their_texts(given),  # type: ignore[misc]
            1 if world.is_quick else 3,
        )
        yield Comparison(
            name="text embeddings", count=batch, precision="float32", turns=tuple(turns)
        )


def cosines(world: World) -> Iterator[Row]:
    """Vectors and decoder tokens in bfloat16 against float32, on photos of the samples."""
    if not has_bfloat16():
        return
    photos = sample_photos(world.ours.info().input_spec, 8 if world.is_quick else 48)
    for kind in ("random weights", "random weights with channels far beyond the rest"):
        network = load_model(world.checkpoint)
        if kind != "random weights":
            network = with_far_channels(network)
        for name, value in zip(("vectors", "tokens"), half_cosines(network, photos), strict=True):
            yield Figure(
                name=f"{world.model}, {kind}, {name}: bfloat16 to float32, 1 − smallest cosine of "
                f"{len(photos)} photos",
                value=1 - value, bar=1e-3, aim=1e-4,
            )  # fmt: skip


def memory(world: World) -> Iterator[Row]:
    """The peak of a process that opens the model, embeds 16 photos and a text, then captions 8."""
    for precision, bar, aim in (("bfloat16", 3, 2), ("float32", 4.5, 3.5)):
        if precision == "bfloat16" and not has_bfloat16():
            continue
        for step in ("first opening, vectors", "vectors", "vectors and captions"):
            peak = peak_mb(
                world.folder, precision, captions="captions" in step, cache=cache_folder()
            )
            limits = (bar, aim) if world.model == LARGE else (None, None)
            yield Figure(
                name=f"peak memory, {world.model}, {precision}, {step}",
                value=peak / 1024, unit="GB", bar=limits[0], aim=limits[1],
            )  # fmt: skip


def engine_memory(world: World) -> Iterator[Row]:
    """The peak of the engine's own process: it indexes photos, searches and captions 8."""
    for precision, bar, aim in (("bfloat16", 3, 2), ("float32", 4.5, 3.5)):
        if precision == "bfloat16" and not has_bfloat16():
            continue
        limits = (bar, aim) if world.model == LARGE else (None, None)
        with tempfile.TemporaryDirectory(dir=world.folder.parent) as cache:
            for use in ("first use", "later use"):
                given = precision if precision == "float32" else ""
                photos = 10 if world.is_quick else 100
                found = engine_peaks(world.folder, Path(cache), given, photos)
                for step in STEPS:
                    of = f"the engine, {world.model}, {precision}, {use}"
                    yield Figure(
                        name=f"peak memory of {of}: {step}",
                        value=found[step] / 1024, unit="GB", bar=limits[0], aim=limits[1],
                    )  # fmt: skip


MEASURES: Mapping[str, Callable[[World], Iterator[Row]]] = {
    "images": images,
    "texts": texts,
    "cosines": cosines,
    "agreement": agreement,
    "greedy": greedy,
    "beam": beam,
    "tokens": tokens,
    "change-over": change_over_figures,
    "memory": memory,
    "engine-memory": engine_memory,
}


def measure(world: World, names: list[str]) -> list[Row]:
    """All rows, each printed when it is known."""
    rows: list[Row] = []
    for name in names:
        start = time.perf_counter()
        # On a thread that ends: else its helpers would keep those of the next measure asleep.
        rows += apart(partial(_printed, MEASURES[name](world)))
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return rows


def _printed(rows: Iterator[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        print(row.line(), flush=True)
        found.append(row)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute; no memory")
    parser.add_argument("--only", nargs="+", choices=tuple(MEASURES))
    parser.add_argument("--batches", nargs="+", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--model", default=SMALL, choices=(SMALL, LARGE))
    parser.add_argument("--keep", type=Path, help="folder of weights and conversions")
    options = parser.parse_args()
    collect_rarely()  # as the engine does
    reference_folder()
    batches = options.batches or ([8] if options.quick else [1, 8, 32])
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        torch.set_num_threads(options.threads)
        world = apart(partial(World, options.model, folder, batches, is_quick=options.quick))
        machine = f"{options.threads} threads of torch, {platform.machine()}"
        print(f"{options.model}, random weights; {machine}")
        rows = measure(world, options.only or [*MEASURES][: -2 if options.quick else None])
    print(f"\n{HEAD}")
    for row in rows:
        if isinstance(row, Comparison):
            print(row.line())
    print()
    figures = [row for row in rows if isinstance(row, Figure)]
    print_table(figures)
    reached = all(row.is_reached for row in rows)
    return 0 if reached and exit_code(figures) == 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
