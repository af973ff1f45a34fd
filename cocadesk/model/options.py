"""Options of caption writing; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """The way in which captions are written.

    ``beams`` 1 is greedy; three cost about three times as much and write better
    (CIDEr-D .47 for .45 with the first starter); ``max_tokens`` counts the end marker;
    ``no_repeat_ngram`` n forbids repeating any n tokens in a row (0: allowed).
    """

    beams: int = 3
    max_tokens: int = 32
    min_tokens: int = 3
    length_penalty: float = 0.6
    no_repeat_ngram: int = 3
