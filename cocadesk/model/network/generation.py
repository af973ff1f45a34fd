"""Captions: greedy and beam search with a key/value cache, exact token for token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from cocadesk.errors import UserError, tr
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import TextConfig
from cocadesk.model.network.decoder import Decoding, TextDecoder
from cocadesk.model.network.next_tokens import best_of, drawn, forbid_repeats, penalise_repeats
from cocadesk.model.network.products import plain_arithmetic
from cocadesk.model.values import (
    SENTENCE,
    GenerationOptions,
    Markers,
    check_options,
    unknown_style,
)

_LEAVING = 4
"""Searches that are over leave the batch when they are one of so many: leaving costs a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A caption's ids and log probabilities.

    ``ids`` begin after the begin marker and the style's, and end before the end marker.
    By ``rank`` beams are compared.
    """

    ids: tuple[int, ...]
    mean_log_probability: float
    rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first ids of a caption of the picture at ``picture``, which are not searched for.

    They count as one token of this ``log_probability``: to the text half alone a name is
    always unlikely, however well it fits the picture. None: they do not count.
    """

    picture: int
    ids: tuple[int, ...] = ()
    log_probability: float | None = 0.0

    @property
    def counts(self) -> int:
        """The tokens that the beginning counts as."""
        return 0 if self.log_probability is None else min(len(self.ids), 1)


def generate(
    model: CoCa | TextDecoder,
    image_BQD: Tensor,
    options: GenerationOptions,
    markers: Markers | None = None,
) -> list[Generated]:
    """The best caption of each picture by the text alone; see ``generate_candidates``."""
    return [found[0] for found in generate_candidates(model, image_BQD, options, markers)]


@torch.inference_mode()
def generate_candidates(
    model: CoCa | TextDecoder,
    image_BQD: Tensor,
    options: GenerationOptions,
    markers: Markers | None = None,
    starts: Sequence[Start] | None = None,
    *,
    between: Callable[[], object] = lambda: None,
) -> list[list[Generated]]:
    """Captions of pictures given by their pooled tokens (B, Q, D): of each all beams, best first.

    ``options.beams`` of 1 is greedy. ``model`` may be its decoder alone, made ready before.
    The text and multimodal halves run one token at a time against their caches; each
    picture's cross-attention keys are made once. ``markers`` are the tokenizer's; with
    styles, the begin marker is followed by the style's. With ``starts`` there is one search
    for each of them, in their order, instead of one for each picture. ``between`` is called
    before each token.

    Raises:
        UserError: the options ask for more tokens than the model's context holds, or for a
            style that it does not know.
    """
    markers = markers or Markers()
    decoder = model if isinstance(model, TextDecoder) else decoder_of(model)
    prompt = _prompt(decoder.config, options, markers)
    room = decoder.config.context - len(prompt)
    if not 1 <= options.max_tokens <= room:
        raise UserError(
            tr(
                "A caption of {max_tokens} tokens cannot be written.", max_tokens=options.max_tokens
            ),
            tr("This model writes 1 to {room}.", room=room),
        )
    check_options(options)
    if starts is None:
        starts = [Start(picture=picture) for picture in range(len(image_BQD))]
    if not starts:
        return []
    return _Search(decoder, options, markers, starts).captions(image_BQD, prompt, between)


def decoder_of(model: CoCa, dtype: torch.dtype = torch.float32) -> TextDecoder:
    """The network's decoder, which shares its weights.

    ``dtype`` is that of products; weights that have it already are not copied, but for those of
    self-attention: one product takes query, key and value.
    """
    state = dict(model.named_parameters(remove_duplicate=False))
    arithmetic = None if dtype is torch.float32 else plain_arithmetic(dtype)
    return TextDecoder(model.config.text, state, arithmetic)


