"""Captions of pictures that have only a class's name: broader words, synonyms and prompts.

They teach which photos a word finds. The captioner never learns from them: "a photo of a
guitar" is no caption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from trainer.words.class_tree import broader_names
from trainer.words.counts import WordCounts, with_article
from trainer.words.wordnet import WordNet

_NAMED = re.compile(r"(?:a|an|the)? ?(?:photo|picture) of (?:a |an |the )?(.+)$")
_PROMPTS = (
    *("{}",) * 2,
    *("a photo of {}",) * 2,
    "a picture of {}",
    "a close-up of {}",
    "a photo of the {}",
    "there is {} here",
)
_TOO_BROAD = ("person", "someone", "location", "food")
_MOST_BROADER = 4
_BROADER, _SYNONYM = 0.25, 0.4
_DEPTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassName:
    """A class's name with broader words and synonyms."""

    name: str
    broader: tuple[str, ...]
    synonyms: tuple[str, ...]

    def caption(self, random: np.random.Generator) -> str:
        """A drawn word for it in a drawn prompt."""
        word, chance = self.name, random.random()
        if self.broader and chance < _BROADER:
            word = self.broader[random.integers(len(self.broader))]
        elif self.synonyms and chance < _SYNONYM:
            word = self.synonyms[random.integers(len(self.synonyms))]
        prompt = _PROMPTS[random.integers(len(_PROMPTS))]
        bare = prompt == "{}" or "the {}" in prompt
        return prompt.format(word if bare else with_article(word))


def class_name(caption: str, wordnet: WordNet, counts: WordCounts) -> ClassName:
    """The class that a caption such as "a photo of an owl" names."""
    match = _NAMED.match(caption)
    name = match.group(1) if match else caption
    senses = wordnet.senses.get(name)
    if not senses:
        return ClassName(name=name, broader=(), synonyms=())
    broader: list[str] = []
    for id_ in wordnet.chain(senses[0])[1:_DEPTH]:
        words = broader_names(id_, wordnet, counts)[:1]
        broader += [word for word in words if word not in _TOO_BROAD or not broader]
    synonyms = (word.lower() for word in wordnet.synsets[senses[0]].words)
    return ClassName(
        name=name,
        broader=tuple(broader[:_MOST_BROADER]),
        synonyms=tuple(word for word in synonyms if word != name),
    )
