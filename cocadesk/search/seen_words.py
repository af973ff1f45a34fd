"""Words for what pictures show: of a place or a file named so, pictures may show anything else."""

from __future__ import annotations

from functools import lru_cache

from cocadesk.library.words import words_of
from cocadesk.resources import resource_path


@lru_cache(maxsize=1)
def seen_words() -> frozenset[str]:
    """The words of the shipped tags."""
    lines = resource_path("vocabulary", "default.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in words_of(line))
