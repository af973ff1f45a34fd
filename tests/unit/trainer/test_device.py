"""One device for everything: no tensor stays behind, and the numbers are the CPU's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.device import ACCELERATORS, choose_device
from cocadesk.model.network.coca import CoCa
from tests.support import tuning_data
from tests.support.fake_device import FakeTensor, fake_device
from tests.support.tiny_model import tiny_model, tiny_tokenizer
from trainer.checkpoint import RunFolder
from trainer.config import (
    CropKind,
    DataConfig,
    EvaluationConfig,
    FeatureConfig,
    LossConfig,
    OptimiserConfig,
    Precision,
    TrainConfig,
)
from trainer.device import TrainDevice, choose_precision, keep_memory_blocks
from trainer.evaluate import DevSet, measure
from trainer.pictures.data import Dataset, Draw, Example
from trainer.pictures.features import image_features
from trainer.stages.loop import Loop
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.tuning.methods import METHODS

_CPU = tuning_data.CPU


class _Pictures:
    """Made-up pictures without files."""

    cached = False

    def fetch(self, picture_B: np.ndarray, crop_B: np.ndarray) -> torch.Tensor:
        pictures = np.random.default_rng(0).integers(0, 255, (8, 64, 64, 3), dtype=np.uint8)
        return torch.from_numpy(pictures[picture_B])


def _examples(count: int = 8) -> tuple[Example, ...]:
    names = ("a dog", "a red ball", "two children", "a cat")
    return tuple(
        Example(key=str(i), image=b"", captions=(names[i % 4], f"number {i}"), weight=1.0)
        for i in range(count)
    )


def _loop(folder: Path, device: TrainDevice) -> tuple[CocaObjective, Loop]:
    model = tiny_model()
    config = TrainConfig(
        data=DataConfig(train=("x",)),
        model=model.config,
        features=FeatureConfig(keep_tokens=0.6, kinds=(CropKind.PLAIN,)),
        optimiser=OptimiserConfig(
            steps=3, batch=4, accumulate=2, warmup_steps=1, ema_decay=0.9, learning_rate=1e-3
        ),
        loss=LossConfig(),
        evaluation=EvaluationConfig(caption_samples=2),
        checkpoint_steps=2,
        report_steps=1,
    )
    context = TrainContext(
        config=config,
        model=model,
        tokenizer=tiny_tokenizer(),
        data=Dataset(examples=_examples(), skipped={}),
        source=_Pictures(),
        dev=[DevSet(name="dev", examples=_examples(5), source=_Pictures())],
        run=RunFolder(path=folder, curve="metrics.jsonl"),
        device=device,
        notes={},
    )
    objective = CocaObjective(context)
    return objective, Loop("train", objective, context.run, config, lambda _: None)


def _lines(folder: Path) -> list[dict[str, float]]:
    import json

    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{n: v for n, v in row.items() if n not in ("seconds", "grad_norm")} for row in rows]


def test_a_plain_run_leaves_no_tensor_behind_and_gives_the_cpus_losses(tmp_path: Path) -> None:
    """Steps, measures, best checkpoint and resume state, all on the other device."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    _loop(here, _CPU)[1].run()
    with fake_device() as device:
        objective, loop = _loop(there, device)
        assert all(isinstance(p.data, FakeTensor) for p in objective.state.model.parameters())
        loop.run()
    for row, other in zip(_lines(here), _lines(there), strict=True):
        assert row == pytest.approx(other, rel=1e-3)
    assert (there / "checkpoints" / "best" / "model.safetensors").exists()


@pytest.mark.parametrize("name", list(METHODS))
def test_a_tuning_step_leaves_no_tensor_behind_and_gives_the_cpus_losses(name: str) -> None:
    """Replay, losses of both kinds, optimiser and average, for every method."""
    plain = tuning_data.learner(METHODS[name])
    expected = [plain.advance() for _ in range(2)]
    with fake_device() as device:
        learner = tuning_data.learner(METHODS[name], device)
        found = [learner.advance() for _ in range(2)]
        weights = learner.state.average
        assert weights is not None
        assert all(isinstance(weight, FakeTensor) for weight in weights.weights.values())
    for row, other in zip(found, expected, strict=True):
        assert row == pytest.approx(other, rel=1e-2)


@pytest.mark.parametrize("name", list(METHODS))
def test_tuning_is_measured_on_the_device(name: str) -> None:
    """The same figures as on the CPU."""
    method = METHODS[name]
    model = tiny_model()
    plain = tuning_data.evaluator(model, method)
    expected = plain.held_out_figures(model), plain.general_figures(model)
    with fake_device() as device:
        moved = tiny_model().to(device.device)
        other = tuning_data.evaluator(model, method, device)
        found = other.held_out_figures(moved), other.general_figures(moved)
    assert found == expected


def test_a_dev_set_is_measured_on_the_device() -> None:
    """Pictures, texts and captions."""
    dev = DevSet(name="dev", examples=_examples(5), source=_Pictures())
    expected = measure(tiny_model(), tiny_tokenizer(), dev, _CPU, beams=2, caption_samples=3)
    with fake_device() as device:
        model = tiny_model().to(device.device)
        found = measure(model, tiny_tokenizer(), dev, device, beams=2, caption_samples=3)
    assert found == expected


