"""Looks before it teaches: what there is, then a measured dry run for the time."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cocadesk.model.network.coca import CoCa
from trainer.config import Precision
from trainer.process import choose_precision, keep_memory_blocks
from trainer.tuning.dataset import TuningDataset, TuningPhoto, find_lesson
from trainer.tuning.feature_store import encode_path
from trainer.tuning.features import ViewStore, affordable_views, open_pool
from trainer.tuning.general_set import GeneralSet, load_general
from trainer.tuning.learner import Learner
from trainer.tuning.network import Network, open_network
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import StoppedError
from trainer.tuning.prepare import GENERAL_VIEWS
from trainer.tuning.progress_lines import Stage, Wire
from trainer.tuning.recipe import TRIAL_BELOW, choose_recipe
from trainer.tuning.replay import encode_texts
from trainer.tuning.spec import Method, TeachSpec, load_spec
from trainer.tuning.split import held_out_count, problem_of
from trainer.tuning.training_set import CachedFeatures, TrainingSet

SAMPLES = 6
_DRY_PHOTOS, _DRY_STEPS, _DRY_SENTENCES, _DRY_DREAMS = 4, 3, 96, 48
_START_AND_END_S = 6.0
"""Opening the program and the model, measuring, saving: about the same for every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """What ``inspect`` says; ``seconds`` stays None until the dry run is done."""

    photos: int
    captions: int
    skipped: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    held_out: int
    is_trial: bool
    seconds: float | None = None
    reembed_seconds: float = 0.0
    problem: str = ""


def inspect(run_folder: Path, wire: Wire, stop: threading.Event) -> DatasetSummary:
    """Says twice what was found: at once, and with the time once it is measured.

    Raises:
        UserError: the spec or the model cannot be used.
        StoppedError: ``stop`` was set.
    """
    keep_memory_blocks()
    spec = load_spec(run_folder)
    wire.progress(Stage.LOOK, 0, 1)
    lesson = find_lesson(spec)
    found = describe(lesson)
    wire.found(asdict(found))
    if found.problem or stop.is_set():
        return found
    network = open_network(spec.model, spec.device)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = DryRun(Path(folder), spec, lesson, network, wire, stop).measure(found)
    finally:
        network.close()
    wire.found(asdict(found))
    return found


def describe(lesson: TuningDataset) -> DatasetSummary:
    """Counts, reasons and a few photos to look at."""
    count = len(lesson.photos)
    problem = problem_of(count)
    return DatasetSummary(
        photos=count,
        captions=lesson.caption_count,
        skipped=[
            {
                "reason": reason,
                "count": number,
                "examples": [encode_path(path) for path in lesson.skips.examples[reason]],
            }
            for reason, number in lesson.skips.counts.items()
        ],
        samples=[
            {"path": encode_path(photo.path), "captions": list(photo.captions)}
            for photo in _evenly(lesson.photos)
        ],
        held_out=0 if problem else held_out_count(count),
        is_trial=count < TRIAL_BELOW and not problem,
        problem=str(problem) if problem else "",
    )


def _evenly(photos: Sequence[TuningPhoto]) -> list[TuningPhoto]:
    """A few of them from all over the list."""
    places = np.linspace(0, len(photos) - 1, min(SAMPLES, len(photos))).astype(int)
    return [photos[i] for i in dict.fromkeys(places.tolist())]


