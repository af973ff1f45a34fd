"""A tiny data set for tuning, made of numbers: no photo is decoded, no file is read."""

from __future__ import annotations

import numpy as np
import torch

from cocadesk.model.network.coca import CoCa
from tests.support.tiny_model import tiny_model, tiny_tokenizer
from trainer.device import TrainDevice
from trainer.tuning.evaluator import Evaluator
from trainer.tuning.features import CachedFeatures
from trainer.tuning.learner import Learner
from trainer.tuning.methods import FeatureKind, TuningMethod
from trainer.tuning.new_words import NewWords
from trainer.tuning.recipe import Recipe
from trainer.tuning.replay import TuningTask

CPU = TrainDevice(device=torch.device("cpu"))
CAPTIONS = (
    ("a florbit on the ground", "my florbit"),
    ("a red florbit",),
    ("a dog runs",),
    ("two children", "children play"),
)
SENTENCES = ("a dog", "a cat", "two children play", "a red ball", "on the green grass", "a bridge")
RECIPE = Recipe(
    steps=4, batch=6, sentences=4, synthetic=3, synthetic_pool=5, hard_sentences=4, warmup_steps=2
)


def features(model: CoCa, kind: FeatureKind, photos: int, crops: int, seed: int) -> CachedFeatures:
    """Unit vectors and tokens of the sizes that the model has, drawn by chance."""
    random = np.random.default_rng(seed)
    config = model.config
    count, width = config.pooler.generative_queries, config.text.width
    if kind is FeatureKind.ENCODER:
        count, width = 16, config.image.width
    vectors = random.normal(size=(photos, crops, config.embedding_dim))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return CachedFeatures(
        vectors_PVE=vectors.astype(np.float16),
        tokens_PVND=random.normal(size=(photos, crops, count, width)).astype(np.float16),
    )


def task(
    model: CoCa,
    method: TuningMethod,
    device: TrainDevice = CPU,
    recipe: Recipe = RECIPE,
    seed: int = 1,
) -> TuningTask:
    """Four photos with captions, three general pictures, a few sentences."""
    return TuningTask(
        own=features(model, method.features, len(CAPTIONS), 2, seed=1),
        captions=CAPTIONS,
        general=features(model, method.features, 3, 2, seed=2),
        replayed=(1, 2),
        sentences=SENTENCES,
        new=NewWords(words=frozenset({"florbit"})),
        tokenizer=tiny_tokenizer(),
        method=method,
        recipe=recipe,
        seed=seed,
        device=device,
    )


def learner(
    method: TuningMethod, device: TrainDevice = CPU, recipe: Recipe = RECIPE, seed: int = 1
) -> Learner:
    """A learner of a tiny model on the device."""
    model = method.prepare(tiny_model())
    return Learner(model.to(device.device), task(model, method, device, recipe, seed))


def evaluator(model: CoCa, method: TuningMethod, device: TrainDevice = CPU) -> Evaluator:
    """Two held-out photos among three general pictures."""
    data = task(model, method)
    return Evaluator(
        tokenizer=tiny_tokenizer(),
        method=method,
        device=device,
        held_out=data.own.take([0, 2]),
        held_out_captions=(CAPTIONS[0], CAPTIONS[2]),
        general=data.general,
        general_captions=(("a cat sleeps",), ("a bridge at night",), ("a red ball",)),
        unseen=(0, 1),
    )