def test_features_are_made_on_the_device() -> None:
    """The module moves there, and arrays come back."""

    class Encoder(torch.nn.Module):
        def __init__(self, model: CoCa) -> None:
            super().__init__()
            self.encoder = model.image_encoder

        def forward(self, images_BHWC: torch.Tensor) -> torch.Tensor:
            tokens: torch.Tensor = self.encoder(images_BHWC)
            return tokens

    model = tiny_model()
    pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), dtype=np.uint8)
    plain = image_features(Encoder(model), model.config.image, _CPU)(pictures)[0]
    with fake_device() as device:
        moved = tiny_model()
        found = image_features(Encoder(moved), moved.config.image, device)(pictures)[0]
    np.testing.assert_allclose(found, plain, rtol=1e-3, atol=1e-4)


def test_a_run_goes_on_on_another_device_than_it_began_on(tmp_path: Path) -> None:
    """Weights, optimiser and average are put where the network is."""
    method = METHODS["head"]
    run = RunFolder(path=tmp_path, curve="points.jsonl")
    begun = tuning_data.learner(method)
    begun.advance()
    run.save_state(begun.state, {})
    expected = begun.advance()
    with fake_device() as device:
        resumed = tuning_data.learner(method, device)
        run.load_state(resumed.state)
        assert resumed.state.step == 1
        assert resumed.advance() == pytest.approx(expected, rel=1e-3)
        run.save_state(resumed.state, {})
    back = tuning_data.learner(method)
    run.load_state(back.state)
    assert back.advance() == pytest.approx(begun.advance(), rel=1e-3)


def test_the_fake_device_notices_what_stays_behind() -> None:
    """Otherwise the tests above could not fail."""
    with fake_device() as device:
        there, here = device.move(torch.ones(2, 3)), torch.ones(3, 2)
        with pytest.raises(AssertionError, match="stayed on the CPU"):
            there + here.T
        with pytest.raises(AssertionError, match="ran on the CPU"):
            here @ here.T


def test_the_cpu_can_be_asked_for_and_the_reason_is_told() -> None:
    """Its arithmetic too; a name that is no device is a sentence."""
    device = TrainDevice.choose("cpu", Precision.FP32)
    assert (device.device.type, device.dtype) == ("cpu", torch.float32)
    assert device.reason == "the CPU was asked for"
    assert device.with_dtype(torch.bfloat16).dtype is torch.bfloat16
    with pytest.raises(UserError, match="There is no device “tpu”"):
        TrainDevice.choose("tpu")


def test_an_accelerator_that_is_missing_is_named_when_it_is_asked_for() -> None:
    """And passed over when any will do."""
    found = choose_device("auto", among=ACCELERATORS)
    missing = [kind for kind in ACCELERATORS if kind != found.device]
    for kind in missing:
        with pytest.raises(UserError, match="cannot be used"):
            choose_device(kind)
    if found.device == "cpu":
        assert found.reason


def test_precision_is_as_asked_or_measured() -> None:
    """On a GPU that is no NVIDIA's: bf16 on Intel's, float32 on Apple's."""
    cpu = torch.device("cpu")
    assert choose_precision(Precision.BF16, cpu) is torch.bfloat16
    assert choose_precision(Precision.FP32, cpu) is torch.float32
    assert choose_precision(Precision.AUTO, torch.device("mps")) is torch.float32
    assert choose_precision(Precision.AUTO, torch.device("xpu")) is torch.bfloat16


def test_autocast_follows_the_dtype() -> None:
    """In float32 nothing is cast, in bf16 matrix products are."""
    left = torch.ones(4, 4)
    with _CPU.autocast():
        assert (left @ left).dtype is torch.float32
    with _CPU.with_dtype(torch.bfloat16).autocast():
        assert (left @ left).dtype is torch.bfloat16


def test_stored_halves_become_floats_exactly() -> None:
    """Also a part of an array whose rows do not follow one another."""
    halves = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float16)
    found = _CPU.floats(halves[:, 1])
    assert found.dtype is torch.float32
    np.testing.assert_array_equal(found.numpy(), halves[:, 1].astype(np.float32))
    assert _CPU.tensor(np.array([True, False])).tolist() == [True, False]


def test_memory_blocks_can_be_kept_twice() -> None:
    """A setting of the C library; a second call changes nothing."""
    keep_memory_blocks()
    keep_memory_blocks()


@pytest.mark.gpu
@pytest.mark.parametrize("name", list(METHODS))
def test_cuda_gives_the_cpus_losses(name: str) -> None:
    """Close to them: sums have another order there."""
    expected = [tuning_data.learner(METHODS[name]).advance()["loss"]]
    device = TrainDevice.choose("cuda", Precision.FP32)
    learner = tuning_data.learner(METHODS[name], device)
    assert [learner.advance()["loss"]] == pytest.approx(expected, rel=1e-2)
    assert {p.device.type for p in learner.state.model.parameters()} == {"cuda"}


@pytest.mark.gpu
def test_a_plain_run_on_cuda_leaves_a_checkpoint(tmp_path: Path) -> None:
    """With resume state and best weights, written from the device."""
    _, loop = _loop(tmp_path, TrainDevice.choose("cuda", Precision.BF16))
    assert loop.run()
    assert (tmp_path / "checkpoints" / "best" / "model.safetensors").exists()
    assert _loop(tmp_path, TrainDevice.choose("cuda", Precision.BF16))[1].run()


def test_a_draw_is_split_into_equal_parts_in_order() -> None:
    """The parts of a batch cover it once."""
    whole = Draw(picture_B=np.arange(5), crop_B=np.arange(5) + 10, caption_B=np.arange(5) + 20)
    parts = whole.split(2)
    assert [part.picture_B.tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert [part.caption_B.tolist() for part in parts] == [[20, 21, 22], [23, 24]]
