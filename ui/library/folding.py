"""The end of a search: what the model does not believe to fit is folded away until wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cocadesk.protocol.messages import Hits
from cocadesk.protocol.values import Days, changed


class Fold:
    """The answer to a search of which the believed hits are shown, or all.

    ``believed`` counts these and ``rest`` the others; 0 where an answer is not judged.
    """

    def __init__(self, ask_again: Callable[[], object] = lambda: None) -> None:
        self._ask_again = ask_again
        self.is_open = False
        self.is_judged = False
        self.believed = 0
        self.rest = 0
        self._answer = Hits(hits=())

    def take(self, answer: Hits, *, is_again: bool) -> Hits:
        """What is to be shown of an answer; that to another question is folded at first."""
        self.is_open = self.is_open and is_again
        self.is_judged = answer.relevant is not None
        self.believed = answer.relevant or 0
        self.rest = len(answer.hits) - self.believed + answer.folded if self.is_judged else 0
        self._answer = answer
        return self.shown()

    def let_go(self) -> None:
        """Another kind of list is shown."""
        self.take(Hits(hits=()), is_again=False)

    def toggle(self) -> None:
        """Opens or closes it; the same is asked again."""
        self.is_open = not self.is_open
        self._ask_again()

    def shown(self) -> Hits:
        """The hits to show, with their shapes and days."""
        answer = self._answer
        if self.is_open or self.rest == answer.folded:
            return answer
        places = [place for place, hit in enumerate(answer.hits) if hit.relevant]
        return changed(
            answer,
            hits=tuple(answer.hits[place] for place in places),
            shapes=bytes(answer.shapes[place] for place in places) if answer.shapes else b"",
            days=days_of(answer.days, places),
        )


def days_of(days: Days | None, places: Sequence[int]) -> Days | None:
    """The days of the media at these places (rising) of a list that has ``days``."""
    if days is None or not days.days:
        return days
    counts = [0] * len(days.days)
    at, end = 0, days.counts[0]
    for place in places:
        while place >= end:
            at += 1
            end += days.counts[at]
        counts[at] += 1
    kept = [(day, count) for day, count in zip(days.days, counts, strict=True) if count]
    return Days(days=tuple(day for day, _ in kept), counts=tuple(count for _, count in kept))
