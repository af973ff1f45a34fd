"""The photos that are held out to measure by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cocadesk.errors import UserError, tr
from trainer.tuning.new_words import NewWords
from trainer.tuning.recipe import TRIAL_BELOW

TRIAL_SHARE, SHARE, MOST = 0.25, 0.2, 200
MIN_PHOTOS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Numbers of the photos to learn from and of those to measure; ``is_trial``: see recipe."""

    learned: tuple[int, ...]
    held_out: tuple[int, ...]
    is_trial: bool


def held_out_count(photos: int) -> int:
    """A quarter of few photos (at least one), a fifth of many, never more than 200."""
    share = TRIAL_SHARE if photos < TRIAL_BELOW else SHARE
    return min(MOST, max(1, round(photos * share)))


def split_photos(captions: Sequence[Sequence[str]], new: NewWords, seed: int) -> Split:
    """Holds photos out by the seed alone, but never the last photo of a new word."""
    count = len(captions)
    words = [new.of(texts) for texts in captions]
    left = Counter(word for own in words for word in own)
    order = [int(i) for i in np.random.default_rng((seed, 3)).permutation(count)]
    held: list[int] = []
    for photo in sorted(order, key=lambda i: any(left[word] < 2 for word in words[i])):
        if len(held) == held_out_count(count):
            break
        if any(left[word] < 2 for word in words[photo]) and len(words[photo]) > 0:
            continue
        held.append(photo)
        left.subtract(words[photo])
    if not held:  # every photo has a name of its own: one must measure nevertheless
        held = order[: held_out_count(count)]
    learned = tuple(i for i in range(count) if i not in set(held))
    return Split(learned=learned, held_out=tuple(sorted(held)), is_trial=count < TRIAL_BELOW)


def problem_of(photos: int) -> UserError | None:
    """The reason why a number of photos is too small; None where it is not."""
    if photos == 0:
        return UserError(
            tr("There is nothing to learn from."),
            tr("No photo with captions was found."),
            tr(
                "Put a .txt with the same name beside each photo, one caption a line, "
                "or write captions and tags in the library."
            ),
        )
    if photos < MIN_PHOTOS:
        return UserError(
            tr("One photo is too few to learn from."),
            tr(
                "None could be held out to show what was learned, "
                "and a name would stick to this very picture."
            ),
            tr("Add at least one more photo with captions; a dozen teach a name well."),
        )
    return None
