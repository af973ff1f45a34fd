"""Truths of tags from captions: whole words, plurals, synonyms and parents."""

from __future__ import annotations

import pytest

from cocadesk.annotations.tag_tree import TagTree
from cocadesk.annotations.vocabulary import load_vocabulary
from tests.support.tag_truth import LONGEST, SAME, forms, plural, truth

TAGS = load_vocabulary().tags
TREE = TagTree(TAGS)


def true_of(*captions: str) -> set[str]:
    """The tags that these captions of one picture say."""
    (row,) = truth(TAGS, TREE, [captions])
    return {tag for tag, is_true in zip(TAGS, row, strict=True) if is_true}


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        (["Two puppies run."], {"puppy", "dog", "animal", "running"}),
        (["A couch", "a bike by a wall"], {"sofa", "furniture", "bicycle", "vehicle", "wall"}),
        (["He dances."], {"dancing"}),
        (["hot dogs!"], {"hot dog", "food", "dog", "animal"}),
        (["A catalogue of carpets"], {"carpet"}),
        (["Nothing of it"], set()),
        ([], set()),
    ],
)
def test_a_tag_is_true_where_a_caption_says_it_in_any_form(
    captions: list[str], expected: set[str]
) -> None:
    """Whole words only; what it implies is true with it."""
    assert true_of(*captions) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dog", "dogs"),
        ("city", "cities"),
        ("boy", "boys"),
        ("bus", "buses"),
        ("old man", "old men"),
    ],
)
def test_plurals_are_made_of_the_last_word(word: str, expected: str) -> None:
    """As most nouns make theirs."""
    assert plural(word) == expected


def test_a_plural_that_is_a_tag_of_its_own_is_no_form_of_another() -> None:
    """Who wears glasses holds no glass."""
    assert "glass" not in true_of("A man wears glasses")
    assert "glass" in true_of("Two glasses of water")


def test_synonyms_are_of_shipped_tags_and_no_tags_of_another_kind() -> None:
    """A list with an old name in it would silently do nothing."""
    assert set(SAME) <= set(TAGS)
    assert all(len(form.split()) <= LONGEST for tag in TAGS for form in forms(tag))
