"""Openings of captions: the tags with which a caption may begin, where they name things.

The half that writes names only what training captions often name; the vectors know more. Begun
with a likely tag, the same network writes of a crab what it calls a fire hydrant by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.prompts import is_activity, is_kind_of_picture, with_article
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.library.rows import Tag
from cocadesk.model.values import ModelInfo, Opening, Openings

MOST_OPENINGS = 2
"""So many tags of a picture open captions, at most."""
LIKELY_OPENING = 0.5
"""Tags open captions from this probability on."""

_CONSIDERED = 8


def _listed(text: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()).split(", "))


NO_THINGS = _listed("""
    animal, autumn, baby, barbecue, beard, birthday party, blue sky, boy, breakfast, child,
    christmas, clothing, cloud, concert, couple, dessert, dinner, drink, fabric, face, family,
    festival, fire, fog, food, friends, furniture, girl, golf, graduation, graffiti, group of
    people, gymnastics, halloween, hand, handwriting, ice, ice hockey, jack-o'-lantern, jewelry,
    landscape, lightning, logo, man, martial arts, meat, meeting, metal, musical instrument,
    night, night sky, old man, old woman, paper, parade, party, person, picnic, plant, protest,
    race, rain, reflection, sea, seafood, shadow, sky, smile, smoke, snow, sport, stars, storm,
    sun, tattoo, text, toddler, tool, traffic, underwater, vehicle, water, water sport, wedding,
    winter, winter sport, woman, wood, yoga
""")
"""Shipped tags that open no caption: occasions, weather, materials, parts, too wide a sense, and
one that no caption spells so.

And people by age and sex: captions that begin by themselves seldom miss them, and are better
(two of three that lost most on Flickr8k's dev set had begun with "a man" and "a couple").
"""
_ALSO_CALLED = {
    "airplane": "plane",
    "bicycle": "bike",
    "cell phone": "phone",
    "hamburger": "burger",
    "motorcycle": "motorbike",
    "refrigerator": "fridge",
    "sofa": "couch",
    "television": "tv",
    "telephone": "phone",
    "train station": "station",
}
_DETERMINERS = _listed("his, her, its, my, our, their, these, this, those, your")
_PLURALS = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "woman": "women",
}


def _is_thing(tag: str) -> bool:
    """True for a shipped tag that names what can be seen as one thing."""
    return not (is_activity(tag) or is_kind_of_picture(tag) or tag in NO_THINGS)


@cache
def _things() -> Mapping[str, bool]:
    """The shipped tags; True for those that are things."""
    return {tag: _is_thing(tag) for tag in load_vocabulary().tags}


def names_thing(tag: str) -> bool:
    """True where a caption may begin with the tag: a shipped thing, or a kind of one.

    Of a person's own tags those count that end with a shipped thing ("red panda"). Others may
    be anything, and names ("Anna's dog") take no article.
    """
    known = _things().get(tag.casefold())
    *first, last = tag.split()
    if known is not None or not first:
        return bool(known)
    is_plain = all(word.isalpha() and word.islower() for word in first)
    return is_plain and first[0] not in _DETERMINERS and _things().get(last, False)


def spellings(tag: str) -> Iterator[str]:
    """The tag as a caption may have it: singular and plural, and by another usual name.

    A plural that is a shipped tag of its own is none of them: glasses are another thing
    than a glass.
    """
    for name in filter(None, (tag.casefold(), _ALSO_CALLED.get(tag.casefold()))):
        *first, last = name.split()
        ends = [f"{last}s", f"{last}es", _PLURALS.get(last, last)]
        ends += [f"{last[:-1]}ies"] if last.endswith("y") else []
        plurals = (" ".join((*first, end)) for end in ends)
        yield from (name, *(plural for plural in plurals if plural not in _things()))


class TagOpenings:
    """Openings by a tagger's tags of the same vectors; see ``cocadesk.model.values.Openings``."""

    def __init__(self, tagger: ZeroShotTagger) -> None:
        tagger.class_vectors()  # not on the model's thread of pictures, for which others wait
        self._tagger = tagger

    def __call__(self, vectors_BE: NDArray[np.float32], /) -> list[list[Opening]]:
        tagged = self._tagger.tag(vectors_BE, _CONSIDERED)
        return [[self._opening(tag) for tag in self._chosen(tags)] for tags in tagged]

    def _chosen(self, tags: Sequence[Tag]) -> list[Tag]:
        """The likeliest things, none that another of them implies."""
        chosen, implied = list[Tag](), set[str]()
        for tag in tags:
            likely = tag.score >= LIKELY_OPENING and len(chosen) < MOST_OPENINGS
            if likely and tag.tag not in implied and names_thing(tag.tag):
                chosen.append(tag)
                implied.update(self._tagger.implied_by(tag.tag))
        return chosen

    def _opening(self, tag: Tag) -> Opening:
        names = (tag.tag, *self._tagger.implying(tag.tag))
        return Opening(
            beginning=with_article(tag.tag).lower(),
            names=frozenset(spelling for name in names for spelling in spellings(name)),
            probability=tag.score,
        )


def caption_openings(info: ModelInfo, tagger: Callable[[], ZeroShotTagger]) -> Openings | None:
    """The openings with which captions of this model are written where nothing else is said.

    None for a model that brings no constants of tags: its probabilities are not its own.

    Raises:
        UserError: the person's own vocabulary cannot be read.
    """
    return TagOpenings(tagger()) if info.tagging.are_fitted else None
