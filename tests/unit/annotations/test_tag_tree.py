"""Tags that imply others: raised parents, kinds in doubt, their order; and the shipped table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.tag_tree import Parents, TagTree, load_parents
from cocadesk.annotations.vocabulary import load_vocabulary

TAGS = ("animal", "dog", "husky", "poodle", "terrier", "cat", "puppy", "grass", "clothing", "hat")
PARENTS = {
    "dog": Parents(kind_of=("animal",)),
    "cat": Parents(kind_of=("animal",)),
    "husky": Parents(kind_of=("dog",)),
    "poodle": Parents(kind_of=("dog",)),
    "terrier": Parents(kind_of=("dog",)),
    "puppy": Parents(also=("dog",)),
    "hat": Parents(also=("clothing",)),
}
TREE = TagTree(TAGS, PARENTS)


def row(tags: Sequence[str] = TAGS, **scores: float) -> NDArray[np.float32]:
    """One picture's probabilities; tags that are not named have .01."""
    return np.asarray([[scores.get(tag, 0.01) for tag in tags]], np.float32)


def given(tree: TagTree, likely: NDArray[np.float32], threshold: float = 0.4) -> list[str]:
    """The tags that a picture gets, by the rules alone."""
    raised = tree.raised(likely)
    is_given = (raised >= threshold) & ~tree.withheld(raised)
    scores = {tag: float(raised[0, place]) for place, tag in enumerate(TAGS) if is_given[0, place]}
    return tree.in_order(scores)


def test_a_parent_is_at_least_as_likely_as_its_child_and_theirs() -> None:
    """All the way up; the child itself and what is no relation stay as they are."""
    raised = TREE.raised(row(husky=0.9, grass=0.3))
    scores = dict(zip(TAGS, raised[0].tolist(), strict=True))
    assert scores["animal"] >= scores["dog"] >= 0.9
    assert (scores["husky"], scores["grass"], scores["cat"]) == pytest.approx((0.9, 0.3, 0.01))


def test_a_parent_that_is_likelier_than_its_children_stays_as_it_is() -> None:
    """Nothing is ever lowered, and what was given is not changed."""
    likely = row(dog=0.95, husky=0.2)
    before = likely.copy()
    assert TREE.raised(likely)[0, TAGS.index("dog")] == pytest.approx(0.95)
    np.testing.assert_array_equal(likely, before)


def test_the_odds_of_the_two_best_kinds_add_up() -> None:
    """One or the other: odds of 1 and 1/2 make odds of 1.5; a third does not count."""
    raised = TREE.raised(row(husky=0.5, poodle=1 / 3, terrier=0.3))
    assert raised[0, TAGS.index("dog")] == pytest.approx(1.5 / 2.5, abs=1e-5)


def test_certain_kinds_make_a_certain_parent_and_no_error() -> None:
    """Odds of 1 are beyond all numbers."""
    raised = TREE.raised(row(husky=1.0, poodle=1.0))
    assert np.isfinite(raised).all()
    assert raised[0, TAGS.index("dog")] == pytest.approx(1.0)


def test_between_two_breeds_about_equally_likely_the_common_word_is_given() -> None:
    """The nearest word that is right, instead of a breed that is wrong every second time."""
    assert given(TREE, row(husky=0.5, terrier=0.45)) == ["dog", "animal"]


def test_a_breed_that_stands_out_is_given() -> None:
    """By far the likeliest, or sure by itself."""
    assert given(TREE, row(husky=0.55, terrier=0.2)) == ["husky", "dog", "animal"]
    assert given(TREE, row(husky=0.7, terrier=0.3, poodle=0.3)) == ["husky", "dog", "animal"]


def test_doubt_between_dog_and_cat_takes_their_kinds_along() -> None:
    """Where not even the animal is clear, its breed and its age are not either."""
    assert given(TREE, row(dog=0.5, puppy=0.5, cat=0.48)) == ["animal"]


def test_things_that_can_be_there_together_are_all_given() -> None:
    """Only kinds exclude each other: a puppy is also a husky."""
    assert given(TREE, row(puppy=0.5, husky=0.5))[:2] == ["husky", "puppy"]


def test_of_many_kinds_two_are_given_unless_more_are_sure() -> None:
    """Near-duplicates do not fill the list."""
    some = given(TREE, row(husky=0.65, poodle=0.58, terrier=0.55))
    assert some == ["husky", "dog", "animal", "poodle"]
    sure = given(TREE, row(husky=0.7, poodle=0.7, terrier=0.65))
    assert sure == ["husky", "poodle", "dog", "animal", "terrier"]


def test_parents_stand_right_behind_the_best_child_that_implies_them() -> None:
    """Though they are likelier; what is less likely than the child comes after them."""
    scores = {"animal": 0.95, "grass": 0.5, "dog": 0.92, "puppy": 0.9}
    assert TREE.in_order(scores) == ["puppy", "dog", "animal", "grass"]


