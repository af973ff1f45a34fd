"""The best of a group, and the reason that is said."""

from __future__ import annotations

from typing import Any

import pytest

from cocadesk.library.best import ranked
from tests.support.library_rows import media_row


@pytest.mark.parametrize(
    ("best", "other", "reason"),
    [
        ({"human_flag": "pick"}, {"width": 4000, "height": 3000}, "flagged as a pick"),
        ({}, {"human_flag": "reject", "human_caption": "x"}, "not rejected"),
        ({"human_favourite": True}, {"human_rating": 5}, "a favourite of yours"),
        ({"human_rating": 4}, {"rating": 3, "human_caption": "x"}, "rated 4 of 5"),
        ({"human_caption": "x"}, {"width": 4000, "height": 3000}, "has your caption"),
        ({"human_tags_added": ("a",)}, {"camera": "A"}, "has your tags"),
        ({"human_albums": ("a",), "human_places": ("1",)}, {}, "in an album of yours"),
        ({"width": 4000, "height": 3000}, {"width": 800, "height": 600, "camera": "A"},
         "largest: 4000 × 3000"),
        ({"format": "HEIC"}, {"format": "JPEG", "camera": "A"}, "original format: HEIC"),
        ({"camera": "A"}, {"mtime_ns": 1}, "has the camera's details"),
        ({"mtime_ns": 1}, {"mtime_ns": 2}, "oldest file"),
    ],
)  # fmt: skip
def test_the_first_thing_that_tells_two_apart_is_the_reason(
    best: dict[str, Any], other: dict[str, Any], reason: str
) -> None:
    """What a person said counts before all that a file is."""
    first, second = media_row(b"a", **best), media_row(b"b", **other)
    assert ranked([second, first], {}, []) == ([first, second], reason)


def test_of_pictures_of_one_size_the_sharper_is_the_best() -> None:
    """A little sharper is not; then the older file is."""
    a, b = media_row(b"a", mtime_ns=1), media_row(b"b", mtime_ns=2)
    assert ranked([a, b], {a.key: 100.0, b.key: 180.0}, []) == ([b, a], "sharpest")
    assert ranked([a, b], {a.key: 100.0, b.key: 101.0}, []) == ([a, b], "oldest file")


def test_the_last_choice_of_a_person_wins_over_all() -> None:
    """Two groups that were joined may have one each."""
    a, b, c = (media_row(name, width=9, height=9) for name in (b"a", b"b", b"c"))
    order, reason = ranked([a, b, c], {}, [c.key, b.key])
    assert (order[:2], reason) == ([b, c], "you chose it")