@torch.inference_mode()
def next_log_probabilities(
    decoder: TextDecoder, image_BQD: Tensor, captions: Sequence[Sequence[int]]
) -> Tensor:
    """(B, T, V): those of each token of a caption by what stands before it.

    Captions are ids of equal length. Only tokens with which a caption may go on have one above
    -inf, as where none may end yet.
    """
    text = decoder.config
    ids_BT = torch.tensor([[text.begin_id, *ids] for ids in captions])
    ids_BT = ids_BT.to(decoder.device)
    writing = Decoding(decoder, image_BQD, ids_BT.shape[1])
    found = []
    for place in range(ids_BT.shape[1] - 1):
        logits = writing.feed(ids_BT[:, place : place + 1])[:, 0]
        logits[:, [text.pad_id, text.begin_id, text.end_id]] = -torch.inf
        found.append(logits.log_softmax(-1))
    return torch.stack(found, dim=1)


def _prompt(text: TextConfig, options: GenerationOptions, markers: Markers) -> list[int]:
    """The ids before the first that is written.

    Raises:
        UserError: the model does not know the style.
    """
    begin = text.begin_id
    if options.style in markers.styles:
        return [begin, markers.styles[options.style]]
    if options.style == SENTENCE and not markers.styles:
        return [begin]
    raise unknown_style(options.style, markers.styles or (SENTENCE,))


