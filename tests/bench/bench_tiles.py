"""Tiles of ordinary photos as further views: do small things become findable, and at what cost?

    python tests/bench/bench_tiles.py [--model FOLDER] [--shards SMALL.tar HOSTS.tar]
        [--number 300] [--limit N]

Photos of the first shard are pasted at a third of the side into a corner of unrelated photos
of the second (fixed seed), and each is asked for by its caption among all these composites.
Then the plain retrieval of both shards, in percent, is held against it. A photo's score is the
cosine of its whole, or the best of the whole and its tiles: four overlapping quadrants of 60 %
of each side, or the four quarters; of the former also with something taken from each tile's
cosine, so that a tile must be clearly better than the whole. Last come the times a photo, taken
in turns in the same run.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.evaluation.intervals import interval_of_mean
from cocadesk.evaluation.retrieval import caption_key
from cocadesk.evaluation.runs import batches
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import fit_within, prepare_input, resize
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, ShardSample, read_shards
from cocadesk.media.types import RgbImage
from cocadesk.model.backend import Backend, open_backend
from cocadesk.picture_input import InputSpec

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHARDS = (DATA / "broad-dev-000.tar", DATA / "flickr8k-dev-000.tar")
BATCH = 8
"""Photos at a time: with eight tiles each, 32 pictures at most go through the network together."""
PASTED_SHARE = 1 / 3
OVERLAPPING, QUARTERS = 0.6, 0.5
TAKEN_OFF = (0.01, 0.02, 0.04)
RECALL_AT = (1, 10)
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The vectors of N photos: (N, 1, D) of their wholes, (N, 4, D) of either kind of tiles."""

    whole: Vectors
    overlapping: Vectors
    quarters: Vectors

    def scores(self, texts_TD: Vectors) -> Iterator[tuple[str, Vectors]]:
        """Each way of scoring with its (T, N) scores."""
        whole, overlapping, quarters = (
            np.einsum("td,nvd->tnv", texts_TD, views).max(axis=2)
            for views in (self.whole, self.overlapping, self.quarters)
        )
        yield "whole alone", whole
        yield "and 4 of 60 %", np.maximum(whole, overlapping)
        yield "and 2 x 2", np.maximum(whole, quarters)
        for amount in TAKEN_OFF:
            yield f"and 4 of 60 % - {amount}", np.maximum(whole, overlapping - amount)


