"""Captions that learn from their scores: sampling, rewards, and the score's reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cocadesk.evaluation.captions import CiderD, cider_d
from tests.support.tiny_model import tiny_model
from trainer.config import CaptionerConfig, RewardConfig
from trainer.stages.captioner import lock_all_but_writing, style_of
from trainer.stages.rewards import sample_captions
from trainer.words.vocabulary import ALT_TEXT, MARKERS, SENTENCE, SHORT

_CONFIG = RewardConfig(frequent_ids=60, most_tokens=9)
_END = 2


def _tokens(pictures: int) -> torch.Tensor:
    return torch.randn(pictures, 4, 32, generator=torch.Generator().manual_seed(5))


def _samples(seed: int, count: int = 40) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    return sample_captions(tiny_model(), _tokens(1).expand(count, -1, -1), _CONFIG, generator)


def test_sampled_captions_are_words_between_style_and_end() -> None:
    """Begin and style first, no other marker, at least three words, the end at most once."""
    rows = _samples(1)
    for row in rows:
        assert row[:2] == [1, SENTENCE]
        words = row[2:-1] if row[-1] == _END else row[2:]
        assert 3 <= len(words) <= _CONFIG.most_tokens
        assert all(len(MARKERS) <= word < _CONFIG.frequent_ids for word in words)
    assert len({tuple(row) for row in rows}) > 20
    assert rows == _samples(1)
    assert rows != _samples(2)


def test_sampling_follows_the_networks_chances() -> None:
    """The first word of many samples against the softmax of a plain pass."""
    model, pooled = tiny_model(), _tokens(1)
    rows = _samples(3, 3000)
    with torch.no_grad():
        begin = torch.tensor([[1, SENTENCE]])
        states = model.unimodal(begin, torch.ones(1, 2, dtype=torch.bool))[0]
        logits = model.multimodal.output(model.multimodal(states, pooled))[0, -1, :60]
    logits[: len(MARKERS)] = -torch.inf
    best, places = logits.topk(30)
    expected = torch.zeros(60).index_put_((places,), best.softmax(0)).numpy()
    found = np.bincount([row[2] for row in rows], minlength=60) / len(rows)
    np.testing.assert_allclose(found, expected, atol=0.03)


def test_a_score_against_kept_references_is_the_measures() -> None:
    """The one that dev captions are measured by, with its document frequencies."""
    references = [
        [["a", "dog", "runs", "fast"], ["the", "dog", "runs"]],
        [["a", "red", "ball", "rolls"]],
        [["two", "children", "play", "with", "a", "ball"]],
    ]
    scorer = CiderD(references)
    said = [["a", "dog", "runs"], ["a", "ball"], ["two", "children", "play"]]
    found = [scorer.score(tokens, picture) for picture, tokens in enumerate(said)]
    assert found == cider_d(said, references)
    assert scorer.score(references[1][0], 1) == pytest.approx(10.0)
    assert scorer.score(["two", "children"], 0) == 0.0


def test_a_captions_style_is_told_by_length_and_source() -> None:
    """Alt text is known by its source alone."""
    config = CaptionerConfig(short_words=3)
    assert style_of("a red dog", "photos", config) == SHORT
    assert style_of("a red dog runs", "photos", config) == SENTENCE
    assert style_of("a red dog", "osbooks-astronomy", config) == ALT_TEXT


def test_only_the_multimodal_half_learns_to_write() -> None:
    """Its output too, unless it is the table of words."""
    model = tiny_model()
    lock_all_but_writing(model)
    learned = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert learned
    assert all(name.startswith("multimodal.") for name in learned)
    assert "multimodal.output.weight" in learned
