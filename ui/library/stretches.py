"""A list that comes from the engine a stretch at a time."""

from __future__ import annotations

import time

from cocadesk.protocol.messages import Keys
from cocadesk.protocol.values import Days
from ui.library.key_list import KeyList

MOST = 100_000
"""No more keys are shown at once: a frame has room for no more."""


class GrowingList:
    """The keys that have come, with the copies for which some stand, and the days of all.

    ``offset`` is where the next stretch begins; ``is_whole``: there is none. ``shown`` counts
    those that the grid shows already.
    """

    def __init__(self) -> None:
        self.keys = KeyList()
        self.copies: dict[str, int] = {}
        self.days: Days | None = None
        self.offset = 0
        self.total = 0
        self.shown = 0
        self.is_whole = False
        self.begun_s = time.monotonic()

    def add(self, answer: Keys) -> None:
        """The next stretch: without what came already, where media have come in between."""
        if answer.days is not None:
            self.days = answer.days
        begin = max(0, len(self.keys) - len(answer.keys))
        again = self.keys.place_of(answer.keys[0], begin) if answer.keys else None
        skipped = 0 if again is None else min(len(answer.keys), len(self.keys) - again)
        self.keys.extend(answer.keys[skipped:], answer.shapes[skipped:])
        pairs = zip(answer.keys, answer.copies, strict=False)
        self.copies.update((key, number) for key, number in pairs if number)
        self.offset = answer.offset + len(answer.keys)
        self.total = answer.total
        self.is_whole = not answer.keys or self.offset >= answer.total

    def due(self) -> tuple[int, int] | None:
        """The keys to show next, so that a long list is shown in few steps; None: not yet."""
        count = len(self.keys)
        if self.is_whole and not count:
            return 0, 0  # the last list goes
        if count > self.shown and (self.is_whole or count >= self.shown + min(self.shown, MOST)):
            begin, self.shown = self.shown, count
            return begin, count
        return None