class Embedder:
    """Makes views, and keeps the seconds and the number of photos that they took."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.spec: InputSpec = backend.info().input_spec
        self.seconds: Counter[str] = Counter()
        self.photos = 0

    def views(self, photos: Iterable[RgbImage]) -> Views:
        """Those of all photos, the whole and the tiles of each batch one after the other."""
        found: list[tuple[Vectors, ...]] = []
        for batch in batches(photos, BATCH):
            self.photos += len(batch)
            found.append(
                (
                    self._timed("whole", [[photo] for photo in batch]),
                    self._timed("4 tiles", [tiles_of(photo, OVERLAPPING) for photo in batch]),
                    self._timed("2 x 2", [tiles_of(photo, QUARTERS) for photo in batch]),
                )
            )
        whole, overlapping, quarters = (np.concatenate(part) for part in zip(*found, strict=True))
        return Views(whole=whole, overlapping=overlapping, quarters=quarters)

    def _timed(self, name: str, parts: Sequence[Sequence[RgbImage]]) -> Vectors:
        started_s = time.perf_counter()
        inputs = np.stack([prepare_input(one, self.spec) for own in parts for one in own])
        vectors = self._backend.embed_images(inputs)
        self.seconds[name] += time.perf_counter() - started_s
        return vectors.reshape(len(parts), -1, vectors.shape[1])

    def decoded(self, samples: Iterable[ShardSample]) -> Iterator[RgbImage]:
        """The photos at a scale that their tiles need, too."""
        for sample in samples:
            started_s = time.perf_counter()
            photo = decode_rgb(sample.image, 2 * self.spec.size_px).rgb_HWC
            self.seconds["decoding"] += time.perf_counter() - started_s
            yield photo


def tiles_of(photo_HWC: RgbImage, share: float) -> list[RgbImage]:
    """The four corners of a photo, each ``share`` of its height and width."""
    rows, columns = photo_HWC.shape[:2]
    height, width = round(share * rows), round(share * columns)
    return [
        photo_HWC[top : top + height, left : left + width]
        for top in (0, rows - height)
        for left in (0, columns - width)
    ]


def composite(small_HWC: RgbImage, host_HWC: RgbImage, corner: int) -> RgbImage:
    """The host with the small photo in a corner, in its own shape within a third of each side."""
    rows, columns = host_HWC.shape[:2]
    height, width = round(rows * PASTED_SHARE), round(columns * PASTED_SHARE)
    scale = min(width / small_HWC.shape[1], height / small_HWC.shape[0])
    long_side = max(1, round(scale * max(small_HWC.shape[:2])))
    # ``fit_within`` never enlarges, and no photo of the shards is that small.
    fitted = fit_within(small_HWC.shape[1], small_HWC.shape[0], long_side)
    pasted = resize(small_HWC, *fitted)
    top = 0 if corner < 2 else rows - pasted.shape[0]
    left = 0 if corner % 2 == 0 else columns - pasted.shape[1]
    made = host_HWC.copy()
    made[top : top + pasted.shape[0], left : left + pasted.shape[1]] = pasted
    return made


def report(title: str, backend: Backend, views: Views, captions: Sequence[Sequence[str]]) -> None:
    """Recall of text to image for each way of scoring, with the 95 % interval of the first."""
    texts = [text for own in captions for text in own]
    keys = [{caption_key(text) for text in own} for own in captions]
    right_TN = np.asarray([[caption_key(text) in own for own in keys] for text in texts])
    texts_TD = np.concatenate([backend.embed_texts(part) for part in batches(texts, 64)])
    print(f"\n{title}: {len(captions):,} photos, {len(texts):,} captions")
    for name, scores in views.scores(texts_TD):
        best = np.where(right_TN, scores, -np.inf).max(axis=1, keepdims=True)
        rank_T = ((scores >= best) & ~right_TN).sum(axis=1)
        recalls = []
        for k in RECALL_AT:
            found = interval_of_mean(100.0 * (rank_T < k))
            mean = 100.0 * (rank_T < k).mean()
            recalls.append(f"R@{k} {mean:5.1f} ({found.low:.1f} to {found.high:.1f})")
        print(f"{name:>22}: {', '.join(recalls)}")


def captioned(shard: Path, limit: int | None) -> list[ShardSample]:
    """The first samples that have a caption."""
    samples = read_shards([shard], ShardCounts(), IMAGE_SUFFIXES)
    return list(itertools.islice(filter(texts_of, samples), limit))


def texts_of(sample: ShardSample) -> list[str]:
    """Its captions without blank ones."""
    return [text for text in sample.captions if text.strip()]


def main() -> int:
    """Prints recalls and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--shards", nargs=2, type=Path, default=SHARDS)
    parser.add_argument("--number", type=int, default=300, help="composites")
    parser.add_argument("--limit", type=int, help="photos of each shard")
    options = parser.parse_args()
    small, hosts = (captioned(shard, options.limit) for shard in options.shards)
    rng = np.random.default_rng(0)
    number = min(options.number, len(small), len(hosts))
    pasted = [small[i] for i in rng.permutation(len(small))[:number]]
    under = [hosts[i] for i in rng.permutation(len(hosts))[:number]]
    corners = rng.integers(0, 4, number).tolist()
    with open_backend(options.model, "auto") as backend:
        embedder = Embedder(backend)
        made = map(composite, embedder.decoded(pasted), embedder.decoded(under), corners)
        views = embedder.views(made)
        report("a small photo in a corner", backend, views, [texts_of(one)[:1] for one in pasted])
        embedder.seconds.clear()  # a composite takes two decodes, and the first batch is slow
        embedder.photos = 0
        for shard, samples in zip(options.shards, (small, hosts), strict=True):
            views = embedder.views(embedder.decoded(samples))
            report(shard.name, backend, views, list(map(texts_of, samples)))
    each_ms = {name: 1000 * s / embedder.photos for name, s in embedder.seconds.items()}
    without = each_ms["decoding"] + each_ms["whole"]
    print(f"\n{embedder.photos:,} photos, ms each:", end=" ")
    print(", ".join(f"{name} {ms:.1f}" for name, ms in each_ms.items()))
    for name in ("4 tiles", "2 x 2"):
        with_tiles = without + each_ms[name]
        print(
            f"with {name}: {with_tiles:.1f} for {without:.1f} ms, {with_tiles / without:.1f} times"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
