"""Words that no caption held: do they find the photos of the common word for the same thing?

    python tests/bench/bench_words.py SHARD.tar… [--model SOURCE]

``word_pairs.tsv`` holds 200 pairs from one WordNet 3.0 synset each ("serviette", "napkin"):
the common word stands in twenty captions of the training data and more, the rare one of the
first hundred pairs in none, of the others in eight at most. The figure is the share of the
first ten photos that both words find, with its 95 % interval over the pairs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.evaluation.intervals import interval_of_mean
from cocadesk.evaluation.runs import batches
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, read_shards
from cocadesk.model.backend import Backend, open_backend

PAIRS = Path(__file__).with_name("word_pairs.tsv")
FIRST = 10
SHOWN = 12


def photo_vectors(backend: Backend, shards: list[Path]) -> NDArray[np.float32]:
    """(N, D) of all photos in the shards."""
    spec = backend.info().input_spec
    found = []
    for batch in batches(read_shards(shards, ShardCounts(), IMAGE_SUFFIXES)):
        pictures = [decode_rgb(sample.image, spec.size_px) for sample in batch]
        inputs = [prepare_input(p.rgb_HWC, spec, (p.width, p.height)) for p in pictures]
        found.append(backend.embed_images(np.stack(inputs)))
    return np.concatenate(found)


def main() -> int:
    """Prints the mean overlaps and the pairs that differ most."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--model", default="starter")
    options = parser.parse_args()
    with PAIRS.open(encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file, delimiter="\t"))
    with open_backend(options.model, "auto") as backend:
        photos_ND = photo_vectors(backend, options.shards)
        first = [
            np.argsort(-(backend.embed_texts([pair[side] for pair in pairs]) @ photos_ND.T), axis=1)
            for side in ("rare", "common")
        ]
    overlaps = np.asarray(
        [len(set(a[:FIRST]) & set(b[:FIRST])) / FIRST for a, b in zip(*first, strict=True)]
    )
    unseen = np.asarray([pair["captions_with_rare"] == "0" for pair in pairs])
    print(f"{len(photos_ND):,} photos, {options.model}; by chance {FIRST / len(photos_ND):.3f}")
    for name, chosen in (("all pairs", ~unseen | unseen), ("in no caption", unseen)):
        interval = interval_of_mean(overlaps[chosen])
        mean = overlaps[chosen].mean()
        print(f"{name}: {mean:.2f} ({interval.low:.2f} to {interval.high:.2f}, n {interval.n})")
    worst = np.argsort(overlaps, kind="stable")[:SHOWN]
    print("least:", "; ".join(f"{pairs[i]['rare']} / {pairs[i]['common']}" for i in worst))
    return 0


if __name__ == "__main__":
    sys.exit(main())
