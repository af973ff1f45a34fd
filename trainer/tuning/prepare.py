"""From a lesson to what a learner takes: cached views, prepared captions, a split."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cocadesk.errors import UserError
from trainer.tuning.dataset import TuningDataset
from trainer.tuning.evaluator import Evaluator
from trainer.tuning.features import EtaEstimator, Progress, ViewStore, affordable_views, open_pool
from trainer.tuning.general_set import GeneralSet
from trainer.tuning.network import ImageSide, Network
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import StoppedError
from trainer.tuning.progress_lines import Stage, Wire
from trainer.tuning.spec import TeachSpec
from trainer.tuning.split import Split, problem_of, split_photos
from trainer.tuning.training_set import CachedFeatures, TrainingSet

GENERAL_VIEWS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the phases of a run need; ``captions`` are as the network wants them."""

    spec: TeachSpec
    network: Network
    lesson: TuningDataset
    general: GeneralSet
    own_seen: CachedFeatures
    general_seen: CachedFeatures
    captions: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]
    new: NewWords
    split: Split

    def material(self, photos: Sequence[int]) -> TrainingSet:
        """What a phase over these photos learns from."""
        return TrainingSet(
            own=self.own_seen.take(photos),
            captions=tuple(self.captions[i] for i in photos),
            general=self.general_seen,
            practised=self.general.practised,
            sentences=self.sentences,
            new=self.new,
        )

    def examiner(self) -> Evaluator:
        """What measures the run."""
        held_out = self.split.held_out
        return Evaluator(
            tokenizer=self.network.tokenizer,
            method=self.spec.method,
            held_out=self.own_seen.take(held_out),
            held_out_captions=tuple(self.captions[i] for i in held_out),
            general=self.general_seen,
            general_captions=tuple(
                tuple(map(self.network.prepare, photo.captions)) for photo in self.general.photos
            ),
            unpractised=self.general.unpractised,
        )


def prepare(
    folder: Path,
    spec: TeachSpec,
    lesson: TuningDataset,
    general: GeneralSet,
    network: Network,
    wire: Wire,
    stop: threading.Event,
    seconds_after: float,
) -> Prepared:
    """Fills the caches in ``folder`` and drops the photos that gave no picture.

    ``seconds_after``: what the run will still take once the features are there.

    Raises:
        UserError: too few photos could be read, or the folder cannot be written.
        StoppedError: ``stop`` was set; what is done is kept.
    """
    side = network.image_side(spec.method)
    photos = [photo.path for photo in lesson.photos]
    others = [photo.path for photo in general.photos]
    own_store, general_store = open_stores(folder, network, side, len(photos), len(others))
    rate, total = EtaEstimator(), len(photos) + len(others)

    def progress_from(start: int) -> Progress:
        def progress(done: int, _: int) -> None:
            left = rate.left(start + done, total)
            left = None if left is None else left + seconds_after
            wire.progress(Stage.FEATURES, start + done, total, left)
            if stop.is_set():
                raise StoppedError

        return progress

    is_whole = own_store.is_whole and general_store.is_whole
    with nullcontext() if is_whole else open_pool(network.input_spec) as pool:
        own_store.fill(photos, pool, side, spec.seed, progress_from(0))
        usable, lesson = drop_failed(lesson, own_store)
        general_store.fill(others, pool, side, spec.seed, progress_from(len(photos)))
    if general_store.failures:
        raise UserError(
            "A sample photo that ships with CocaDesk cannot be read.",
            general_store.failures[0].reason,
            "Install CocaDesk again.",
        )
    captions = tuple(tuple(map(network.prepare, photo.captions)) for photo in lesson.photos)
    new = NewWords.find([text for texts in captions for text in texts], general.sentences)
    return Prepared(
        spec=spec,
        network=network,
        lesson=lesson,
        general=general,
        own_seen=_seen(own_store, usable),
        general_seen=_seen(general_store, range(len(others))),
        captions=captions,
        sentences=tuple(map(network.prepare, general.sentences)),
        new=new,
        split=split_photos(captions, new, spec.seed),
    )


def open_stores(
    folder: Path, network: Network, side: ImageSide, photos: int, others: int
) -> tuple[ViewStore, ViewStore]:
    """The caches of the lesson's photos and of the general pictures."""
    size = network.input_spec.size_px
    probe = side(np.zeros((1, size, size, 3), np.uint8))
    per_view = 2 * sum(array.size for array in probe)
    own = affordable_views(photos, per_view)
    general = min(GENERAL_VIEWS, affordable_views(others, per_view))
    return ViewStore(folder, "own", photos, own), ViewStore(folder, "general", others, general)


def drop_failed(lesson: TuningDataset, store: ViewStore) -> tuple[list[int], TuningDataset]:
    """The photos that gave a picture; the others are left out with their reasons."""
    failed = {failure.photo: failure.reason for failure in store.failures}
    usable = [i for i in range(len(lesson.photos)) if i not in failed]
    for photo, reason in failed.items():
        lesson.skips.add(reason, lesson.photos[photo].path)
    kept = replace(lesson, photos=tuple(lesson.photos[i] for i in usable))
    problem = problem_of(len(kept.photos))
    if problem:
        reasons = "; ".join(f"{count} × {reason}" for reason, count in kept.skips.counts.items())
        raise UserError(problem.what, f"{problem.why} Left out: {reasons}", problem.what_to_do)
    return usable, kept


def _seen(store: ViewStore, photos: Sequence[int]) -> CachedFeatures:
    vectors, tokens = store.arrays()
    return CachedFeatures(vectors_PVE=vectors, tokens_PVND=tokens).take(photos)
