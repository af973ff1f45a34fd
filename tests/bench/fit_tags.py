"""Fits the constants of a model's tags on captioned photos, and says how well they hold.

    python tests/bench/fit_tags.py SHARD.tar… [--model SOURCE] [--vectors FILE.npz]
        [--threshold .5] [--pull 10] [--write tagging.json]

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
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

PARTS = (0.0, 0.5, 1.0)
"""The shares of a tag's mean deviation, which it has on any picture, that its bias starts from."""
PULL = 10.0
"""So many photos speak for the bias that a tag starts with; a tag that is hardly ever likely
keeps it."""
MOST = 2.5
"""So far, in deviations, a bias goes from its start; none of the starter's goes half as far."""
USUAL_MOST, USUAL_SHARE = 0.75, 0.03
"""A tag that is true of more of these photos becomes likelier by less: four of five show people,
and with 2.5 a kingfisher was given "person"."""
ROUNDS = 4
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Numbers of ``TagConstants``, with the mean log loss over the tags considered."""

    loss: float
    slope: float
    midpoint: float
    bias_C: NDArray[np.float32]


class Fitting:
    """Log loss of constants on one half, parents raised; and steps that lower it."""

    def __init__(self, half: Half, tree: TagTree) -> None:
        self._half, self._tree = half, tree
        others_NC = ~half.is_true_NC
        # Over the photos that it does not fit, or a tag would pay for being common.
        sums_C = (half.deviations_NC * others_NC).sum(axis=0)
        self.mean_C = (sums_C / np.maximum(others_NC.sum(axis=0), 1)).astype(np.float32)
        usual, nothing = TagConstants(), np.zeros_like(self.mean_C)
        self._is_usual_C = half.is_true_NC.mean(axis=0) > USUAL_SHARE
        # The same pairs for all biases, so that their losses can be compared.
        likely = [self._likely(usual.slope, usual.midpoint, b) for b in (nothing, self.mean_C)]
        self._is_considered = np.maximum(*likely) >= CONSIDERED
        self._truths = half.is_true_NC[self._is_considered]

    def _likely(
        self, slope: float, midpoint: float, bias_C: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        return self._tree.raised(logistic(self._half.deviations_NC - bias_C, slope, midpoint))

    def loss(self, slope: float, midpoint: float, bias_C: NDArray[np.float32]) -> float:
        """The mean log loss."""
        likely = self._likely(slope, midpoint, bias_C)[self._is_considered]
        likely = np.clip(likely, 1e-6, 1 - 1e-6)
        return float(-np.log(np.where(self._truths, likely, 1 - likely)).mean())

    def curve(self, fit: Fit) -> Fit:
        """Slope and midpoint at the least loss for these biases, by steps that halve."""
        best, x, y, step = fit.loss, fit.slope, fit.midpoint, 0.25
        while step > 0.005:
            tries = [(x + step, y), (max(x - step, 0.1), y), (x, y + step), (x, y - step)]
            lowest, numbers = min((self.loss(*numbers, fit.bias_C), numbers) for numbers in tries)
            if lowest < best:
                best, (x, y) = lowest, numbers
            else:
                step /= 2
        return Fit(loss=best, slope=x, midpoint=y, bias_C=fit.bias_C)

    def biases(self, fit: Fit, towards_C: NDArray[np.float32], pull: float) -> Fit:
        """Each tag's bias a few Newton steps nearer to where it promises what holds.

        ``pull`` holds it back towards ``towards_C``, in photos that speak for that.
        """
        bias_C = fit.bias_C
        for _ in range(3):
            likely = self._likely(fit.slope, fit.midpoint, bias_C)
            log_odds_C = fit.slope * (bias_C - towards_C)
            rise_C = (self._half.is_true_NC - likely).sum(axis=0) + pull * log_odds_C
            step_C = rise_C / ((likely * (1 - likely)).sum(axis=0) + pull)
            # Not all of it: the steps of parents and children meet.
            bias_C = bias_C - 0.7 * step_C / fit.slope
            least_C = towards_C - np.where(self._is_usual_C, USUAL_MOST, MOST)
            bias_C = np.clip(bias_C, least_C, towards_C + MOST).astype(np.float32)
        return replace(fit, bias_C=bias_C, loss=self.loss(fit.slope, fit.midpoint, bias_C))


def fitted(
    half: Half, tree: TagTree, tags: Sequence[str], threshold: float, pull: float
) -> TagConstants:
    """The constants whose probabilities have the least log loss."""
    fitting, usual = Fitting(half, tree), TagConstants()
    found = list[Fit]()
    for part in PARTS:
        towards_C = np.asarray(part * fitting.mean_C, np.float32)
        start = fitting.loss(usual.slope, usual.midpoint, towards_C)
        fit = Fit(loss=start, slope=usual.slope, midpoint=usual.midpoint, bias_C=towards_C)
        fit = fitting.curve(fit)
        alone = fit.loss
        for _ in range(ROUNDS):
            fit = fitting.curve(fitting.biases(fit, towards_C, pull))
        print(f"{part:.1f} of the mean deviation: log loss {alone:.4f}, fitted {fit.loss:.4f}")
        found.append(fit)
    best = min(found, key=lambda fit: fit.loss)
    biases = {tag: round(float(bias), 3) for tag, bias in zip(tags, best.bias_C, strict=True)}
    return TagConstants(
        slope=round(best.slope, 3),
        midpoint=round(best.midpoint, 3),
        threshold=threshold,
        biases=biases,
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
    parser.add_argument("--pull", type=float, default=PULL)
    parser.add_argument("--write", type=Path, metavar="FILE")
    options = parser.parse_args()
    vocabulary = load_vocabulary()
    tags, tree = vocabulary.tags, TagTree(vocabulary.tags)
    with open_backend(options.model, "auto") as backend:
        photos = read_photos(backend, options.shards, options.vectors)
        tagger = ZeroShotTagger(backend, vocabulary, cache=text_vectors_folder())
        deviating = deviations(photos.vectors_ND, *tagger.class_vectors())
        info = backend.info()
    is_true = truth(tags, tree, photos.captions)
    fitting, judging = (
        Half(deviations_NC=deviating[start::2], is_true_NC=is_true[start::2]) for start in (0, 1)
    )
    print(
        f"{len(is_true):,} photos, {info.model_id}; {is_true.sum(axis=1).mean():.1f} true tags each"
    )
    constants = fitted(fitting, tree, tags, options.threshold, options.pull)
    print(f"slope {constants.slope}, midpoint {constants.midpoint}; on the other half:")
    report(constants, judging, tree, tags)
    print("with the usual constants instead:")
    report(TagConstants(), judging, tree, tags)
    if options.write is not None:
        kept = replace(constants, captions=info.tagging.captions)
        options.write.write_bytes(kept.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
