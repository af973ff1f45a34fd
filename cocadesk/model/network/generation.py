"""Captions: greedy and beam search with a key/value cache, exact token for token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.layers import KeyValue
from cocadesk.model.values import SENTENCE, GenerationOptions, Markers, unknown_style


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
    always unlikely, however well it fits the picture.
    """

    picture: int
    ids: tuple[int, ...] = ()
    log_probability: float = 0.0


class _Decoder:
    """Both text halves fed one token at a time; keys and values of all layers are kept.

    Rows are pictures, later beams, which are reordered as they move.
    """

    def __init__(self, model: CoCa, image_BQD: Tensor) -> None:
        self._model = model
        self._position = 0
        self._unimodal: list[KeyValue | None] = [None] * len(model.unimodal.layers)
        self._multimodal: list[KeyValue | None] = [None] * len(model.multimodal.layers)
        self._image = model.multimodal.project_image(image_BQD)

    def feed(self, token_R: Tensor) -> Tensor:
        """(R, V) float32 logits of the next token after these."""
        x, self._unimodal = self._model.unimodal.step(token_R, self._position, self._unimodal)
        logits, self._multimodal = self._model.multimodal.step(x, self._multimodal, self._image)
        self._position += 1
        return logits.float()

    def select(self, rows: Tensor) -> None:
        """Goes on with these rows; beams stay with their picture."""
        self._unimodal = [_rows(kept, rows) for kept in self._unimodal]
        self._multimodal = [_rows(kept, rows) for kept in self._multimodal]

    def spread(self, rows: Tensor) -> None:
        """Goes on with these rows, the pictures among them; one may stand there many times."""
        self.select(rows)
        self._image = [(key[rows], value[rows]) for key, value in self._image]


def _rows(kept: KeyValue | None, rows: Tensor) -> KeyValue | None:
    return None if kept is None else (kept[0][rows], kept[1][rows])


def generate(
    model: CoCa, image_BQD: Tensor, options: GenerationOptions, markers: Markers | None = None
) -> list[Generated]:
    """The best caption of each picture by the text alone; see ``generate_candidates``."""
    return [found[0] for found in generate_candidates(model, image_BQD, options, markers)]


@torch.inference_mode()
def generate_candidates(
    model: CoCa,
    image_BQD: Tensor,
    options: GenerationOptions,
    markers: Markers | None = None,
    starts: Sequence[Start] | None = None,
) -> list[list[Generated]]:
    """Captions of pictures given by their pooled tokens (B, Q, D): of each all beams, best first.

    ``options.beams`` of 1 is greedy. The text and multimodal halves run one
    token at a time against their caches; each picture's cross-attention keys
    are made once. ``markers`` are the tokenizer's; with styles, the begin marker is
    followed by the style's. With ``starts`` there is one search for each of them, in their
    order, instead of one for each picture.

    Raises:
        UserError: the options ask for more tokens than the model's context holds, or for a
            style that it does not know.
    """
    markers = markers or Markers()
    prompt = _prompt(model, options, markers)
    room = model.config.text.context - len(prompt)
    if not 1 <= options.max_tokens <= room:
        raise UserError(
            f"A caption of {options.max_tokens} tokens cannot be written.",
            f"This model writes 1 to {room}.",
        )
    if options.beams < 1:
        raise UserError("A caption search needs at least one beam.")
    if starts is None:
        starts = [Start(picture=picture) for picture in range(len(image_BQD))]
    if not starts:
        return []
    return _beam_search(model, image_BQD, options, markers, prompt, starts)


def _prompt(model: CoCa, options: GenerationOptions, markers: Markers) -> list[int]:
    """The ids before the first that is written.

    Raises:
        UserError: the model does not know the style.
    """
    begin = model.config.text.begin_id
    if options.style in markers.styles:
        return [begin, markers.styles[options.style]]
    if options.style == SENTENCE and not markers.styles:
        return [begin]
    raise unknown_style(options.style, markers.styles or (SENTENCE,))


