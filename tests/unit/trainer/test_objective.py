"""Losses and figures of tuning, against plain slow versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cocadesk.evaluation.retrieval import caption_key, retrieval_metrics
from trainer.step import caption_groups, contrastive_loss
from trainer.tuning.new_words import NewWords
from trainer.tuning.objective import (
    PhotoCaptions,
    alignment,
    contrastive_with_negatives,
    distractor_loss,
    kl_distillation,
    relate,
)
from trainer.tuning.results import Ranked, caption_figure, recall_figures, wilson

_NEW = NewWords(words=frozenset({"florbit"}))


def _unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def _words(*captions: str) -> PhotoCaptions:
    return PhotoCaptions.of(captions, [], _NEW)


def test_equal_captions_are_right_for_each_other_and_other_florbits_are_unsure() -> None:
    """Whatever the case and the stops; a photo of something else is simply wrong."""
    photos = [_words("a florbit", "a red florbit"), _words("A florbit."), _words("a dog")]
    pairs = relate(photos, ["a red florbit", "a florbit", "a dog"], _NEW)
    assert pairs.positive_BB.tolist() == [
        [True, True, False],
        [False, True, False],
        [False, False, True],
    ]
    assert pairs.unsure_BB.tolist() == [
        [False, False, False],
        [True, False, False],
        [False, False, False],
    ]


def test_without_anything_special_the_loss_is_the_papers() -> None:
    """No unsure pair, no further negatives: both directions summed, positives shared."""
    captions = ["a dog", "a cat", "a dog", "a bird"]
    pairs = relate([_words(c) for c in captions], captions, _NEW)
    image, text, scale = _unit(4, 8), _unit(4, 8, seed=1), torch.tensor(12.0)
    none = torch.zeros(0, 8)
    ours = contrastive_with_negatives(image, text, pairs, scale, none, none)
    plain = contrastive_loss(image, text, scale, caption_groups(captions))
    assert ours == pytest.approx(float(plain), rel=1e-5)


def test_unsure_pairs_count_for_nothing_and_negatives_join_the_sums() -> None:
    """Against the sums written out one by one."""
    photos = [_words("a florbit on a table"), _words("a florbit"), _words("a dog")]
    texts = ["a florbit on a table", "a florbit", "a dog"]
    image, text, scale = _unit(3, 8), _unit(3, 8, seed=1), torch.tensor(9.0)
    others, sentences = _unit(5, 8, seed=2), _unit(4, 8, seed=3)
    pairs = relate(photos, texts, _NEW)
    total = 0.0
    for i in range(3):
        left_out = {(0, 1), (1, 0)}
        row = [math.exp(9 * float(image[i] @ text[j])) for j in range(3) if (i, j) not in left_out]
        row += [math.exp(9 * float(image[i] @ s)) for s in sentences]
        column = [
            math.exp(9 * float(image[j] @ text[i])) for j in range(3) if (j, i) not in left_out
        ]
        column += [math.exp(9 * float(text[i] @ o)) for o in others]
        right = 9 * float(image[i] @ text[i])
        total += (math.log(sum(row)) - right + math.log(sum(column)) - right) / 3
    found = contrastive_with_negatives(image, text, pairs, scale, others, sentences)
    assert found == pytest.approx(total, 1e-4)


def test_the_keeping_losses_are_zero_where_nothing_changed() -> None:
    """Pull by the middle of the photos, chances as they were, unrelated pictures at peace."""
    texts = ["a florbit", "a florbit"]
    pairs = relate([_words(t) for t in texts], texts, _NEW)
    image = _unit(2, 8)
    middle = F.normalize(image.mean(0), dim=0).expand(2, 8)
    assert float(alignment(image, middle, pairs)) == pytest.approx(0, abs=1e-6)
    logits = torch.randn(5, 11)
    assert float(kl_distillation(logits, logits)) == pytest.approx(0, abs=1e-6)
    assert float(kl_distillation(logits + torch.randn(5, 11), logits)) > 0
    others, sentences = _unit(6, 8, seed=5), _unit(40, 8, seed=6)
    far = distractor_loss(others, -others.mean(0, keepdim=True), sentences, torch.tensor(9.0))
    near = distractor_loss(others, F.normalize(others, dim=1), sentences, torch.tensor(9.0))
    assert float(far) < 0.4 < float(near)


def test_recall_agrees_with_the_programs_own() -> None:
    """Without distractors and with one caption a photo, the figures are ``evaluate``'s."""
    captions = [("a dog",), ("a cat",), ("a dog",), ("a bird",), ("a fish",), ("a cow",)]
    image, text = _unit(6, 4).numpy(), _unit(6, 4, seed=1).numpy()
    figures = recall_figures(
        Ranked(image_IE=image, text_TE=text, distractor_XE=text[:0], captions=captions)
    )
    keys = [caption_key(text) for texts in captions for text in texts]
    whole = retrieval_metrics(image, text, np.arange(6), keys)
    assert {f.name: f.value for f in figures} == {
        name: round(getattr(whole, name), 2) for name in whole.__slots__
    }
    assert all(figure.n == 6 and figure.low <= figure.value <= figure.high for figure in figures)


def test_distractors_make_finding_harder() -> None:
    """Other pictures and other captions stand in the way of the measured ones."""
    image, text = _unit(3, 4).numpy(), _unit(3, 4).numpy()
    captions = [("one",), ("two",), ("three",)]
    alone = Ranked(image_IE=image, text_TE=text, distractor_XE=text[:0], captions=captions)
    among = Ranked(
        image_IE=np.concatenate((image, image)), text_TE=text, distractor_XE=text, captions=captions
    )
    assert all(figure.value == 100 for figure in recall_figures(alone))
    values = {figure.name: figure.value for figure in recall_figures(among)}
    assert values["t2i_r1"] == values["i2t_r1"] == 0
    assert values["t2i_r5"] == values["i2t_r5"] == 100


def test_intervals_hold_what_they_claim() -> None:
    """Wilson's textbook values; captions bootstrap over photos, none for one photo."""
    assert wilson(1.0, 3) == pytest.approx((0.4385, 1.0), abs=1e-3)
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-3)
    assert wilson(0.0, 0) == (0.0, 1.0)
    written = ["a dog runs", "a cat sleeps", "a bird on a tree"]
    (figure,) = caption_figure(written, [[text] for text in written])
    assert figure.name == "cider_d"
    assert figure.low <= figure.value <= figure.high
    assert caption_figure(["a dog"], [["a dog"]]) == []
