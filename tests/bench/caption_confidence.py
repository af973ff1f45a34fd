"""Confidence of captions: does the score order good captions from bad?

    python tests/bench/caption_confidence.py SHARD.tar… [--model SOURCE] [--limit N]
        [--bias B --probability P --cosine C] [--write tagging.json]

Each picture's caption is compared with people's by its own CIDEr-D. Printed for the score
(with these constants of ``Confidence``), for the mean log probability alone and for the cosine
alone: Spearman's rank correlation with CIDEr-D, and the share of pairs of a caption of the
better half with one of the worse half in which the better has more (AUC). The constants that
a logistic regression on the two halves finds are printed too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.evaluation.captions import score_captions
from cocadesk.evaluation.runs import batches
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, read_shards
from cocadesk.model.backend import Backend, Caption, GenerationOptions, open_backend
from cocadesk.model.confidence import Confidence, log_odds
from cocadesk.model.tag_constants import TagConstants

Floats = NDArray[np.float64]
DEFAULT = Confidence()
#: So small a weight computes cosines and changes no score.
ALMOST_NONE = 1e-12


def ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Floats = (last - (counts - 1) / 2)[inverse]
    return found


def spearman(first: Floats, second: Floats) -> float:
    """Spearman's rank correlation."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def auc(values: Floats, is_better: NDArray[np.bool_]) -> float:
    """The share of pairs of the two halves that stand in the right order; equal ones half."""
    better, worse = is_better.sum(), (~is_better).sum()
    return float((ranks(values)[is_better].sum() - better * (better + 1) / 2) / (better * worse))


def fitted(log_probabilities: Floats, cosines: Floats, is_better: NDArray[np.bool_]) -> Confidence:
    """The constants that make the score the probability of the better half (Newton's steps)."""
    odds = [log_odds(value) for value in log_probabilities]
    x_N3 = np.stack([np.ones_like(cosines), np.asarray(odds), cosines], axis=1)
    weights = np.zeros(3)
    for _ in range(50):
        p_N = 1 / (1 + np.exp(-x_N3 @ weights))
        curvature = x_N3.T @ (x_N3 * (p_N * (1 - p_N))[:, None]) + 1e-6 * np.eye(3)
        weights += np.linalg.solve(curvature, x_N3.T @ (is_better - p_N) - 1e-6 * weights)
    bias, probability, cosine = weights.tolist()
    return Confidence(bias=bias, probability=probability, cosine=cosine)


def described(
    backend: Backend, shards: Sequence[Path], limit: int | None, confidence: Confidence
) -> Iterator[tuple[Caption, Sequence[str]]]:
    """Each picture's caption and people's."""
    spec = backend.info().input_spec
    found = read_shards(shards, ShardCounts(), IMAGE_SUFFIXES)
    samples = (sample for sample in found if any(map(str.strip, sample.captions)))
    for batch in batches(islice(samples, limit)):
        pictures = [decode_rgb(sample.image, spec.size_px) for sample in batch]
        inputs = [prepare_input(p.rgb_HWC, spec, (p.width, p.height)) for p in pictures]
        captions = backend.caption(np.stack(inputs), GenerationOptions(confidence=confidence))
        for sample, caption in zip(batch, captions, strict=True):
            yield caption, [text for text in sample.captions if text.strip()]


def main() -> int:
    """Prints both measures of the three, and the constants found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--bias", type=float, default=DEFAULT.bias)
    parser.add_argument("--probability", type=float, default=DEFAULT.probability)
    parser.add_argument("--cosine", type=float, default=DEFAULT.cosine or ALMOST_NONE)
    parser.add_argument("--write", type=Path, help="Put the constants found into this file.")
    options = parser.parse_args()
    confidence = Confidence(
        bias=options.bias, probability=options.probability, cosine=options.cosine
    )
    with open_backend(options.model, "auto") as backend:
        found = list(described(backend, options.shards, options.limit, confidence))
    captions, references = zip(*found, strict=True)
    cider = score_captions([caption.text for caption in captions], references).cider_d_N
    is_better = ranks(cider) > (len(cider) + 1) / 2
    log_probabilities = np.asarray([caption.log_probability for caption in captions])
    cosines = np.asarray([caption.cosine for caption in captions], np.float64)
    print(f"{len(cider):,} captions of {options.model}, CIDEr-D {cider.mean():.3f}")
    best = fitted(log_probabilities, cosines, is_better)
    for name, values in (
        ("score", np.asarray([caption.score for caption in captions])),
        ("mean log probability", log_probabilities),
        ("cosine", cosines),
        ("fitted", np.asarray(list(map(best.score, log_probabilities, cosines)))),
    ):
        order, halves = spearman(values, cider), auc(values, is_better)
        print(f"{name:>22}: Spearman {order:.3f}, AUC {halves:.3f}")
    print(f"{best.bias=:.2f} {best.probability=:.2f} {best.cosine=:.2f}")
    if options.write:
        rounded = Confidence(**{name: round(value, 3) for name, value in asdict(best).items()})
        constants = TagConstants.from_json(options.write.read_bytes())
        options.write.write_bytes(replace(constants, captions=rounded).to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
