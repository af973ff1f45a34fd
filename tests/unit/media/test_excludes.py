"""Patterns of what is excluded: which names and paths they fit."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.media.excludes import Excludes, pattern_of

ROOT = b"/photos"


def fits(pattern: str, path: str) -> bool:
    """True where the pattern excludes a path below the root, or a folder above it."""
    return Excludes({ROOT: [os.fsencode(pattern)]}).covers(ROOT + b"/" + os.fsencode(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.png", "a.png"),
        ("*.png", "2019/x/B.PNG"),
        ("Screenshots", "phone/screenshots/a.jpg"),
        ("Screenshots/", "Screenshots/a.jpg"),
        ("2019/raw", "2019/raw/a.jpg"),
        ("/raw", "raw/a.jpg"),
        ("2019/*.jpg", "2019/a.jpg"),
        ("2019/*.jpg", "2019/x/a.jpg"),
        ("*/raw", "a/b/raw/c.jpg"),
        ("IMG_000?.jpg", "IMG_0001.jpg"),
        ("/Été.jpg", "Été.jpg"),
    ],
)
def test_a_pattern_fits(pattern: str, path: str) -> None:
    """Names at any depth whatever their case, paths from the folder on."""
    assert fits(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.png", "a.png.jpg"),
        ("raw", "rawer/a.jpg"),
        ("/raw", "x/raw/a.jpg"),
        ("/raw", "RAW/a.jpg"),
        ("2019/raw", "x/2019/raw/a.jpg"),
        ("[ab].jpg", "c.jpg"),
    ],
)
def test_a_pattern_does_not_fit(pattern: str, path: str) -> None:
    """Only whole names; the case of a path counts."""
    assert not fits(pattern, path)


def test_patterns_hold_only_in_their_folder() -> None:
    """A sibling with the same beginning is another folder."""
    excludes = Excludes({ROOT: [b"*.jpg"], b"/other": []})
    assert excludes.covers(b"/photos/a.jpg")
    assert not excludes.covers(b"/photos 2/a.jpg")
    assert not excludes.covers(b"/other/a.jpg")
    assert not excludes.covers(ROOT)


def test_the_folders_above_are_only_asked_where_the_walk_has_not() -> None:
    """A walk asks on its way down, so each name once."""
    excludes = Excludes({ROOT: [b"/raw"]})
    assert excludes.matches(b"/photos/raw")
    assert not excludes.matches(b"/photos/raw/a.jpg")
    assert excludes.covers(b"/photos/raw/a.jpg")


@given(st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name))
def test_the_pattern_of_a_path_fits_it_and_no_other(name: bytes) -> None:
    """Whatever bytes a name has, brackets and stars among them."""
    name = name.replace(b"/", b"_")
    path = ROOT + b"/x/" + name
    excludes = Excludes({ROOT: [pattern_of(path, ROOT)]})
    assert excludes.covers(path)
    assert excludes.covers(path + b"/inside.jpg")
    assert not excludes.covers(ROOT + b"/" + name)
    assert not excludes.covers(path + b"!")
