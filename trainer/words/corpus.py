"""Texts of a run and what is known of their words: sentences, class names, broader words."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError, tr
from trainer.pictures.data import Example
from trainer.words.class_names import ClassName, class_name
from trainer.words.class_tree import ClassTree, imagenet_classes
from trainer.words.counts import WordCounts
from trainer.words.sentences import SentencePool
from trainer.words.wordnet import WordNet, read_wordnet


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Captions of pictures, captions without pictures (``extra``), ``other`` sentences."""

    captions: list[str]
    extra: list[str]
    other: list[str]
    counts: WordCounts
    wordnet: WordNet

    @staticmethod
    def gather(
        captions: list[str], extra: list[str], other: list[str], wordnet_folder: Path
    ) -> Corpus:
        """Counts the words and reads WordNet.

        Raises:
            UserError: WordNet is missing.
        """
        wordnet = read_wordnet(wordnet_folder)
        phrases = (word.lower() for synset in wordnet.synsets.values() for word in synset.words)
        return Corpus(
            captions=captions,
            extra=extra,
            other=other,
            counts=WordCounts([*captions, *extra, *other], phrases),
            wordnet=wordnet,
        )

    @property
    def unique_captions(self) -> list[str]:
        """Every caption of a picture once, in order."""
        return sorted(set(self.captions))

    def sentences(self, held_out: Collection[str] = ()) -> SentencePool:
        """Everything to distil from."""
        captions = [*self.unique_captions, *self.extra]
        return SentencePool(captions, self.other, self.wordnet, self.counts, held_out=held_out)

    def class_names(self, examples: Sequence[Example]) -> dict[int, ClassName]:
        """The class of each picture, by number, that has only a class's name."""
        return {
            number: class_name(example.captions[0], self.wordnet, self.counts)
            for number, example in enumerate(examples)
            if example.is_class_name
        }

    def class_tree(self) -> ClassTree:
        """The trunk's classes under WordNet's broader words.

        Raises:
            UserError: timm, which lists the classes, is not installed.
        """
        return ClassTree(imagenet_classes(), self.wordnet, self.counts)


def read_held_out(path: Path) -> frozenset[str]:
    """The column ``rare`` of a table of word pairs.

    Raises:
        UserError: it cannot be read.
    """
    try:
        table = csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter="\t")
        return frozenset(row["rare"] for row in table)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            tr("The held-out words {path} cannot be read.", path=path),
            f"{error}.",
            tr("Give a table (TSV) with a column “rare” in words.held_out, or leave it out."),
        ) from error
