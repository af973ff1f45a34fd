"""Pictures with captions, read from shards and kept in memory as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.media.shards import ShardCounts, read_captions, read_shards
from cocadesk.model.tokenizers.captions import prepare_caption
from trainer.config import FeatureConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One picture's file bytes and its cleaned captions, never empty.

    ``is_class_name``: its caption is only the name of what it shows.
    """

    key: str
    image: bytes
    captions: tuple[str, ...]
    weight: float
    source: str = ""
    is_class_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Examples in a fixed order, and the number of skipped samples by reason."""

    examples: tuple[Example, ...]
    skipped: dict[str, int]

    @property
    def captions(self) -> list[str]:
        """Every caption."""
        return [caption for example in self.examples for caption in example.captions]


def load_dataset(
    shards: Sequence[Path],
    *,
    lowercase: bool,
    class_name_suffix: str = "",
    class_name_weight: float = 1.0,
    max_samples: int = 0,
) -> Dataset:
    """Reads shards; samples without a caption are counted and skipped.

    Raises:
        UserError: no usable sample is in them.
    """
    counts = ShardCounts()
    examples: list[Example] = []
    for sample in read_shards(shards, counts):
        captions = tuple(
            text for raw in sample.captions if (text := prepare_caption(raw, lowercase=lowercase))
        )
        if not captions:
            counts.skip("an empty caption")
            continue
        named = bool(class_name_suffix) and sample.source.endswith(class_name_suffix)
        weight = class_name_weight if named else 1.0
        if weight > 0:
            examples.append(
                Example(
                    key=sample.key,
                    image=sample.image,
                    captions=captions,
                    weight=weight,
                    source=sample.source,
                    is_class_name=named,
                )
            )
        if max_samples and len(examples) >= max_samples:
            break
    if len(examples) < 2:
        raise UserError(
            tr("There is nothing to learn from."),
            tr(
                "The shards hold {examples} usable pictures. {sentence}",
                examples=len(examples),
                sentence=counts.sentence(),
            ).rstrip(),
            tr("Give shards of pictures with captions."),
        )
    return Dataset(examples=tuple(examples), skipped=dict(counts.skipped))


def load_extra_text(paths: Sequence[Path], *, lowercase: bool) -> list[str]:
    """Captions without pictures: words for the tokenizer."""
    lines = (line for path in paths for line in read_captions(path))
    return [text for line in lines if (text := prepare_caption(line, lowercase=lowercase))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The pictures of a step, a crop and a caption of each: numbers, all (B,)."""

    picture_B: NDArray[np.int64]
    crop_B: NDArray[np.int64]
    caption_B: NDArray[np.int64]

    def split(self, parts: int) -> list[Draw]:
        """Nearly equal parts of the batch, in order."""
        arrays = (self.picture_B, self.crop_B, self.caption_B)
        return [
            Draw(picture_B=picture, crop_B=crop, caption_B=caption)
            for picture, crop, caption in zip(
                *(np.array_split(array, parts) for array in arrays), strict=True
            )
        ]


class Sampler:
    """Batches as a pure function of (seed, step): resuming needs no stored state.

    Each epoch is a permutation of the pictures, every picture's chance to be in
    it given by its weight (a weight of 2 appears twice, 0.5 every other epoch).
    """

    def __init__(self, dataset: Dataset, batch: int, features: FeatureConfig, seed: int) -> None:
        self._weights = np.array([example.weight for example in dataset.examples])
        self._captions = np.array([len(example.captions) for example in dataset.examples])
        self._batch = min(batch, len(dataset.examples))
        weights = np.array(features.kind_weights or [1.0] * len(features.kinds))
        self._kind_shares = weights / weights.sum()
        self._seed = seed
        self._epochs: dict[int, NDArray[np.int64]] = {}
        self.epoch_pictures = int(self._weights.sum())

    def draw(self, step: int) -> Draw:
        """The batch of a step (counted from 0)."""
        random = np.random.default_rng((self._seed, 1, step))
        picture = self._pictures(step)
        return Draw(
            picture_B=picture,
            crop_B=random.choice(len(self._kind_shares), self._batch, p=self._kind_shares),
            caption_B=random.integers(0, self._captions[picture]),
        )

    def _pictures(self, step: int) -> NDArray[np.int64]:
        per_epoch = max(1, self.epoch_pictures // self._batch)
        epoch, place = divmod(step, per_epoch)
        if epoch not in self._epochs:
            self._epochs = {epoch: self._permutation(epoch)}
        order = self._epochs[epoch]
        start = place * self._batch
        chosen = order[start : start + self._batch]
        missing = self._batch - len(chosen)
        return np.concatenate((chosen, order[:missing])) if missing else chosen

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        random = np.random.default_rng((self._seed, 0, epoch))
        whole = np.floor(self._weights).astype(np.int64)
        extra = random.random(len(whole)) < (self._weights - whole)
        return random.permutation(np.repeat(np.arange(len(whole)), whole + extra))
