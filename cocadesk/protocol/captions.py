"""The way in which new captions are written, as a person chooses it."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.protocol.base import Message


class CaptionLength(StrEnum):
    """The length of new captions; ``USUAL`` is what suits the model."""

    USUAL = "usual"
    SHORTER = "shorter"
    LONGER = "longer"


MOST_BEAMS = 12
LONGEST_PROMPT = 200
"""In letters."""


class CaptionWriting(Message, frozen=True):
    """The way in which new captions are written; those that there are stay as they are.

    ``beams``: so many wordings are followed at once, 1 to 12; more take longer and often say it
    better. 0 is as many as suit the model; so are 0 tokens and what is None.

    Each begins with ``prompt`` ("": with what fits). With a ``temperature`` above 0 each wording is
    drawn, from the ``top_k`` most probable tokens (0: all) and of these from the fewest that
    have a probability of ``top_p``; the same ``seed`` draws the same again. A token that a caption
    has is made less likely by a ``repetition_penalty`` above 1; ``no_repeat`` forbids so many
    tokens in a row to come again (0: allowed), ``no_repeat_phrases`` what followed an article.
    Wordings are compared by log probability / length ** ``length_penalty`` + ``rerank_weight`` *
    their cosine with the picture; ``length`` gives another ``length_penalty``.
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


USUAL_WRITING = CaptionWriting()
