"""The training step: accumulation, randomness, schedule, average and resume state."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from tests.support.tiny_model import tiny_model, tiny_tokenizer
from tests.support.tuning_data import CPU
from trainer.checkpoint import RunFolder, learned_weights, put_weights, write_atomic
from trainer.config import LossConfig, OptimiserConfig, Schedule
from trainer.evaluate import encode_texts, token_tensors
from trainer.step import (
    DivergedError,
    Losses,
    TrainState,
    WeightAverage,
    build_optimiser,
    caption_groups,
    coca_losses,
    learning_rate,
)

_CONFIG = OptimiserConfig(steps=10, batch=4, warmup_steps=2, learning_rate=1e-3, ema_decay=0.5)
_CAPTIONS = ["a dog", "a red ball", "two children", "a cat sleeps"]


def _state(config: OptimiserConfig = _CONFIG, *, has_dropout: bool = True) -> TrainState:
    return TrainState(tiny_model(), config, seed=1, device=CPU, has_dropout=has_dropout)


def _losses(model: CoCa, rows: slice = slice(0, 4)) -> Losses:
    pictures = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=np.uint8)
    captions = _CAPTIONS[rows]
    tokens, valid = token_tensors(tiny_tokenizer().batch(captions, 20), CPU)
    output = model(tokens, valid, images_BHWC=torch.from_numpy(pictures[rows]))
    return coca_losses(output, caption_groups(captions), LossConfig(contrastive=1.0, caption=2.0))


def _weights(state: TrainState) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in state.model.named_parameters()}


def _equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_step_is_a_function_of_seed_and_step_alone() -> None:
    """Whatever was drawn before it; dropout is drawn too."""
    first, second = _state(), _state()
    torch.manual_seed(5)
    a = first.advance([lambda: _losses(first.model)])
    torch.manual_seed(6)
    torch.rand(100)
    b = second.advance([lambda: _losses(second.model)])
    assert a == b
    assert _equal(_weights(first), _weights(second))


def test_a_batch_in_parts_has_the_mean_of_their_losses() -> None:
    """The gradient of the sum over parts, each divided by their number."""
    state = _state(has_dropout=False)
    parts = [slice(0, 2), slice(2, 4)]
    expected = np.mean([float(_losses(state.model, part).total.detach()) for part in parts])
    figures = state.advance([lambda part=part: _losses(state.model, part) for part in parts])  # type: ignore[misc]
    assert figures["loss"] == pytest.approx(float(expected), rel=1e-5)
    assert figures["loss"] == pytest.approx(figures["contrastive"] + 2 * figures["caption"])


def test_a_step_is_clipped_adamw_written_out() -> None:
    """Gradient, clipping by the whole norm, first step of Adam with decoupled decay."""
    config = OptimiserConfig(
        steps=10, batch=4, warmup_steps=0, learning_rate=1e-3, clip_norm=0.5, weight_decay=0.1
    )
    state, other = _state(config, has_dropout=False), tiny_model()
    _losses(other).total.backward()  # type: ignore[no-untyped-call]
    gradients = {n: p.grad for n, p in other.named_parameters() if p.grad is not None}
    norm = math.sqrt(sum(float(g.square().sum()) for g in gradients.values()))
    figures = state.advance([lambda: _losses(state.model)])
    assert figures["grad_norm"] == pytest.approx(norm, rel=1e-4)
    name = "unimodal.layers.0.attention_norm.weight"
    name = next(n for n, g in gradients.items() if g.ndim == 2 and "position" not in n)
    old = dict(other.named_parameters())[name].detach()
    clipped = gradients[name] * min(1.0, 0.5 / (norm + 1e-6))
    rate = learning_rate(0, config)
    expected = old * (1 - rate * 0.1) - rate * clipped / (clipped.abs() + 1e-8)
    found = dict(state.model.named_parameters())[name].detach()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_between_steps_the_network_is_in_evaluation_mode() -> None:
    """In a step it drops out, where it is asked to."""
    state = _state()
    seen: list[bool] = []

    def forward() -> Losses:
        seen.append(state.model.training)
        return _losses(state.model)

    state.advance([forward])
    quiet = _state(has_dropout=False)
    quiet.advance([lambda: seen.append(quiet.model.training) or _losses(quiet.model)])  # type: ignore[func-returns-value]
    assert seen == [True, False]
    assert not state.model.training


def test_the_averaged_weights_are_lent_for_a_block() -> None:
    """And put back after it, to the bit, also where the block fails."""
    state = _state()
    state.advance([lambda: _losses(state.model)])
    state.advance([lambda: _losses(state.model)])
    own = _weights(state)
    assert state.average is not None
    average = {name: weight.clone() for name, weight in state.average.weights.items()}
    with state.averaged() as model:
        inside = {n: p.detach().clone() for n, p in model.named_parameters()}
    assert _equal(average, inside)
    assert not _equal(own, inside)
    with pytest.raises(KeyError), state.averaged():
        raise KeyError
    assert _equal(own, _weights(state))
    plain = _state(OptimiserConfig(steps=10, batch=4))
    assert plain.average is None
    with plain.averaged() as model:
        assert model is plain.model


def test_the_average_is_the_slow_formula() -> None:
    """decay = min(given, (1 + step) / (10 + step)): early random weights are soon forgotten."""
    model = torch.nn.Linear(2, 2, bias=False)
    average = WeightAverage(model, 0.9)
    expected = model.weight.detach().clone()
    for step in range(5):
        with torch.no_grad():
            model.weight.add_(step + 1.0)
        average.update(model, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(average.weights["weight"], expected)
    with pytest.raises(KeyError):
        average.load({})


@pytest.mark.parametrize("schedule", list(Schedule))
def test_the_rate_warms_up_and_falls_to_its_last_share(schedule: Schedule) -> None:
    """Linear up, then cosine or linear down; never over the peak, never under the end."""
    config = OptimiserConfig(
        steps=100, batch=4, warmup_steps=10, learning_rate=2.0, final_rate=0.1, schedule=schedule
    )
    rates = [learning_rate(step, config) for step in range(101)]
    assert rates[:10] == pytest.approx([0.2 * (step + 1) for step in range(10)])
    assert rates[10] == pytest.approx(2.0)
    assert rates[55] == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert rates[100] == pytest.approx(0.2)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_biases_norms_and_positions_are_not_decayed() -> None:
    """And what is locked is in no group."""
    model = tiny_model()
    model.image_encoder.requires_grad_(False)
    decayed, plain = build_optimiser(model, _CONFIG).param_groups
    names = {id(p): name for name, p in model.named_parameters()}
    assert decayed["weight_decay"] == _CONFIG.weight_decay
    assert plain["weight_decay"] == 0
    assert all(p.ndim >= 2 and "position" not in names[id(p)] for p in decayed["params"])
    found = {names[id(p)] for group in (decayed, plain) for p in group["params"]}
    assert found == {name for name, p in model.named_parameters() if p.requires_grad}
    assert not any(name.startswith("image_encoder") for name in found)


def _run(folder: Path) -> RunFolder:
    return RunFolder(path=folder, curve="curve.jsonl")


def test_a_resumed_state_goes_on_to_the_bit(tmp_path: Path) -> None:
    """Weights, both moments of the optimiser, average, step and the best weights so far."""
    state = _state()
    state.advance([lambda: _losses(state.model)])
    best = {"x": torch.arange(3.0)}
    _run(tmp_path).save_state(state, {"seconds": 2.5}, best)
    resumed = _state()
    found = _run(tmp_path).load_state(resumed)
    assert found is not None
    assert torch.equal(found["x"], best["x"])
    assert _run(tmp_path).record() == {"seconds": 2.5, "step": 1}
    assert resumed.step == 1
    for each in (state, resumed):
        each.advance([lambda each=each: _losses(each.model)])  # type: ignore[misc]
    assert _equal(_weights(state), _weights(resumed))
    assert state.average is not None
    assert resumed.average is not None
    assert _equal(state.average.weights, resumed.average.weights)


def test_a_run_without_a_state_begins_at_the_beginning(tmp_path: Path) -> None:
    """Also where only values were saved, between two trainings, or the state was removed."""
    run, state = _run(tmp_path), _state()
    assert run.record() is None
    assert run.load_state(state) is None
    run.save_record({"phase": 1})
    assert run.record() == {"phase": 1, "step": 0}
    assert run.load_state(state) is None
    run.save_state(state, {})
    run.remove_state()
    assert run.record() is None


@pytest.mark.parametrize("damage", ["cut", "other model", "no number"])
def test_a_state_that_does_not_fit_is_a_sentence_with_a_way_out(
    tmp_path: Path, damage: str
) -> None:
    """Cut by a full disk, of a network of other sizes, or without its step."""
    run, state = _run(tmp_path), _state()
    run.save_state(state, {})
    weights = tmp_path / "state" / "state.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:200])
    elif damage == "no number":
        (tmp_path / "state" / "state.json").write_text("{}")
    else:
        with torch.no_grad():
            state.model.text_projection.weight = torch.nn.Parameter(torch.zeros(1, 32))
    with pytest.raises(UserError, match="to start again from the beginning"):
        run.load_state(state)


def test_lines_of_lost_steps_are_forgotten(tmp_path: Path) -> None:
    """Later ones, one that the kill has cut, and lines that are no rows."""
    run = _run(tmp_path)
    run.drop_after(3)
    for step in range(1, 6):
        run.append({"step": step})
    with (tmp_path / "curve.jsonl").open("a") as handle:
        handle.write('[1]\n{"loss": 1}\n{"step": 2, "lo')
    run.drop_after(3)
    lines = (tmp_path / "curve.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_weights_that_do_not_fit_are_refused() -> None:
    """A missing name, another shape; locked ones are neither taken nor given."""
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert set(learned_weights(model)) == {"weight"}
    put_weights(model, {"weight": torch.ones(2, 3)})
    assert model.weight.detach().eq(1).all()
    with pytest.raises(KeyError):
        put_weights(model, {})
    with pytest.raises(ValueError, match="shape"):
        put_weights(model, {"weight": torch.ones(1, 3)})


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing else is left beside it."""
    path = tmp_path / "x.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_texts_have_the_same_vectors_in_any_company() -> None:
    """They are sorted by length and padded little; the order that comes back is theirs."""
    model, tokenizer = tiny_model(), tiny_tokenizer()
    texts = ["two children play with a red ball", "a dog", "a", "a bridge over a river at night"]
    together = encode_texts(model, tokenizer, texts * 40, CPU)
    alone = torch.cat([encode_texts(model, tokenizer, [text], CPU) for text in texts])
    torch.testing.assert_close(together, alone.repeat(40, 1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(160))
    assert encode_texts(model, tokenizer, [], CPU).shape == (0, model.config.embedding_dim)


@pytest.mark.parametrize("is_gradient", [False, True])
def test_a_step_whose_loss_is_no_number_is_not_taken(is_gradient: bool) -> None:
    """Weights, average and count stay as the last good step left them."""
    state = _state()
    state.advance([lambda: _losses(state.model)])
    before, average = _weights(state), dict(state.average.weights) if state.average else {}

    def broken() -> Losses:
        good = _losses(state.model)
        if is_gradient:  # the square root's slope at zero is infinite
            return replace(good, total=good.total + (good.total * 0).sqrt())
        return replace(good, total=good.total * torch.nan)

    with pytest.raises(DivergedError, match=r"in step 2, at a learning rate of 0\.001"):
        state.advance([lambda: _losses(state.model), broken])
    assert state.step == 1
    assert _equal(_weights(state), before)
    assert state.average is not None
    assert _equal(state.average.weights, average)
    state.advance([lambda: _losses(state.model)])
    state.check()


def test_weights_that_a_step_has_broken_are_found_before_they_are_saved() -> None:
    """A resume from them would be lost for good."""
    state = _state()
    with torch.no_grad():
        state.model.log_scale.fill_(torch.inf)
    with pytest.raises(DivergedError):
        state.check()
