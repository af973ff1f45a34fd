"""OpenVINO stands in for torch only where it gives the same vectors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind
from cocadesk.model.runtime import openvino as runtime
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.image_tower import OpenVinoImageTower
from cocadesk.model.runtime.torch import TorchImageTower
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import RuntimeLimits
from cocadesk.vectors import unit_vectors
from tests.support.configs import middle_map_config, tiny_config
from tests.support.tiny_model import tiny_model, tiny_tokenizer, write_tiny_checkpoint

_LITE = tiny_config(kind=ImageEncoderKind.EFFICIENTNET_LITE)
FLOAT32 = RuntimeLimits(min_half_cosine=1.01)


def opened(source: Path, limits: RuntimeLimits | None = None) -> CocaBackend:
    """The network of a source on the CPU."""
    return CocaBackend(find_checkpoint(str(source)), "cpu", limits=limits)


@pytest.mark.parametrize("config", [_LITE, middle_map_config()], ids=["last map", "middle map"])
def test_openvino_gives_torchs_vectors_for_any_batch_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: CocaConfig
) -> None:
    """Any number of pictures: cosine ≥ .999; kept for the next start, and for other words.

    In float32: bfloat16 is of tests of its own.
    """
    pytest.importorskip("openvino")
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    folder, side = tmp_path / "model", config.image.size_px
    save_checkpoint(folder, tiny_model(config=config), tiny_tokenizer(), "")
    images = np.random.default_rng(0).integers(0, 255, (9, side, side, 3), dtype=np.uint8)
    with opened(folder, FLOAT32) as backend:
        found = [backend.embed_images(images[:count]) for count in (1, 5, 9)]
        tower = backend.image_tower
        module = TorchImageTower(tiny_model(config=config), "cpu")
    expected = module(images)[0]
    for vectors in found:
        assert ((vectors * expected[: len(vectors)]).sum(1) > 0.999).all()
    verdicts = list((folder.parent / "cache" / "compiled").glob("*.json"))
    assert len(verdicts) == 1
    verdict = json.loads(verdicts[0].read_text())
    assert verdict["cosine"] >= 0.999
    assert isinstance(tower, OpenVinoImageTower) == (verdict["speedup"] > 1)
    taught = tiny_model(config=config)
    taught.log_scale.data += 1
    ids = save_checkpoint(folder.parent / "taught", taught, tiny_tokenizer(), "")
    with opened(folder.parent / "taught", FLOAT32) as backend:
        assert backend.info().model_id == ids.model_id
        assert np.allclose(backend.embed_images(images[:5]), found[1], atol=1e-5)
    assert list((folder.parent / "cache" / "compiled").glob("*.json")) == verdicts


def test_a_compiled_model_that_disagrees_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the limits torch embeds, at this start and the next; no conversion is kept."""
    pytest.importorskip("openvino")
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    folder = write_tiny_checkpoint(tmp_path / "model")
    for _ in range(2):
        with opened(
            folder, RuntimeLimits(large_vit=32, min_cosine=1.01, min_half_cosine=1.01)
        ) as backend:
            backend.embed_images(np.zeros((1, 64, 64, 3), np.uint8))
            assert isinstance(backend.image_tower, TorchImageTower)
        kept = {path.suffix for path in (tmp_path / "cache" / "compiled").iterdir()}
        assert kept == {".json"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tiny EfficientNet's saved conversion, in a cache of its own, with the model beside it."""
    pytest.importorskip("openvino")
    if not runtime.has_bfloat16():
        pytest.skip("this CPU has no bfloat16")
    folder = tmp_path_factory.mktemp("lite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COCADESK_CACHE", str(folder / "cache"))
        save_checkpoint(folder / "model", tiny_model(config=_LITE), tiny_tokenizer(), "")
        with opened(folder / "model") as backend:
            backend.embed_images(np.zeros((1, 64, 64, 3), np.uint8))
        (found,) = (folder / "cache" / "compiled").glob("*.xml")
        yield found


def model_of(compiled: Path) -> Path:
    """The model of which it is the conversion."""
    return compiled.parents[2] / "model"


@pytest.mark.parametrize("batch", [1, 4])
def test_a_model_in_halves_gives_the_vectors_of_the_whole_one(compiled: Path, batch: int) -> None:
    """In order, for any number of pictures; the second half is computed in bfloat16.

    A picture has the same vector to the bit alone and beside others.
    """
    halves = runtime.halves(compiled, 64)
    assert halves is not None
    (between,) = halves[0].outputs
    assert between.get_partial_shape()[3].get_length() == 16
    tower, plain = (
        OpenVinoImageTower(compiled, "bfloat16", halves=halves, batch=batch),
        OpenVinoImageTower(compiled),
    )
    assert (tower.precision, plain.precision) == ("bfloat16", "float32")
    images = np.random.default_rng(1).integers(0, 255, (23, 64, 64, 3), dtype=np.uint8)
    for count in (1, 2, 5, 23):
        for found, expected in zip(tower(images[:count]), plain(images[:count]), strict=True):
            assert found.shape == expected.shape
            a, b = found.reshape(count, -1), expected.reshape(count, -1)
            assert ((unit_vectors(a) * unit_vectors(b)).sum(1) > 0.995).all()
    alone = np.concatenate([tower(images[n : n + 1])[0] for n in range(len(images))])
    assert (tower(images)[0] == alone).all()


@pytest.mark.parametrize(("least", "precision"), [(1.01, "float32"), (-1.0, "bfloat16")])
def test_bfloat16_is_used_where_it_agrees(compiled: Path, least: float, precision: str) -> None:
    """At this start and, by what was kept of the comparison, at the next."""
    verdict = compiled.with_suffix(".bfloat16")
    compiled.with_suffix(".json").write_text(json.dumps({"cosine": 1.0, "speedup": 2.0}))
    if not verdict.exists():  # a busy machine had found torch as fast
        with opened(model_of(compiled)) as backend:
            backend.embed_images(np.zeros((1, 64, 64, 3), np.uint8))
    found = json.loads(verdict.read_text())
    assert found["cosine"] > 0.99
    verdict.write_text(json.dumps(found | {"speedup": 1.5}))
    for _ in range(2):
        with opened(model_of(compiled), RuntimeLimits(min_half_cosine=least)) as backend:
            vectors = backend.embed_images(np.zeros((2, 64, 64, 3), np.uint8))
            assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
            assert backend.info().precision == precision


def test_a_cpu_without_bfloat16_computes_in_float32(
    compiled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever another computer with the same cache folder has found."""
    compiled.with_suffix(".bfloat16").write_text(json.dumps({"cosine": 1.0, "speedup": 2.0}))
    compiled.with_suffix(".json").write_text(json.dumps({"cosine": 1.0, "speedup": 2.0}))
    monkeypatch.setattr(runtime, "has_bfloat16", lambda: False)
    with opened(model_of(compiled)) as backend:
        backend.embed_images(np.zeros((1, 64, 64, 3), np.uint8))
        assert backend.info().precision == "float32"
