"""Zero-shot tags: the words of a vocabulary that fit a picture's vector."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.prompts import TextEncoder, cached_class_vectors, prompts
from cocadesk.annotations.tag_tree import ALIKE, SURE, UNSURE_KINDS, TagTree, load_parents
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
from cocadesk.library.rows import Tag
from cocadesk.model.values import ModelInfo

_DIGEST_LETTERS = 8


def tagger_version(info: ModelInfo, vocabulary: Vocabulary) -> str:
    """The version of tags, stored beside them: with the same they would come out the same.

    The model's id and a digest of all else that makes them: its constants, the tags, the
    everyday ones that they are measured against, their sentences, and the rules of parents.
    """
    tags = [*vocabulary.tags, "", *load_vocabulary().tags]
    sentences = (sentence for tag in tags for sentence in ([tag, *prompts(tag)] if tag else [""]))
    rules = f"{SURE} {ALIKE} {UNSURE_KINDS} {load_parents()}"
    made_of = "\n".join([*sentences, rules, info.tagging.to_json().decode()])
    return f"{info.model_id}+{sha256(made_of.encode()).hexdigest()[:_DIGEST_LETTERS]}"


def deviations(
    vectors_ND: NDArray[np.float32],
    classes_CD: NDArray[np.float32],
    everyday_ED: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(N, C): standard deviations of each tag above the everyday words for the same picture.

    The cosine of one picture with a text says little by itself: some pictures are near to
    every text. Measured so, a tag's place is the same in a list of two labels as in one of a
    thousand, and does not depend on the other pictures of a batch.
    """
    return _above(vectors_ND @ classes_CD.T, vectors_ND @ everyday_ED.T)


def _above(
    cosines_NC: NDArray[np.float32], everyday_NE: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Standard deviations of cosines above those with the everyday words."""
    mean = everyday_NE.mean(axis=1, keepdims=True)
    spread = np.maximum(everyday_NE.std(axis=1, keepdims=True), 1e-6)
    return np.asarray((cosines_NC - mean) / spread, np.float32)


def logistic(
    deviations_NC: NDArray[np.float32], slope: float, midpoint: float
) -> NDArray[np.float32]:
    """Probabilities; see ``TagConstants``."""
    log_odds = np.clip(slope * (deviations_NC - midpoint), -60, 60)
    return np.asarray(1 / (1 + np.exp(-log_odds)), np.float32)


class ZeroShotTagger:
    """Scores each tag with the probability that it fits, and picks those to give.

    A tag's deviation (see ``deviations``), less its bias, becomes a probability by the
    model's own constants; then what a tag implies is at least as likely as it is, and where
    two kinds of one thing are about equally likely the thing is given instead (``TagTree``).

    The first use embeds every tag once, or reads the vectors from ``cache``. Any thread.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        vocabulary: Vocabulary,
        *,
        cache: Path | None = None,
        at_least: int = 0,
    ) -> None:
        self.vocabulary = vocabulary
        info = encoder.info()
        self.version = tagger_version(info, vocabulary)
        """The version to store beside these tags."""
        self._constants = info.tagging
        biases = {tag.casefold(): bias for tag, bias in self._constants.biases.items()}
        own = {tag.casefold() for tag in vocabulary.tags}
        everyday = load_vocabulary().tags
        further = [n for n, tag in enumerate(everyday) if tag.casefold() not in own]
        known = [*vocabulary.tags, *(everyday[n] for n in further)]
        # The places in ``_texts`` of what is compared with pictures.
        self._everyday_from = 0 if everyday == vocabulary.tags else len(vocabulary.tags)
        self._known_at = [
            *range(len(vocabulary.tags)),
            *(self._everyday_from + n for n in further),
        ]
        self._bias_K = np.asarray([biases.get(tag.casefold(), 0.0) for tag in known], np.float32)
        self._known = TagTree(known)
        self._tree = TagTree(vocabulary.tags)
        self._at_least = at_least
        self._encoder = encoder
        self._cache = cache
        self._lock = threading.Lock()
        self._vectors: NDArray[np.float32] | None = None

    def class_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vectors of the tags, and of the everyday words."""
        texts_TD = self._texts()
        return texts_TD[: len(self.vocabulary.tags)], texts_TD[self._everyday_from :]

    def _texts(self) -> NDArray[np.float32]:
        """The vectors of the tags, then of the everyday words unless those are the tags."""
        with self._lock:
            if self._vectors is None:
                lists = [self.vocabulary.tags]
                lists += [load_vocabulary().tags] if self._everyday_from else []
                vectors = [cached_class_vectors(self._encoder, tags, self._cache) for tags in lists]
                self._vectors = np.concatenate(vectors)
            return self._vectors

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of each tag for each picture: (N, D) unit norm to (N, C) in 0-1.

        Everyday words count that are not among the tags: what is a dog is an animal, in a
        list without dogs as well.
        """
        cosines_NT = vectors @ self._texts().T
        everyday_NE = cosines_NT[:, self._everyday_from :]
        deviating = _above(cosines_NT[:, self._known_at], everyday_NE) - self._bias_K
        likely = logistic(deviating, self._constants.slope, self._constants.midpoint)
        return self._known.raised(likely)[:, : len(self.vocabulary.tags)]

    def tag(self, vectors: NDArray[np.float32], top: int = 8) -> list[list[Tag]]:
        """For each picture the tags that are likely enough, best first, at most ``top``.

        What is less likely than the model's threshold is dropped, but never the best
        ``at_least`` ones.
        """
        scores = self.scores(vectors)
        given = np.where(self._tree.withheld(scores), -1.0, scores)
        return [self._best(row)[:top] for row in given]

    def _best(self, scores: NDArray[np.float32]) -> list[Tag]:
        """The tags to give of these scores; one below 0 is withheld."""
        order = np.argsort(-scores, kind="stable")
        number = max(int((scores >= self._constants.threshold).sum()), self._at_least)
        return self.in_order(
            [
                Tag(tag=self.vocabulary.tags[index], score=round(float(scores[index]), 4))
                for index in order[:number]
                if scores[index] >= 0
            ]
        )

    def in_order(self, tags: list[Tag]) -> list[Tag]:
        """Tags of this vocabulary, best first, parents behind what implies them."""
        scores = {tag.tag: tag.score for tag in tags}
        return [Tag(tag=name, score=scores[name]) for name in self._tree.in_order(scores)]

    def implied_by(self, tag: str) -> list[str]:
        """The tags of this vocabulary that a tag implies ("dog": "animal")."""
        return [self.vocabulary.tags[place] for place in self._tree.above(tag)]

    def implying(self, tag: str) -> list[str]:
        """The tags of this vocabulary that imply a tag ("dog": "puppy", "husky")."""
        return [name for name in self.vocabulary.tags if tag in self.implied_by(name)]
