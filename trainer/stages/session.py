"""From a config file to a finished run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from platformdirs import user_cache_path

from cocadesk.errors import UserError
from cocadesk.eta import EtaEstimator
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind
from cocadesk.model.network.efficientnet import load_pretrained
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from cocadesk.model.tokenizers.byte_pairs import train_tokenizer
from cocadesk.model.tokenizers.load import load_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.checkpoint import RunFolder, write_atomic
from trainer.config import TrainConfig, load_config, resolve
from trainer.device import TrainDevice, keep_memory_blocks
from trainer.evaluate import DevSet
from trainer.pictures.data import Dataset, load_dataset, load_extra_text
from trainer.pictures.features import (
    PictureCrops,
    PictureSource,
    Progress,
    cache_features,
    readable,
)
from trainer.stages.loop import Loop, Reporter, TrainContext, TrainReport

log = logging.getLogger(__name__)


def train(config_path: Path, report: Reporter) -> dict[str, float]:
    """Runs (or goes on with) the training that a TOML file describes.

    Gives the dev figures of the last step; the run folder holds the rest.

    Raises:
        UserError: the config or the data cannot be used.
    """
    keep_memory_blocks()
    config = load_config(config_path)
    return Loop(_Session(config, config_path, report).prepare(), report).run()


def open_run(path: Path, config_text: str) -> RunFolder:
    """Makes a run's folder, or opens it again for the same config.

    Raises:
        UserError: the folder holds a run of another config, or cannot be written.
    """
    kept = path / "config.toml"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if kept.exists() and kept.read_text("utf-8") != config_text:
            raise UserError(
                f"The run folder {path} belongs to another config.",
                "Its config.toml differs from the one given.",
                "Choose another run folder, or delete the old one.",
            )
        write_atomic(kept, config_text.encode())
    except OSError as error:
        raise UserError(f"The run folder {path} cannot be written.", f"{error}.") from error
    return RunFolder(path=path, curve="metrics.jsonl")


class _Session:
    """The preparation of a run: data, tokenizer, network, feature caches."""

    def __init__(self, config: TrainConfig, path: Path, report: Reporter) -> None:
        self._config = config
        self._path = path
        self._report = report
        self._device = TrainDevice.choose(config.device, config.optimiser.precision)

    def prepare(self) -> TrainContext:
        """Everything that the loop needs."""
        config = self._config
        run = open_run(resolve(self._path, config.run), self._path.read_text("utf-8"))
        shards = [resolve(self._path, name) for name in config.data.train]
        data = self._load(shards)
        tokenizer = self._tokenizer(run.path / "tokenizer.json", data)
        self._config = config = replace(
            config, model=_with_vocabulary(config.model, tokenizer.vocabulary)
        )
        torch.manual_seed(config.seed)
        model = CoCa(config.model)
        is_frozen = self._freeze_trunk(model)
        source = self._source(model, data, is_frozen, "train")
        dev = []
        for name in config.data.dev:
            shard = resolve(self._path, name)
            dev_data = self._load([shard])
            dev_source = self._source(model, dev_data, is_frozen, shard.stem)
            dev.append(DevSet(name=shard.stem, examples=dev_data.examples, source=dev_source))
        notes = {
            "shards": [path.name for path in shards],
            "pictures": len(data.examples),
            "captions": len(data.captions),
            "skipped": data.skipped,
        }
        device = self._device
        log.info("%d pictures, %d captions", len(data.examples), len(data.captions))
        log.info("%s, %s: %s", device.device, device.dtype, device.reason)
        return TrainContext(
            config=config,
            model=model,
            tokenizer=tokenizer,
            data=data,
            source=source,
            dev=dev,
            run=run,
            device=device,
            notes=notes,
        )

    def _load(self, shards: Sequence[Path]) -> Dataset:
        """The shards' usable examples; broken pictures are counted, not fatal."""
        config = self._config.data
        dataset = load_dataset(
            shards,
            lowercase=self._config.model.text.lowercase,
            class_name_suffix=config.class_name_suffix,
            class_name_weight=config.class_name_weight,
            max_samples=config.max_samples,
        )
        examples, broken = readable(dataset.examples)
        if len(examples) < 2:
            raise UserError("There is nothing to learn from.", "No picture could be read.")
        skipped = dataset.skipped | ({"a picture that cannot be read": broken} if broken else {})
        return Dataset(examples=tuple(examples), skipped=skipped)

    def _tokenizer(self, path: Path, data: Dataset) -> TextTokenizer:
        """The run's tokenizer, trained once."""
        if path.exists():
            return load_tokenizer(path)
        extra = [resolve(self._path, name) for name in self._config.data.extra_text]
        texts = load_extra_text(extra, lowercase=self._config.model.text.lowercase)
        tokenizer = train_tokenizer([*data.captions, *texts], self._config.vocabulary)
        write_atomic(path, tokenizer.to_json().encode())
        return tokenizer

    def _freeze_trunk(self, model: CoCa) -> bool:
        """Loads the pretrained trunk and locks its body; the small head still learns."""
        encoder = model.image_encoder
        if not isinstance(encoder, EfficientNetLiteEncoder) or not self._config.pretrained_trunk:
            return False
        load_pretrained(encoder.trunk, encoder.head, self._config.model.image.trunk_variant)
        encoder.trunk.requires_grad_(False)
        return True

    def _source(self, model: CoCa, data: Dataset, is_frozen: bool, label: str) -> PictureSource:
        config, features = self._config, self._config.features
        pictures = PictureCrops(data.examples, config.model.image.size_px, features, config.seed)
        if not is_frozen or config.model.image.kind is ImageEncoderKind.VIT:
            return pictures
        is_train = label == "train"
        # Everything that the content of the random crops depends on.
        kinds = " ".join(features.kinds)
        crops = f"{kinds} {features.min_area} {features.low_min_area} {features.low_px} "
        crops += f"{features.mirror} {features.light} {config.seed}"
        return cache_features(
            model.image_encoder,
            pictures,
            data.examples,
            crops=len(features.kinds) if is_train else 1,
            folder=Path(features.cache or user_cache_path("cocadesk") / "features"),
            label=crops if is_train else "plain",
            threads=features.threads,
            device=self._device,
            progress=self._progress(f"features of {label}"),
        )

    def _progress(self, stage: str) -> Progress:
        eta: EtaEstimator | None = None

        def progress(done: int, total: int) -> None:
            nonlocal eta
            eta = eta or EtaEstimator(done)  # what an earlier run has done is no sign of speed
            left = eta.seconds_left(done, total)
            self._report(TrainReport(stage=stage, done=done, total=total, seconds_left=left))

        return progress


def _with_vocabulary(model: CocaConfig, vocabulary: int) -> CocaConfig:
    return replace(model, text=replace(model.text, vocabulary=vocabulary))
