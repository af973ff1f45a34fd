"""What a video's moments say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cocadesk.library.rows import Tag, ViewRow, ViewShows
from cocadesk.library.vectors import (
    moments_of,
    representative_moment,
    tagging_vectors,
    tags_of_moments,
)


def video(whole: Sequence[float], *moments: Sequence[float]) -> list[ViewRow]:
    """Views with these vectors; moment i lies at 10 * i seconds."""
    return [
        ViewRow(
            key="k",
            view=number,
            picture_hash="p",
            vector=np.asarray(vector, np.float32),
            root=b"/",
            folder_text="/",
            shows=ViewShows.SPAN if number else ViewShows.WHOLE,
            time_s=10.0 * number if number else None,
        )
        for number, vector in enumerate((whole, *moments))
    ]


def tags(**scores: float) -> list[Tag]:
    """Tags with their scores."""
    return [Tag(tag=tag, score=score) for tag, score in scores.items()]


def test_the_moment_nearest_to_the_whole_stands_for_a_video() -> None:
    """Whatever the order of the views, and whatever their norm."""
    views = video((0.6, 0.8), (1.0, 0.0), (0.3, 0.4), (0.0, 1.0))
    assert representative_moment(views) == 20.0
    assert representative_moment(views[::-1]) == 20.0
    assert [view.time_s for view in moments_of(views[::-1])] == [10.0, 20.0, 30.0]


def test_a_photo_has_no_moment() -> None:
    """Nor has a medium without views."""
    assert representative_moment(video((1.0, 0.0))) is None
    assert representative_moment([]) is None
    assert moments_of(video((1.0, 0.0))) == []


def test_a_long_photo_is_tagged_from_the_whole_and_not_from_its_boxes() -> None:
    """The best of nine looks would show wrong tags; nor are boxes moments."""
    boxes = [
        replace(view, shows=ViewShows.BOX, time_s=None) for view in video((1.0, 0.0), (0.0, 1.0))
    ]
    views = [*video((0.3, 0.4)), *boxes]
    np.testing.assert_allclose(tagging_vectors(views), [[0.6, 0.8]])
    assert (moments_of(views), representative_moment(views)) == ([], None)


def test_a_video_is_tagged_from_its_moments_and_a_photo_from_the_whole() -> None:
    """Unit vectors, whatever the store's precision has made of them."""
    views = video((0.6, 0.8), (2.0, 0.0), (0.0, 0.5))
    np.testing.assert_allclose(tagging_vectors(views), [[1, 0], [0, 1]])
    np.testing.assert_allclose(tagging_vectors(video((0.3, 0.4))), [[0.6, 0.8]])
    assert tagging_vectors([]).shape == (0, 0)


def test_the_tags_of_one_picture_are_its_own() -> None:
    """A photo's tags pass through, best first, at most ``top``."""
    assert tags_of_moments([tags(dog=0.5, cat=0.9)]) == tags(cat=0.9, dog=0.5)
    assert tags_of_moments([tags(dog=0.5, cat=0.9)], top=1) == tags(cat=0.9)
    assert tags_of_moments([]) == tags_of_moments([[], []]) == []


def test_a_short_clip_has_every_tag_of_its_moments_with_its_best_score() -> None:
    """A dog that is seen in one of four shots is in the video."""
    joined = tags_of_moments([tags(beach=0.9), tags(dog=0.8), tags(beach=0.7), []])
    assert joined == tags(beach=0.9, dog=0.8)


def test_in_a_long_film_a_tag_must_hold_for_a_tenth_of_the_moments() -> None:
    """Of hundreds of moments some fit any word."""
    film = [tags(beach=0.5 + number / 1000) for number in range(60)] + [[]] * 39 + [tags(sofa=0.99)]
    joined = tags_of_moments(film)
    assert [tag.tag for tag in joined] == ["beach"]
    # The tenth best of a hundred moments.
    assert joined[0].score == pytest.approx(0.55)


def test_a_film_whose_tags_hold_only_for_moments_has_the_one_that_fits_most_of_it() -> None:
    """A film never loses its only words."""
    film: list[list[Tag]] = [[] for _ in range(100)]
    film[3], film[50], film[51] = tags(sofa=0.9), tags(boat=0.6), tags(boat=0.5)
    assert tags_of_moments(film) == tags(boat=0.6)
