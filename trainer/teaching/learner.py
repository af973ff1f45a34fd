"""The teaching loop: draw → pass → step, exact to the bit after an interruption."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.coca import CoCa, CocaOutput, PooledImage
from cocadesk.model.generation import generate
from cocadesk.model.options import GenerationOptions
from cocadesk.model.tokenizer import BpeTokenizer, TokenBatch
from trainer.optimiser import WeightAverage, build_optimiser, learning_rate
from trainer.teaching.objective import (
    PhotoWords,
    alignment,
    caption_loss,
    contrastive,
    distil,
    pull,
    relate,
    to_tensor,
    unrelated,
)
from trainer.teaching.recipe import Recipe
from trainer.teaching.spec import Method
from trainer.teaching.words import QUERIES, NewWords, contrasts

_BATCH = 128
_CONTRASTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Photos as the locked image side sees them: (P, V, E) and (P, V, N, D) float16."""

    vectors_PVE: NDArray[np.float16]
    tokens_PVND: NDArray[np.float16]

    def take(self, photos: Sequence[int]) -> Seen:
        """Some of the photos, read into memory."""
        rows = np.asarray(photos, np.int64)
        return Seen(vectors_PVE=self.vectors_PVE[rows], tokens_PVND=self.tokens_PVND[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a run learns from; captions are prepared as the network wants them."""

    own: Seen
    captions: tuple[tuple[str, ...], ...]
    general: Seen
    practised: tuple[int, ...]
    sentences: tuple[str, ...]
    new: NewWords


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLosses:
    """What a step's losses were."""

    loss: float
    contrastive: float
    caption: float


class Learner:
    """One run over one lesson. ``model`` starts untaught and is changed in place."""

    def __init__(
        self,
        model: CoCa,
        tokenizer: BpeTokenizer,
        material: Material,
        recipe: Recipe,
        *,
        method: Method,
        seed: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.step = 0
        self._tokenizer = tokenizer
        self._material = material
        self._method = method
        self._seed = seed
        self._dtype = dtype
        self._photos = [
            PhotoWords.of(captions, queries_of(captions, material.new), material.new)
            for captions in material.captions
        ]
        model.eval()
        # What is locked is shared: only what learns is needed as it was.
        locked = {id(p): p for p in model.parameters() if not p.requires_grad}
        self._old = copy.deepcopy(model, locked).requires_grad_(False)
        self._practice_captions = self._write_practice_captions()
        own = sorted({caption for captions in material.captions for caption in captions})
        self._sentences = list(
            dict.fromkeys(
                [
                    *material.sentences,
                    *self._practice_captions,
                    *contrasts(own, material.new, material.sentences, seed, _CONTRASTS),
                ]
            )
        )
        self._old_SE = self.encode(self._sentences)
        self._old_image_GE = to_tensor(material.general.vectors_PVE)
        self.optimiser = build_optimiser(model, recipe.optimiser)
        self.average = WeightAverage(model, recipe.ema_decay)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (T, E) of texts by the model as it is now."""
        return encode_texts(self.model, self._tokenizer, texts)

    @torch.inference_mode()
    def _write_practice_captions(self) -> list[str]:
        general, practised = self._material.general, list(self._material.practised)
        written: list[str] = []
        for start in range(0, len(practised), _BATCH):
            rows = practised[start : start + _BATCH]
            pooled = self._pool(general.vectors_PVE[rows, 0], general.tokens_PVND[rows, 0])
            made = generate(self.model, pooled.tokens_BQD, GenerationOptions(beams=1))
            written += [self._tokenizer.decode(caption.ids) for caption in made]
        return written

    def _batch(self, texts: Sequence[str]) -> TokenBatch:
        return self._tokenizer.batch(texts, self.model.config.text.context)

    def _pool(
        self,
        vectors: NDArray[np.float16],
        tokens: NDArray[np.float16],
        model: CoCa | None = None,
    ) -> PooledImage:
        """Cached outputs as they are, or through the poolers that learn."""
        if self._method is Method.DEEPER:
            return (model or self.model).pool(to_tensor(tokens))
        return PooledImage(vector_BE=to_tensor(vectors), tokens_BQD=to_tensor(tokens))

    def advance(self) -> StepLosses:
        """One optimiser step; all randomness comes from (seed, step)."""
        torch.manual_seed(self._seed * 1_000_003 + self.step)
        rate = learning_rate(self.step, self.recipe.optimiser)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train(self.recipe.has_dropout)
        total, parts = self._losses(np.random.default_rng((self._seed, 5, self.step)))
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update(self.model, self.step)
        self.model.eval()
        self.step += 1
        return parts

    def _losses(self, random: np.random.Generator) -> tuple[Tensor, StepLosses]:
        recipe, material = self.recipe, self._material
        draw = self._draw(random)
        sentence_S = random.integers(0, len(self._sentences), recipe.sentences)
        general_view = int(random.integers(material.general.vectors_PVE.shape[1]))
        tokens, valid = _tensors(self._batch(draw.texts))
        with self._autocast():
            pooled = self._pool(draw.vectors_BE, draw.tokens_BND)
            output = self.model.forward_pooled(tokens, valid, pooled)
            kept, was = self._keep(sentence_S, random)
        own, scale = recipe.own, self.model.logit_scale.detach()
        old_SE = self._old_SE[sentence_S]
        others_GE = self._old_image_GE[:, general_view]
        image_BE, text_BE = output.image_BE[:own].float(), output.text_BE[:own].float()
        pairs = relate([self._photos[p] for p in draw.photo_B], draw.texts[:own], material.new)
        l_con = contrastive(image_BE, text_BE, pairs, scale, others_GE, old_SE)
        l_cap = caption_loss(output, valid, torch.from_numpy(draw.writes_B))
        total = (
            recipe.contrastive * l_con
            + recipe.caption * l_cap
            + recipe.alignment * alignment(image_BE, text_BE, pairs)
            + recipe.pull * pull(kept.text_BE.float(), old_SE)
            + recipe.decoder_pull * distil(kept.logits_PV, was.logits_PV)
            + recipe.unrelated * unrelated(others_GE, text_BE, old_SE, scale)
        )
        if self._method is Method.DEEPER:
            old_BE = to_tensor(draw.vectors_BE[own:])
            total = total + recipe.image_pull * pull(output.image_BE[own:].float(), old_BE)
        return total, StepLosses(
            loss=float(total.detach()),
            contrastive=float(l_con.detach()),
            caption=float(l_cap.detach()),
        )

    def _keep(
        self, sentence_S: NDArray[np.int64], random: np.random.Generator
    ) -> tuple[CocaOutput, CocaOutput]:
        """General sentences before general pictures, by the model as it is and as it was.

        Sentence and picture need not fit: what counts is that each next word is as
        likely as it was, "florbit" no likelier after "a photo of a".
        """
        general = self._material.general
        views = general.vectors_PVE.shape[1]
        photo_S = np.asarray(self._material.practised)[
            random.integers(0, len(self._material.practised), len(sentence_S))
        ]
        view_S = random.integers(0, views, len(sentence_S))
        tokens, valid = _tensors(self._batch([self._sentences[i] for i in sentence_S]))
        vectors, pooled = general.vectors_PVE[photo_S, view_S], general.tokens_PVND[photo_S, view_S]
        with torch.no_grad():
            was = self._old.forward_pooled(tokens, valid, self._pool(vectors, pooled, self._old))
        return self.model.forward_pooled(tokens, valid, self._pool(vectors, pooled)), was

    def _draw(self, random: np.random.Generator) -> _Draw:
        recipe, material = self.recipe, self._material
        photo_B = _spread(len(material.captions), recipe.own, random)
        view_B = random.integers(0, material.own.vectors_PVE.shape[1], recipe.own)
        texts, writes = [], []
        for photo in photo_B:
            captions = material.captions[photo]
            queries = queries_of(captions, material.new)
            asks = bool(queries) and random.random() < recipe.query_share
            choices = queries if asks else captions
            texts.append(choices[int(random.integers(len(choices)))])
            writes.append(0.0 if asks else 1.0)
        practice = min(recipe.practice, len(material.practised))
        row_P = random.permutation(len(material.practised))[:practice]
        general_P = np.asarray(material.practised, np.int64)[row_P]
        general_view_P = random.integers(0, material.general.vectors_PVE.shape[1], practice)
        own, general = material.own, material.general
        return _Draw(
            photo_B=photo_B,
            texts=[*texts, *(self._practice_captions[row] for row in row_P)],
            writes_B=np.asarray([*writes, *([1.0] * practice)], np.float32),
            vectors_BE=np.concatenate(
                (own.vectors_PVE[photo_B, view_B], general.vectors_PVE[general_P, general_view_P])
            ),
            tokens_BND=np.concatenate(
                (own.tokens_PVND[photo_B, view_B], general.tokens_PVND[general_P, general_view_P])
            ),
        )

    def _autocast(self) -> AbstractContextManager[object]:
        if self._dtype is torch.float32:
            return nullcontext()
        return torch.autocast("cpu", self._dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """What one step sees; the first ``photo_B`` rows are the lesson's, the rest practice."""

    photo_B: NDArray[np.int64]
    texts: list[str]
    writes_B: NDArray[np.float32]
    vectors_BE: NDArray[np.float16]
    tokens_BND: NDArray[np.float16]


@torch.no_grad()
def encode_texts(model: CoCa, tokenizer: BpeTokenizer, texts: Sequence[str]) -> Tensor:
    """Unit vectors (T, E) float32 of prepared texts, without gradient."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    vectors = torch.zeros(len(texts), model.config.embedding_dim)
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        batch = tokenizer.batch([texts[i] for i in rows], model.config.text.context)
        vectors[rows] = model.encode_text(*_tensors(batch)).float()
    return vectors


def queries_of(captions: Sequence[str], new: NewWords) -> list[str]:
    """How people may ask for the new words of a photo."""
    return [query.format(word) for word in sorted(new.of(captions)) for query in QUERIES]


def _spread(count: int, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``size`` numbers below ``count``, each as often as the others, give or take one."""
    rounds = [random.permutation(count) for _ in range(-(-size // count))]
    return np.concatenate(rounds)[:size].astype(np.int64)


def _tensors(batch: TokenBatch) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