class _Search:
    """Beam search over all starts at once; one beam is greedy.

    A finished beam keeps its score and only continues with padding, and a start whose beams
    are all finished leaves the others; candidates are compared by log probability over
    length ** ``length_penalty``.
    """

    def __init__(
        self,
        decoder: TextDecoder,
        options: GenerationOptions,
        markers: Markers,
        starts: Sequence[Start],
    ) -> None:
        self._decoder = decoder
        self._options = options
        self._markers = markers
        text, device = decoder.config, decoder.device
        unwritten = [text.pad_id, text.begin_id, *markers.unwritten]
        self._unwritten = torch.tensor(unwritten).to(device)
        self._starts = list(starts)
        batch, beams = len(starts), options.beams
        scores = torch.full((batch, beams), -torch.inf)
        # All beams start equal: only the first may branch, unless each draws for itself.
        own = slice(None) if options.temperature else slice(1)
        scores[:, own] = torch.tensor([[start.log_probability or 0.0] for start in starts])
        length = torch.tensor([[start.counts] for start in starts])
        self._numbers = list(range(batch))
        self._chance = (
            torch.Generator(device).manual_seed(options.seed) if options.temperature else None
        )
        self._beams = _Beams(
            ids=torch.zeros((batch, beams, 0), dtype=torch.long, device=device),
            score=scores.to(device),
            length=length.float().repeat(1, beams).to(device),
            rank=scores.to(device),
            done=torch.zeros((batch, beams), dtype=torch.bool, device=device),
        )

    def captions(
        self, image_BQD: Tensor, prompt: Sequence[int], between: Callable[[], object]
    ) -> list[list[Generated]]:
        """The beams of each start, best first."""
        beams, device = self._options.beams, self._decoder.device
        writing = Decoding(self._decoder, image_BQD, len(prompt) + self._options.max_tokens)
        for marker in prompt:  # all beams are still equal: one row a picture is enough
            logits = writing.feed(torch.full((len(image_BQD), 1), marker, device=device))
        pictures = torch.tensor([start.picture for start in self._starts]).to(device)
        writing.spread(pictures, beams)
        logits = logits[pictures].repeat(1, beams, 1)
        found: dict[int, list[Generated]] = {}
        for position in range(self._options.max_tokens):
            between()
            if position:
                logits = writing.feed(self._beams.ids[:, :, -1])
            parent_SK = self._advance(logits, position)
            is_over_S = self._beams.done.all(1)
            over = int(is_over_S.sum())
            if over == len(is_over_S):
                break
            writing.follow(parent_SK)
            if over * _LEAVING >= len(is_over_S):
                self._take_out(is_over_S, found)
                writing.keep((~is_over_S).nonzero()[:, 0])
        self._take_out(torch.ones_like(self._beams.done[:, 0]), found)
        return [found[number] for number in range(len(found))]

    def _advance(self, logits_SKV: Tensor, position: int) -> Tensor:
        """Adds the best next token to each beam; gives the beams (S, K) that these go on from."""
        was, options = self._beams, self._options
        step_SKC, token_SKC = self._candidates(logits_SKV, position)
        is_given = [position < len(start.ids) for start in self._starts]
        for row, start in enumerate(self._starts):
            if is_given[row]:  # leaves only the given token, at no cost
                step_SKC[row], token_SKC[row] = -torch.inf, start.ids[position]
                step_SKC[row, :, 0] = 0.0
        counts = ~(was.done | torch.tensor(is_given).to(was.done.device)[:, None])
        length = was.length + counts
        total = was.score[:, :, None] + step_SKC
        ranked = total / length.clamp(min=1)[:, :, None] ** options.length_penalty
        if options.temperature:  # each beam goes on by itself
            best = torch.arange(options.beams, device=total.device).expand(len(total), -1)
            rank = ranked.flatten(1)
        else:
            rank, best = ranked.flatten(1).topk(options.beams, dim=1)
        parent = best // step_SKC.shape[2]
        token = token_SKC.flatten(1).gather(1, best)
        rows = torch.arange(len(parent), device=parent.device)[:, None]
        self._beams = _Beams(
            ids=torch.cat((was.ids[rows, parent], token[:, :, None]), dim=2),
            score=total.flatten(1).gather(1, best),
            length=length.gather(1, parent),
            rank=rank,
            done=was.done.gather(1, parent) | (token == self._decoder.config.end_id),
        )
        return parent

    def _candidates(self, logits_SKV: Tensor, position: int) -> tuple[Tensor, Tensor]:
        """Log probabilities and ids (S, K, C) of as many next tokens as there are beams.

        A beam's best ones are enough: no other can be among the best of all. Of a beam that
        is drawn it is one.
        """
        text, options, done = self._decoder.config, self._options, self._beams.done
        logits_SKV.index_fill_(2, self._unwritten, -torch.inf)
        if position < options.min_tokens:
            logits_SKV[:, :, text.end_id] = -torch.inf
        penalise_repeats(logits_SKV, self._beams.ids, options.repetition_penalty)
        whole = logits_SKV.logsumexp(-1, keepdim=True)
        forbid_repeats(logits_SKV, self._beams.ids, options, self._markers)
        if options.temperature:
            token = drawn(logits_SKV, options, self._chance)
            value = logits_SKV.gather(2, token)
        else:
            value, token = best_of(logits_SKV, min(options.beams, logits_SKV.shape[2]))
        step = (value - whole).masked_fill(done[:, :, None], -torch.inf)
        step[:, :, 0] = step[:, :, 0].masked_fill(done, 0.0)
        return step, token.masked_fill(done[:, :, None], text.pad_id)

    def _take_out(self, rows_S: Tensor, found: dict[int, list[Generated]]) -> None:
        """Ends these searches."""
        taken, left = self._beams.rows(rows_S), self._beams.rows(~rows_S)
        is_taken = rows_S.tolist()
        numbers = [n for n, taken in zip(self._numbers, is_taken, strict=True) if taken]
        found |= zip(numbers, taken.results(self._decoder.config.end_id), strict=True)
        self._numbers = [n for n, taken in zip(self._numbers, is_taken, strict=True) if not taken]
        self._starts = [s for s, taken in zip(self._starts, is_taken, strict=True) if not taken]
        self._beams = left


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beams:
    """All searches' beams: ids (S, K, T), the rest (S, K)."""

    ids: Tensor
    score: Tensor
    length: Tensor
    rank: Tensor
    done: Tensor

    def rows(self, rows_S: Tensor) -> _Beams:
        """Those of some searches."""
        return _Beams(**{part.name: getattr(self, part.name)[rows_S] for part in fields(self)})

    def results(self, end_id: int) -> list[list[Generated]]:
        """The beams of each search, best first; one that never branched off is none."""
        results = []
        parts = (self.ids, self.score, self.length, self.rank)
        for beams in zip(*(part.tolist() for part in parts), strict=True):
            found = [
                Generated(
                    ids=tuple(row[: row.index(end_id)] if end_id in row else row),
                    mean_log_probability=score / max(length, 1.0),
                    rank=rank,
                )
                for row, score, length, rank in zip(*beams, strict=True)
            ]
            found.sort(key=lambda each: -each.rank)
            results.append([found[0], *(o for o in found[1:] if o.rank > -torch.inf)])
        return results
