"""From a data set to what a learner takes: cached features, prepared captions, a split."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from cocadesk.errors import UserError, tr
from cocadesk.eta import EtaEstimator
from cocadesk.trainer_messages import Stage, TuningDataset, TuningSpec, add_skipped
from trainer.device import TrainDevice
from trainer.pictures.features import ImageFeatures, Progress
from trainer.pictures.store import FeatureStore
from trainer.tuning.dataset import GeneralSet
from trainer.tuning.evaluator import Evaluator
from trainer.tuning.features import (
    CachedFeatures,
    OpenDecoder,
    affordable_crops,
    cached,
    crop_bytes,
    fill,
    photo_store,
)
from trainer.tuning.methods import TuningMethod
from trainer.tuning.network import Network
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import StoppedError
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe
from trainer.tuning.replay import TuningTask
from trainer.tuning.split import Split, problem_of, split_photos

GENERAL_CROPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the phases of a run need; ``captions`` are as the network wants them."""

    method: TuningMethod
    seed: int
    network: Network
    dataset: TuningDataset
    general: GeneralSet
    own_features: CachedFeatures
    general_features: CachedFeatures
    captions: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]
    new: NewWords
    split: Split

    def task(self, photos: Sequence[int], recipe: Recipe, device: TrainDevice) -> TuningTask:
        """The training of a phase over these photos."""
        return TuningTask(
            own=self.own_features.take(photos),
            captions=tuple(self.captions[i] for i in photos),
            general=self.general_features,
            replayed=self.general.replayed,
            sentences=self.sentences,
            new=self.new,
            tokenizer=self.network.tokenizer,
            method=self.method,
            recipe=recipe,
            seed=self.seed,
            device=device,
        )

    def evaluator(self, device: TrainDevice) -> Evaluator:
        """The run's measures."""
        held_out = self.split.held_out
        return Evaluator(
            tokenizer=self.network.tokenizer,
            method=self.method,
            device=device,
            held_out=self.own_features.take(held_out),
            held_out_captions=tuple(self.captions[i] for i in held_out),
            general=self.general_features,
            general_captions=tuple(
                tuple(map(self.network.prepare, photo.captions)) for photo in self.general.photos
            ),
            unseen=self.general.unseen,
        )


def prepare(
    folder: Path,
    spec: TuningSpec,
    method: TuningMethod,
    dataset: TuningDataset,
    general: GeneralSet,
    network: Network,
    lines: ProgressLines,
    stop: threading.Event,
    seconds_after: float,
    open_decoder: OpenDecoder,
) -> Prepared:
    """Fills the caches in ``folder`` and drops the photos that gave no picture.

    ``seconds_after``: what the run will still take once the features are there.

    Raises:
        UserError: too few photos could be read, or the folder cannot be written.
        StoppedError: ``stop`` was set; what is done is kept.
    """
    side = network.image_features(method)
    photos = [photo.path for photo in dataset.photos]
    others = [photo.path for photo in general.photos]
    own_store, general_store = open_stores(folder, network, side, len(photos), len(others))
    eta, total = EtaEstimator(own_store.done + general_store.done), len(photos) + len(others)

    def progress_from(start: int) -> Progress:
        def progress(done: int, _: int) -> None:
            left = eta.seconds_left(start + done, total)
            left = None if left is None else left + seconds_after
            lines.progress(Stage.FEATURES, start + done, total, left)
            if stop.is_set():
                raise StoppedError

        return progress

    is_whole = own_store.is_whole and general_store.is_whole
    with nullcontext() if is_whole else open_decoder(network.input_spec) as decoder:
        fill(own_store, photos, decoder, side, spec.seed, progress_from(0))
        usable, dataset = drop_failed(dataset, own_store)
        fill(general_store, others, decoder, side, spec.seed, progress_from(len(photos)))
    if general_store.failures:
        raise UserError(
            tr("A sample photo that ships with CocaDesk cannot be read."),
            general_store.failures[0].reason,
            tr("Install CocaDesk again."),
        )
    captions = tuple(tuple(map(network.prepare, photo.captions)) for photo in dataset.photos)
    new = NewWords.find([text for texts in captions for text in texts], general.sentences)
    return Prepared(
        method=method,
        seed=spec.seed,
        network=network,
        dataset=dataset,
        general=general,
        own_features=cached(own_store, usable),
        general_features=cached(general_store, range(len(others))),
        captions=captions,
        sentences=tuple(map(network.prepare, general.sentences)),
        new=new,
        split=split_photos(captions, new, spec.seed),
    )


def open_stores(
    folder: Path, network: Network, side: ImageFeatures, photos: int, others: int
) -> tuple[FeatureStore, FeatureStore]:
    """The caches of the tuning photos and of the general pictures."""
    per_crop = crop_bytes(side, network.input_spec.size_px)
    own = affordable_crops(photos, per_crop)
    general = min(GENERAL_CROPS, affordable_crops(others, per_crop))
    return photo_store(folder, "own", photos, own), photo_store(folder, "general", others, general)


def drop_failed(dataset: TuningDataset, store: FeatureStore) -> tuple[list[int], TuningDataset]:
    """The photos that gave a picture; the others are skipped with their reasons."""
    failed = {failure.photo: failure.reason for failure in store.failures}
    usable = [i for i in range(len(dataset.photos)) if i not in failed]
    for photo, reason in failed.items():
        add_skipped(dataset.skipped, reason, dataset.photos[photo].path)
    kept = replace(dataset, photos=tuple(dataset.photos[i] for i in usable))
    problem = problem_of(len(kept.photos))
    if problem:
        reasons = "; ".join(f"{files.count} × {reason}" for reason, files in kept.skipped.items())
        raise UserError(
            problem.what,
            tr("{why} Skipped: {reasons}", why=problem.why, reasons=reasons),
            problem.what_to_do,
        )
    return usable, kept
