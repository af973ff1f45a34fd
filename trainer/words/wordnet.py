"""WordNet's dictionary files (Fellbaum 1998; the format is that of its page wndb(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError, tr

#: Part of speech by the letter that begins an id, and its file.
_FILES = {"n": "noun", "v": "verb", "a": "adj"}
#: Kinds of things by the number of their lexicographer's file (lexnames(5)).
PERSONS = 18
VISIBLE_THINGS = frozenset({4, 5, 6, 8, 13, 17, 18, 20})
MOST_DEPTH = 40
UNKNOWN_RANK = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Synset:
    """A meaning: its words, a short gloss, broader meanings, and its lexicographer's file."""

    words: tuple[str, ...]
    gloss: str
    hypernyms: tuple[str, ...]
    lexicographer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WordNet:
    """Synsets by id ("n02084071", as ImageNet writes them), and a noun's ids, commonest first."""

    synsets: dict[str, Synset]
    senses: dict[str, tuple[str, ...]]

    def rank(self, noun: str, synset: str) -> int:
        """The place of a meaning among a noun's: 0 is its commonest."""
        senses = self.senses.get(noun, ())
        return senses.index(synset) if synset in senses else UNKNOWN_RANK

    def chain(self, synset: str) -> list[str]:
        """A meaning and the broader ones above it, each the first that WordNet names."""
        found = [synset]
        while (above := self.synsets[found[-1]].hypernyms) and len(found) < MOST_DEPTH:
            if above[0] in found:
                break
            found.append(above[0])
        return found


def read_wordnet(folder: Path) -> WordNet:
    """Nouns, verbs and adjectives from a folder of WordNet 3.

    Raises:
        UserError: the files are missing or of another format.
    """
    synsets: dict[str, Synset] = {}
    senses: dict[str, tuple[str, ...]] = {}
    try:
        for letter, name in _FILES.items():
            for line in _lines(folder / f"data.{name}"):
                offset, synset = _synset(line)
                synsets[letter + offset] = synset
        for line in _lines(folder / "index.noun"):
            fields = line.split()
            first = 6 + int(fields[3])
            lemma = fields[0].replace("_", " ")
            senses[lemma] = tuple(f"n{offset}" for offset in fields[first:])
    except OSError as error:
        raise UserError(
            tr("WordNet is missing."),
            f"{error}.",
            tr(
                "Install it (Debian and Ubuntu: apt install wordnet-base) or set words.wordnet to "
                "the folder of its files."
            ),
        ) from error
    except (ValueError, IndexError) as error:
        raise UserError(
            tr("WordNet in {folder} cannot be read.", folder=folder),
            tr("Its files have another format ({error}).", error=error),
            tr("Give the folder of WordNet 3."),
        ) from error
    return WordNet(synsets=synsets, senses=senses)


def _lines(path: Path) -> list[str]:
    """The lines after the licence, which is indented."""
    text = path.read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("  ")]


def _synset(line: str) -> tuple[str, Synset]:
    head, gloss = line.split(" | ", 1)
    fields = head.split()
    count = int(fields[3], 16)
    words = (re.sub(r"\(.*?\)", "", fields[4 + 2 * i]).replace("_", " ") for i in range(count))
    first = 4 + 2 * count
    pointers = (fields[first + 1 + 4 * i :][:3] for i in range(int(fields[first])))
    return fields[0], Synset(
        words=tuple(words),
        gloss=gloss.strip().split(";")[0].strip().lower(),
        hypernyms=tuple(ps + offset for sign, offset, ps in pointers if sign in ("@", "@i")),
        lexicographer=int(fields[1]),
    )
