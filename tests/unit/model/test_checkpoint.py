"""Checkpoints: exact, atomic, and clear about what is wrong with a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.backend import GenerationOptions, open_backend
from cocadesk.model.checkpoints import checkpoint as checkpoints
from cocadesk.model.checkpoints.checkpoint import (
    WEIGHTS,
    load_model,
    open_checkpoint,
    save_checkpoint,
)
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.ids import compute_ids
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, Variant
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.source import find_checkpoint
from cocadesk.model.values import RuntimeLimits
from tests.support.configs import tiny_config
from tests.support.tiny_model import (
    sentence_model,
    tiny_model,
    tiny_tokenizer,
    write_tiny_checkpoint,
)

#: What the image id was made from before there were variants; it must stay, letter by letter.
IMAGE_TEXT = (
    "ImageConfig(kind=<ImageEncoderKind.VIT: 'vit'>, size_px=64, patch_px=16, width=32, layers=1, "
    "heads=2, mlp_width=64, trunk_variant=2, resize=<Resize.SQUASH: 'squash'>, "
    "mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)) PoolerConfig(design=<PoolerDesign.CASCADE: "
    "'cascade'>, generative_queries=4, contrastive_queries=1, heads=2) 32"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny checkpoint."""
    return write_tiny_checkpoint(tmp_path / "model")


def test_a_saved_model_comes_back_weight_for_weight(folder: Path) -> None:
    """Weights, config and tokenizer are the same after loading."""
    loaded = load_model(open_checkpoint(folder))
    for name, weight in tiny_model().state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], weight)
    assert "A tiny test model, coca-tiny-" in (folder / "README.md").read_text()


def test_ids_change_with_what_they_name(folder: Path) -> None:
    """A new decoder keeps the image id; a new image side changes both."""
    opened = open_checkpoint(folder)
    weights = map_safetensors(folder / WEIGHTS)
    before = compute_ids(opened.config, weights)
    text = {**weights, "text_projection.weight": weights["text_projection.weight"] + 1}
    image = {**weights, "image_projection.weight": weights["image_projection.weight"] + 1}
    taught, other = compute_ids(opened.config, text), compute_ids(opened.config, image)
    assert taught.image_id == before.image_id
    assert taught.model_id != before.model_id
    assert other.image_id != before.image_id
    assert before == compute_ids(opened.config, map_safetensors(folder / WEIGHTS))


def test_the_starters_ids_are_those_of_its_card() -> None:
    """Settings that came later change no id, and no stored vector becomes foreign."""
    starter = find_checkpoint("starter")
    table = (starter.folder / "config.json").read_text("utf-8")
    assert '"variant"' not in table
    assert starter.config.to_json() == table.rstrip()
    assert f"`{starter.ids().model_id}`" in (starter.folder / "README.md").read_text("utf-8")
    assert tiny_config().image_text() == IMAGE_TEXT


def test_later_settings_change_ids_where_they_are_used() -> None:
    """Another build of the image side is another image id."""
    config = tiny_config()
    other = replace(config, image=replace(config.image, variant=Variant.OPEN_CLIP))
    assert other.image_text() != config.image_text()
    assert CocaConfig.from_json(other.to_json()) == other


