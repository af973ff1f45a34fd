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

from cocadesk.library.vectors import mean_directions
from cocadesk.model.values import ModelInfo

PROMPT_TEMPLATES: tuple[str, ...] = ("{tag}", "{a}", "a photo of {a}")
"""``{tag}`` is the tag itself, ``{a}`` the tag with its article.

Chosen among ten on captions of the dev sets: each further sentence ("there is {a} in the
photo", "a close up of {a}", ...) lowered the starter's precision, and costs time.
"""


class TextEncoder(Protocol):
    """The part of the model's door that tags need."""

    def info(self) -> ModelInfo: ...

    def embed_texts(self, texts: list[str], /) -> NDArray[np.float32]: ...


_NOUNS_IN_ING = frozenset({"building", "ceiling", "painting", "ring", "string", "swing", "wedding"})
_ACTIVITIES = frozenset({"playing", "riding", "taking"})


def with_article(tag: str) -> str:
    """The tag with "a" or "an"; plurals and activities ("rock climbing") stay as they are."""
    words = tag.lower().split()
    first, last = words[0], words[-1]
    is_activity = last.endswith("ing") and last not in _NOUNS_IN_ING
    is_plural = len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is"))
    if first in {"a", "an", "the"} | _ACTIVITIES or is_activity or is_plural:
        return tag
    return f"{'an' if first[0] in 'aeiou' else 'a'} {tag}"


def prompts(tag: str, templates: Sequence[str] = PROMPT_TEMPLATES) -> list[str]:
    """The sentences for one tag, in the order of the templates."""
    article = with_article(tag)
    return [template.replace("{a}", article).replace("{tag}", tag) for template in templates]


def class_vectors(
    encoder: TextEncoder, tags: Sequence[str], templates: Sequence[str] = PROMPT_TEMPLATES
) -> NDArray[np.float32]:
    """One vector a tag: the mean of its sentences' vectors, (C, D) float32, unit norm."""
    sentences = [sentence for tag in tags for sentence in prompts(tag, templates)]
    vectors = encoder.embed_texts(sentences)
    return mean_directions(vectors.reshape(len(tags), len(templates), -1))


def cached_class_vectors(
    encoder: TextEncoder,
    tags: Sequence[str],
    cache: Path | None,
    templates: Sequence[str] = PROMPT_TEMPLATES,
) -> NDArray[np.float32]:
    """As ``class_vectors``, stored in the folder ``cache`` by model, tags and templates.

    An unreadable cache file is written again; a folder that cannot be written is no error.
    """
    if cache is None:
        return class_vectors(encoder, tags, templates)
    digest = hashlib.sha256("\0".join([*templates, "", *tags]).encode()).hexdigest()[:16]
    file = cache / f"{encoder.info().model_id}-{digest}.npy"
    vectors = _load(file, len(tags))
    if vectors is None:
        vectors = class_vectors(encoder, tags, templates)
        _store(file, vectors)
    return vectors


def _load(file: Path, rows: int) -> NDArray[np.float32] | None:
    try:
        vectors = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    usable = vectors.ndim == 2 and len(vectors) == rows and vectors.dtype == np.float32
    return vectors if usable and np.isfinite(vectors).all() else None


def _store(file: Path, vectors: NDArray[np.float32]) -> None:
    """Write the file whole or not at all: beside its place, then renamed into it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as part:
            np.save(part, vectors, allow_pickle=False)
        os.replace(part.name, file)  # noqa: PTH105 - the name is a str here
    except OSError:
        return
