"""Rules of what may come next in a caption, and the drawing of it.

Shape letters: S searches, K beams of each, T tokens written, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cocadesk.model.values import GenerationOptions, Markers

_PIECE = 128
"""Logits whose largest one is found at once."""


def forbid_repeats(
    logits_SKV: Tensor, ids_SKT: Tensor, options: GenerationOptions, markers: Markers
) -> None:
    """Removes tokens that would complete an n-gram or a phrase which the caption already has."""
    size = options.no_repeat_ngram
    articles = frozenset(markers.articles if options.no_repeat_phrases else ())
    if not (articles or (size and ids_SKT.shape[2] >= size)):
        return
    for picture, per_beam in enumerate(ids_SKT.tolist()):
        for beam, ids in enumerate(per_beam):
            banned = _completions(ids, size) if size else []
            if articles and ids and ids[-1] in articles:
                banned += [ids[n] for n in range(1, len(ids)) if ids[n - 1] in articles]
            if banned:
                banned_N = torch.tensor(banned).to(logits_SKV.device)
                logits_SKV[picture, beam].index_fill_(0, banned_N, -torch.inf)


def _completions(ids: list[int], size: int) -> list[int]:
    """The tokens that followed earlier where the last ``size`` - 1 ids stood."""
    tail = ids[len(ids) - size + 1 :]
    return [
        ids[start + size - 1]
        for start in range(len(ids) - size + 1)
        if ids[start : start + size - 1] == tail
    ]


def penalise_repeats(logits_SKV: Tensor, ids_SKT: Tensor, penalty: float) -> None:
    """Makes tokens that a caption has less likely (Keskar et al. 2019, section 4.1)."""
    if penalty == 1.0 or not ids_SKT.shape[2]:
        return
    found = logits_SKV.gather(2, ids_SKT)
    logits_SKV.scatter_(2, ids_SKT, torch.where(found < 0, found * penalty, found / penalty))


def best_of(x: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The ``number`` largest of the last dimension, the largest first, and their places.

    As ``topk``, which takes three times as long for a few of a vocabulary: here it sees only
    the pieces whose own largest are among the largest.
    """
    *_, length = x.shape
    pieces = length // _PIECE
    if pieces <= 2 * number:
        value, place = x.topk(min(number, length), dim=-1)
        return value, place
    whole = pieces * _PIECE
    largest = x[..., :whole].view(*x.shape[:-1], pieces, _PIECE).amax(-1)
    first = largest.topk(number, dim=-1, sorted=False).indices * _PIECE
    inside = torch.arange(_PIECE, device=x.device)
    place = (first[..., None] + inside).flatten(-2)
    if whole < length:
        rest = torch.arange(whole, length, device=x.device)
        place = torch.cat((place, rest.expand(*place.shape[:-1], -1)), dim=-1)
    value, best = x.gather(-1, place).topk(number, dim=-1)
    return value, place.gather(-1, best)


def drawn(logits_SKV: Tensor, options: GenerationOptions, chance: torch.Generator | None) -> Tensor:
    """One token (S, K, 1) of each beam, drawn at the options' temperature.

    From the ``top_k`` most likely ones (0: all), and of these from the fewest that together
    have a probability of ``top_p`` (Holtzman et al. 2020).
    """
    probability = (logits_SKV / options.temperature).softmax(-1)
    if options.top_k or options.top_p < 1:
        most = min(options.top_k or probability.shape[-1], probability.shape[-1])
        best, token = probability.topk(most, dim=-1)
        best = best / best.sum(-1, keepdim=True)
        best = best.masked_fill(best.cumsum(-1) - best >= options.top_p, 0.0)
        place = torch.multinomial(best.flatten(0, 1), 1, generator=chance)
        return token.gather(2, place.view(*token.shape[:2], 1))
    place = torch.multinomial(probability.flatten(0, 1), 1, generator=chance)
    return place.view(*probability.shape[:2], 1)
