"""Captions of pictures: written, compared with the picture, and scored."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.model.network.config import Variant
from cocadesk.model.network.decoder import TextDecoder
from cocadesk.model.network.generation import Generated, Start, generate_candidates
from cocadesk.model.network.products import INT8
from cocadesk.model.runtime.step_threads import StepThreads
from cocadesk.model.runtime.torch import Pooled
from cocadesk.model.tokenizers.captions import prepare_caption
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import Caption, GenerationOptions, Markers, Opening

GOES_ON = (
    r"(?=$|[,.;:]| (?:(?!shaped\b|colou?red\b|sized\b)\w+(?:ing|ed|[^s]s)|above|across|against"
    r"|along|and|are|around|as|at|behind|below|beside|between|built|by|for|from|has|have|held|hung"
    r"|in|inside|into|is|lit|made|near|next|of|off|on|out|over|seen|set|shown|that|through|to"
    r"|under|up|was|were|which|while|who|with|without|worn)\b)"
)
"""The word after an opening that leaves its thing the one spoken of: a verb or a preposition.

Else the caption is of another: "a playground boy", "a drum player", "a bee shaped flower"; or
a piece went on with the word ("a coast" with "a coaster").
"""
_KEPT_NUMBERS = 100_000_000
"""Pictures are written together whose keys and values are so many numbers: 32 by CoCa B-32.

