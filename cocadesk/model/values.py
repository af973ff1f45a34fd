"""Values at the model's door besides arrays; importable without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from cocadesk.errors import UserError, tr
from cocadesk.model.confidence import Confidence
from cocadesk.model.tag_constants import TagConstants
from cocadesk.picture_input import InputSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SENTENCE = "sentence"
#: A word of a caption, with hyphens and apostrophes.
WORD = r"[\w'-]+"
#: The styles that a caption may have. Every network writes sentences; the others need a marker.
STYLES = (SENTENCE, "short", "alt text")


def unknown_style(style: str, known: Iterable[str]) -> UserError:
    """The error for captions in a style that a network does not know."""
    return UserError(
        tr("This model cannot write captions in the style “{style}”.", style=style),
        tr("It knows: {known}.", known=", ".join(known)),
        tr("Choose one of these, or another model."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The network that answers: its input, its device and the reason for it.

    ``caption_precision`` is that in which it writes captions ("" before it has),
    ``styles`` are those of ``STYLES`` in which it does,
    ``tagging`` the constants that were fitted to its vectors. One that is not ``is_for_search``
    or not ``is_for_captions`` does the other alone. One that ``is_multilingual`` reads texts in
    any script; the others know English. Where it is not ``is_prepared`` the next pictures wait
    until it has been converted and compared with others, once on a computer; so do captions
    where ``are_captions_prepared`` says no.
    """

    name: str
    model_id: str
    image_id: str
    embedding_dim: int
    input_spec: InputSpec
    device: str
    precision: str
    reason: str
    caption_precision: str = ""
    styles: tuple[str, ...] = (SENTENCE,)
    tagging: TagConstants = field(default_factory=TagConstants)
    is_for_search: bool = True
    is_for_captions: bool = True
    is_multilingual: bool = False
    is_prepared: bool = True
    are_captions_prepared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """Ids of a vocabulary that captions treat apart.

    ``styles`` gives the id that stands before a caption of each style, ``unwritten`` are
    never written, and after an ``article`` a noun phrase begins.
    """

    styles: Mapping[str, int] = field(default_factory=dict)
    unwritten: tuple[int, ...] = ()
    articles: tuple[int, ...] = ()

    @staticmethod
    def of(id_of: Callable[[str], int | None]) -> Markers:
        """The markers of a vocabulary that gives the ids of pieces: all styles or none."""
        styles = {style: id_of(f"<{style}>") for style in STYLES}
        known = {style: found for style, found in styles.items() if found is not None}
        known = known if len(known) == len(STYLES) else {}
        unknown = id_of("[UNK]")
        articles = (_whole_word(id_of, article) for article in ("a", "an", "the"))
        return Markers(
            styles=known,
            unwritten=(*known.values(), *([] if unknown is None else [unknown])),
            articles=tuple(found for found in articles if found is not None),
        )


