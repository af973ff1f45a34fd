"""The preparation of a run: data, the trunk, and features of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from cocadesk.errors import UserError, tr
from cocadesk.eta import EtaEstimator
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.network.efficientnet import load_pretrained
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from trainer.config import TrainConfig, resolve
from trainer.device import TrainDevice
from trainer.evaluate import DevSet
from trainer.pictures.data import Dataset, load_dataset, load_extra_text
from trainer.pictures.features import (
    PictureCrops,
    PictureSource,
    Progress,
    cache_features,
    readable,
)
from trainer.stages.loop import Reporter, TrainReport


class Preparation:
    """Everything that the stages of a run begin with, read and made when asked for."""

    def __init__(self, config: TrainConfig, path: Path, report: Reporter) -> None:
        self.config = config
        self._path = path
        self._report = report
        self.device = TrainDevice.choose(config.device, config.optimiser.precision)

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Paths of the config."""
        return [resolve(self._path, name) for name in names]

    def load(self, shards: Sequence[Path]) -> Dataset:
        """The shards' usable examples; broken pictures are counted, not fatal."""
        config = self.config.data
        dataset = load_dataset(
            shards,
            lowercase=self.config.model.text.lowercase,
            class_name_suffix=config.class_name_suffix,
            class_name_weight=config.class_name_weight,
            max_samples=config.max_samples,
        )
        examples, broken = readable(dataset.examples)
        if len(examples) < 2:
            raise UserError(tr("There is nothing to learn from."), tr("No picture could be read."))
        skipped = dataset.skipped | ({"a picture that cannot be read": broken} if broken else {})
        return Dataset(examples=tuple(examples), skipped=skipped)

    def texts(self, names: Sequence[str]) -> list[str]:
        """Captions without pictures."""
        return load_extra_text(self.paths(names), lowercase=self.config.model.text.lowercase)

    def dev_data(self) -> dict[str, Dataset]:
        """The dev shards' examples by the shard's name."""
        return {path.stem: self.load([path]) for path in self.paths(self.config.data.dev)}

    def freeze_trunk(self, model: CoCa) -> bool:
        """Loads the pretrained trunk and locks its body; the small head still learns."""
        encoder = model.image_encoder
        if not isinstance(encoder, EfficientNetLiteEncoder) or not self.config.pretrained_trunk:
            return False
        load_pretrained(encoder.trunk, encoder.head, self.config.model.image.trunk_variant)
        encoder.trunk.requires_grad_(False)
        return True

    def source(self, model: CoCa, data: Dataset, is_frozen: bool, label: str) -> PictureSource:
        """The pictures of a data set: features of a frozen trunk are cached on disk."""
        config, features = self.config, self.config.features
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
            device=self.device,
            progress=self.progress(f"features of {label}"),
        )

    def dev_sets(self, model: CoCa, data: dict[str, Dataset], is_frozen: bool) -> list[DevSet]:
        """The dev sets to measure on."""
        return [
            DevSet(name=name, examples=d.examples, source=self.source(model, d, is_frozen, name))
            for name, d in data.items()
        ]

    def progress(self, stage: str) -> Progress:
        """Reports of a piece of work with the time that is left."""
        eta: EtaEstimator | None = None

        def progress(done: int, total: int) -> None:
            nonlocal eta
            eta = eta or EtaEstimator(done)  # what an earlier run has done is no sign of speed
            left = eta.seconds_left(done, total)
            self._report(TrainReport(stage=stage, done=done, total=total, seconds_left=left))

        return progress


def notes_of(shards: Sequence[Path], data: Dataset) -> dict[str, object]:
    """Facts of the training data for the card."""
    return {
        "shards": [path.name for path in shards],
        "pictures": len(data.examples),
        "captions": len(data.captions),
        "skipped": data.skipped,
    }