def test_a_parent_that_is_far_likelier_than_its_child_keeps_its_place() -> None:
    """A doubtful puppy does not drag a certain dog down."""
    scores = {"dog": 0.95, "puppy": 0.42, "grass": 0.8}
    assert TREE.in_order(scores) == ["dog", "grass", "puppy"]


def test_equal_tags_stay_in_their_order_and_none_give_none() -> None:
    """Sorting is stable."""
    assert TREE.in_order({"grass": 0.5, "hat": 0.5}) == ["grass", "hat"]
    assert TREE.in_order({}) == []


def test_a_list_without_the_parent_has_the_one_above_it() -> None:
    """Tags of one's own: whatever the case of their letters."""
    tree = TagTree(("Animal", "Puppy", "own"), PARENTS)
    raised = tree.raised(np.asarray([[0.1, 0.8, 0.3]], np.float32))
    np.testing.assert_allclose(raised, [[0.8, 0.8, 0.3]], atol=1e-6)


def test_a_kind_of_something_that_is_only_also_there_is_no_kind_above_it() -> None:
    """Husky and puppy do not exclude each other where "dog" is not in the list."""
    tree = TagTree(("animal", "husky", "puppy", "cat"), PARENTS)
    raised = tree.raised(np.asarray([[0.1, 0.5, 0.5, 0.01]], np.float32))
    assert tree.withheld(raised).tolist() == [[False] * 4]


def test_tags_without_relations_are_left_alone() -> None:
    """A list of names, say, or one with the same name twice."""
    tree = TagTree(("Anna", "Ben", "anna"), PARENTS)
    likely = np.asarray([[0.2, 0.9, 0.4]], np.float32)
    np.testing.assert_array_equal(tree.raised(likely), likely)
    assert not tree.withheld(likely).any()


def test_no_pictures_are_fine() -> None:
    """An empty batch has its shape."""
    nothing = np.zeros((0, len(TAGS)), np.float32)
    assert TREE.raised(nothing).shape == TREE.withheld(nothing).shape == (0, len(TAGS))


def test_each_picture_is_judged_alone() -> None:
    """In a batch as by itself."""
    pictures = [row(husky=0.5, terrier=0.45), row(husky=0.9), row(puppy=0.6, cat=0.5, hat=0.7)]
    together = TREE.raised(np.concatenate(pictures))
    withheld = TREE.withheld(together)
    for place, picture in enumerate(pictures):
        raised = TREE.raised(picture)
        np.testing.assert_array_equal(together[[place]], raised)
        np.testing.assert_array_equal(withheld[[place]], TREE.withheld(raised))


def test_parents_are_read_from_three_columns(tmp_path: Path) -> None:
    """Comments and empty lines do not count; a cell may name several."""
    file = tmp_path / "parents.tsv"
    file.write_text("# head\n\npony\thorse\t\nnight sky\t\tnight, sky\n", "utf-8")
    assert load_parents(file) == {
        "pony": Parents(kind_of=("horse",)),
        "night sky": Parents(also=("night", "sky")),
    }


def test_every_shipped_parent_and_child_is_a_shipped_tag() -> None:
    """No word that a photo can't get, and no line that has no parent."""
    tags = set(load_vocabulary().tags)
    for tag, parents in load_parents().items():
        named = [*parents.kind_of, *parents.also]
        assert named, tag
        assert {tag, *named} <= tags, tag
        assert len(set(named)) == len(named), tag


def test_no_shipped_tag_has_two_lines_or_implies_itself() -> None:
    """The tree has no circle."""
    from cocadesk.resources import resource_path

    lines = resource_path("vocabulary", "parents.tsv").read_text("utf-8").splitlines()
    rows = [line for line in lines if not line.startswith("#")]
    table = load_parents()
    assert len(rows) == len(table)

    def above(tag: str, below: tuple[str, ...] = ()) -> None:
        assert tag not in below, (*below, tag)
        parents = table.get(tag, Parents())
        for parent in (*parents.kind_of, *parents.also):
            above(parent, (*below, tag))

    for tag in table:
        above(tag)


@pytest.mark.parametrize(
    ("tag", "implied"),
    [
        ("puppy", {"dog", "animal"}),
        ("rose", {"flower", "plant"}),
        ("kitten", {"cat", "animal"}),
        ("taxi", {"car", "vehicle"}),
        ("skyscraper", {"building"}),
        ("playing guitar", {"guitar", "musical instrument", "playing music"}),
        ("fog", set()),
    ],
)
def test_shipped_tags_imply_what_everybody_expects(tag: str, implied: set[str]) -> None:
    """And no more than that."""
    tags = load_vocabulary().tags
    ancestors = TagTree(tags).ancestors[tags.index(tag)]
    assert {tags[place] for place in ancestors} == implied


def test_kinds_of_what_a_text_names() -> None:
    """The tags in it, in either number, with all that imply one of them."""
    named = {TAGS[place] for place in TREE.kinds_in("two Dogs on a beach")}
    assert "dog" in named
    assert named == {tag for tag in TAGS if tag == "dog" or TREE.above(tag) & {TAGS.index("dog")}}
    assert TREE.kinds_in("") == TREE.kinds_in("nothing of these") == frozenset()