More would take memory (twice as many bytes in bfloat16) and gain little.
"""
LEAST_LIKELY = 1e-6
"""An opening is taken for as likely as this at least: none has a log probability of -inf."""


class CaptionWriter:
    """Writes captions from what the poolers gave.

    ``embed`` gives the unit vectors (T, E) of texts by the same network.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        tokenizer: TextTokenizer,
        markers: Markers,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
    ) -> None:
        self.decoder = decoder
        self._tokenizer = tokenizer
        self._markers = markers
        self._embed = embed

    def write(self, pooled: Pooled, options: GenerationOptions) -> list[Caption]:
        """A caption for each picture, the best by ``options`` of those that the searches left.

        Raises:
            UserError: the options ask for what the network cannot do.
        """
        vectors_BE, tokens_BQD = pooled
        found = self.search(tokens_BQD, options)
        if not options.rerank_weight:
            found = [candidates[:1] for candidates in found]
        written = [list(map(self._candidate, candidates)) for candidates in found]
        if options.needs_cosine:
            written = self._compared(vectors_BE, written)
        usual = [_best(some, options.rerank_weight) for some in written]
        if options.openings is not None and not options.prompt.strip():
            starts = self._starts(options.openings(vectors_BE), usual, options)
            opened = self._opened(tokens_BQD, starts, options)
            usual = self._better(vectors_BE, usual, opened, options)
        return [_caption(each, options) for each in usual]

    def search(
        self,
        tokens_BQD: NDArray[np.float32],
        options: GenerationOptions,
        starts: Sequence[Start] | None = None,
    ) -> list[list[Generated]]:
        """What the searches leave, as ``generate_candidates`` gives it.

        Raises:
            UserError: the options ask for what the network cannot do.
        """
        tokens = torch.from_numpy(np.ascontiguousarray(tokens_BQD)).to(self.decoder.device)
        if starts is not None:
            return self._generated(tokens, options, starts)
        prompt = self._prompt_ids(options)
        found: list[list[Generated]] = []
        most = max(1, _KEPT_NUMBERS // self.decoder.numbers_of_picture(tokens))
        for first in range(0, len(tokens), most):
            part = tokens[first : first + most]
            given = [
                Start(picture=picture, ids=prompt, log_probability=None if prompt else 0.0)
                for picture in range(len(part))
            ]
            found += self._generated(part, options, given)
        return found

    def _generated(
        self, tokens_BQD: torch.Tensor, options: GenerationOptions, starts: Sequence[Start]
    ) -> list[list[Generated]]:
        # Sums of whole numbers are exact, in whatever number of threads.
        with StepThreads(is_free=self.decoder.precision == INT8) as threads:
            return generate_candidates(
                self.decoder, tokens_BQD, options, self._markers, starts, between=threads.step
            )

    def _prompt_ids(self, options: GenerationOptions) -> tuple[int, ...]:
        """The ids of the beginning that is asked for, none where it is empty."""
        config, words = self.decoder.config, options.prompt.strip()
        if words and config.variant is not Variant.OPEN_CLIP:
            words = prepare_caption(words, lowercase=config.lowercase)
        if not words:
            return ()
        ids = tuple(self._tokenizer.encode(words, max(config.context, len(words) + 2))[1:-1])
        if len(ids) >= options.max_tokens:
            raise UserError(
                tr("The beginning of the captions is too long."),
                tr(
                    "It takes {ids} tokens, and a caption has {max_tokens} at most.",
                    ids=len(ids),
                    max_tokens=options.max_tokens,
                ),
                tr("Shorten it."),
            )
        return ids

    def _candidate(self, generated: Generated) -> _Candidate:
        return _Candidate(generated, self._tokenizer.decode(generated.ids).strip())

    def _compared(
        self, vectors_BE: NDArray[np.float32], written: Sequence[Sequence[_Candidate]]
    ) -> list[list[_Candidate]]:
        """The candidates with their cosines, each with its own picture's vector."""
        vectors_TE = iter(self._embed([each.text for some in written for each in some]))
        return [
            [replace(each, cosine=float(vector_E @ next(vectors_TE))) for each in some]
            for vector_E, some in zip(vectors_BE, written, strict=True)
        ]

    def _starts(
        self,
        openings: Sequence[Sequence[Opening]],
        usual: Sequence[_Candidate],
        options: GenerationOptions,
    ) -> dict[Start, str]:
        """The searches for openings of which the usual captions do not speak, by their words."""
        context, starts = self.decoder.config.context, dict[Start, str]()
        for picture, (some, caption) in enumerate(zip(openings, usual, strict=True)):
            for opening in some:
                ids = tuple(self._tokenizer.encode(opening.beginning, context)[1:-1])
                if len(ids) < options.max_tokens and not opening.is_named_in(caption.text):
                    likely = math.log(max(opening.probability, LEAST_LIKELY))
                    start = Start(picture=picture, ids=ids, log_probability=likely)
                    starts[start] = opening.beginning
        return starts

    def _opened(
        self,
        tokens_BQD: NDArray[np.float32],
        starts: Mapping[Start, str],
        options: GenerationOptions,
    ) -> list[list[_Candidate]]:
        """Of each picture all captions that begin so, without a phrase that comes again."""
        own = replace(options, no_repeat_phrases=True)
        searches = list(starts)
        found = self.search(tokens_BQD, own, searches)
        opened: list[list[_Candidate]] = [[] for _ in tokens_BQD]
        for (start, words), candidates in zip(starts.items(), found, strict=True):
            whole = re.compile(rf"{re.escape(words)}{GOES_ON}", re.IGNORECASE)
            for each in map(self._candidate, candidates):
                if whole.match(each.text):
                    opened[start.picture].append(each)
        return opened

    def _better(
        self,
        vectors_BE: NDArray[np.float32],
        usual: Sequence[_Candidate],
        opened: Sequence[Sequence[_Candidate]],
        options: GenerationOptions,
    ) -> list[_Candidate]:
        """The usual caption of each picture, or an opened one that fits it clearly better."""
        better = list(usual)
        rows = [row for row, some in enumerate(opened) if some]
        if not rows:
            return better
        compared = self._compared(vectors_BE[rows], [[usual[row], *opened[row]] for row in rows])
        for row, (before, *others) in zip(rows, compared, strict=True):
            best = _best(others, options.opening_weight, by_mean=True)
            if best.fit >= before.fit + options.opening_margin:
                better[row] = best if options.needs_cosine else replace(best, cosine=None)
        return better


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A caption that a search left, with its text; ``cosine`` where it was compared."""

    generated: Generated
    text: str
    cosine: float | None = None

    @property
    def fit(self) -> float:
        """The cosine, 0 where none was needed."""
        return self.cosine or 0.0


def _best(candidates: Sequence[_Candidate], weight: float, *, by_mean: bool = False) -> _Candidate:
    """The candidate that stands highest by likelihood and cosine; the first of equals.

    Ranks of searches that began otherwise cannot be compared; ``by_mean`` takes the mean log
    probability.
    """

    def value(each: _Candidate) -> float:
        own = each.generated
        return (own.mean_log_probability if by_mean else own.rank) + weight * each.fit

    return max(candidates, key=value)


def _caption(chosen: _Candidate, options: GenerationOptions) -> Caption:
    log_probability = chosen.generated.mean_log_probability
    return Caption(
        text=chosen.text[:1].upper() + chosen.text[1:],
        score=options.confidence.score(log_probability, chosen.cosine),
        log_probability=log_probability,
        cosine=chosen.cosine,
    )
