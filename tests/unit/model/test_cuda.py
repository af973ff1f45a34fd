"""CUDA goes through the same door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.device import choose_device
from tests.support.released_model import write_released
from tests.support.tiny_model import write_tiny_checkpoint


@pytest.mark.gpu
@pytest.mark.parametrize("is_released", [False, True])
def test_cuda_gives_the_cpus_vectors_and_captions(tmp_path: Path, is_released: bool) -> None:
    """The same pictures, the same vectors (cosine ≥ .999) and the same captions."""
    folder = str(
        write_released(tmp_path / "model.safetensors")
        if is_released
        else write_tiny_checkpoint(tmp_path / "model")
    )
    images = np.random.default_rng(0).integers(0, 255, (9, 64, 64, 3), dtype=np.uint8)
    with open_backend(folder, "cpu") as cpu, open_backend(folder, "cuda") as cuda:
        cosine = (cpu.embed_images(images) * cuda.embed_images(images)).sum(1)
        assert cosine.min() > 0.999
        assert cuda.info().device == "cuda"
        texts = ["a dog", "Two children play with a red ball."] * 30
        np.testing.assert_allclose(cuda.embed_texts(texts), cpu.embed_texts(texts), atol=1e-3)
        same = [
            a.text == b.text for a, b in zip(cpu.caption(images), cuda.caption(images), strict=True)
        ]
        assert sum(same) >= 8


def test_the_device_choice_names_its_reason() -> None:
    """The CPU when asked; an unknown name or unusable CUDA is a sentence."""
    assert choose_device("cpu").reason == "the CPU was asked for"
    with pytest.raises(UserError, match="There is no device"):
        choose_device("tpu")
    if choose_device("auto").device == "cpu":
        with pytest.raises(UserError, match="CUDA cannot be used"):
            choose_device("cuda")
