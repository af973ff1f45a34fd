"""Fits the constants of a model's tags on captioned photos, and says how well they hold.

    python tests/bench/fit_tags.py SHARD.tar… [--model SOURCE] [--vectors FILE.npz]
        [--threshold .5] [--write tagging.json]

The photos (KEY.jpg + KEY.json) are parted into two halves: slope, midpoint and biases are
fitted on one, all figures are those of the other. A tag is true of a photo where one of its
captions says it, or a tag that implies it, in any of the forms of ``tag_truth``.

Captions leave things out, so many tags that are right count as wrong: precision comes out
lower than an eye would judge, and the probabilities, which are fitted to agree with these
truths, lower with it. That errs on the safe side: what is shown as 60 % is said by people in
60 of 100 captioned photos, and seen in more. The file of vectors holds what the photos gave,
so that another try takes seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.annotations.tag_tree import TagTree
from cocadesk.annotations.tagging import ZeroShotTagger, deviations, logistic
from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.evaluation.runs import batches
from cocadesk.evaluation.tags import calibration_error
from cocadesk.locations import text_vectors_folder
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, read_shards
from cocadesk.model.backend import Backend, open_backend
from cocadesk.model.tag_constants import TagConstants
from tests.support.tag_truth import truth

PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The shares of a tag's mean deviation that are tried as its bias."""
CONSIDERED = 0.02
"""Only tags with this probability by the usual constants take part in fitting: the others are
never shown, and so many that they alone would shape the curve."""
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
TOP = 8
SHOWN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """N photos: their vectors at unit norm, and each one's captions."""

    vectors_ND: NDArray[np.float32]
    captions: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Deviations and truths of one half of the photos, (N, C)."""

    deviations_NC: NDArray[np.float32]
    is_true_NC: NDArray[np.bool_]


def read_photos(backend: Backend, shards: list[Path], kept: Path | None) -> Photos:
    """All photos of the shards, or those in ``kept`` where they are of this model."""
    image_id = backend.info().image_id
    name = json.dumps([image_id, *(path.name for path in shards)])
    if kept is not None and kept.exists():
        with np.load(kept, allow_pickle=False) as found:
            if str(found["name"]) == name:
                captions = json.loads(str(found["captions"]))
                return Photos(vectors_ND=found["vectors"], captions=captions)
    spec = backend.info().input_spec
    vectors, captions = [], list[Sequence[str]]()
    for batch in batches(read_shards(shards, ShardCounts(), IMAGE_SUFFIXES)):
        pictures = [decode_rgb(sample.image, spec.size_px) for sample in batch]
        inputs = [prepare_input(p.rgb_HWC, spec, (p.width, p.height)) for p in pictures]
        vectors.append(backend.embed_images(np.stack(inputs)))
        captions += [sample.captions for sample in batch]
    photos = Photos(vectors_ND=np.concatenate(vectors), captions=captions)
    if kept is not None:
        np.savez(kept, name=name, vectors=photos.vectors_ND, captions=json.dumps(captions))
    return photos


def minimum(
    loss: Callable[[float, float], float], start: tuple[float, float]
) -> tuple[float, float, float]:
    """The loss and the two numbers at its minimum, found by steps that halve."""
    best, (x, y), step = loss(*start), start, 0.5
    while step > 0.005:
        tries = [(x + step, y), (x - step, y), (x, y + step), (x, y - step)]
        losses = [(loss(*numbers), numbers) for numbers in tries if numbers[0] > 0]
        lowest, numbers = min(losses)
        if lowest < best:
            best, (x, y) = lowest, numbers
        else:
            step /= 2
    return best, x, y


def fitted(half: Half, tree: TagTree, tags: Sequence[str], threshold: float) -> TagConstants:
    """The constants whose probabilities, parents raised, have the least log loss."""
    usual = TagConstants()
    # Over the photos that it does not fit, or a tag would pay for being common.
    others_NC = ~half.is_true_NC
    mean_C = (half.deviations_NC * others_NC).sum(axis=0) / np.maximum(others_NC.sum(axis=0), 1)
    # The same pairs for each part, so that their losses can be compared.
    starts = [half.deviations_NC, half.deviations_NC - mean_C]
    likely = [tree.raised(logistic(start, usual.slope, usual.midpoint)) for start in starts]
    is_considered = np.maximum(*likely) >= CONSIDERED
    found = []
    for part in PARTS:
        deviating = half.deviations_NC - part * mean_C

        def loss(
            slope: float, midpoint: float, deviating: NDArray[np.float32] = deviating
        ) -> float:
            likely = tree.raised(logistic(deviating, slope, midpoint))[is_considered]
            likely = np.clip(likely, 1e-6, 1 - 1e-6)
            said = np.where(half.is_true_NC[is_considered], likely, 1 - likely)
            return float(-np.log(said).mean())

        lowest, slope, midpoint = minimum(loss, (usual.slope, usual.midpoint))
        print(f"bias {part:.2f} of the mean: log loss {lowest:.4f}, {slope:.2f}, {midpoint:.2f}")
        found.append((lowest, part, slope, midpoint))
    _, part, slope, midpoint = min(found)
    biases = {tag: round(float(part * m), 3) for tag, m in zip(tags, mean_C, strict=True)}
    return TagConstants(
        slope=round(slope, 3),
        midpoint=round(midpoint, 3),
        threshold=threshold,
        biases=biases if part else {},
    )


def report(constants: TagConstants, half: Half, tree: TagTree, tags: Sequence[str]) -> None:
    """Prints how far the constants hold on a half that they were not fitted on."""
    bias_C = np.asarray([constants.biases.get(tag, 0.0) for tag in tags], np.float32)
    deviating = half.deviations_NC - bias_C
    likely = tree.raised(logistic(deviating, constants.slope, constants.midpoint))
    withheld = tree.withheld(likely)
    shown = np.where(withheld, 0, likely)
    for name, chosen in (
        ("all tags", likely >= 0),
        ("tags from 5 % on", likely >= 0.05),
        ("tags given", shown >= constants.threshold),
    ):
        error = calibration_error(likely[chosen], half.is_true_NC[chosen])
        print(f"expected calibration error, {name}: {error:.3f} ({chosen.sum():,} of them)")
    print("threshold  precision  recall  tags a photo")
    for threshold in sorted({*THRESHOLDS, constants.threshold}):
        given = first(shown, threshold)
        right = given & half.is_true_NC
        mark = "  <- chosen" if threshold == constants.threshold else ""
        print(
            f"{threshold:9.2f}  {right.sum() / max(given.sum(), 1):9.3f}"
            f"  {right.sum() / max(half.is_true_NC.sum(), 1):6.3f}"
            f"  {given.sum() / len(given):12.2f}{mark}"
        )
    given = first(shown, constants.threshold)
    wrong_C = (given & ~half.is_true_NC).sum(axis=0)
    most = np.argsort(-wrong_C, kind="stable")[:SHOWN]
    named = (f"{tags[c]} {wrong_C[c]}/{given[:, c].sum()}" for c in most if wrong_C[c])
    print("most often given and not said:", "; ".join(named))


def first(shown: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """True for the tags that a photo is given: likely enough, and among the first ``TOP``."""
    place = np.argsort(np.argsort(-shown, axis=1, kind="stable"), axis=1)
    return (shown >= threshold) & (place < TOP)


def main() -> int:
    """Fits, prints and, where asked to, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--vectors", type=Path, metavar="FILE.npz")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    vocabulary = load_vocabulary()
    tags, tree = vocabulary.tags, TagTree(vocabulary.tags)
    with open_backend(options.model, "auto") as backend:
        photos = read_photos(backend, options.shards, options.vectors)
        tagger = ZeroShotTagger(backend, vocabulary, cache=text_vectors_folder())
        deviating = deviations(photos.vectors_ND, *tagger.class_vectors())
        model_id = backend.info().model_id
    is_true = truth(tags, tree, photos.captions)
    fitting, judging = (
        Half(deviations_NC=deviating[start::2], is_true_NC=is_true[start::2]) for start in (0, 1)
    )
    print(f"{len(is_true):,} photos, {model_id}; {is_true.sum(axis=1).mean():.1f} true tags each")
    constants = fitted(fitting, tree, tags, options.threshold)
    print(f"slope {constants.slope}, midpoint {constants.midpoint}; on the other half:")
    report(constants, judging, tree, tags)
    print("with the usual constants instead:")
    report(TagConstants(), judging, tree, tags)
    if options.write is not None:
        options.write.write_bytes(constants.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
