"""A preview of a tuning run: the data set's counts, then a measured dry run for the time."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cocadesk.model.network.coca import CoCa
from trainer.device import keep_memory_blocks
from trainer.evaluate import encode_texts
from trainer.tuning.dataset import TuningDataset, TuningPhoto, encode_path, find_dataset
from trainer.tuning.features import (
    affordable_crops,
    cached,
    crop_bytes,
    fill,
    photo_store,
)
from trainer.tuning.learner import Learner
from trainer.tuning.methods import find_method
from trainer.tuning.network import Network, open_network
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import StoppedError
from trainer.tuning.prepare import GENERAL_CROPS
from trainer.tuning.progress_lines import ProgressLines, Stage
from trainer.tuning.recipe import TRIAL_BELOW
from trainer.tuning.run import RunOptions
from trainer.tuning.spec import TuningSpec, load_spec
from trainer.tuning.split import held_out_count, problem_of
from trainer.tuning.training_set import CachedFeatures, TrainingSet

SAMPLES = 6
_DRY_PHOTOS, _DRY_STEPS, _DRY_SENTENCES, _DRY_SYNTHETIC = 4, 3, 96, 48
_START_AND_END_S = 6.0
"""Opening the program and the model, measuring, saving: about the same for every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """The answer of ``inspect``; ``seconds`` stays None until the dry run is done."""

    photos: int
    captions: int
    skipped: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    held_out: int
    is_trial: bool
    seconds: float | None = None
    reembed_seconds: float = 0.0
    problem: str = ""


def inspect(
    run_folder: Path,
    lines: ProgressLines,
    stop: threading.Event,
    options: RunOptions | None = None,
) -> DatasetSummary:
    """Reports a data set twice: at once, and with the time once it is measured.

    ``options`` are those that the run would have.

    Raises:
        UserError: the spec or the model cannot be used.
        StoppedError: ``stop`` was set.
    """
    keep_memory_blocks()
    spec = load_spec(run_folder)
    find_method(spec.method)
    lines.progress(Stage.LOOK, 0, 1)
    dataset = find_dataset(spec)
    found = describe(dataset)
    lines.found(asdict(found))
    if found.problem or stop.is_set():
        return found
    network = open_network(spec.model, spec.device)
    try:
        with tempfile.TemporaryDirectory() as folder:
            given = options or RunOptions()
            dry_run = DryRun(Path(folder), spec, dataset, network, lines, stop, given)
            found = dry_run.measure(found)
    finally:
        network.close()
    lines.found(asdict(found))
    return found


def describe(dataset: TuningDataset) -> DatasetSummary:
    """Counts, reasons and a few photos to look at."""
    count = len(dataset.photos)
    problem = problem_of(count)
    return DatasetSummary(
        photos=count,
        captions=dataset.caption_count,
        skipped=[
            {
                "reason": reason,
                "count": number,
                "examples": [encode_path(path) for path in dataset.skips.examples[reason]],
            }
            for reason, number in dataset.skips.counts.items()
        ],
        samples=[
            {"path": encode_path(photo.path), "captions": list(photo.captions)}
            for photo in _evenly(dataset.photos)
        ],
        held_out=0 if problem else held_out_count(count),
        is_trial=count < TRIAL_BELOW and not problem,
        problem=str(problem) if problem else "",
    )


