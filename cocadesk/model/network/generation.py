"""Captions: greedy and beam search with a key/value cache, exact token for token."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.layers import KeyValue
from cocadesk.model.values import GenerationOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Ids after the begin marker (the end marker not included) and their mean log probability."""

    ids: tuple[int, ...]
    mean_log_probability: float


@dataclass(slots=True)
class _Cache:
    """Kept keys and values of all layers; rows are reordered as beams move."""

    unimodal: list[KeyValue | None]
    multimodal: list[KeyValue | None]
    image: list[KeyValue]

    def select(self, rows: Tensor) -> None:
        self.unimodal = [_rows(kept, rows) for kept in self.unimodal]
        self.multimodal = [_rows(kept, rows) for kept in self.multimodal]


def _rows(kept: KeyValue | None, rows: Tensor) -> KeyValue | None:
    return None if kept is None else (kept[0][rows], kept[1][rows])


@torch.inference_mode()
def generate(model: CoCa, image_BQD: Tensor, options: GenerationOptions) -> list[Generated]:
    """Captions of pictures given by their pooled tokens (B, Q, D).

    ``options.beams`` of 1 is greedy. The text and multimodal halves run one
    token at a time against their caches; each picture's cross-attention keys
    are made once.

    Raises:
        UserError: the options ask for more tokens than the model's context holds.
    """
    context = model.config.text.context
    if not 1 <= options.max_tokens <= context - 1:
        raise UserError(
            f"A caption of {options.max_tokens} tokens cannot be written.",
            f"This model writes 1 to {context - 1}.",
        )
    if options.beams < 1:
        raise UserError("A caption search needs at least one beam.")
    if len(image_BQD) == 0:
        return []
    return _beam_search(model, image_BQD, options)


def _next_log_probabilities(
    model: CoCa, cache: _Cache, token_R: Tensor, position: int, options: GenerationOptions
) -> Tensor:
    """(R, V) log probabilities of the next token after feeding ``token_R``."""
    x, cache.unimodal = model.unimodal.step(token_R, position, cache.unimodal)
    logits, cache.multimodal = model.multimodal.step(x, cache.multimodal, cache.image)
    logits = logits.float()
    text = model.config.text
    logits[:, text.pad_id] = logits[:, text.begin_id] = -torch.inf
    if position < options.min_tokens:
        logits[:, text.end_id] = -torch.inf
    return logits.log_softmax(-1)


def _beam_search(model: CoCa, image_BQD: Tensor, options: GenerationOptions) -> list[Generated]:
    """Beam search over all pictures at once; one beam is greedy.

    A finished beam keeps its score and only continues with padding; candidates
    are compared by log probability over length ** ``length_penalty``.
    """
    batch, beams = len(image_BQD), options.beams
    text = model.config.text
    device = image_BQD.device
    image = model.multimodal.project_image(image_BQD.repeat_interleave(beams, 0))
    cache = _Cache(
        [None] * len(model.unimodal.layers), [None] * len(model.multimodal.layers), image
    )
    scores = torch.full((batch, beams), -torch.inf, device=device)
    scores[:, 0] = 0.0  # all beams start equal: only the first may branch
    ids = torch.zeros((batch, beams, 0), dtype=torch.long, device=device)
    token = torch.full((batch * beams,), text.begin_id, device=device)
    done = torch.zeros((batch, beams), dtype=torch.bool, device=device)
    length = torch.zeros((batch, beams), device=device)
    rows = torch.arange(batch, device=device)[:, None]
    for position in range(options.max_tokens):
        step = _next_log_probabilities(model, cache, token, position, options)
        step = step.view(batch, beams, -1)
        if options.no_repeat_ngram:
            _forbid_repeats(step, ids, options.no_repeat_ngram)
        vocabulary = step.shape[-1]
        step = torch.where(done[:, :, None], torch.full_like(step, -torch.inf), step)
        step[:, :, text.pad_id] = torch.where(done, 0.0, -torch.inf)
        new_length = length + (~done).float()
        total = scores[:, :, None] + step
        ranked = total / new_length.clamp(min=1)[:, :, None] ** options.length_penalty
        best = ranked.flatten(1).topk(beams, dim=1).indices
        parent, token_BK = best // vocabulary, best % vocabulary
        scores = total.flatten(1).gather(1, best)
        ids = torch.cat((ids[rows, parent], token_BK[:, :, None]), dim=2)
        length = new_length.gather(1, parent)
        done = done.gather(1, parent) | (token_BK == text.end_id)
        if bool(done[:, 0].all()) and (beams == 1 or bool(done.all())):
            break
        if beams > 1:
            cache.select((rows * beams + parent).flatten())
        token = token_BK.flatten()
    return _results(ids[:, 0], scores[:, 0], length[:, 0], text.end_id)


def _forbid_repeats(step_BKV: Tensor, ids_BKT: Tensor, size: int) -> None:
    """Removes tokens that would complete an n-gram which the caption already has."""
    if ids_BKT.shape[2] < size:
        return
    for picture, per_beam in enumerate(ids_BKT.tolist()):
        for beam, ids in enumerate(per_beam):
            tail = ids[len(ids) - size + 1 :]
            banned = [
                ids[start + size - 1]
                for start in range(len(ids) - size + 1)
                if ids[start : start + size - 1] == tail
            ]
            if banned:
                ids_N = torch.tensor(banned).to(step_BKV.device)
                step_BKV[picture, beam].index_fill_(0, ids_N, -torch.inf)


def _results(ids_BT: Tensor, score_B: Tensor, length_B: Tensor, end_id: int) -> list[Generated]:
    results = []
    for row, score, length in zip(
        ids_BT.tolist(), score_B.tolist(), length_B.tolist(), strict=True
    ):
        words = tuple(row[: row.index(end_id)] if end_id in row else row)
        results.append(Generated(ids=words, mean_log_probability=score / max(length, 1.0)))
    return results