def test_a_crash_while_saving_leaves_the_old_checkpoint(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new folder appears whole or not at all, and no scrap stays."""
    before = map_safetensors(folder / WEIGHTS)

    def full_disk(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(folder, tiny_model(9), tiny_tokenizer(), "")
    after = map_safetensors(folder / WEIGHTS)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("keep", [0, 7, 200, 5000])
def test_a_truncated_checkpoint_gives_a_sentence(folder: Path, keep: int) -> None:
    """Cut anywhere, the error says what, why and what to do."""
    weights = folder / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(UserError, match="damaged: it is cut short"):
        open_backend(str(folder))


def test_a_foreign_file_and_a_config_that_does_not_match_are_named(
    folder: Path, tmp_path: Path
) -> None:
    """A picture is no model; other layers than the weights have are told."""
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(UserError, match="not a CocaDesk model"):
        find_checkpoint(str(picture))
    with pytest.raises(UserError, match="There is no model"):
        find_checkpoint(str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="It has no"):
        find_checkpoint(str(tmp_path))
    config = json.loads((folder / "config.json").read_text())
    config["text"]["multimodal_layers"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="do not fit its config"):
        load_model(open_checkpoint(folder))


@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_the_numpy_text_tower_equals_torch(tmp_path: Path, make: Callable[[], CoCa]) -> None:
    """Searching without torch gives torch's vectors, for both places of the norms."""
    model, tokenizer = make(), tiny_tokenizer()
    for name, weight in model.unimodal.named_parameters():
        if "norm" in name:  # ones and zeros would hide a norm in the wrong place
            torch.nn.init.normal_(weight, mean=0.5, std=0.3)
    folder = tmp_path / "model"
    save_checkpoint(folder, model, tokenizer, "")
    texts = ["a dog", "Two children play with a RED ball.", "", "日本 🐶", "dog " * 90]
    with open_backend(str(folder)) as backend:
        vectors = backend.embed_texts(texts)
    batch = tokenizer.batch([t.strip().removesuffix(".") for t in texts], 40)
    tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
    with torch.inference_mode():
        expected = model.encode_text(tokens, valid).numpy()
    np.testing.assert_allclose(vectors, expected, atol=2e-6)


def test_many_texts_go_through_torch_with_the_same_vectors(folder: Path) -> None:
    """numpy answers a query; a vocabulary for a large network is worth loading torch."""
    texts = ["a dog", "", "Two children play with a red ball.", "dog " * 90] * 3
    with open_backend(str(folder), "cpu") as backend:
        expected = backend.embed_texts(texts)
    limits = RuntimeLimits(large_text_tower=32, many_texts=len(texts))
    with CocaBackend(find_checkpoint(str(folder)), "cpu", limits=limits) as backend:
        by_torch = backend.embed_texts(texts)
    np.testing.assert_allclose(by_torch, expected, atol=2e-6)
    assert not np.array_equal(by_torch, expected), "the last bits differ: NumPy did them again"


def test_the_door_gives_unit_vectors_captions_and_scores(folder: Path) -> None:
    """Any batch size, also none; the wrong shape is a bug of the caller."""
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (70, 64, 64, 3), dtype=np.uint8)
    with open_backend(str(folder)) as backend:
        vectors = backend.embed_images(images)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(vectors[66], backend.embed_images(images[66:67])[0], atol=1e-4)
        assert backend.embed_images(images[:0]).shape == (0, 32)
        pooled_vectors, tokens = backend.pooled(images)
        np.testing.assert_allclose(pooled_vectors, vectors, atol=1e-5)
        assert tokens.shape == (70, 4, 32)
        assert tokens.dtype == np.float32
        assert [part.shape for part in backend.pooled(images[:0])] == [(0, 32), (0, 4, 32)]
        captions = backend.caption(images[:3], GenerationOptions(max_tokens=6))
        assert len(captions) == 3
        assert all(0 <= caption.score <= 1 for caption in captions)
        assert backend.score(images[:2], ["a", "b", "c"]).shape == (2, 3)
        with pytest.raises(ValueError, match="pictures must be"):
            backend.embed_images(images[:, :32])
        info = backend.info()
        assert info.device == "cpu"
        assert info.reason


def test_weights_that_are_not_numbers_are_found_out(tmp_path: Path) -> None:
    """A vector of NaN never reaches the store."""
    model = tiny_model()
    with torch.no_grad():
        model.image_projection.weight[0, 0] = torch.nan
    save_checkpoint(tmp_path / "model", model, tiny_tokenizer(), "")
    with (
        open_backend(str(tmp_path / "model")) as backend,
        pytest.raises(UserError, match="not a number"),
    ):
        backend.embed_images(np.zeros((1, 64, 64, 3), np.uint8))


def test_a_model_of_nothing_but_nan_is_refused_when_it_is_read(tmp_path: Path) -> None:
    """By torch and mapped: it would say "$" of every photo."""
    model = tiny_model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    save_checkpoint(tmp_path / "model", model, tiny_tokenizer(), "")
    with pytest.raises(UserError, match="is not a number"):
        map_safetensors(tmp_path / "model" / WEIGHTS)
    with pytest.raises(UserError, match="is not a number"):
        load_model(open_checkpoint(tmp_path / "model"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"), (b"<html>", "web page")],
)
def test_a_pointer_or_page_in_place_of_our_weights_is_named(
    tmp_path: Path, content: bytes, words: str
) -> None:
    """As for a checkpoint of others."""
    save_checkpoint(tmp_path / "model", tiny_model(), tiny_tokenizer(), "")
    (tmp_path / "model" / WEIGHTS).write_bytes(content)
    with pytest.raises(UserError, match=words):
        map_safetensors(tmp_path / "model" / WEIGHTS)
    with pytest.raises(UserError, match=words):
        open_checkpoint(tmp_path / "model")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"image": {"layers": 10000000}}', "layers is 10,000,000"),
        ('{"text": {"vocabulary": -1}}', "vocabulary is -1"),
        ('{"image": ' + "[" * 200_000, "not valid JSON"),
        ('{"name": "' + "x" * (1 << 20), "not valid JSON"),
    ],
)
def test_a_config_that_no_machine_can_build_is_refused_at_once(
    tmp_path: Path, config: str, words: str
) -> None:
    """Ten million layers, 200,000 brackets, a file of any size."""
    save_checkpoint(tmp_path / "model", tiny_model(), tiny_tokenizer(), "")
    (tmp_path / "model" / "config.json").write_text(config)
    with pytest.raises(UserError, match=words):
        open_checkpoint(tmp_path / "model")
