"""Openings: the tags of a picture with which its caption may begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations import openings
from cocadesk.annotations.describe import Describer, WantedPicture
from cocadesk.annotations.openings import (
    LIKELY_OPENING,
    MOST_OPENINGS,
    TagOpenings,
    caption_openings,
    names_thing,
    spellings,
)
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
from cocadesk.errors import UserError
from cocadesk.library.rows import Tag
from cocadesk.model.confidence import Confidence
from cocadesk.model.tag_constants import TagConstants
from cocadesk.model.values import GenerationOptions
from tests.support.fake_backend import FakeBackend, FakeCaption, FakeInfo

TAGS = Vocabulary(
    name="mine", tags=("crab", "dog", "husky", "animal", "umbrella", "noodles", "dancing", "bread")
)

CONFIDENCE = Confidence(bias=-1.0, probability=0.5, cosine=4.0)


class Fitted(FakeBackend):
    """The fake with constants of its own; remembers how it was asked for captions."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def info(self) -> FakeInfo:
        """As the fake's."""
        return FakeInfo(tagging=TagConstants(slope=2.0, captions=CONFIDENCE))

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        """As the fake."""
        self.asked.append(options)
        return super().caption(images_BHWC, options)


class Given(ZeroShotTagger):
    """Gives these tags for every picture."""

    def __init__(self, *tags: tuple[str, float]) -> None:
        super().__init__(Fitted(), TAGS)
        self._given = [Tag(tag=tag, score=score) for tag, score in tags]

    def tag(self, vectors: NDArray[np.float32], top: int = 8) -> list[list[Tag]]:
        """The same for each."""
        return [self._given[:top]] * len(vectors)


def beginnings(*tags: tuple[str, float]) -> list[str]:
    """The openings of a picture with these tags."""
    [found] = TagOpenings(Given(*tags))(np.zeros((1, 32), np.float32))
    return [each.beginning for each in found]


def test_a_likely_thing_opens_a_caption_with_its_article() -> None:
    """A plural and what isn't counted have none."""
    assert beginnings(("crab", 0.8), ("umbrella", 0.7)) == ["a crab", "an umbrella"]
    assert beginnings(("noodles", 0.8), ("bread", 0.7)) == ["noodles", "bread"]


def test_activities_wide_words_and_unlikely_tags_open_none() -> None:
    """Nor more than a few."""
    assert beginnings(("dancing", 0.9), ("animal", 0.9)) == []
    assert beginnings(("crab", LIKELY_OPENING - 0.01)) == []
    many = [(tag, 0.9) for tag in ("crab", "umbrella", "bread", "dog")]
    assert len(beginnings(*many)) == MOST_OPENINGS


def test_a_tag_that_another_opening_implies_is_passed_over() -> None:
    """A husky is a dog: the second opening is for something else."""
    assert beginnings(("husky", 0.9), ("dog", 0.95), ("crab", 0.6)) == ["a husky", "a crab"]


@pytest.mark.parametrize(
    ("caption", "is_named"),
    [
        ("A dog on a lawn", True),
        ("Two dogs.", True),
        ("a black husky, running", True),
        ("a hot-dog stand", False),
        ("a doghouse", False),
        ("an animal on a lawn", False),
    ],
)
def test_a_caption_speaks_of_a_thing_by_its_name_or_that_of_a_kind_of_it(
    caption: str, is_named: bool
) -> None:
    """As whole words, in singular and plural, whatever the case."""
    [[dog]] = TagOpenings(Given(("dog", 0.9)))(np.zeros((1, 32), np.float32))
    assert dog.is_named_in(caption) is is_named


def test_spellings_hold_plurals_and_other_usual_names() -> None:
    """Of several words the last is declined."""
    assert {"butterfly", "butterflies"} <= set(spellings("Butterfly"))
    assert {"snowman", "polar bears"} <= {*spellings("snowman"), *spellings("polar bear")}
    assert {"woman", "women"} <= set(spellings("woman"))
    assert {"sofa", "couch", "couches"} <= set(spellings("sofa"))


def test_a_plural_that_is_a_tag_of_its_own_names_another_thing() -> None:
    """Who wears glasses need not hold a glass; wine glasses are nothing else."""
    assert "glasses" not in set(spellings("glass"))
    assert "wine glasses" in set(spellings("wine glass"))
    shipped = load_vocabulary().tags
    assert [tag for tag in shipped if set(shipped) & set(spellings(tag)) != {tag}] == []


@pytest.mark.parametrize("tag", ["crab", "polar bear", "Beach", "red panda", "vintage camera"])
def test_things_open_captions(tag: str) -> None:
    """Also a person's own kind of one."""
    assert names_thing(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "surfing",
        "winter",
        "portrait",
        "old man",
        "Anna's dog",
        "our dog",
        "Berlin",
        "2019",
        "Bello dog",
    ],
)
def test_what_may_be_no_thing_opens_none(tag: str) -> None:
    """Activities, seasons, kinds of picture, names, years."""
    assert not names_thing(tag)


def test_every_word_that_opens_nothing_is_a_shipped_tag() -> None:
    """Else a spelling mistake would let it through."""
    shipped = load_vocabulary().tags
    assert sum(map(names_thing, shipped)) > 450
    missing = [tag for tag in openings.NO_THINGS if tag not in shipped]
    assert missing == []


def decode_grey(wanted: Sequence[WantedPicture]) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
    """A grey picture each."""
    for item in wanted:
        yield item.key, np.full((8, 8, 3), 120, np.uint8)


def asked_options(model: Fitted, tagger: ZeroShotTagger | UserError) -> GenerationOptions:
    """The options with which a describer asks the model for captions."""

    def opened() -> ZeroShotTagger:
        if isinstance(tagger, UserError):
            raise tagger
        return tagger

    describer = Describer(model, opened, decode_grey, "short")
    assert len(list(describer.captions([WantedPicture(key="a", path=b"a")]))) == 1
    [options] = model.asked
    assert isinstance(options, GenerationOptions)
    assert options.style == "short"
    return options


def test_a_describer_writes_with_the_models_confidence_and_openings_of_its_tags() -> None:
    """By the same vectors as the caption; a vocabulary that cannot be read stops no caption."""
    options = asked_options(Fitted(), Given(("crab", 0.8)))
    assert options.openings is not None
    assert options.confidence == CONFIDENCE
    assert (options.beams, options.rerank_weight) == (5, 10.0)
    [[crab]] = options.openings(np.zeros((1, 32), np.float32))
    assert (crab.beginning, crab.probability) == ("a crab", 0.8)
    assert asked_options(Fitted(), UserError("The tags cannot be read.")).openings is None


def test_a_model_without_constants_of_tags_writes_as_before(tmp_path: Path) -> None:
    """Its probabilities were fitted to another; the vocabulary is not even read."""

    def unread() -> ZeroShotTagger:
        raise AssertionError

    assert caption_openings(FakeInfo(), unread) is None  # type: ignore[arg-type]
