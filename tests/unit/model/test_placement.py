"""A network on a device computes in half precision only where its answers stay the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cocadesk.model.checkpoints.checkpoint import Checkpoint, load_model, save_checkpoint
from cocadesk.model.device import BFLOAT16, FLOAT16, FLOAT32, DeviceChoice
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.network.generation import decoder_of, generate_candidates
from cocadesk.model.runtime import agreement, placement
from cocadesk.model.runtime.placement import arithmetic, least_cosine, place, to_device
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import GenerationOptions, Markers
from tests.support.released_model import write_released
from tests.support.tiny_model import corrected_model, tiny_model, tiny_tokenizer

HALVES = [BFLOAT16, FLOAT16]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh cache folder for verdicts."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def saved(folder: Path, model: CoCa) -> Checkpoint:
    """A network as a checkpoint."""
    save_checkpoint(folder, model, tiny_tokenizer(), "")
    return find_checkpoint(str(folder))


def checkpoint_of(kind: str, folder: Path) -> Checkpoint:
    """A tiny network of each build, its weights as wide as those of trained ones."""
    if kind == "released":
        return find_checkpoint(str(write_released(folder / "model.safetensors")))
    if kind == "lite":
        return saved(folder, tiny_model(kind=ImageEncoderKind.EFFICIENTNET_LITE, spread=0.1))
    return saved(folder, corrected_model())


@pytest.mark.parametrize("kind", ["released", "lite", "corrected"])
@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_gives_float32s_answers(tmp_path: Path, kind: str, dtype: str) -> None:
    """Vectors, tokens, texts and logits of each build; here on the CPU, in real arithmetic."""
    choice = DeviceChoice(device="cpu", reason="", dtype=dtype)
    assert least_cosine(checkpoint_of(kind, tmp_path), choice) > (0.99 if kind == "lite" else 0.999)


@pytest.mark.parametrize("dtype", HALVES)
def test_only_matrices_are_halved(tmp_path: Path, dtype: str) -> None:
    """Norms, tables, positions and the layer of the next words stay as they are."""
    checkpoint = checkpoint_of("released", tmp_path)
    there = to_device(load_model(checkpoint), DeviceChoice(device="cpu", reason="", dtype=dtype))
    half, output = getattr(torch, dtype), there.multimodal.output
    for module in there.modules():
        for parameter in module.parameters(recurse=False):
            is_halved = isinstance(module, (nn.Linear, nn.Conv2d)) and module is not output
            assert parameter.dtype is (half if is_halved else torch.float32)
    with arithmetic(DeviceChoice(device="cpu", reason="", dtype=dtype)):
        assert output(torch.ones(1, 32, dtype=half)).dtype is torch.float32


def test_float32_is_left_as_it_is(tmp_path: Path) -> None:
    """Exactly the same answers."""
    checkpoint = checkpoint_of("corrected", tmp_path)
    assert least_cosine(checkpoint, DeviceChoice(device="cpu", reason="")) == pytest.approx(1)


@pytest.mark.parametrize("dtype", HALVES)
def test_captions_are_written_in_half_precision(tmp_path: Path, dtype: str) -> None:
    """Greedy and with beams: keys and values are halves, and the words are float32's."""
    checkpoint = checkpoint_of("released", tmp_path)
    choice = DeviceChoice(device="cpu", reason="", dtype=dtype)
    random = torch.Generator().manual_seed(0)
    tokens = torch.randn(6, 4, 32, generator=random)
    plain, half = load_model(checkpoint), getattr(torch, dtype)
    there = decoder_of(to_device(load_model(checkpoint), choice), half)
    assert there.precision == dtype
    assert there.output_weight.dtype is torch.float32, "the best words are compared exactly"
    for beams in (1, 3):
        options = GenerationOptions(beams=beams, max_tokens=8)
        expected = generate_candidates(plain, tokens, options, Markers())
        with arithmetic(choice):
            found = generate_candidates(there, tokens, options, Markers())
        same = [a[0].ids == b[0].ids for a, b in zip(expected, found, strict=True)]
        assert sum(same) >= 5


