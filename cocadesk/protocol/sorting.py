"""The orders in which lists can be asked for."""

from __future__ import annotations

from enum import StrEnum


class SortKey(StrEnum):
    """The value by which a list is sorted.

    RELEVANCE: its own order: the best match first; without words, that of the one album that
    is asked for, else the newest first. TAKEN: by the time of the file where nothing else is
    known. Names begin with the first letter (img2 before img10), all else with the best,
    newest or largest. Media without the value come last, also where a list is turned round.
    """

    RELEVANCE = "relevance"
    TAKEN = "taken"
    ADDED = "added"
    NAME = "name"
    SIZE = "size"
    RATING = "rating"


BY_TIME = (SortKey.RELEVANCE, SortKey.TAKEN)
"""The orders in which lists without words are those of time."""