def _beam_search(
    model: CoCa,
    image_BQD: Tensor,
    options: GenerationOptions,
    markers: Markers,
    prompt: list[int],
    starts: Sequence[Start],
) -> list[list[Generated]]:
    """Beam search over all starts at once; one beam is greedy.

    A finished beam keeps its score and only continues with padding; candidates
    are compared by log probability over length ** ``length_penalty``.
    """
    batch, beams = len(starts), options.beams
    text = model.config.text
    device = image_BQD.device
    decoder = _Decoder(model, image_BQD)
    for marker in prompt:  # all beams are still equal: one row a picture is enough
        logits = decoder.feed(torch.full((len(image_BQD),), marker, device=device))
    pictures = torch.tensor([start.picture for start in starts]).to(device)
    pictures = pictures.repeat_interleave(beams)
    decoder.spread(pictures)
    logits = logits[pictures]
    unwritten = torch.tensor([text.pad_id, text.begin_id, *markers.unwritten]).to(device)
    scores = torch.full((batch, beams), -torch.inf, device=device)
    # All beams start equal: only the first may branch.
    scores[:, 0] = torch.tensor([start.log_probability for start in starts]).to(device)
    ids = torch.zeros((batch, beams, 0), dtype=torch.long, device=device)
    done = torch.zeros((batch, beams), dtype=torch.bool, device=device)
    length = torch.tensor([[min(len(start.ids), 1)] for start in starts]).to(device)
    length = length.float().repeat(1, beams)
    rows = torch.arange(batch, device=device)[:, None]
    for position in range(options.max_tokens):
        if position:
            logits = decoder.feed(ids[:, :, -1].flatten())
        logits.index_fill_(1, unwritten, -torch.inf)
        if position < options.min_tokens:
            logits[:, text.end_id] = -torch.inf
        step = logits.log_softmax(-1).view(batch, beams, -1)
        _forbid_repeats(step, ids, options, markers)
        is_given_B1 = _give(step, starts, position)
        vocabulary = step.shape[-1]
        step = torch.where(done[:, :, None], torch.full_like(step, -torch.inf), step)
        step[:, :, text.pad_id] = torch.where(done, 0.0, -torch.inf)
        new_length = length + (~done & ~is_given_B1).float()
        total = scores[:, :, None] + step
        ranked = total / new_length.clamp(min=1)[:, :, None] ** options.length_penalty
        ranks, best = ranked.flatten(1).topk(beams, dim=1)
        parent, token_BK = best // vocabulary, best % vocabulary
        scores = total.flatten(1).gather(1, best)
        ids = torch.cat((ids[rows, parent], token_BK[:, :, None]), dim=2)
        length = new_length.gather(1, parent)
        done = done.gather(1, parent) | (token_BK == text.end_id)
        if bool(done.all()):
            break
        if beams > 1:
            decoder.select((rows * beams + parent).flatten())
    return _results(ids, scores, length, ranks, text.end_id)


def _give(step_BKV: Tensor, starts: Sequence[Start], position: int) -> Tensor:
    """Leaves only the given token, at no cost, where a start has one here; (B, 1), True there."""
    given = [n for n, start in enumerate(starts) if position < len(start.ids)]
    is_given_B1 = torch.zeros((len(starts), 1), dtype=torch.bool, device=step_BKV.device)
    if given:
        is_given_B1[given] = True
        step_BKV[given] = -torch.inf
        for n in given:
            step_BKV[n, :, starts[n].ids[position]] = 0.0
    return is_given_B1


def _forbid_repeats(
    step_BKV: Tensor, ids_BKT: Tensor, options: GenerationOptions, markers: Markers
) -> None:
    """Removes tokens that would complete an n-gram or a phrase which the caption already has."""
    size = options.no_repeat_ngram
    articles = frozenset(markers.articles if options.no_repeat_phrases else ())
    if not (articles or (size and ids_BKT.shape[2] >= size)):
        return
    for picture, per_beam in enumerate(ids_BKT.tolist()):
        for beam, ids in enumerate(per_beam):
            banned = _completions(ids, size) if size else []
            if articles and ids and ids[-1] in articles:
                banned += [ids[n] for n in range(1, len(ids)) if ids[n - 1] in articles]
            if banned:
                ids_N = torch.tensor(banned).to(step_BKV.device)
                step_BKV[picture, beam].index_fill_(0, ids_N, -torch.inf)


def _completions(ids: list[int], size: int) -> list[int]:
    """The tokens that followed earlier where the last ``size`` - 1 ids stood."""
    tail = ids[len(ids) - size + 1 :]
    return [
        ids[start + size - 1]
        for start in range(len(ids) - size + 1)
        if ids[start : start + size - 1] == tail
    ]


def _results(
    ids_BKT: Tensor, score_BK: Tensor, length_BK: Tensor, rank_BK: Tensor, end_id: int
) -> list[list[Generated]]:
    """The beams of each picture; one that never branched off is none."""
    results = []
    for beams in zip(
        ids_BKT.tolist(), score_BK.tolist(), length_BK.tolist(), rank_BK.tolist(), strict=True
    ):
        found = [
            Generated(
                ids=tuple(row[: row.index(end_id)] if end_id in row else row),
                mean_log_probability=score / max(length, 1.0),
                rank=rank,
            )
            for row, score, length, rank in zip(*beams, strict=True)
        ]
        results.append([found[0], *(other for other in found[1:] if other.rank > -torch.inf)])
    return results
