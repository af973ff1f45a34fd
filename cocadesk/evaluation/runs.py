"""Measurements of a model through its door; pictures come decoded, so any source will do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.captions import CaptionScores, score_captions
from cocadesk.evaluation.retrieval import Naming, Ranking, caption_key, name_classes, rank
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend, GenerationOptions

BATCH = 32

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture as the model takes it, (S, S, 3) uint8 RGB, and what people said of it."""

    image_HWC: NDArray[np.uint8]
    captions: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSample:
    """A video as frames that the model takes, (N, S, S, 3) uint8 RGB, and what people said of it.

    Its vector is the mean of the frames' (arXiv 2205.01917 takes sixteen), at unit length.
    """

    frames_NHWC: NDArray[np.uint8]
    captions: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A picture as the model takes it and the number of its class."""

    image_HWC: NDArray[np.uint8]
    label: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The model's captions of N pictures, with their scores."""

    captions: tuple[str, ...]
    scores: CaptionScores


def evaluate_retrieval(backend: Backend, samples: Iterable[Sample | VideoSample]) -> Ranking:
    """Text to image and image to text over all captions of all pictures and videos.

    Raises:
        ValueError: no samples, or one without captions.
    """
    vectors, texts, owners = [], list[str](), list[int]()
    pictures = 0
    for batch in batches(samples):
        vectors.append(_vectors(backend, batch))
        for sample in batch:
            texts.extend(sample.captions)
            owners.extend([pictures] * len(sample.captions))
            pictures += 1
    if not texts:
        raise ValueError("no captions to rank")
    return rank(
        np.concatenate(vectors),
        backend.embed_texts(texts),
        owners,
        [caption_key(text) for text in texts],
    )


def _vectors(backend: Backend, samples: Sequence[Sample | VideoSample]) -> NDArray[np.float32]:
    """(B, D) float32 unit vectors, a video's being the mean of its frames'."""
    frames = [
        sample.frames_NHWC if isinstance(sample, VideoSample) else sample.image_HWC[None]
        for sample in samples
    ]
    together = (frame for group in frames for frame in group)
    embedded = [backend.embed_images(np.stack(some)) for some in batches(together)]
    owners = np.repeat(np.arange(len(frames)), [len(group) for group in frames])
    sums = np.zeros((len(frames), embedded[0].shape[1]), np.float32)
    np.add.at(sums, owners, np.concatenate(embedded))
    return unit_vectors(sums)


def evaluate_captions(
    backend: Backend, samples: Iterable[Sample], options: GenerationOptions | None = None
) -> Written:
    """The model's captions against those of people.

    Raises:
        ValueError: no samples, or one without captions.
    """
    candidates, references = list[str](), list[Sequence[str]]()
    for batch in batches(samples):
        images_BHWC = np.stack([sample.image_HWC for sample in batch])
        candidates.extend(caption.text for caption in backend.caption(images_BHWC, options))
        references.extend(sample.captions for sample in batch)
    return Written(captions=tuple(candidates), scores=score_captions(candidates, references))


def evaluate_zeroshot(
    backend: Backend, pictures: Iterable[Labelled], class_vectors: NDArray[np.float32]
) -> Naming:
    """Accuracy of taking the nearest of ``class_vectors`` (C, D) as a picture's class.

    Raises:
        ValueError: no pictures.
    """
    scores, labels = [], list[int]()
    for batch in batches(pictures):
        vectors = backend.embed_images(np.stack([picture.image_HWC for picture in batch]))
        scores.append(vectors @ class_vectors.T)
        labels.extend(picture.label for picture in batch)
    if not labels:
        raise ValueError("no pictures to name")
    return name_classes(np.concatenate(scores), labels)


def batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
