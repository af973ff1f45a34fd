"""The main stage: pictures join the text side, whose lowest layers stay locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.network.coca import PooledImage
from cocadesk.model.tokenizers.tokenizer import TokenBatch
from trainer.evaluate import encode_texts, token_tensors
from trainer.pictures.data import Draw
from trainer.stages.class_knowledge import ClassKnowledge
from trainer.stages.locked_text import LockedText
from trainer.stages.losses import (
    candidate_ids,
    same_pairs,
    similarity_gap,
    soft_contrastive_loss,
    soft_targets,
    token_loss_sum,
)
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.step import Losses, caption_groups
from trainer.words.class_names import ClassName


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Knowledge beside the pictures.

    ``vectors_CD`` are the sentence model's for the captions whose rows are ``row``;
    ``names`` are the classes of pictures, by number, that have only a class's name.
    """

    row: Mapping[str, int]
    vectors_CD: Tensor
    names: Mapping[int, ClassName]
    classes: ClassKnowledge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The texts of a step, the captions that they stand for, and the rows that learn to write."""

    draw: Draw
    texts: list[str]
    captions: list[str]
    written: frozenset[int]
    random: np.random.Generator


class JointObjective(CocaObjective):
    """Contrastive, caption, class and anchor losses in one pass over a batch."""

    def __init__(self, context: TrainContext, knowledge: Knowledge) -> None:
        layers, decoder = context.config.joint.locked_layers, context.model.unimodal
        # Before the optimiser is made, which takes what learns.
        self._locked = LockedText(decoder, layers, context.device) if layers else None
        super().__init__(context)
        self._knowledge = knowledge
        self._bank_step = -1

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        joint = self.context.config.joint
        self._refresh_bank(step - step % joint.bank_steps)
        return [partial(self._losses, self._batch_of(step))]

    def _refresh_bank(self, step: int) -> None:
        if self._knowledge.classes is None or self._bank_step == step:
            return
        self._knowledge.classes.refresh(self._encoded)
        self._bank_step = step

    def _encoded(self, texts: Sequence[str]) -> Tensor:
        context = self.context
        with context.device.autocast():
            return encode_texts(context.model, context.tokenizer, texts, context.device)

    def _batch_of(self, step: int) -> _Batch:
        config, names = self.context.config, self._knowledge.names
        random = np.random.default_rng((config.seed, 4, step))
        draw = self._sampler.draw(step)
        captions = [
            self.context.data.examples[p].captions[c]
            for p, c in zip(draw.picture_B, draw.caption_B, strict=True)
        ]
        texts = [
            names[p].caption(random) if p in names else caption
            for p, caption in zip(draw.picture_B.tolist(), captions, strict=True)
        ]
        human = np.array([i for i, p in enumerate(draw.picture_B.tolist()) if p not in names], int)
        most = min(len(human), config.joint.human_captions if config.loss.caption else 0)
        written = random.choice(human, most, replace=False).tolist() if most else ()
        return _Batch(
            draw=draw, texts=texts, captions=captions, written=frozenset(written), random=random
        )

    def _losses(self, batch: _Batch) -> Losses:
        config, device, model = self.context.config, self.context.device, self.context.model
        joint = config.joint
        with device.autocast():
            features = self._features(batch.draw)
            keep = self._kept_tokens(features)
            pooled = model.pool(model.image_encoder.tokens(features, keep))
        image_BE = pooled.vector_BE
        rows = [self._knowledge.row[caption] for caption in batch.captions]
        taught_BD = device.move(self._knowledge.vectors_CD[rows])
        zero = image_BE.new_zeros(())
        text_BE, caption = self._texts(batch, pooled)
        anchor = similarity_gap(text_BE, text_BE, taught_BD, joint.anchor_scale)
        parts = {"caption": caption, "anchor": anchor, "classes": zero}
        groups = (caption_groups(batch.captions), caption_groups(batch.texts))
        same = same_pairs(*(device.move(numbers) for numbers in groups))
        target = soft_targets(same, taught_BD, joint.soft_targets, joint.soft_temperature)
        parts["contrastive"] = soft_contrastive_loss(image_BE, text_BE, model.logit_scale, target)
        if self._knowledge.classes is not None:
            parts["classes"] = self._knowledge.classes.loss(
                image_BE, batch.draw.picture_B, batch.random
            )
        weights = {
            "contrastive": config.loss.contrastive,
            "caption": config.loss.caption,
            "anchor": joint.anchor,
            "classes": joint.classes,
        }
        total = sum((weight * parts[name] for name, weight in weights.items()), zero)
        return Losses(total=total, parts=parts)

    def _texts(self, batch: _Batch, pooled: PooledImage) -> tuple[Tensor, Tensor]:
        """Text vectors, and the mean loss of the captions' next tokens.

        In parts of like length: padding costs as much as words.
        """
        model, device = self.context.model, self.context.device
        order = np.argsort([len(text) for text in batch.texts], kind="stable")
        vectors: list[Tensor] = []
        loss, count = pooled.vector_BE.new_zeros(()), 0
        for rows in np.array_split(order, self.context.config.joint.text_parts):
            tokens = self._tokens([batch.texts[row] for row in rows])
            with device.autocast():
                states, cls = self._decoded(tokens)
                vectors.append(model.text_vector(cls))
                places = np.array([i for i, row in enumerate(rows) if row in batch.written], int)
                if len(places):
                    written = tokens.take(places)
                    part, words = self._written(
                        states[device.tensor(places), : written.tokens_BT.shape[1]],
                        written,
                        pooled.tokens_BQD[device.tensor(rows[places])],
                    )
                    loss, count = loss + part, count + words
        back = device.tensor(np.argsort(order, kind="stable"))
        return torch.cat(vectors)[back], loss / max(count, 1)

    def _decoded(self, tokens: TokenBatch) -> tuple[Tensor, Tensor]:
        """The unimodal half's token outputs (B, T, D) and [CLS]'s (B, D)."""
        if self._locked is not None:
            return self._locked(tokens)
        states, cls = self.context.model.unimodal(*token_tensors(tokens, self.context.device))
        return states, cls

    def _written(
        self, states_BTD: Tensor, tokens: TokenBatch, image_BQD: Tensor
    ) -> tuple[Tensor, int]:
        """The summed loss of the next tokens of some captions, and their number."""
        config, model = self.context.config, self.context.model
        tokens_BT, valid_BT = token_tensors(tokens, self.context.device)
        counted = valid_BT[:, 1:]
        targets = tokens_BT[:, 1:][counted]
        decoded = model.multimodal(states_BTD[:, :-1], image_BQD)[counted]
        table = model.multimodal.output.weight
        ids = candidate_ids(targets, config.joint.frequent_ids, config.joint.drawn_ids, len(table))
        smoothing = config.loss.label_smoothing
        return token_loss_sum(decoded, targets, table, ids, smoothing), len(targets)
