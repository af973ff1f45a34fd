"""A video's frame and tags from the vectors of its moments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.rows import Tag, ViewRow, ViewShows
from cocadesk.vectors import unit_vectors

_SHARE = 0.1
"""The share of a video's moments that must bear a tag out."""


def moments_of(views: Sequence[ViewRow]) -> list[ViewRow]:
    """The moments among a medium's views, in order of time; none of a photo, long or not."""
    moments = [v for v in views if v.shows is ViewShows.SPAN and v.time_s is not None]
    return sorted(moments, key=lambda view: view.time_s or 0.0)


def live_moments_of(views: Sequence[ViewRow]) -> list[ViewRow]:
    """The moments of the video that belongs to a photo, in order of time."""
    moments = [view for view in views if view.shows is ViewShows.LIVE]
    return sorted(moments, key=lambda view: view.time_s or 0.0)


def representative_moment(views: Sequence[ViewRow]) -> float | None:
    """The time in seconds of the moment that is nearest to the whole video.

    Its frame is what a caption is made from and a preview shows. None where the
    views are those of a photo, or none.
    """
    moments = moments_of(views)
    if not moments:
        return None
    whole = next((v.vector for v in views if v.shows is ViewShows.WHOLE), None)
    if whole is None:
        return moments[0].time_s
    cosines = unit_vectors(np.stack([view.vector for view in moments])) @ np.asarray(
        whole, np.float32
    )
    return moments[int(np.argmax(cosines))].time_s


def tagging_vectors(views: Sequence[ViewRow]) -> NDArray[np.float32]:
    """(N, D) unit vectors whose tags make up a medium's: the moments, else the whole.

    Tag each, then join them with ``tags_of_moments``. The boxes of a long photo are not among
    them: probabilities are fitted on whole photos, and the best of nine looks at one photo
    would show wrong tags several times as often.
    """
    chosen = moments_of(views) or [view for view in views if view.shows is ViewShows.WHOLE]
    if not chosen:
        return np.zeros((0, 0), np.float32)
    return unit_vectors(np.stack([view.vector for view in chosen]))


def tags_of_moments(moments: Sequence[Sequence[Tag]], top: int = 8) -> list[Tag]:
    """A video's tags from those of its moments, best first, at most ``top``.

    A tag's score is the one that a tenth of the moments reach (in a video of up
    to ten moments: its best one). Whoever looks for a dog wants the video that
    shows one for a while, which the mean over all moments hides; but of the
    hundreds of moments of a video some fit any word. Of one picture it gives
    that picture's tags.
    """
    scores: dict[str, list[float]] = defaultdict(list)
    for tags in moments:
        for tag in tags:
            scores[tag.tag].append(tag.score)
    needed = max(1, round(len(moments) * _SHARE))
    joined = [
        Tag(tag=tag, score=sorted(own, reverse=True)[needed - 1])
        for tag, own in scores.items()
        if len(own) >= needed
    ]
    if not joined and scores:
        # No tag holds for long: the one that most of the video comes nearest to.
        best = max(scores, key=lambda tag: sum(scores[tag]))
        joined = [Tag(tag=best, score=max(scores[best]))]
    return sorted(joined, key=lambda tag: -tag.score)[:top]
