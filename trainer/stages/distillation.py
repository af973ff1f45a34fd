"""The first stage: the unimodal half learns the sentence model's vectors from sentences alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cocadesk.model.network.text_decoder import UnimodalDecoder
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.config import DistillationConfig
from trainer.device import TrainDevice
from trainer.evaluate import token_tensors
from trainer.stages.losses import similarity_gap
from trainer.step import Losses, StepState
from trainer.words.sentence_model import SentenceModel
from trainer.words.sentences import SentencePool

_PARTS = 3
_BATCH = 128


class Student(nn.Module):
    """The unimodal half and a projection of its [CLS] into the sentence model's space."""

    def __init__(self, text: UnimodalDecoder) -> None:
        super().__init__()
        width = text.config.width
        self.text = text
        self.projection = nn.Linear(width, width)
        nn.init.eye_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, tokens_BT: Tensor, valid_BT: Tensor) -> Tensor:
        """Unit vectors (B, D) float32."""
        return F.normalize(self.projection(self.text(tokens_BT, valid_BT)[1]).float(), dim=-1)


class Distillation:
    """The objective: vectors near the sentence model's, and as far from each other as they are.

    ``held_out`` are named lists of texts to measure the distance on.
    """

    def __init__(
        self,
        student: Student,
        sentence: SentenceModel,
        pool: SentencePool,
        tokenizer: TextTokenizer,
        config: DistillationConfig,
        *,
        seed: int,
        device: TrainDevice,
        held_out: dict[str, Sequence[str]],
    ) -> None:
        self._sentence, self._pool, self._tokenizer = sentence, pool, tokenizer
        self._config, self._device = config, device
        self._held_out = {
            name: (texts, sentence.vectors(texts)) for name, texts in held_out.items()
        }
        self.best = 0.0
        # Without dropout: the target is a function, and there is no end of sentences.
        self.state = StepState(
            student, config.optimiser, seed=seed, device=device, has_dropout=False
        )

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        """One pass over the sentences of a step."""
        drawn = self._pool.draw(self._config, self.state.seed, step)
        return [partial(self.losses, drawn.texts, self._sentence.vectors(drawn.targets))]

    def losses(self, texts: Sequence[str], target_BD: Tensor) -> Losses:
        """The distance to the targets and the gap of the similarities, with gradient."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        parts = [
            self._encode([texts[row] for row in rows]) for rows in np.array_split(order, _PARTS)
        ]
        vectors, target = torch.cat(parts), target_BD[self._device.tensor(order)]
        distance = 1 - (vectors * target).sum(1).mean()
        gap = similarity_gap(vectors, target, target, self._config.scale)
        return Losses(
            total=self._config.cosine * distance + gap,
            parts={"cosine_distance": distance, "similarity_gap": gap},
        )

    def _encode(self, texts: Sequence[str]) -> Tensor:
        batch = self._tokenizer.batch(texts, self._config.tokens)
        with self._device.autocast():
            vectors: Tensor = self.state.model(*token_tensors(batch, self._device))
        return vectors

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """The mean cosine to the sentence model's vectors of each held-out list."""
        figures = {}
        with self.state.averaged():
            for name, (texts, target) in self._held_out.items():
                chunks = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
                found = torch.cat([self._encode(chunk) for chunk in chunks])
                figures[f"{name}/cosine"] = round(float((found * target).sum(1).mean()), 4)
        return figures


@torch.no_grad()
def start_projection(projection_ED: nn.Linear, student: Student, vectors_TD: Tensor) -> None:
    """Starts the text projection with the directions in which the sentences differ most.

    ``vectors_TD`` are the sentence model's vectors of the captions.
    """
    width = len(projection_ED.weight)
    directions = torch.linalg.eigh(vectors_TD.T @ vectors_TD).eigenvectors
    chosen = directions[:, -width:].flip(1).T  # eigenvalues grow
    projection_ED.weight.copy_(chosen.to(projection_ED.weight.device) @ student.projection.weight)