class _Devices:
    """Networks that were put somewhere, all on the CPU in the choice's arithmetic."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.compared: list[str] = []
        monkeypatch.setattr(placement, "least_cosine", self._least_cosine)
        self._moved = placement.to_device
        monkeypatch.setattr(placement, "to_device", self._to_device)

    def _least_cosine(self, checkpoint: Checkpoint, choice: DeviceChoice) -> float:
        self.compared.append(choice.dtype)
        return least_cosine(checkpoint, replace(choice, device="cpu"))

    def _to_device(self, model: CoCa, choice: DeviceChoice) -> CoCa:
        return self._moved(model, replace(choice, device="cpu"))


GPU = DeviceChoice(device="cuda", reason="it computes", dtype=FLOAT16, name="GeForce 1/2")


def test_the_comparison_is_remembered(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For this network, device and torch; a damaged note is made anew."""
    devices, checkpoint = _Devices(monkeypatch), checkpoint_of("released", tmp_path)
    for _ in range(2):
        model, found = place(checkpoint, "coca-1", GPU)
        assert found == GPU
        assert model.unimodal.layers[0].mlp[0].weight.dtype is torch.float16  # type: ignore[index]
    assert devices.compared == [FLOAT16]
    (note,) = (cache / "self-tests").iterdir()
    assert "cuda" in note.name
    assert torch.__version__.split("+")[0] in note.name
    assert json.loads(note.read_text())["cosine"] > 0.999
    note.write_text("{")
    place(checkpoint, "coca-1", GPU)
    place(checkpoint, "coca-2", GPU)
    assert devices.compared == [FLOAT16] * 3
    monkeypatch.setattr(placement, "_VERSION", placement._VERSION + 1)
    place(checkpoint, "coca-2", GPU)
    assert devices.compared == [FLOAT16] * 4, "by code that has changed meanwhile"


def test_a_network_too_wide_for_float16_is_computed_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sums leave the range of float16 and give no numbers."""
    model = tiny_model()
    with torch.no_grad():
        model.image_encoder.layers[0].mlp[0].bias += 60_000  # type: ignore[index, operator]
        model.image_encoder.layers[0].mlp[2].weight *= 10  # type: ignore[index, operator]
    devices, checkpoint = _Devices(monkeypatch), saved(tmp_path / "wide", model)
    _, found = place(checkpoint, "coca-1", GPU)
    assert found == replace(GPU, dtype=FLOAT32)
    assert devices.compared == [FLOAT16, FLOAT32]


def test_a_device_that_computes_otherwise_is_left_for_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, in whole precision."""
    monkeypatch.setattr(placement, "least_cosine", lambda *_: 0.5)
    model, found = place(checkpoint_of("released", tmp_path), "coca-1", GPU)
    assert (found.device, found.dtype) == ("cpu", FLOAT32)
    assert found.reason == "GeForce 1/2 is not used: its vectors in float32 are others"
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried…"), "it has too little memory for this model"),
        (RuntimeError("no kernel image is available\nhints"), "no kernel image is available"),
        (AssertionError("Torch not compiled with CUDA enabled"), "not compiled with CUDA"),
    ],
)
def test_a_device_that_takes_no_network_is_left_for_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """The reason says why, and nothing of it is remembered: memory may be free tomorrow."""

    def refuse(*_: object) -> float:
        raise error

    monkeypatch.setattr(placement, "least_cosine", refuse)
    _, found = place(checkpoint_of("released", tmp_path), "coca-1", GPU)
    assert found.device == "cpu"
    assert words in found.reason
    assert not list(tmp_path.glob("cache/self-tests/*"))


def test_on_the_cpu_nothing_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own towers know what agrees; the network is in float32."""
    devices = _Devices(monkeypatch)
    choice = DeviceChoice(device="cpu", reason="asked for", dtype=BFLOAT16)
    model, found = place(checkpoint_of("released", tmp_path), "coca-1", choice)
    assert found == replace(choice, dtype=FLOAT32)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert devices.compared == []


def test_the_pictures_of_the_comparison_differ() -> None:
    """Eight that look like nothing in common: else cosines would say little."""
    pictures = agreement.test_pictures(64).astype(np.float32).reshape(8, -1)
    assert np.abs(np.corrcoef(pictures) - np.eye(8)).max() < 0.9
