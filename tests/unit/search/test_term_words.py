"""Filters in words, as chips and breadcrumbs show them."""

from __future__ import annotations

import pytest

from cocadesk.search.filters import parse_filter
from cocadesk.search.term_words import term_words, turned


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("taken:2014..2016", "Taken 2014–2016"),
        ("taken:2014", "Taken 2014"),
        ("taken:2014-05", "Taken May 2014"),
        ("taken:2014-05..2014-06", "Taken May 2014–June 2014"),
        ("taken:2014-05-03", "Taken 3 May 2014"),
        ("taken:>=2014", "Taken from 2014"),
        ("taken:..2016-04", "Taken until April 2016"),
        ("added:2020,2022", "Added 2020 or 2022"),
        ("kind:video", "Video"),
        ("-kind:video", "Not: video"),
        ("kind:photo,video", "Photo or video"),
        ("rating:>=4", "4 stars or more"),
        ("rating:5", "5 stars"),
        ("rating:1", "1 star"),
        ("rating:2..4", "2–4 stars"),
        ("rating:<=2", "2 stars or fewer"),
        ("camera:nikon", "Camera: nikon"),
        ("-camera:nikon", "Not camera: nikon"),
        ('tag:"a dog",cat', "Tag: a dog or cat"),
        ("person:Ida", "Person: Ida"),
        ('folder:"/photos/Italy 2014"', "Folder: Italy 2014"),
        ("folder:/", "Folder: /"),
        ("favourite:yes", "Favourite"),
        ("flag:pick,reject", "Picked or rejected"),
        ("has:caption,tag", "With caption or tag"),
        ("-has:position", "Without position"),
        ("format:heic", "Format: HEIC"),
        ("size:>=5000000", "File size from 5 MB"),
        ("iso:100..400", "Sensitivity 100–400"),
        ("exposure:1/200", "Exposure 1/200 s"),
        ("aperture:<=2.8", "Aperture f/up to 2.8"),
        ("width:4000", "Width 4,000 px"),
        ("state:missing", "Missing"),
        ("album:sea", "Album: sea"),
    ],
)  # fmt: skip
def test_a_filter_reads_like_a_sentence(text: str, words: str) -> None:
    """No grammar is needed to understand it."""
    [term] = parse_filter(text).terms
    assert term_words(term) == words


def test_a_filter_that_is_turned_round_twice_is_itself() -> None:
    """A click more takes a mistake back."""
    [term] = parse_filter("-tag:dog").terms
    assert term_words(turned(term)) == "Tag: dog"
    assert turned(turned(term)) == term
