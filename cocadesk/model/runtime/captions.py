"""Captions of pictures: written, compared with the picture, and scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import Generated, generate_candidates
from cocadesk.model.runtime.torch import Pooled
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import Caption, GenerationOptions, Markers


class CaptionWriter:
    """Writes captions from what the poolers gave.

    ``embed`` gives the unit vectors (T, E) of texts by the same network.
    """

    def __init__(
        self,
        model: CoCa,
        tokenizer: TextTokenizer,
        markers: Markers,
        device: str,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._markers = markers
        self._device = device
        self._embed = embed

    def write(self, pooled: Pooled, options: GenerationOptions) -> list[Caption]:
        """A caption for each picture, the best by ``options`` of those that the beams left.

        Raises:
            UserError: the options ask for what the network cannot do.
        """
        vectors_BE, tokens_BQD = pooled
        tokens = torch.from_numpy(np.ascontiguousarray(tokens_BQD)).to(self._device)
        found = generate_candidates(self._model, tokens, options, self._markers)
        if not options.rerank_weight:
            found = [candidates[:1] for candidates in found]
        texts = [[self._tokenizer.decode(each.ids).strip() for each in some] for some in found]
        cosines: list[list[float]] = [[] for _ in found]
        if options.needs_cosine:
            cosines = self._cosines(vectors_BE, texts)
        return list(map(_chosen, found, texts, cosines, [options] * len(found)))

    def _cosines(
        self, vectors_BE: NDArray[np.float32], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """The cosine of each picture with each of its own texts."""
        vectors_TE = iter(self._embed([text for some in texts for text in some]))
        return [
            [float(vector_E @ next(vectors_TE)) for _ in some]
            for vector_E, some in zip(vectors_BE, texts, strict=True)
        ]


def _chosen(
    candidates: Sequence[Generated],
    texts: Sequence[str],
    cosines: Sequence[float],
    options: GenerationOptions,
) -> Caption:
    """The candidate that stands highest by rank and cosine; the first of equals."""
    fits = cosines or [0.0] * len(candidates)
    ranks = [
        each.rank + options.rerank_weight * fit for each, fit in zip(candidates, fits, strict=True)
    ]
    best = ranks.index(max(ranks))
    text, cosine = texts[best], cosines[best] if cosines else None
    log_probability = candidates[best].mean_log_probability
    return Caption(
        text=text[:1].upper() + text[1:],
        score=options.confidence.score(log_probability, cosine),
        log_probability=log_probability,
        cosine=cosine,
    )
