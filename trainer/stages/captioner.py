"""The third stage: the multimodal half alone learns to write, with styles and further language.

Image side and unimodal half are locked, so pictures are pooled once and kept on disk. A
caption begins with a marker of its style; captions without pictures are written to the mean
picture, so that they teach language and nothing of what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.tokenizer import pad_batch
from trainer.config import CaptionerConfig, OptimiserConfig
from trainer.evaluate import token_tensors
from trainer.pictures.data import Example
from trainer.pictures.features import Progress
from trainer.pictures.store import FeatureStore
from trainer.stages.losses import candidate_ids, token_loss_sum
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.step import Losses
from trainer.words.vocabulary import ALT_TEXT, SENTENCE, SHORT

_PICTURES = 256
_MEAN_OF = 7
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StyledCaption:
    """A caption to write, its style's id, and its picture's place (None: no picture)."""

    text: str
    style: int
    place: int | None


def style_of(caption: str, source: str, config: CaptionerConfig) -> int:
    """The id of a caption's style: alt text by its source, else short or a sentence."""
    if any(name in source for name in config.alt_text_sources):
        return ALT_TEXT
    return SHORT if len(caption.split()) <= config.short_words else SENTENCE


def lock_all_but_writing(model: CoCa) -> None:
    """Leaves only the multimodal half to learn; its output is the locked table."""
    model.requires_grad_(False)
    model.multimodal.requires_grad_(True)
    if model.config.text.tie_output:
        model.multimodal.output.weight.requires_grad_(False)


class CaptionerObjective(CocaObjective):
    """The caption loss on kept pooled tokens. The network's other parts must be done.

    ``language`` are captions without pictures.
    """

    def __init__(
        self,
        context: TrainContext,
        folder: Path,
        language: Sequence[str],
        progress: Progress,
        optimiser: OptimiserConfig | None = None,
        *,
        has_dropout: bool = True,
    ) -> None:
        """``folder`` keeps the pooled pictures."""
        self._captioner = config = context.config.captioner
        lock_all_but_writing(context.model)
        super().__init__(context, optimiser or config.optimiser, has_dropout=has_dropout)
        examples = context.data.examples
        human = [i for i, example in enumerate(examples) if not example.is_class_name]
        store = FeatureStore(folder, "pooled", len(human), len(config.crops), len(human))
        self._pool(store, human, progress)
        self._pooled_PVQD = store.arrays()["tokens"]
        plain = np.asarray(self._pooled_PVQD[::_MEAN_OF, 0], np.float32)
        self._mean_QD: NDArray[np.float32] = plain.mean(0)
        self._captions = [
            caption
            for place, picture in enumerate(human)
            for caption in _styled(examples[picture], place, config)
        ]
        self._language = [
            StyledCaption(text=text, style=style_of(text, "", config), place=None)
            for text in language
        ]

    @torch.no_grad()
    def _pool(self, store: FeatureStore, human: Sequence[int], progress: Progress) -> None:
        """Fills the pooled tokens that are missing."""
        context, crops = self.context, self._captioner.crops
        context.model.to(context.device.device).eval()
        for start in range(store.done, len(human), _PICTURES):
            picture = np.array(human[start : start + _PICTURES])
            rows = np.arange(start, start + len(picture))
            for place, crop in enumerate(crops):
                pooled = context.pooled(picture, np.full(len(picture), crop)).tokens_BQD
                store.put((rows, np.full(len(rows), place)), tokens=pooled.float().cpu().numpy())
            store.mark(start + len(picture))
            progress(store.done, store.total)

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        """Parts of like length of a step's captions."""
        config = self._captioner
        random = np.random.default_rng((self.state.seed, 11, step))
        batch = config.optimiser.batch
        language = int(batch * config.language_share) if self._language else 0
        chosen = [
            self._captions[i] for i in random.integers(0, len(self._captions), batch - language)
        ]
        chosen += [
            self._language[i] for i in random.integers(0, max(1, len(self._language)), language)
        ]
        crops = random.integers(0, self._pooled_PVQD.shape[1], batch)
        rows = [self._row(caption) for caption in chosen]
        count = sum(len(row) - 2 for row in rows)
        order = np.argsort([len(row) for row in rows], kind="stable")
        parts = [part for part in np.array_split(order, _PARTS) if len(part)]
        return [
            partial(
                self._part_losses,
                [rows[i] for i in part],
                np.stack([self._tokens_of(chosen[i], int(crops[i])) for i in part]),
                len(parts) / count,
            )
            for part in parts
        ]

    def _row(self, caption: StyledCaption) -> list[int]:
        """Begin, style, words, end; cut as in training's other stages."""
        config, tokenizer = self.context.config, self.context.tokenizer
        begin, *rest = tokenizer.encode(caption.text, config.model.text.context - 1)
        return [begin, caption.style, *rest][: config.data.caption_tokens + 1]

    def _tokens_of(self, caption: StyledCaption, crop: int) -> NDArray[np.float32]:
        if caption.place is None:
            return self._mean_QD
        return np.asarray(self._pooled_PVQD[caption.place, crop], np.float32)

    def _part_losses(
        self, rows: list[list[int]], pooled_BQD: NDArray[np.float32], scale: float
    ) -> Losses:
        """The loss of a part, scaled so that the mean over the parts is that over tokens."""
        config, model, device = self._captioner, self.context.model, self.context.device
        tokens_BT, valid_BT = token_tensors(pad_batch(rows, self.context.tokenizer.pad_id), device)
        model.unimodal.eval()
        counted = valid_BT[:, 1:].clone()
        counted[:, 0] = False  # the style is asked for, not guessed
        targets = tokens_BT[:, 1:][counted]
        with device.autocast():
            with torch.no_grad():
                states = model.unimodal(tokens_BT[:, :-1], valid_BT[:, :-1])[0]
            decoded = model.multimodal(states, device.tensor(pooled_BQD))[counted]
            table = model.multimodal.output.weight
            ids = candidate_ids(targets, config.frequent_ids, config.drawn_ids, len(table))
            loss: Tensor = token_loss_sum(decoded, targets, table, ids, config.label_smoothing)
        return Losses(total=loss * scale, parts={"caption": loss * scale})


def _styled(example: Example, place: int, config: CaptionerConfig) -> list[StyledCaption]:
    """An example's captions with their styles; bare names are no captions."""
    return [
        StyledCaption(text=text, style=style_of(text, example.source, config), place=place)
        for text in example.captions
        if not text.startswith(config.no_captions)
    ]
