"""After the captioner: rare words learn to say what their common synonyms say of pictures.

Pictures teach the words that captions hold. Meeting them moves a text side away from what it
knew of the others, so "serviette" no longer finds what "napkin" finds. Here no picture is
seen: the network before this stage teaches itself after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.tokenizer import TokenBatch
from trainer.evaluate import token_tensors
from trainer.stages.losses import similarity_gap
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.step import Losses
from trainer.words.sentences import SentencePool

_PARTS = 4


class RareWordsObjective(CocaObjective):
    """Rare words near their common synonyms; captions and all other words where they were.

    What the multimodal half reads of captions is held too, so that it writes as before.
    """

    def __init__(self, context: TrainContext, pool: SentencePool) -> None:
        config, model = context.config.rare_words, context.model
        self._pool, self._config = pool, config
        self._locked = config.locked_layers
        self._before = deepcopy(model).requires_grad_(False).eval()
        model.requires_grad_(False)
        for part in (*model.unimodal.layers[self._locked :], model.text_projection):
            part.requires_grad_(True)
        super().__init__(context, config.optimiser, has_dropout=False)
        self._before.to(context.device.device)

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        """One pass over the sentences of a step."""
        drawn = self._pool.draw(self._config, self.state.seed, step)
        return [partial(self._losses, drawn.texts, drawn.targets)]

    def _losses(self, texts: Sequence[str], targets: Sequence[str]) -> Losses:
        order = np.argsort([len(text) for text in texts], kind="stable")
        parts = [
            self._part([texts[row] for row in rows], [targets[row] for row in rows])
            for rows in np.array_split(order, _PARTS)
        ]
        vectors, wanted = (torch.cat([part[i] for part in parts]) for i in (0, 1))
        distance = 1 - (vectors * wanted).sum(1).mean()
        gap = similarity_gap(vectors, wanted, wanted, self._config.scale)
        moved = torch.stack([part[2] for part in parts]).mean()
        return Losses(
            total=self._config.cosine * distance + gap + self._config.states * moved,
            parts={"distance": distance, "similarity_gap": gap, "states": moved},
        )

    def _part(self, texts: Sequence[str], targets: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors, those that are wanted (B, E), and how far other texts' states have moved."""
        batch, device = self._cut(texts), self.context.device
        with device.autocast():
            states, vectors = self._encoded(self.state.model, batch)
            with torch.no_grad():
                old_states = self._encoded(self._before, batch)[0]
                wanted = self._encoded(self._before, self._cut(targets))[1]
        same = np.array([a == b for a, b in zip(texts, targets, strict=True)])
        counted = device.tensor(batch.valid_BT & same[:, None])
        if not same.any():
            return vectors, wanted, vectors.new_zeros(())
        gap = (states.float() - old_states.float())[counted]
        return vectors, wanted, gap.square().mean()

    def _cut(self, texts: Sequence[str]) -> TokenBatch:
        return self.context.tokenizer.batch(texts, self._config.tokens)

    def _encoded(self, model: CoCa, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """The unimodal half's token outputs (B, T, D), and text vectors (B, E)."""
        tokens_BT, valid_BT = token_tensors(batch, self.context.device)
        with torch.no_grad():
            below = model.unimodal.lower(tokens_BT, valid_BT, self._locked)
        states, cls = model.unimodal.upper(below, valid_BT, self._locked)
        return states, model.text_vector(cls)