class DryRun:
    """A few photos through the decoder and the network, and a few steps."""

    def __init__(
        self,
        folder: Path,
        spec: TeachSpec,
        lesson: TuningDataset,
        network: Network,
        wire: Wire,
        stop: threading.Event,
    ) -> None:
        self._folder = folder
        self._spec = spec
        self._lesson = lesson
        self._network = network
        self._wire = wire
        self._stop = stop
        self._general: GeneralSet = load_general()

    def measure(self, found: DatasetSummary) -> DatasetSummary:
        """``found`` with its seconds."""
        self._say(1)
        photos = list(_evenly(self._lesson.photos))[:_DRY_PHOTOS]
        view_s, decode_s, seen, usable = self._features(photos)
        self._say(2)
        if not usable:
            return replace(found, problem="None of the photos that were tried could be read.")
        setup_s, step_s = self._steps(seen, usable)
        self._say(3)
        recipe = choose_recipe(self._spec.method, len(self._lesson.photos))
        phases = 2 if found.is_trial else 1
        pictures = len(self._lesson.photos) + len(self._general.photos)
        views = len(self._lesson.photos) * self._views + len(self._general.photos) * GENERAL_VIEWS
        seconds = (
            _START_AND_END_S
            + decode_s * pictures
            + view_s * views
            + phases * (setup_s + step_s * recipe.steps)
        )
        is_deeper = self._spec.method is Method.DEEPER
        again = self._spec.library_media * (decode_s + view_s) if is_deeper else 0.0
        return replace(found, seconds=round(seconds, 1), reembed_seconds=round(again, 1))

    def _say(self, done: int) -> None:
        self._wire.progress(Stage.LOOK, done, 3)
        if self._stop.is_set():
            raise StoppedError

    def _features(
        self, photos: Sequence[TuningPhoto]
    ) -> tuple[float, float, CachedFeatures, list[TuningPhoto]]:
        """Seconds a view, seconds a photo besides, the views, the photos that were read."""
        side, size = self._network.image_side(self._spec.method), self._network.input_spec.size_px
        probe = side(np.zeros((1, size, size, 3), np.uint8))  # the first call warms up
        per_view = 2 * sum(array.size for array in probe)
        self._views = affordable_views(len(self._lesson.photos), per_view)
        batch = np.zeros((self._views, size, size, 3), np.uint8)
        start = time.monotonic()
        side(batch)
        view_s = (time.monotonic() - start) / len(batch)
        store = ViewStore(self._folder, "dry", len(photos), self._views)
        paths = [photo.path for photo in photos]
        with open_pool(self._network.input_spec) as pool:
            # The first photo also waits for the decoder to start.
            ViewStore(self._folder, "first", 1, 1).fill(paths[:1], pool, side, 0, lambda *_: None)
            start = time.monotonic()
            store.fill(paths, pool, side, self._spec.seed, lambda *_: None)
        each = (time.monotonic() - start) / len(photos)
        failed = {failure.photo for failure in store.failures}
        rows = [i for i in range(len(photos)) if i not in failed]
        if not rows:
            empty = np.zeros((0, self._views, *probe[1].shape[1:]), np.float16)
            return view_s, each, CachedFeatures(vectors_PVE=empty, tokens_PVND=empty), []
        vectors, tokens = store.arrays()
        seen = CachedFeatures(vectors_PVE=vectors, tokens_PVND=tokens).take(rows)
        return view_s, max(0.0, each - self._views * view_s), seen, [photos[i] for i in rows]

    def _steps(self, seen: CachedFeatures, photos: Sequence[TuningPhoto]) -> tuple[float, float]:
        """Seconds to set a learner up, seconds a step."""
        prepare, tokenizer = self._network.prepare, self._network.tokenizer
        captions = tuple(tuple(map(prepare, photo.captions)) for photo in photos)
        sentences = tuple(map(prepare, self._general.sentences))
        few = sentences[:: max(1, len(sentences) // _DRY_SENTENCES)]
        material = TrainingSet(
            own=seen,
            captions=captions,
            general=seen,
            practised=tuple(range(len(photos))),
            sentences=few,
            new=NewWords.find([t for texts in captions for t in texts], sentences),
        )
        model: CoCa = self._network.fresh_model(self._spec.method)
        start = time.monotonic()
        encode_texts(model.eval(), tokenizer, few)
        text_s = (time.monotonic() - start) / len(few)
        whole = choose_recipe(self._spec.method, len(self._lesson.photos))
        recipe = replace(whole, dreams=_DRY_DREAMS, contrasts=0)
        start = time.monotonic()
        learner = Learner(
            model,
            tokenizer,
            material,
            recipe,
            method=self._spec.method,
            seed=self._spec.seed,
            dtype=choose_precision(Precision.AUTO, torch.device("cpu")),
        )
        dream_s = (time.monotonic() - start - len(few) * text_s) / recipe.dreams
        texts = len(sentences) + whole.contrasts
        learner.advance()  # the first step also allocates
        start = time.monotonic()
        for _ in range(_DRY_STEPS):
            learner.advance()
        step_s = (time.monotonic() - start) / _DRY_STEPS
        return text_s * texts + max(0.0, dream_s) * whole.dreams, step_s
