"""Replay, synthetic captions, drawing and evaluation of a tuning run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cocadesk.evaluation.retrieval import caption_key
from tests.support import tuning_data
from tests.support.tiny_model import tiny_model, tiny_tokenizer
from tests.support.tuning_data import CPU, RECIPE
from trainer.evaluate import encode_texts
from trainer.step import Losses
from trainer.tuning.dataset import load_general
from trainer.tuning.learner import queries_of
from trainer.tuning.methods import METHODS, TuningMethod
from trainer.tuning.new_words import NewWords
from trainer.tuning.objective import anchor_loss, caption_loss, kl_distillation
from trainer.tuning.phase import phases_of
from trainer.tuning.replay import ReplayBuffer
from trainer.tuning.results import Ranked, recall_figures
from trainer.tuning.split import Split
from trainer.tuning.synthetic_captions import MixedPictures, sample_captions

_ALL = pytest.mark.parametrize("method", list(METHODS.values()), ids=lambda method: method.name)


def _buffer(method: TuningMethod, seed: int = 1) -> ReplayBuffer:
    model = method.prepare(tiny_model()).eval()
    return ReplayBuffer(model, tuning_data.task(model, method, seed=seed))


@_ALL
def test_an_untuned_model_replays_itself(method: TuningMethod) -> None:
    """Now is as before: nothing is anchored, nothing distilled, and no gradient is in "before"."""
    model = method.prepare(tiny_model()).eval()
    replay = _buffer(method).replay(model, np.random.default_rng(1))
    torch.testing.assert_close(replay.now.logits_PV, replay.before.logits_PV)
    torch.testing.assert_close(replay.now.text_BE, replay.old_SE, rtol=1e-4, atol=1e-5)
    divergence = kl_distillation(replay.now.logits_PV.detach(), replay.before.logits_PV)
    assert float(divergence) == pytest.approx(0, abs=1e-5)
    assert not replay.before.logits_PV.requires_grad
    assert replay.now.logits_PV.requires_grad
    assert len(replay.old_SE) == RECIPE.sentences + RECIPE.synthetic


@_ALL
def test_what_the_model_was_stays_when_it_learns(method: TuningMethod) -> None:
    """Only what is locked is shared with the copy."""
    learner = tuning_data.learner(method, recipe=replace(RECIPE, learning_rate=1e-2))
    model = learner.state.model
    buffer = _buffer(method)
    first = buffer.replay(model, np.random.default_rng(1)).before
    for _ in range(2):
        learner.advance()
    again = buffer.replay(model, np.random.default_rng(1))
    assert torch.equal(again.before.logits_PV, first.logits_PV)
    assert not torch.allclose(again.now.logits_PV, first.logits_PV, atol=1e-3)


def test_a_replay_is_drawn_by_the_generator_it_is_given() -> None:
    """The same state, the same texts and pictures; another, others."""
    method = METHODS["head"]
    buffer, model = _buffer(method), tiny_model()
    first, second, third = (
        buffer.replay(model, np.random.default_rng(seed)).old_SE for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert first.shape != third.shape or not torch.equal(first, third)


def test_synthetic_captions_are_sampled_by_seed() -> None:
    """The same seed, the same captions, whatever was drawn in between; another seed, others."""
    model, tokenizer = tiny_model(), tiny_tokenizer()
    shape = (3, model.config.pooler.generative_queries, model.config.text.width)
    tokens = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    first = sample_captions(model, tokenizer, tokens, 1)
    torch.rand(10)
    assert sample_captions(model, tokenizer, tokens, 1) == first
    assert sample_captions(model, tokenizer, tokens, 2) != first
    assert len(first) == 3


def test_mixed_pictures_are_shares_of_two_crops() -> None:
    """At least half of the first; the same seed mixes the same."""
    mixed = MixedPictures.draw(5, 7, seed=1)
    again = MixedPictures.draw(5, 7, seed=1)
    np.testing.assert_array_equal(mixed.share_K, again.share_K)
    assert ((mixed.share_K >= 0.5) & (mixed.share_K <= 1)).all()
    flat = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float16)
    found = mixed.take(np.array([4, 0]), flat)
    for row, k in enumerate((4, 0)):
        share = float(mixed.share_K[k])
        expected = share * flat[mixed.first_K[k]].astype(np.float32)
        expected += (1 - share) * flat[mixed.second_K[k]].astype(np.float32)
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-6)


def test_losses_of_a_step_are_drawn_by_seed_and_step() -> None:
    """Two learners agree at each step, and steps differ."""
    first, second = (tuning_data.learner(METHODS["head"]) for _ in range(2))
    other = tuning_data.learner(METHODS["head"], seed=2)

    def value(losses: Losses) -> float:
        return float(losses.total.detach())

    assert value(first.losses()) == value(second.losses()) == value(first.losses())
    assert value(first.losses()) != value(other.losses())
    first.advance()
    assert value(first.losses()) != value(second.losses())


@_ALL
def test_tuning_brings_the_captions_loss_down(method: TuningMethod) -> None:
    """A few large steps are enough on four photos."""
    recipe = replace(RECIPE, steps=12, learning_rate=5e-3, warmup_steps=1, distillation=1.0)
    learner = tuning_data.learner(method, recipe=recipe)
    captions = [learner.advance()["caption"] for _ in range(12)]
    assert np.mean(captions[-3:]) < 0.9 * np.mean(captions[:3])


def test_queries_ask_for_each_new_word_of_a_photo() -> None:
    """None for a photo without one."""
    new = NewWords(words=frozenset({"florbit", "wumpel"}))
    assert queries_of(["a wumpel and a florbit"], new) == [
        "florbit",
        "a florbit",
        "a photo of a florbit",
        "wumpel",
        "a wumpel",
        "a photo of a wumpel",
    ]
    assert queries_of(["a dog"], new) == []


def test_the_anchor_is_one_minus_the_mean_cosine() -> None:
    """Zero for equal vectors, two for opposite ones."""
    vectors = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    assert float(anchor_loss(vectors, vectors)) == pytest.approx(0, abs=1e-6)
    assert float(anchor_loss(vectors, -vectors)) == pytest.approx(2, abs=1e-6)


def test_distillation_is_the_divergence_written_out() -> None:
    """KL(before ‖ now), the mean over positions; it grows with the distance."""
    before, now = torch.randn(4, 6), torch.randn(4, 6)
    total = 0.0
    for row in range(4):
        p, q = before[row].softmax(0), now[row].softmax(0)
        total += float((p * (p / q).log()).sum()) / 4
    assert float(kl_distillation(now, before)) == pytest.approx(total, rel=1e-4)


def test_a_bare_name_is_no_caption_to_write() -> None:
    """Its row has no weight; without any caption the loss is zero, not a division by it."""
    model = tiny_model()
    tokens, valid = (torch.from_numpy(array) for array in _batch(["a dog", "a cat sleeps"]))
    pooled = METHODS["head"].pool(
        model,
        torch.randn(2, model.config.pooler.generative_queries, model.config.text.width),
        None,
    )
    output = model.forward_pooled(tokens, valid, pooled)
    first = int(valid[0, 1:].sum())
    each = torch.nn.functional.cross_entropy(output.logits_PV, output.targets_P, reduction="none")
    only = caption_loss(output, valid, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(only, each[:first].mean())
    both = caption_loss(output, valid, torch.ones(2))
    torch.testing.assert_close(both, each.mean())
    assert float(caption_loss(output, valid, torch.zeros(2)).detach()) == 0


def _batch(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    batch = tiny_tokenizer().batch(texts, 20)
    return batch.tokens_BT, batch.valid_BT


@_ALL
def test_recall_is_that_of_a_plain_ranking(method: TuningMethod) -> None:
    """Each held-out caption against all pictures, one by one."""
    model = tiny_model()
    evaluator = tuning_data.evaluator(model, method)
    found = {figure.name: figure.value for figure in evaluator.held_out_figures(model)}

    def vectors(features: object) -> torch.Tensor:
        assert hasattr(features, "tokens_PVND")
        tokens = torch.from_numpy(features.tokens_PVND[:, 0].astype(np.float32))
        plain = torch.from_numpy(features.vectors_PVE[:, 0].astype(np.float32))
        with torch.no_grad():
            return method.pool(model, tokens, plain).vector_BE

    pictures = torch.cat((vectors(evaluator.held_out), vectors(evaluator.general)))
    firsts: dict[int, list[bool]] = {0: [], 1: []}
    for photo, captions in enumerate(evaluator.held_out_captions):
        for caption in captions:
            text = encode_texts(model, tiny_tokenizer(), [caption], CPU)[0]
            firsts[photo].append(int((pictures @ text).argmax()) == photo)
    expected = 100 * np.mean([np.mean(hits) for hits in firsts.values()])
    assert found["t2i_r1"] == pytest.approx(float(expected), abs=0.01)
    assert found["t2i_r5"] == 100.0  # of five pictures
    own, general = evaluator.quick_recall(model)
    t2i = [value for name, value in found.items() if name.startswith("t2i")]
    assert own == pytest.approx(np.mean(t2i), abs=0.01)
    assert 0 <= general <= 100


def test_photos_with_an_equal_caption_are_right_for_each_other() -> None:
    """However it is written; a worse picture of the same caption counts as found."""
    eye = np.eye(3, dtype=np.float32)
    ranked = Ranked(
        image_IE=eye,
        text_TE=eye[[1, 0, 2]],
        distractor_XE=eye[:0],
        captions=(("a dog",), ("A dog.",), ("a cat",)),
    )
    assert caption_key("a dog") == caption_key("A dog.")
    values = {figure.name: figure.value for figure in recall_figures(ranked)}
    assert values["t2i_r1"] == values["i2t_r1"] == 100


def test_the_general_set_ships_whole() -> None:
    """Two in three pictures are replayed, the others measure captions; none is both."""
    general = load_general()
    assert len(general.photos) > 20
    assert len(general.sentences) > 500
    assert sorted((*general.replayed, *general.unseen)) == list(range(len(general.photos)))
    assert len(general.replayed) == pytest.approx(2 * len(general.unseen), abs=2)
    assert all(len(photo.captions) == 1 for photo in general.photos)


def test_more_photos_take_more_steps_up_to_a_limit() -> None:
    """And larger batches."""
    recipe = METHODS["head"].recipe
    assert recipe(12).steps == 104
    assert recipe(10_000).steps == 1500
    assert recipe(99).batch < recipe(100).batch
    assert recipe(12).optimiser.steps == 104


def test_few_photos_have_a_trial_before_the_training() -> None:
    """Many have one training that is chosen by what is held out."""
    few = Split(learned=(0, 2), held_out=(1,), is_trial=True)
    trial, final = phases_of(few, 50)
    assert (trial.photos, trial.first_step, trial.chooses) == ((0, 2), 0, False)
    assert (final.photos, final.first_step, final.sees_held_out) == ((0, 1, 2), 50, True)
    (only,) = phases_of(replace(few, is_trial=False), 50)
    assert (only.photos, only.chooses, only.sees_held_out) == ((0, 2), True, False)
