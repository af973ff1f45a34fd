"""The runs over a model's door: batches, owners of captions, empty input."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.evaluation.runs import (
    BATCH,
    Labelled,
    Sample,
    VideoSample,
    batches,
    evaluate_captions,
    evaluate_retrieval,
    evaluate_zeroshot,
)
from tests.support.fake_backend import FakeBackend

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255,) * 3}


def _picture(rgb: tuple[int, ...]) -> np.ndarray:
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = rgb
    return picture


def _samples() -> list[Sample]:
    return [
        Sample(image_HWC=_picture(rgb), captions=(f"a {name} picture", f"something {name}"))
        for name, rgb in COLOURS.items()
    ]


def test_retrieval_finds_pictures_by_their_captions() -> None:
    """The fake knows colours, so every caption finds its picture and back."""
    metrics = evaluate_retrieval(FakeBackend(), iter(_samples())).metrics()
    assert metrics.t2i_r1 == 100.0
    assert metrics.i2t_r1 == 100.0


def test_more_pictures_than_a_batch_keep_their_own_captions() -> None:
    """Owners are counted over all batches."""
    samples = _samples() * (BATCH // 2)
    metrics = evaluate_retrieval(FakeBackend(), samples).metrics()
    assert metrics.t2i_r1 == 100.0


def test_a_clip_is_the_mean_of_its_frames() -> None:
    """Clips of several lengths and pictures are ranked together; a stray frame does not win."""
    samples: list[Sample | VideoSample] = [*_samples()[2:]]
    for name, other, frames in (("red", "blue", 16), ("green", "white", 3)):
        shown = [_picture(COLOURS[name])] * (frames - 1) + [_picture(COLOURS[other])]
        captions = (f"a {name} film", f"something {name}")
        samples.append(VideoSample(frames_NHWC=np.stack(shown), captions=captions))
    metrics = evaluate_retrieval(FakeBackend(), samples * 9).metrics()
    assert metrics.t2i_r1 == 100.0
    assert metrics.i2t_r1 == 100.0


def test_captions_are_compared_with_those_of_the_same_picture() -> None:
    """The fake writes the first reference word for word."""
    metrics = evaluate_captions(FakeBackend(), iter(_samples())).scores.metrics()
    assert metrics.rouge_l == pytest.approx(1.0)
    swapped = [
        Sample(image_HWC=first.image_HWC, captions=second.captions)
        for first, second in zip(_samples(), _samples()[1:] + _samples()[:1], strict=True)
    ]
    assert evaluate_captions(FakeBackend(), swapped).scores.metrics().rouge_l < 0.7


def test_zero_shot_names_the_class_of_each_picture() -> None:
    """Class vectors are the texts' own."""
    vectors = FakeBackend().embed_texts([f"a {name} picture" for name in COLOURS])
    pictures = [
        Labelled(image_HWC=_picture(rgb), label=label) for label, rgb in enumerate(COLOURS.values())
    ]
    assert evaluate_zeroshot(FakeBackend(), pictures, vectors).metrics().top1 == 100.0


def test_nothing_to_measure_is_an_error() -> None:
    """No figure is made up."""
    with pytest.raises(ValueError, match="no captions"):
        evaluate_retrieval(FakeBackend(), [])
    with pytest.raises(ValueError, match="no captions"):
        evaluate_captions(FakeBackend(), [])
    with pytest.raises(ValueError, match="no pictures"):
        evaluate_zeroshot(FakeBackend(), [], np.zeros((2, 32), np.float32))


def test_batches_give_every_item_once() -> None:
    """The last one is shorter; nothing gives none."""
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([])) == []