def _whole_word(id_of: Callable[[str], int | None], word: str) -> int | None:
    """The id of a word with its edge, as our byte pairs, CLIP's and word pieces spell it."""
    ids = map(id_of, (f"\u0120{word}", f"{word}</w>", word))
    return next((found for found in ids if found is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A beginning for captions of a picture that shows a thing.

    ``probability`` is that of the thing in the picture. A caption that holds one of ``names``
    speaks of it already.
    """

    beginning: str
    names: frozenset[str]
    probability: float

    def is_named_in(self, caption: str) -> bool:
        """True where the caption has one of the names as whole words."""
        words = f" {' '.join(re.findall(WORD, caption.lower()))} "
        return any(f" {name} " in words for name in self.names)


class Openings(Protocol):
    """Gives the openings for pictures by their unit vectors (B, E), the best first."""

    def __call__(self, vectors_BE: NDArray[np.float32], /) -> Sequence[Sequence[Opening]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A written caption; ``score`` is its confidence, 0 to 1 (see ``Confidence``).

    ``log_probability`` is the mean of its tokens. ``cosine`` with the picture is there
    where the options need it.
    """

    text: str
    score: float
    log_probability: float = 0.0
    cosine: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WordHeat:
    """A word of a caption, as the network reads it, and where in pictures it comes from.

    ``heat_BYX`` is (B, h, w) float32 of 0 to 1, rows from the top of the model's input; as
    ``Backend.explain``'s.
    """

    word: str
    heat_BYX: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """The way in which captions are written.

    ``beams`` 1 is greedy; three cost about three times as much and write better;
    ``max_tokens`` counts the end marker;
    ``no_repeat_ngram`` n forbids repeating any n tokens in a row (0: allowed);
    ``no_repeat_phrases`` forbids what followed an article to follow one again. Of the beams
    that are left, the one is taken whose log probability / length ** ``length_penalty`` +
    ``rerank_weight`` * its cosine with the picture is highest (weight 0: no text is embedded).

    Each caption begins with ``prompt`` ("": with what fits), whose tokens count for
    ``max_tokens`` and not for its likelihood; with one there are no ``openings``. A token that
    a caption has is made less likely by ``repetition_penalty`` above 1. With a ``temperature``
    above 0 each of the ``beams`` is drawn by itself, from the ``top_k`` likeliest tokens
    (0: all) and of these from the fewest that have a probability of ``top_p``; the same ``seed``
    draws the same again.

    With ``openings``, captions are also written that begin with these words, where that one
    does not speak of the thing. The best of them by mean log probability + ``opening_weight``
    * cosine takes its place if its cosine is higher by ``opening_margin`` (on 1,000
    photos of Flickr8k's dev set CIDEr-D .553 for .551 without openings, with nearly this starter).
    """

    beams: int = 3
    max_tokens: int = 32
    min_tokens: int = 3
    length_penalty: float = 0.6
    no_repeat_ngram: int = 3
    no_repeat_phrases: bool = False
    style: str = SENTENCE
    prompt: str = ""
    repetition_penalty: float = 1.0
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    rerank_weight: float = 0.0
    confidence: Confidence = field(default_factory=Confidence)
    openings: Openings | None = None
    opening_weight: float = 5.0
    opening_margin: float = 0.08

    @property
    def needs_cosine(self) -> bool:
        """True where captions are compared with their pictures."""
        return self.rerank_weight != 0 or self.confidence.cosine != 0


class CaptionLength(StrEnum):
    """The length of captions beside what suits the model."""

    USUAL = "usual"
    SHORTER = "shorter"
    LONGER = "longer"


_SHORT_PENALTY = -1.0
_LONG_PENALTY = 1.0
_LONG_TOKENS = 12
_HIGHEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A person's wishes about new captions, as ``GenerationOptions`` has them.

    0 beams or tokens, and what is None, are as suits the model. A ``length_penalty`` counts
    more than the ``length``.
    """

    length: CaptionLength = CaptionLength.USUAL
    beams: int = 0
    prompt: str = ""
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    repetition_penalty: float = 1.0
    no_repeat: int | None = None
    no_repeat_phrases: bool = False
    min_tokens: int = 0
    max_tokens: int = 0
    length_penalty: float | None = None
    rerank_weight: float | None = None

    def applied(self, usual: GenerationOptions) -> GenerationOptions:
        """The options of a model with these wishes."""
        wished = self._in_length(usual)
        wished = replace(
            wished,
            beams=self.beams or usual.beams,
            prompt=self.prompt,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            seed=self.seed,
            repetition_penalty=self.repetition_penalty,
            no_repeat_phrases=self.no_repeat_phrases or usual.no_repeat_phrases,
            no_repeat_ngram=_chosen(self.no_repeat, usual.no_repeat_ngram),
            max_tokens=self.max_tokens or usual.max_tokens,
            min_tokens=self.min_tokens or wished.min_tokens,
            length_penalty=_chosen(self.length_penalty, wished.length_penalty),
            rerank_weight=_chosen(self.rerank_weight, usual.rerank_weight),
        )
        if self.min_tokens or wished.min_tokens <= wished.max_tokens:
            return wished
        return replace(wished, min_tokens=wished.max_tokens)  # nobody asked for more

    def _in_length(self, usual: GenerationOptions) -> GenerationOptions:
        if self.length is CaptionLength.SHORTER:
            return replace(usual, length_penalty=_SHORT_PENALTY)
        if self.length is CaptionLength.LONGER:
            return replace(usual, length_penalty=_LONG_PENALTY, min_tokens=_LONG_TOKENS)
        return usual


_Number = TypeVar("_Number", int, float)


def _chosen(wished: _Number | None, usual: _Number) -> _Number:
    return usual if wished is None else wished


def check_options(options: GenerationOptions) -> None:
    """Looks at what no network can do.

    Raises:
        UserError: an option is out of its range.
    """
    if options.beams < 1:
        raise UserError(tr("A caption search needs at least one beam."))
    if not (0 <= options.temperature <= _HIGHEST and 0 < options.top_p <= 1 and options.top_k >= 0):
        raise UserError(
            tr("Captions cannot be drawn so."),
            tr(
                "The temperature is 0 to {highest}, top-k 0 or more, top-p above 0 and at most 1.",
                highest=_HIGHEST,
            ),
        )
    if not 0 <= options.seed < 2**63:
        raise UserError(
            tr("Captions cannot be drawn by the seed {seed}.", seed=options.seed),
            tr("A seed is a whole number from 0 on, with at most 18 digits."),
        )
    if not 0 < options.repetition_penalty <= _HIGHEST:
        raise UserError(
            tr(
                "A repetition penalty is above 0 and at most {highest}; 1 changes nothing.",
                highest=_HIGHEST,
            )
        )
    if options.no_repeat_ngram < 0 or not 0 <= options.min_tokens <= options.max_tokens:
        raise UserError(
            tr("Captions cannot be so long."),
            tr(
                "The least of tokens is {least} and the most {most}.",
                least=options.min_tokens,
                most=options.max_tokens,
            ),
            tr("Numbers of tokens are 0 or more, and the least is not above the most."),
        )
    if not all(map(math.isfinite, (options.length_penalty, options.rerank_weight))):
        raise UserError(tr("Wordings cannot be compared by what is no number."))


USUAL_WRITING = Writing()


def usual_writing(info: ModelInfo) -> GenerationOptions:
    """The way in which a model's captions are written where nothing else is asked for.

    The starter, which brings constants of its own, gains by five beams that are compared with
    the picture (on the 1,000 photos of Flickr8k's dev set CIDEr-D .561 for .529 where they are
    not); with other networks, on which they cost more, they were not measured.
    """
    if not info.tagging.are_fitted:
        return GenerationOptions()
    return GenerationOptions(beams=5, rerank_weight=10.0, confidence=info.tagging.captions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLimits:
    """The sizes from which another runtime is worth its start, as measured.

    A ViT narrower than ``large_vit`` runs as fast in torch as in OpenVINO: converting it
    would cost more than it gains. OpenVINO is taken only where its vectors agree with
    torch's by ``min_cosine``, and bfloat16 where they agree with float32's by
    ``min_half_cosine``: 300 photos agreed by .9995 and more where the made-up test pictures
    gave .9996, and by .9936 where those gave .9992. Captions by a text decoder of
    ``large_decoder`` or wider are written in int8 or bfloat16, whichever is faster, where their
    words are less likely, by float32, by at most ``max_caption_loss`` a token (below 0: never).
    NumPy answers a query; ``many_texts`` at once for a text tower of ``large_text_tower`` or
    wider are worth loading torch.
    """

    large_vit: int = 512
    large_decoder: int = 512
    max_caption_loss: float = 0.02
    min_cosine: float = 0.9999
    min_half_cosine: float = 0.9995
    many_texts: int = 48
    large_text_tower: int = 512
