"""Examines a model: the person's held-out photos and the general set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import generate
from cocadesk.model.options import GenerationOptions
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer
from trainer.tuning.objective import to_tensor
from trainer.tuning.replay import encode_texts
from trainer.tuning.results import Figure, Ranked, caption_figure, recall_figures
from trainer.tuning.spec import Method
from trainer.tuning.training_set import CachedFeatures

_BATCH = 32

Captions = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """What is measured. The held-out photos are ranked among the general pictures.

    Captions of ``general`` are never learned from; the decoder has practised on all
    pictures but ``unpractised``, so only those show whether it still writes well.
    """

    tokenizer: BpeTokenizer
    method: Method
    held_out: CachedFeatures
    held_out_captions: Captions
    general: CachedFeatures
    general_captions: Captions
    unpractised: tuple[int, ...]

    def own(self, model: CoCa) -> list[Figure]:
        """Recall and CIDEr-D on the person's held-out photos."""
        figures = recall_figures(self._own_ranked(model))
        written = self._write(model, self.held_out)
        return figures + caption_figure(written, self.held_out_captions)

    def general_figures(self, model: CoCa) -> list[Figure]:
        """Recall on all general pictures, CIDEr-D on those not practised on."""
        figures = recall_figures(self._general_ranked(model))
        written = self._write(model, self.general.take(self.unpractised))
        references = [self.general_captions[i] for i in self.unpractised]
        return figures + caption_figure(written, references)

    def glance(self, model: CoCa) -> tuple[float, float]:
        """For the live curve: mean recall (text to image, at 1, 5 and 10) own and general."""
        return (
            _mean(recall_figures(self._own_ranked(model))),
            _mean(recall_figures(self._general_ranked(model))),
        )

    def _own_ranked(self, model: CoCa) -> Ranked:
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
        return encode_texts(model, self.tokenizer, flat).numpy()

    def _vectors(self, model: CoCa, seen: CachedFeatures) -> NDArray[np.float32]:
        """(P, E) of the plain views."""
        if self.method is Method.HEAD:
            return to_tensor(seen.vectors_PVE[:, 0]).numpy()
        with torch.inference_mode():
            return model.pool(to_tensor(seen.tokens_PVND[:, 0])).vector_BE.float().numpy()

    def _write(self, model: CoCa, seen: CachedFeatures) -> list[str]:
        """Captions as the program writes them."""
        written: list[str] = []
        for start in range(0, len(seen.vectors_PVE), _BATCH):
            with torch.inference_mode():
                tokens = to_tensor(seen.tokens_PVND[start : start + _BATCH, 0])
                if self.method is Method.DEEPER:
                    tokens = model.pool(tokens).tokens_BQD
                made = generate(model, tokens, GenerationOptions())
            written += [self.tokenizer.decode(caption.ids) for caption in made]
        return written


def _mean(figures: Sequence[Figure]) -> float:
    values = [figure.value for figure in figures if figure.name.startswith("t2i")]
    return round(sum(values) / len(values), 3)


def rows(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as ``result.json`` holds them."""
    return [asdict(figure) for figure in figures]
