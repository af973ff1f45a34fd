"""From a tag to a text vector: a few sentences around it, averaged."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.model.values import ModelInfo
from cocadesk.resources import resource_path
from cocadesk.vectors import unit_vectors

PROMPT_TEMPLATES: tuple[str, ...] = ("{tag}", "{a}", "a photo of {a}")
"""``{tag}`` is the tag itself, ``{a}`` the tag with its article: the sentences for things.

Chosen among ten on captions of the dev sets: each further sentence ("there is {a} in the
photo", "a close up of {a}", ...) lowered the first starter's precision, and costs time.
"""
ACTIVITY_TEMPLATES: tuple[str, ...] = ("{tag}", "a person {tag}", "a photo of people {tag}")
PICTURE_TEMPLATES: tuple[str, ...] = ("{tag}", "{a}", "this is {a}")
"""For kinds of picture: "a photo of a screenshot" is another thing than a screenshot."""


class TextEncoder(Protocol):
    """The part of the model's door that tags need."""

    def info(self) -> ModelInfo: ...

    def embed_texts(self, texts: list[str], /) -> NDArray[np.float32]: ...


def _listed(text: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()).split(", "))


_NOUNS_IN_ING = _listed("""
    building, ceiling, clothing, drawing, duckling, dumpling, evening, handwriting, king,
    lightning, meeting, morning, painting, pudding, railing, ring, spring, string, swing,
    wedding, wing
""")
_ACTIVITIES = frozenset({"playing", "riding", "taking"})
_UNCOUNTED = _listed("""
    autumn, bamboo, beer, bread, broccoli, cheese, chess, chocolate, christmas, clothing,
    coffee, coral, corn, fabric, fire, fog, food, furniture, garlic, golf, graffiti, grass,
    gymnastics, hair, halloween, handwriting, hockey, ice, jewelry, juice, lavender, lightning,
    makeup, meat, metal, milk, money, moss, music, night, paper, pasta, rain, rice, rust, sand,
    seafood, smoke, snow, soup, sport, sunlight, sushi, tea, text, traffic, underwater, water,
    wine, winter, wood, yarn, yoga
""")
_PLURALS = frozenset({"children", "feet", "men", "mice", "people", "skis", "teeth", "women"})
_KINDS_OF_PICTURE = _listed("""
    aerial view, black and white photo, cartoon, chart, close-up, collage, diagram, drawing,
    painting, pattern, portrait, screenshot, selfie, silhouette, sketch, x-ray
""")


def is_activity(tag: str) -> bool:
    """True for what people do ("rock climbing", "playing guitar")."""
    words = tag.lower().split()
    first, last = words[0], words[-1]
    return first in _ACTIVITIES or (last.endswith("ing") and last not in _NOUNS_IN_ING)


def is_kind_of_picture(tag: str) -> bool:
    """True for tags of the picture itself ("screenshot", "portrait")."""
    return tag.lower() in _KINDS_OF_PICTURE


_SINGULAR = ("ss", "us", "is", "rhinoceros")
"""Ends of words that end with an s and are no plural."""
_LIKE_YOU = ("uni", "eu", "ukulele")
"""Words that begin so begin like "you": a uniform."""


def with_article(tag: str) -> str:
    """The tag with "a" or "an"; plurals, activities and what isn't counted stay as they are."""
    words = tag.lower().split()
    first, last = words[0], words[-1]
    is_plural = len(last) > 3 and last.endswith("s") and not last.endswith(_SINGULAR)
    has_none = first in {"a", "an", "the"} or last in _UNCOUNTED or last in _PLURALS
    if has_none or is_activity(tag) or is_plural:
        return tag
    is_vowel = first[0] in "aeiou" and not first.startswith(_LIKE_YOU)
    return f"{'an' if is_vowel else 'a'} {tag}"


def prompts(tag: str, templates: Sequence[str] | None = None) -> list[str]:
    """The sentences for one tag, in the order of the templates: those that suit it, or these."""
    if templates is None:
        templates = ACTIVITY_TEMPLATES if is_activity(tag) else PROMPT_TEMPLATES
        if is_kind_of_picture(tag):
            templates = PICTURE_TEMPLATES
    article = with_article(tag)
    found = [template.replace("{a}", article).replace("{tag}", tag) for template in templates]
    return list(dict.fromkeys(found))


def class_vectors(
    encoder: TextEncoder, tags: Sequence[str], templates: Sequence[str] | None = None
) -> NDArray[np.float32]:
    """One vector a tag: the mean of its sentences' vectors, (C, D) float32, unit norm."""
    return _mean_vectors(encoder, [prompts(tag, templates) for tag in tags])


def _mean_vectors(encoder: TextEncoder, sentences: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """The mean direction of each group of sentences."""
    vectors = encoder.embed_texts([sentence for group in sentences for sentence in group])
    starts = np.cumsum([0, *map(len, sentences[:-1])])
    return unit_vectors(np.add.reduceat(vectors, starts, axis=0))


def cached_class_vectors(
    encoder: TextEncoder,
    tags: Sequence[str],
    cache: Path | None,
    templates: Sequence[str] | None = None,
) -> NDArray[np.float32]:
    """As ``class_vectors``, stored in the folder ``cache`` by model and sentences.

    An unreadable cache file is written again; a folder that cannot be written is no error.
    """
    vectors = known_class_vectors(encoder, tags, cache, templates)
    if vectors is None:
        sentences = [prompts(tag, templates) for tag in tags]
        vectors = _mean_vectors(encoder, sentences)
        if cache is not None:
            _store(cache / vectors_file(encoder.info(), sentences), vectors)
    return vectors


def known_class_vectors(
    encoder: TextEncoder,
    tags: Sequence[str],
    cache: Path | None,
    templates: Sequence[str] | None = None,
) -> NDArray[np.float32] | None:
    """As ``cached_class_vectors`` where they ship or are stored; None where they are to be made."""
    name = vectors_file(encoder.info(), [prompts(tag, templates) for tag in tags])
    for folder in (shipped_vectors(), cache):
        vectors = None if folder is None else _load(folder / name, len(tags))
        if vectors is not None:
            return vectors
    return None


def shipped_vectors() -> Path | None:
    """The folder of the vectors that ship: of the usual tags, by the starter."""
    try:
        return resource_path("text_vectors")
    except UserError:  # they can be made
        return None


def vectors_file(info: ModelInfo, sentences: Sequence[Sequence[str]]) -> str:
    """The name of the file for the vectors of these sentences by this model."""
    key = "\n".join("\0".join(group) for group in sentences)
    return f"{info.model_id}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"


def _load(file: Path, rows: int) -> NDArray[np.float32] | None:
    try:
        vectors = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    is_known = vectors.dtype in (np.float32, np.int8)
    if vectors.ndim != 2 or len(vectors) != rows or not is_known or not np.isfinite(vectors).all():
        return None
    return vectors if vectors.dtype == np.float32 else unit_vectors(vectors.astype(np.float32))


def _store(file: Path, vectors: NDArray[np.float32]) -> None:
    """Write the file whole or not at all: beside its place, then renamed into it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            np.save(part, vectors, allow_pickle=False)
        os.replace(part.name, file)  # noqa: PTH105 - the name is a str here
    except OSError:
        return
