"""A ViT made for OpenVINO without torch gives what the torch network gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, PoolerDesign
from cocadesk.model.runtime import openvino as runtime
from cocadesk.model.runtime.agreement import Verdict
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.image_tower import OpenVinoImageTower
from cocadesk.model.runtime.openvino_vit import bfloat16, vit_model
from cocadesk.model.runtime.torch import TorchImageTower
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import RuntimeLimits
from cocadesk.vectors import unit_vectors
from tests.support.configs import tiny_config
from tests.support.released_model import released_config
from tests.support.tiny_model import tiny_tokenizer

pytest.importorskip("openvino")
_NETWORKS = {
    "open_clip": released_config(),
    "cascade": tiny_config(),
    "parallel": replace(
        tiny_config(), pooler=replace(tiny_config().pooler, design=PoolerDesign.PARALLEL)
    ),
}
LARGE = RuntimeLimits(large_vit=32, min_half_cosine=0.99, min_cosine=0.999)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of this test's own."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


def network_of(config: CocaConfig) -> CoCa:
    """Random weights; norms and biases have values of their own, so that a swap is noticed."""
    torch.manual_seed(1)
    model = CoCa(config).eval()
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.2 * torch.randn_like(parameter)
        elif parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    return model


def weights_of(model: CoCa) -> dict[str, NDArray[np.float32]]:
    """By name."""
    return {name: weight.detach().numpy() for name, weight in model.state_dict().items()}


def pictures(count: int, size_px: int) -> NDArray[np.uint8]:
    """Of noise."""
    shape = (count, size_px, size_px, 3)
    return np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of each picture's values."""
    a, b = (unit_vectors(one.reshape(len(one), -1)) for one in (first, second))
    return np.asarray((a * b).sum(1))


@pytest.mark.parametrize("kind", _NETWORKS)
def test_vectors_and_tokens_equal_torchs_for_any_number_of_pictures(kind: str) -> None:
    """Float32: to rounding, in the order given, whether requests are full or not."""
    config = _NETWORKS[kind]
    model = network_of(config)
    images = pictures(21, config.image.size_px)
    expected = TorchImageTower(model, "cpu")(images)
    tower = OpenVinoImageTower(vit_model(config, weights_of(model), half=False), batch=8)
    for count in (1, 2, 9, 21):
        for found, wanted in zip(tower(images[:count]), expected, strict=True):
            np.testing.assert_allclose(found, wanted[:count], atol=2e-5)


@pytest.mark.parametrize("kind", _NETWORKS)
def test_a_model_in_bfloat16_comes_near(kind: str, tmp_path: Path) -> None:
    """Saved in two bytes a weight, and opened again."""
    if not runtime.has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    config = _NETWORKS[kind]
    model = network_of(config)
    weights = weights_of(model)
    saved = tmp_path / "half.xml"
    runtime.save(vit_model(config, weights, half=True), saved)
    image_bytes = sum(w.nbytes for n, w in weights.items() if n.startswith(("image", "gen", "con")))
    assert saved.with_suffix(".bin").stat().st_size < 0.6 * image_bytes
    images = pictures(9, config.image.size_px)
    tower = OpenVinoImageTower(saved, "bfloat16", batch=8)
    expected = TorchImageTower(model, "cpu")(images)
    for found, wanted in zip(tower(images), expected, strict=True):
        assert found.dtype == np.float32
        assert (cosines(found, wanted) > 0.999).all()


def test_bfloat16_is_rounded_as_torch_rounds() -> None:
    """To the nearest, of two equally near to the even one; signs and small numbers too."""
    values = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    values = np.concatenate((values, [0, -0.0, 1 + 2**-8, 1 + 3 * 2**-8, 1e-39, -3e38]))
    values = values.astype(np.float32)
    expected = torch.from_numpy(values).bfloat16().view(torch.int16).numpy()
    np.testing.assert_array_equal(bfloat16(values).view(np.int16), expected)


def test_the_first_opening_prepares_and_later_ones_need_no_torch(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is kept; a lost conversion is made again without another comparison."""
    save_checkpoint(tmp_path / "model", network_of(released_config()), tiny_tokenizer(49_408), "")
    images = pictures(3, 64)
    found = []
    with CocaBackend(find_checkpoint(str(tmp_path / "model")), "cpu", limits=LARGE) as backend:
        found.append(backend.embed_images(images))
    precision = "bfloat16" if runtime.has_bfloat16() else "float32"
    for path in list(cache.glob("*.json")):  # a tiny one may be faster in torch
        Verdict(1.0, 2.0).keep(path.with_name(f"{path.name.rpartition('-')[0]}-{precision}.json"))

    def no_network(*_: object) -> None:
        raise AssertionError("the torch network was loaded")

    monkeypatch.setattr("cocadesk.model.runtime.image_tower.load_model", no_network)
    monkeypatch.setattr("cocadesk.model.checkpoints.checkpoint.load_model", no_network)
    for _ in range(2):
        with CocaBackend(find_checkpoint(str(tmp_path / "model")), "cpu", limits=LARGE) as backend:
            found.append(backend.embed_images(images))
            assert backend.info().precision == precision
        (saved,) = cache.glob(f"*-{precision}.xml")
        saved.unlink()
    np.testing.assert_array_equal(found[1], found[2])
    assert (cosines(found[0], found[1]) > 0.99).all()


def test_a_close_verdict_is_compared_again_at_the_next_starts(cache: Path, tmp_path: Path) -> None:
    """A busy machine decides once, not for good; after three comparisons it stands."""
    save_checkpoint(tmp_path / "model", network_of(released_config()), tiny_tokenizer(49_408), "")
    counted: list[int] = []
    for _ in range(4):
        with CocaBackend(find_checkpoint(str(tmp_path / "model")), "cpu", limits=LARGE) as backend:
            backend.embed_images(pictures(1, 64))
        file = sorted(cache.glob("*.json"))[0]
        kept = Verdict.kept_in(file)
        assert kept is not None
        counted.append(kept.comparisons)
        Verdict(1.0, 1.1, kept.comparisons).keep(file)
    assert counted == [1, 2, 3, 3]
