"""Sentences to distil from: captions, words in prompts, and what WordNet says of words.

A step's sentences are a function of (seed, step). A rare word is often taught as its
commonest synonym: then the two find the same photos.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.config import DistillationConfig
from trainer.words.counts import WordCounts, with_article
from trainer.words.wordnet import VISIBLE_THINGS, WordNet

_PROMPTS = (
    *("{}",) * 3,
    "a photo of {}",
    "a picture of {}",
    "a photo of {}",
    "a close-up of {}",
    "{} in the background",
    "there is {} in this photo",
    "people with {}",
    "a photo of the {}",
    "many {}",
    "{} outdoors",
    "{} on a table",
    "looking at {}",
)
_RARE, _COMMON, _MUCH_COMMONER = 20, 10, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word to teach, the synonym that says the same (or none), and how often it is drawn."""

    text: str
    common: str | None
    weight: int
    is_noun: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Texts of a step, and those whose vectors they should have."""

    texts: list[str]
    targets: list[str]


class SentencePool:
    """Everything that sentences are drawn from. ``captions`` are short, ``others`` run on."""

    def __init__(
        self,
        captions: Sequence[str],
        others: Sequence[str],
        wordnet: WordNet,
        counts: WordCounts,
        *,
        held_out: Collection[str] = (),
    ) -> None:
        self._captions, self._others = captions, others
        self.words = teachable_words(wordnet, counts, held_out)
        self._glosses = [
            (synset.words[0].lower(), synset.gloss) for synset in wordnet.synsets.values()
        ]
        self._weights = np.array([word.weight for word in self.words], np.float64)
        self._has_common = np.array([word.common is not None for word in self.words])

    def draw(self, config: DistillationConfig, seed: int, step: int) -> Sentences:
        """The sentences of a step (counted from 0)."""
        random = np.random.default_rng((seed, 7, step))
        batch = config.optimiser.batch
        shares = (config.caption_share, config.other_share, config.word_share)
        captions, others, words = (int(batch * share) for share in shares)
        others = others if self._others else 0
        texts = [self._captions[i] for i in random.integers(0, len(self._captions), captions)]
        texts += [self._others[i] for i in random.integers(0, max(1, len(self._others)), others)]
        targets = list(texts)
        weights = self._weights * np.where(self._has_common, config.synonym_weight, 1)
        for index in random.choice(len(self.words), words, p=weights / weights.sum()):
            text, target = _prompted(self.words[index], config.as_common, random)
            texts.append(text)
            targets.append(target)
        for index in random.integers(0, len(self._glosses), batch - len(texts)):
            word, gloss = self._glosses[index]
            text = _gloss(word, gloss, random)
            texts.append(text)
            targets.append(text)
        return Sentences(texts=texts, targets=targets)


def teachable_words(
    wordnet: WordNet, counts: WordCounts, held_out: Collection[str] = ()
) -> list[Word]:
    """All words without digits; capitals only of nouns.

    A rare noun has for a target the commonest word of its first meaning that has it for a
    first one too, where that is much commoner; words that are held out, to measure by, have none.
    """
    found = []
    for id_, synset in wordnet.synsets.items():
        is_noun = id_[0] == "n"
        clear = [word.lower() for word in synset.words if wordnet.rank(word.lower(), id_) == 0]
        best = max(clear, key=counts.of, default="")
        is_visible = is_noun and synset.lexicographer in VISIBLE_THINGS
        for word in synset.words:
            text = word.lower()
            if re.search(r"\d", word) or (word != text and not is_noun):
                continue
            has_common = text in clear and text not in held_out and _is_rarer(text, best, counts)
            common = best if has_common else None
            weight = (3 if is_visible else 1) * (1 if counts.of(text) < 1 else 3)
            found.append(Word(text=text, common=common, weight=weight, is_noun=is_noun))
    return found


def _is_rarer(text: str, best: str, counts: WordCounts) -> bool:
    rare, common = counts.of(text), counts.of(best)
    return rare < _RARE and common > max(_COMMON, _MUCH_COMMONER * rare)


def _prompted(word: Word, as_common: float, random: np.random.Generator) -> tuple[str, str]:
    """A word in a prompt, and the same of its common synonym or itself."""
    prompt = _PROMPTS[random.integers(len(_PROMPTS))] if word.is_noun else "{}"
    takes_article = prompt != "{}" and "the {}" not in prompt and "many" not in prompt
    has_article = random.random() < 0.5 and takes_article
    common = word.common if word.common and random.random() < as_common else word.text

    def say(text: str) -> str:
        return prompt.format(with_article(text) if has_article else text)

    return say(word.text), say(common)


def _gloss(word: str, gloss: str, random: np.random.Generator) -> str:
    if random.random() < 0.5:
        return gloss
    return f"{word}: {gloss}" if random.random() < 0.5 else f"{word}, {gloss}"