def _evenly(photos: Sequence[TuningPhoto]) -> list[TuningPhoto]:
    """A few photos from all over the list."""
    places = np.linspace(0, len(photos) - 1, min(SAMPLES, len(photos))).astype(int)
    return [photos[i] for i in dict.fromkeys(places.tolist())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Measured seconds: a crop's features, a photo's decoding, a phase's setup, a step."""

    crop_s: float
    decode_s: float
    setup_s: float
    step_s: float

    def run_seconds(self, *, pictures: int, crops: int, phases: int, steps: int) -> float:
        """Seconds of a whole run."""
        features = self.decode_s * pictures + self.crop_s * crops
        return _START_AND_END_S + features + phases * (self.setup_s + self.step_s * steps)


class DryRun:
    """A few photos through the decoder and the network, and a few steps."""

    def __init__(
        self,
        folder: Path,
        spec: TuningSpec,
        dataset: TuningDataset,
        network: Network,
        lines: ProgressLines,
        stop: threading.Event,
        options: RunOptions,
    ) -> None:
        self._folder = folder
        self._open_decoder = options.open_decoder
        self._spec = spec
        self._method = find_method(spec.method)
        self._recipe = options.recipe(self._method.recipe(len(dataset.photos)))
        self._dataset = dataset
        self._network = network
        self._lines = lines
        self._stop = stop
        self._general = options.general()

    def measure(self, found: DatasetSummary) -> DatasetSummary:
        """``found`` with its seconds."""
        self._say(1)
        photos = list(_evenly(self._dataset.photos))[:_DRY_PHOTOS]
        crop_s, decode_s, features, usable = self._features(photos)
        self._say(2)
        if features is None:
            return replace(found, problem="None of the photos that were tried could be read.")
        setup_s, step_s = self._steps(features, usable)
        self._say(3)
        costs = Costs(crop_s=crop_s, decode_s=decode_s, setup_s=setup_s, step_s=step_s)
        photos_count, others = len(self._dataset.photos), len(self._general.photos)
        seconds = costs.run_seconds(
            pictures=photos_count + others,
            crops=photos_count * self._crops + others * GENERAL_CROPS,
            phases=2 if found.is_trial else 1,
            steps=self._recipe.steps,
        )
        media = 0 if self._method.keeps_vectors else self._spec.library_media
        again = media * (decode_s + crop_s)
        return replace(found, seconds=round(seconds, 1), reembed_seconds=round(again, 1))

    def _say(self, done: int) -> None:
        self._lines.progress(Stage.LOOK, done, 3)
        if self._stop.is_set():
            raise StoppedError

    def _features(
        self, photos: Sequence[TuningPhoto]
    ) -> tuple[float, float, CachedFeatures | None, list[TuningPhoto]]:
        """Seconds a crop, seconds a photo besides, the features, the photos that were read."""
        size = self._network.input_spec.size_px
        side = self._network.image_features(self._method)
        per_crop = crop_bytes(side, size)
        self._crops = affordable_crops(len(self._dataset.photos), per_crop)
        batch = np.zeros((self._crops, size, size, 3), np.uint8)
        start = time.monotonic()
        side(batch)
        crop_s = (time.monotonic() - start) / len(batch)
        store = photo_store(self._folder, "dry", len(photos), self._crops)
        paths = [photo.path for photo in photos]
        with self._open_decoder(self._network.input_spec) as decoder:
            # The first photo also waits for the decoder to start.
            first = photo_store(self._folder, "first", 1, 1)
            fill(first, paths[:1], decoder, side, 0, lambda *_: None)
            start = time.monotonic()
            fill(store, paths, decoder, side, self._spec.seed, lambda *_: None)
        each = (time.monotonic() - start) / len(photos)
        failed = {failure.photo for failure in store.failures}
        rows = [i for i in range(len(photos)) if i not in failed]
        if not rows:
            return crop_s, each, None, []
        beside = max(0.0, each - self._crops * crop_s)
        return crop_s, beside, cached(store, rows), [photos[i] for i in rows]

    def _steps(
        self, features: CachedFeatures, photos: Sequence[TuningPhoto]
    ) -> tuple[float, float]:
        """Seconds to set a learner up, seconds a step."""
        prepare, tokenizer = self._network.prepare, self._network.tokenizer
        captions = tuple(tuple(map(prepare, photo.captions)) for photo in photos)
        sentences = tuple(map(prepare, self._general.sentences))
        few = sentences[:: max(1, len(sentences) // _DRY_SENTENCES)]
        data = TrainingSet(
            own=features,
            captions=captions,
            general=features,
            replayed=tuple(range(len(photos))),
            sentences=few,
            new=NewWords.find([t for texts in captions for t in texts], sentences),
        )
        device = self._network.device
        model: CoCa = self._network.fresh_model(self._method)
        start = time.monotonic()
        encode_texts(model.eval(), tokenizer, few, device)
        text_s = (time.monotonic() - start) / len(few)
        whole = self._recipe
        pool = min(_DRY_SYNTHETIC, whole.synthetic_pool)
        recipe = replace(whole, synthetic_pool=pool, hard_sentences=0)
        start = time.monotonic()
        learner = Learner(
            model,
            tokenizer,
            data,
            recipe,
            method=self._method,
            seed=self._spec.seed,
            device=device,
        )
        sample_s = (time.monotonic() - start - len(few) * text_s) / recipe.synthetic_pool
        texts = len(sentences) + whole.hard_sentences
        learner.advance()  # the first step also allocates
        start = time.monotonic()
        for _ in range(_DRY_STEPS):
            learner.advance()
        step_s = (time.monotonic() - start) / _DRY_STEPS
        return text_s * texts + max(0.0, sample_s) * whole.synthetic_pool, step_s
