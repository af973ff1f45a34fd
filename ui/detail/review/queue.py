"""The photos of a review in their order, what was done with each, and how long the rest takes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from enum import Enum

from ui.kit.texts import time_left
from ui.kit.translation import grouped, tr

PACE_OF = 20
SOONEST = 3
"""Fewer decisions tell nothing of how long the others will take."""
PAUSE_S = 60.0
"""A photo that takes longer stands for somebody who has left the desk."""


class Outcome(Enum):
    """What has become of a photo in a review."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class ReviewQueue:
    """Keys that are fixed while one goes through them; ``at`` is the place of the one shown.

    ``time_s`` arguments are of a clock that only runs forward.
    """

    def __init__(self, keys: Sequence[str], time_s: float) -> None:
        self.keys = tuple(keys)
        self.at = 0
        self.outcomes: dict[str, Outcome] = {}
        self._place_of = {key: place for place, key in enumerate(self.keys)}
        self._paces: deque[float] = deque(maxlen=PACE_OF)
        self._since_s = time_s

    @property
    def current(self) -> str:
        """The key of the photo that is shown."""
        return self.keys[self.at]

    def near(self, before: int, after: int) -> list[str]:
        """The current key, then so many after it, then so many before it, the nearest first."""
        later = self.keys[self.at : self.at + after + 1]
        return [*later, *reversed(self.keys[max(0, self.at - before) : self.at])]

    def note(self, outcome: Outcome, time_s: float) -> None:
        """That has become of the current photo."""
        self.outcomes[self.current] = outcome
        self._paces.append(min(PAUSE_S, time_s - self._since_s))
        self._since_s = time_s

    def step(self, by: int, time_s: float) -> bool:
        """The next one or the one before; False, and nothing is done, where there is none."""
        if not 0 <= self.at + by < len(self.keys):
            return False
        self.at += by
        self._since_s = time_s
        return True

    def go_to(self, keys: Sequence[str], time_s: float) -> bool:
        """The first of these that is in the review, which is to be decided anew."""
        places = [self._place_of[key] for key in keys if key in self._place_of]
        if not places:
            return False
        self.at = min(places)
        self._since_s = time_s
        for place in places:
            self.outcomes.pop(self.keys[place], None)
        return True

    @property
    def place(self) -> str:
        """``12 of 340``."""
        return tr("{place} of {all}", place=grouped(self.at + 1), all=grouped(len(self.keys)))

    @property
    def left(self) -> str:
        """``about 8 minutes left``, by the pace of the last photos; empty at first."""
        if len(self._paces) < SOONEST:
            return ""
        pace_s = sum(self._paces) / len(self._paces)
        return time_left(pace_s * (len(self.keys) - self.at))

    @property
    def tally(self) -> str:
        """``12 accepted, 3 edited``: what was done so far, or nothing."""
        counts = Counter(self.outcomes.values())
        said = {
            Outcome.ACCEPTED: tr("{number} accepted", number=grouped(counts[Outcome.ACCEPTED])),
            Outcome.EDITED: tr("{number} edited", number=grouped(counts[Outcome.EDITED])),
            Outcome.REJECTED: tr("{number} rejected", number=grouped(counts[Outcome.REJECTED])),
            Outcome.SKIPPED: tr("{number} skipped", number=grouped(counts[Outcome.SKIPPED])),
        }
        return ", ".join(said[one] for one in Outcome if counts[one])
