"""A preview of a tuning run: the data set's counts, then a measured dry run for the time."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from msgspec import structs

from cocadesk.trainer_messages import (
    CaptionedPhoto,
    Findings,
    Skipped,
    Stage,
    TuningDataset,
    TuningSpec,
)
from trainer.device import keep_memory_blocks
from trainer.evaluate import encode_texts
from trainer.tuning.dataset import JOINED, GeneralSet, find_dataset, load_spec
from trainer.tuning.features import (
    CachedFeatures,
    affordable_crops,
    cached,
    crop_bytes,
    fill,
    photo_store,
)
from trainer.tuning.learner import Learner
from trainer.tuning.methods import TuningMethod, find_method
from trainer.tuning.network import Network, open_network
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import StoppedError
from trainer.tuning.prepare import GENERAL_CROPS
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import TRIAL_BELOW, Recipe
from trainer.tuning.replay import TuningTask
from trainer.tuning.run import RunOptions
from trainer.tuning.split import held_out_count, problem_of

SAMPLES = 6
_DRY_PHOTOS, _DRY_STEPS, _DRY_SENTENCES, _DRY_SYNTHETIC = 4, 3, 96, 48
_START_AND_END_S = 6.0
"""Opening the program and the model, measuring, saving: about the same for every run."""


def inspect(
    run_folder: Path,
    lines: ProgressLines,
    stop: threading.Event,
    options: RunOptions | None = None,
) -> Findings:
    """Reports a data set twice: at once, and with the time once it is measured.

    ``options`` are those that the run would have.

    Raises:
        UserError: the spec or the model cannot be used.
        StoppedError: ``stop`` was set.
    """
    keep_memory_blocks()
    spec = load_spec(run_folder)
    method = find_method(spec.method)
    lines.progress(Stage.LOOK, 0, 1)
    dataset = find_dataset(spec)
    found = describe(dataset)
    lines.found(found)
    if found.problem or stop.is_set():
        return found
    network = open_network(spec.model, spec.device)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = DryRun(
                folder=Path(folder),
                spec=spec,
                dataset=dataset,
                network=network,
                method=method,
                lines=lines,
                stop=stop,
                options=options or RunOptions(),
            ).measure(found)
    finally:
        network.close()
    lines.found(found)
    return found


def describe(dataset: TuningDataset) -> Findings:
    """Counts, reasons and a few photos to look at."""
    count = len(dataset.photos)
    problem = problem_of(count)
    return Findings(
        photos=count,
        captions=dataset.caption_count,
        skipped=dataset.skipped,
        samples=tuple(_evenly(dataset.photos)),
        held_out=0 if problem else held_out_count(count),
        is_trial=count < TRIAL_BELOW and not problem,
        problem=str(problem) if problem else "",
        notes=tuple(_notes(dataset.notes)),
        is_joined=JOINED in dataset.notes,
    )


def _notes(notes: Skipped) -> Iterator[str]:
    """``Lines that go on were read as one caption in 9 texts (a.txt, b.txt, …).``"""
    for note, files in notes.items():
        names = [os.path.basename(os.fsdecode(path)) for path in files.examples]  # noqa: PTH119
        more = ["…"] if files.count > len(names) else []
        texts = "text" if files.count == 1 else "texts"
        yield f"{note} in {files.count:,} {texts} ({', '.join(names + more)})."


def _evenly(photos: Sequence[CaptionedPhoto]) -> list[CaptionedPhoto]:
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


@dataclass(slots=True, kw_only=True)
class DryRun:
    """A few photos through the decoder and the network, and a few steps."""

    folder: Path
    spec: TuningSpec
    dataset: TuningDataset
    network: Network
    method: TuningMethod
    lines: ProgressLines
    stop: threading.Event
    options: RunOptions
    _general: GeneralSet = field(init=False)
    _recipe: Recipe = field(init=False)
    _crops: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._general = self.options.general()
        self._recipe = self.options.recipe(self.method.recipe(len(self.dataset.photos)))

    def measure(self, found: Findings) -> Findings:
        """``found`` with its seconds."""
        self._say(1)
        photos = list(_evenly(self.dataset.photos))[:_DRY_PHOTOS]
        crop_s, decode_s, features, usable = self._features(photos)
        self._say(2)
        if features is None:
            return structs.replace(
                found, problem="None of the photos that were tried could be read."
            )
        setup_s, step_s = self._steps(features, usable)
        self._say(3)
        costs = Costs(crop_s=crop_s, decode_s=decode_s, setup_s=setup_s, step_s=step_s)
        photos_count, others = len(self.dataset.photos), len(self._general.photos)
        seconds = costs.run_seconds(
            pictures=photos_count + others,
            crops=photos_count * self._crops + others * GENERAL_CROPS,
            phases=2 if found.is_trial else 1,
            steps=self._recipe.steps,
        )
        media = 0 if self.method.keeps_vectors else self.spec.library_media
        again = media * (decode_s + crop_s)
        return structs.replace(found, seconds=round(seconds, 1), reembed_seconds=round(again, 1))

    def _say(self, done: int) -> None:
        self.lines.progress(Stage.LOOK, done, 3)
        if self.stop.is_set():
            raise StoppedError

    def _features(
        self, photos: Sequence[CaptionedPhoto]
    ) -> tuple[float, float, CachedFeatures | None, list[CaptionedPhoto]]:
        """Seconds a crop, seconds a photo besides, the features, the photos that were read."""
        size = self.network.input_spec.size_px
        side = self.network.image_features(self.method)
        per_crop = crop_bytes(side, size)
        self._crops = affordable_crops(len(self.dataset.photos), per_crop)
        batch = np.zeros((self._crops, size, size, 3), np.uint8)
        start = time.monotonic()
        side(batch)
        crop_s = (time.monotonic() - start) / len(batch)
        store = photo_store(self.folder, "dry", len(photos), self._crops)
        paths = [photo.path for photo in photos]
        with self.options.open_decoder(self.network.input_spec) as decoder:
            # The first photo also waits for the decoder to start.
            first = photo_store(self.folder, "first", 1, 1)
            fill(first, paths[:1], decoder, side, 0, lambda *_: None)
            start = time.monotonic()
            fill(store, paths, decoder, side, self.spec.seed, lambda *_: None)
        each = (time.monotonic() - start) / len(photos)
        failed = {failure.photo for failure in store.failures}
        rows = [i for i in range(len(photos)) if i not in failed]
        if not rows:
            return crop_s, each, None, []
        beside = max(0.0, each - self._crops * crop_s)
        return crop_s, beside, cached(store, rows), [photos[i] for i in rows]

    def _steps(
        self, features: CachedFeatures, photos: Sequence[CaptionedPhoto]
    ) -> tuple[float, float]:
        """Seconds to set a learner up, seconds a step."""
        prepare = self.network.prepare
        captions = tuple(tuple(map(prepare, photo.captions)) for photo in photos)
        sentences = tuple(map(prepare, self._general.sentences))
        few = sentences[:: max(1, len(sentences) // _DRY_SENTENCES)]
        whole = self._recipe
        pool = min(_DRY_SYNTHETIC, whole.synthetic_pool)
        task = TuningTask(
            own=features,
            captions=captions,
            general=features,
            replayed=tuple(range(len(photos))),
            sentences=few,
            new=NewWords.find([t for texts in captions for t in texts], sentences),
            tokenizer=self.network.tokenizer,
            method=self.method,
            recipe=replace(whole, synthetic_pool=pool, hard_sentences=0),
            seed=self.spec.seed,
            device=self.network.device,
        )
        model = self.network.fresh_model(self.method)
        start = time.monotonic()
        encode_texts(model.eval(), task.tokenizer, few, task.device)
        text_s = (time.monotonic() - start) / len(few)
        start = time.monotonic()
        learner = Learner(model, task)
        sample_s = (time.monotonic() - start - len(few) * text_s) / pool
        texts = len(sentences) + whole.hard_sentences
        learner.advance()  # the first step also allocates
        start = time.monotonic()
        for _ in range(_DRY_STEPS):
            learner.advance()
        step_s = (time.monotonic() - start) / _DRY_STEPS
        return text_s * texts + max(0.0, sample_s) * whole.synthetic_pool, step_s
