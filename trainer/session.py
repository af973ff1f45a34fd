"""From a config file to a finished run."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from platformdirs import user_cache_path

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind
from cocadesk.model.network.efficientnet import load_pretrained
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer, train_tokenizer
from trainer.checkpoint import RunFolder, write_atomic
from trainer.config import TrainConfig, load_config, resolve
from trainer.data import Example, load_dataset, load_extra_text
from trainer.evaluate import DevSet
from trainer.features import PictureSource, PictureViews, cache_features, readable
from trainer.loop import Loop, Reporter, TrainContext, TrainReport
from trainer.process import choose_precision, keep_memory_blocks

log = logging.getLogger(__name__)


def train(config_path: Path, report: Reporter) -> dict[str, float]:
    """Runs (or goes on with) the training that a TOML file describes.

    Gives the dev figures of the last step; the run folder holds the rest.

    Raises:
        UserError: the config or the data cannot be used.
    """
    keep_memory_blocks()
    config = load_config(config_path)
    run = RunFolder.create(resolve(config_path, config.run), config_path.read_text("utf-8"))
    parts = _prepare(config, config_path, run, report)
    return Loop(parts, report).run()


def _prepare(
    config: TrainConfig, config_path: Path, run: RunFolder, report: Reporter
) -> TrainContext:
    shards = [resolve(config_path, name) for name in config.data.train]
    train_set = _load(config, shards)
    tokenizer = run.load_tokenizer() or _new_tokenizer(config, config_path, train_set.examples)
    write_atomic(run.tokenizer, tokenizer.to_json().encode())
    config = replace(config, model=_with_vocabulary(config.model, tokenizer.vocabulary))
    torch.manual_seed(config.seed)
    model = CoCa(config.model)
    frozen = _freeze_trunk(model, config)
    source = _source(model, train_set.examples, config, frozen, report, "train")
    dev_sets = [
        _dev_set(model, config, resolve(config_path, name), frozen, report)
        for name in config.data.dev
    ]
    captions = sum(len(example.captions) for example in train_set.examples)
    notes = {
        "shards": [path.name for path in shards],
        "pictures": len(train_set.examples),
        "captions": captions,
        "skipped": train_set.skipped,
    }
    dtype = choose_precision(config.optimiser.precision, torch.device("cpu"))
    log.info("%d pictures, %d captions, %s", len(train_set.examples), captions, dtype)
    return TrainContext(
        config=config,
        model=model,
        tokenizer=tokenizer,
        examples=train_set.examples,
        source=source,
        dev=dev_sets,
        run=run,
        dtype=dtype,
        notes=notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    examples: list[Example]
    skipped: dict[str, int]


def _load(config: TrainConfig, shards: Sequence[Path]) -> _Loaded:
    """The shards' usable examples; broken pictures are counted, not fatal."""
    dataset = load_dataset(
        shards,
        lowercase=config.model.text.lowercase,
        class_name_suffix=config.data.class_name_suffix,
        class_name_weight=config.data.class_name_weight,
        max_samples=config.data.max_samples,
    )
    examples, broken = readable(dataset.examples)
    if len(examples) < 2:
        raise UserError("There is nothing to learn from.", "No picture could be read.")
    skipped = dataset.skipped | ({"a picture that cannot be read": broken} if broken else {})
    return _Loaded(examples=examples, skipped=skipped)


def _new_tokenizer(
    config: TrainConfig, config_path: Path, examples: Sequence[Example]
) -> BpeTokenizer:
    texts = [caption for example in examples for caption in example.captions]
    extra = [resolve(config_path, name) for name in config.data.extra_text]
    texts += load_extra_text(extra, lowercase=config.model.text.lowercase)
    return train_tokenizer(texts, config.vocabulary)


def _with_vocabulary(model: CocaConfig, vocabulary: int) -> CocaConfig:
    return replace(model, text=replace(model.text, vocabulary=vocabulary))


def _freeze_trunk(model: CoCa, config: TrainConfig) -> bool:
    """Loads the pretrained trunk and locks its body; the small head still learns."""
    encoder = model.image_encoder
    if not isinstance(encoder, EfficientNetLiteEncoder) or not config.pretrained_trunk:
        return False
    load_pretrained(encoder.trunk, encoder.head, config.model.image.trunk_variant)
    encoder.trunk.requires_grad_(False)
    return True


def _source(
    model: CoCa,
    examples: Sequence[Example],
    config: TrainConfig,
    frozen: bool,
    report: Reporter,
    label: str,
) -> PictureSource:
    pictures = PictureViews(examples, config.model.image.size_px, config.features, config.seed)
    if not frozen or config.model.image.kind is ImageEncoderKind.VIT:
        return pictures
    progress = _FeatureProgress(f"features of {label}", report)
    return cache_features(
        model.image_encoder,
        pictures,
        examples,
        views=config.features.views if label == "train" else 1,
        folder=Path(config.features.cache or user_cache_path("cocadesk") / "features"),
        label=_views_label(config) if label == "train" else "plain",
        threads=config.features.threads,
        progress=progress,
    )


def _views_label(config: TrainConfig) -> str:
    """Everything that the content of the random views depends on."""
    features = config.features
    return f"{features.min_area} {features.mirror} {features.light} {config.seed}"


class _FeatureProgress:
    """Turns counts into reports with the time left, from the rate of this run alone."""

    def __init__(self, stage: str, report: Reporter) -> None:
        self._stage = stage
        self._report = report
        self._start: tuple[int, float] | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._start is None:
            self._start = (done, now)
        first, since = self._start
        left = (now - since) / (done - first) * (total - done) if done > first else None
        self._report(TrainReport(stage=self._stage, done=done, total=total, seconds_left=left))


def _dev_set(
    model: CoCa, config: TrainConfig, shard: Path, frozen: bool, report: Reporter
) -> DevSet:
    loaded = _load(config, [shard])
    source = _source(model, loaded.examples, config, frozen, report, shard.stem)
    return DevSet(name=shard.stem, examples=loaded.examples, source=source)
