"""CUDA goes through the same door: the CPU's answers, in each arithmetic, with little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, save_checkpoint
from cocadesk.model.device import BFLOAT16, FLOAT16, FLOAT32, choose_device, dtype_of
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.placement import least_cosine
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import GenerationOptions, RuntimeLimits
from tests.support.configs import tiny_config
from tests.support.released_model import write_released
from tests.support.tiny_model import tiny_model, tiny_tokenizer, write_tiny_checkpoint

IMAGES = np.random.default_rng(0).integers(0, 255, (9, 64, 64, 3), dtype=np.uint8)
IN_TORCH = RuntimeLimits(large_text_tower=32, many_texts=2)
"""So that texts of a tiny network are embedded on the device, too."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh cache folder: what was found out of another device does not count."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))


def source_of(folder: Path, *, is_released: bool) -> str:
    """A tiny checkpoint."""
    if is_released:
        return str(write_released(folder / "model.safetensors"))
    return str(write_tiny_checkpoint(folder / "model"))


def opened(source: str, device: str) -> CocaBackend:
    """The network of a source."""
    return CocaBackend(find_checkpoint(source), device, limits=IN_TORCH)


@pytest.mark.gpu
@pytest.mark.parametrize("is_released", [False, True])
def test_cuda_gives_the_cpus_vectors_and_captions(tmp_path: Path, is_released: bool) -> None:
    """Pictures, tokens, texts and words, in the arithmetic of the card's generation."""
    source = source_of(tmp_path, is_released=is_released)
    texts = ["a dog", "Two children play with a red ball."] * 30
    options = GenerationOptions(beams=2, max_tokens=8, rerank_weight=1.0)
    with opened(source, "cpu") as cpu, opened(source, "cuda") as cuda:
        for here, there in zip(cpu.pooled(IMAGES), cuda.pooled(IMAGES), strict=True):
            a, b = (torch.from_numpy(each).flatten(1) for each in (here, there))
            assert torch.nn.functional.cosine_similarity(a, b).min() > 0.999
        info = cuda.info()
        assert (info.device, info.precision) == ("cuda", dtype_of("cuda")), info.reason
        assert (cuda.embed_texts(texts) * cpu.embed_texts(texts)).sum(1).min() > 0.999
        for wanted in (GenerationOptions(beams=1, max_tokens=8), options):
            pairs = zip(cpu.caption(IMAGES, wanted), cuda.caption(IMAGES, wanted), strict=True)
            assert sum(a.text == b.text for a, b in pairs) >= 7
        assert cuda.info().device == "cuda"


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [BFLOAT16, FLOAT16, FLOAT32])
@pytest.mark.parametrize("is_released", [False, True])
def test_cuda_agrees_in_each_arithmetic(tmp_path: Path, is_released: bool, dtype: str) -> None:
    """Whatever the card computes fast: vectors, tokens, texts and logits."""
    checkpoint = find_checkpoint(source_of(tmp_path, is_released=is_released))
    choice = replace(choose_device("cuda"), dtype=dtype)
    assert least_cosine(checkpoint, choice) > (0.999 if dtype != FLOAT32 else 0.99999)


@pytest.fixture
def whole_memory() -> Iterator[None]:
    """Gives the process the card's whole memory back in the end."""
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


def allow_no_more() -> None:
    """From now on the card has no room but for what torch holds of it."""
    total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(torch.cuda.memory_reserved() / total)


@pytest.mark.gpu
@pytest.mark.usefixtures("whole_memory")
def test_a_full_card_computes_smaller_batches(tmp_path: Path) -> None:
    """The same vectors on the card; the next start begins with what fits."""
    config = tiny_config()
    wide = replace(config.image, width=256, layers=4, heads=4, mlp_width=1024, patch_px=4)
    folder = tmp_path / "model"
    save_checkpoint(folder, tiny_model(config=replace(config, image=wide)), tiny_tokenizer(), "")
    images = np.random.default_rng(1).integers(0, 255, (128, 64, 64, 3), dtype=np.uint8)
    with opened(str(folder), "cuda") as backend:
        expected = backend.embed_images(images)
        torch.cuda.empty_cache()
        backend.embed_images(images[:1])  # what one picture takes stays with torch
        allow_no_more()
        found = backend.embed_images(images)
        assert backend.info().device == "cuda", backend.info().reason
    assert (found * expected).sum(1).min() > 0.999
    (kept,) = (tmp_path / "cache" / "batches").iterdir()
    assert 1 <= int("".join(filter(str.isdecimal, kept.read_text()))) < 128


@pytest.mark.gpu
@pytest.mark.usefixtures("whole_memory")
def test_a_card_without_room_for_the_network_is_left_for_the_cpu(tmp_path: Path) -> None:
    """It says so, and the pictures are embedded."""
    source = source_of(tmp_path, is_released=True)
    with opened(source, "cpu") as cpu, opened(source, "cuda") as cuda:
        torch.cuda.empty_cache()
        allow_no_more()
        found = cuda.embed_images(IMAGES)
        assert cuda.info().device == "cpu"
        assert "too little memory" in cuda.info().reason
        np.testing.assert_allclose(found, cpu.embed_images(IMAGES), atol=1e-5)


@pytest.mark.gpu
def test_the_cards_memory_comes_back_from_an_idle_network(tmp_path: Path) -> None:
    """All weights; torch keeps a little to work with."""
    now = [0.0]
    checkpoint = find_checkpoint(source_of(tmp_path, is_released=True))
    with CocaBackend(checkpoint, "cuda", clock=lambda: now[0]) as backend:
        vectors = backend.embed_images(IMAGES)
        weights = checkpoint.folder / WEIGHTS
        taken = torch.cuda.memory_allocated()
        now[0] = 10_000
        assert backend.idle.look()
        # In bfloat16 the matrices take half of what the file does.
        assert taken - torch.cuda.memory_allocated() > weights.stat().st_size / 2
        np.testing.assert_allclose(backend.embed_images(IMAGES), vectors, atol=1e-3)


def test_the_device_choice_names_its_reason() -> None:
    """The CPU when asked; an unknown name or unusable CUDA is a sentence."""
    assert choose_device("cpu").reason == "the CPU was asked for"
    with pytest.raises(UserError, match="There is no device"):
        choose_device("tpu")
    if choose_device("auto").device == "cpu":
        with pytest.raises(UserError, match="CUDA cannot be used"):
            choose_device("cuda")
