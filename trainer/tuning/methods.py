"""Tuning methods: each says what of a network learns, what it needs, and what it gives.

To add one (LoRA, full fine-tuning): a subclass here, in ``METHODS``, and its name
in the protocol's enum ``TuningMethod``.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum, auto
from typing import ClassVar

import torch
from torch import Tensor

from cocadesk.errors import UserError, tr
from cocadesk.model.network.coca import CoCa, CocaOutput, PooledImage
from trainer.checkpoint import Weights, learned_weights, put_weights
from trainer.tuning.objective import anchor_loss
from trainer.tuning.recipe import Recipe

TEXT_PARTS = ("unimodal.", "text_norm.", "text_projection.", "multimodal.")
POOLER_PARTS = ("generative_pooler.", "contrastive_pooler.", "image_norm.", "image_projection.")


class FeatureKind(Enum):
    """The stored features of a photo: the poolers' tokens, or the image encoder's map."""

    POOLED = auto()
    ENCODER = auto()


class TuningMethod(ABC):
    """``trained`` describes the parts that learn; where ``keeps_vectors`` is true, vectors
    that a library has stored stay valid.
    """

    name: ClassVar[str]
    trained: ClassVar[str]
    features: ClassVar[FeatureKind]
    keeps_vectors: ClassVar[bool]

    @abstractmethod
    def prepare(self, model: CoCa) -> CoCa:
        """The untuned network with all locked that does not learn."""

    @abstractmethod
    def pool(self, model: CoCa, tokens_BND: Tensor, vectors_BE: Tensor | None) -> PooledImage:
        """Vector and decoder tokens from stored features; ``vectors`` are the untuned ones."""

    def recipe(self, photos: int) -> Recipe:
        """Batch sizes, rates and weights: more photos take more steps and larger batches."""
        return Recipe(steps=min(1500, 80 + 2 * photos), batch=24 if photos < 100 else 48)

    def extra_loss(self, now: CocaOutput, before: CocaOutput, recipe: Recipe) -> Tensor | float:
        """A further loss of a step, from replayed pairs now and before tuning."""
        return 0.0

    def weights(self, model: CoCa) -> Weights:
        """The weights that a resumed run needs."""
        return learned_weights(model)

    def load_weights(self, model: CoCa, weights: Mapping[str, Tensor]) -> None:
        """Puts ``weights`` back; KeyError or ValueError where they do not fit."""
        put_weights(model, weights)

    def export(self, model: CoCa) -> CoCa:
        """The tuned network as a plain one, to be saved."""
        return model


class TextHead(TuningMethod):
    """The text side and the decoder learn; the image side stays locked to the bit."""

    name = "head"
    trained = "the text side and the decoder; the image side and its vectors are unchanged"
    features = FeatureKind.POOLED
    keeps_vectors = True

    def prepare(self, model: CoCa) -> CoCa:
        return train_only(model, TEXT_PARTS)

    def pool(self, model: CoCa, tokens_BND: Tensor, vectors_BE: Tensor | None) -> PooledImage:
        if vectors_BE is None:  # of mixed pictures: nobody asks for their vector
            size = (len(tokens_BND), model.config.vector_dim)
            vectors_BE = torch.zeros(size, device=tokens_BND.device)
        return PooledImage(vector_BE=vectors_BE, tokens_BQD=tokens_BND)


class Poolers(TuningMethod):
    """The poolers learn as well; all photos must be embedded again."""

    name = "deeper"
    trained = "the text side, the decoder and the poolers; photos must be embedded again"
    features = FeatureKind.ENCODER
    keeps_vectors = False

    def prepare(self, model: CoCa) -> CoCa:
        return train_only(model, TEXT_PARTS + POOLER_PARTS)

    def pool(self, model: CoCa, tokens_BND: Tensor, vectors_BE: Tensor | None) -> PooledImage:
        return model.pool(tokens_BND)

    def extra_loss(self, now: CocaOutput, before: CocaOutput, recipe: Recipe) -> Tensor | float:
        return recipe.image_anchor * anchor_loss(now.image_BE.float(), before.image_BE.float())


def train_only(model: CoCa, prefixes: tuple[str, ...]) -> CoCa:
    """Locks every weight whose name has none of the prefixes."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(prefixes))
    return model


METHODS: dict[str, TuningMethod] = {method.name: method for method in (TextHead(), Poolers())}


def find_method(name: str) -> TuningMethod:
    """The method of a name.

    Raises:
        UserError: there is none; the nearest name is suggested.
    """
    if name in METHODS:
        return METHODS[name]
    near = difflib.get_close_matches(name, METHODS, 1)
    raise UserError(
        tr("There is no tuning method “{name}”.", name=name),
        tr("Did you mean “{near}”?", near=near[0]) if near else "",
        tr("Choose one of: {names}.", names=", ".join(METHODS)),
    )
