"""Evaluation of a model: the owner's held-out photos and the general set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.model.network.coca import CoCa, PooledImage
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import GenerationOptions
from trainer.device import TrainDevice
from trainer.evaluate import encode_texts, write_captions
from trainer.tuning.features import CachedFeatures
from trainer.tuning.methods import TuningMethod
from trainer.tuning.results import Figure, Ranked, caption_figure, recall_figures

_BATCH = 32

Captions = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """The measured photos. Held-out photos are ranked among the general pictures.

    Captions of ``general`` are never learned from; the decoder has seen all its
    pictures but ``unseen``, so only those show whether it still writes well.
    """

    tokenizer: TextTokenizer
    method: TuningMethod
    device: TrainDevice
    held_out: CachedFeatures
    held_out_captions: Captions
    general: CachedFeatures
    general_captions: Captions
    unseen: tuple[int, ...]

    def held_out_figures(self, model: CoCa) -> list[Figure]:
        """Recall and CIDEr-D on the held-out photos."""
        figures = recall_figures(self._held_out_ranked(model))
        written = self._write(model, self.held_out)
        return figures + caption_figure(written, self.held_out_captions)

    def general_figures(self, model: CoCa) -> list[Figure]:
        """Recall on all general pictures, CIDEr-D on those that were not replayed."""
        figures = recall_figures(self._general_ranked(model))
        written = self._write(model, self.general.take(self.unseen))
        references = [self.general_captions[i] for i in self.unseen]
        return figures + caption_figure(written, references)

    def quick_recall(self, model: CoCa) -> tuple[float, float]:
        """Mean recall (text to image, at 1, 5 and 10) held out and general, for the live curve."""
        return (
            _mean(recall_figures(self._held_out_ranked(model))),
            _mean(recall_figures(self._general_ranked(model))),
        )

    def _held_out_ranked(self, model: CoCa) -> Ranked:
        return Ranked(
            image_IE=np.concatenate(
                (self._vectors(model, self.held_out), self._vectors(model, self.general))
            ),
            text_TE=self._texts(model, self.held_out_captions),
            distractor_XE=self._texts(model, self.general_captions),
            captions=self.held_out_captions,
        )

    def _general_ranked(self, model: CoCa) -> Ranked:
        texts = self._texts(model, self.general_captions)
        return Ranked(
            image_IE=self._vectors(model, self.general),
            text_TE=texts,
            distractor_XE=texts[:0],
            captions=self.general_captions,
        )

    def _texts(self, model: CoCa, captions: Captions) -> NDArray[np.float32]:
        flat = [text for texts in captions for text in texts]
        return encode_texts(model, self.tokenizer, flat, self.device).cpu().numpy()

    def _pool(self, model: CoCa, features: CachedFeatures) -> PooledImage:
        """The plain crops."""
        tokens = self.device.floats(features.tokens_PVND[:, 0])
        return self.method.pool(model, tokens, self.device.floats(features.vectors_PVE[:, 0]))

    def _vectors(self, model: CoCa, features: CachedFeatures) -> NDArray[np.float32]:
        with torch.inference_mode():
            return self._pool(model, features).vector_BE.float().cpu().numpy()

    def _write(self, model: CoCa, features: CachedFeatures) -> list[str]:
        """Captions by three beams, the same before and after."""
        written: list[str] = []
        for start in range(0, len(features.vectors_PVE), _BATCH):
            rows = range(start, min(start + _BATCH, len(features.vectors_PVE)))
            with torch.inference_mode():
                tokens = self._pool(model, features.take(rows)).tokens_BQD
                written += write_captions(model, self.tokenizer, tokens, GenerationOptions())
        return written


def _mean(figures: Sequence[Figure]) -> float:
    values = [figure.value for figure in figures if figure.name.startswith("t2i")]
    return round(sum(values) / len(values), 3)


def rows(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as ``result.json`` holds them."""
    return [asdict(figure) for figure in figures]
