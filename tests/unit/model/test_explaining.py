"""Heat maps by networks of both kinds: their shape, their scale, and what makes a cell hot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cocadesk.model.backend import open_backend
from cocadesk.model.network.coca import CoCa, PooledImage
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.runtime.explaining import WINDOW_SHARE, Explainer, windows
from cocadesk.model.runtime.lanes import nothing
from cocadesk.model.tokenizers.clip import clip_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import Markers
from tests.support.released_model import released_model
from tests.support.tiny_model import (
    styled_tokenizer,
    tiny_model,
    tiny_tokenizer,
    write_tiny_checkpoint,
)


def _images(model: CoCa, count: int = 2) -> NDArray[np.uint8]:
    size = model.config.image.size_px
    return np.random.default_rng(0).integers(0, 255, (count, size, size, 3), np.uint8)


def _explainer(model: CoCa, tokenizer: TextTokenizer | None = None) -> Explainer:
    """With cutouts done by the network in torch itself."""

    def pool(images_BHWC: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        pooled = model.encode_image(torch.from_numpy(images_BHWC))
        return pooled.vector_BE.numpy(), pooled.tokens_BQD.numpy()

    return Explainer(model, tokenizer or tiny_tokenizer(), Markers(), "cpu", pool)


@pytest.mark.parametrize("side", [1, 2, 3, 7, 9, 16, 18, 24])
def test_windows_cover_every_cell_of_any_grid(side: int) -> None:
    """And are not so many that a picture takes long."""
    places = windows(side)
    assert set(places.flatten().tolist()) == set(range(side * side))
    assert places.shape[1] == max(1, round(WINDOW_SHARE * side)) ** 2
    assert len(places) <= 100


@pytest.mark.parametrize("kind", ImageEncoderKind)
def test_a_text_has_a_map_on_the_grid_of_either_encoder(kind: ImageEncoderKind) -> None:
    """Each picture its own, whatever stands beside it in the batch."""
    model = tiny_model(kind=kind)
    explainer = _explainer(model)
    images, vectors = _images(model), np.eye(model.config.vector_dim, dtype=np.float32)
    heat = explainer.text(images, vectors)
    side = model.image_encoder.grid_side
    assert heat.shape == (2, side, side)
    assert heat.dtype == np.float32
    np.testing.assert_allclose(explainer.text(images[1:], vectors)[0], heat[1], atol=1e-5)
    assert explainer.text(images[:0], vectors).shape == (0, side, side)


def test_what_a_window_shows_is_judged_without_the_rest_of_the_picture() -> None:
    """A change in one corner leaves the opposite corner's windows as they were."""
    model = tiny_model()
    explainer = _explainer(model)
    [image] = _images(model, 1)
    changed = image.copy()
    patch = model.config.image.patch_px
    changed[:patch, :patch] = 255 - changed[:patch, :patch]
    vector = np.eye(model.config.vector_dim, dtype=np.float32)[0]

    places = windows(model.image_encoder.grid_side)

    def cosines(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        def vectors(pooled: PooledImage) -> NDArray[np.float32]:
            return pooled.vector_BE.numpy()

        with torch.inference_mode():
            return explainer._of_windows(picture, vectors, nothing).scores_KT @ vector

    holds_corner = (places == 0).any(1).numpy()
    differs = np.abs(cosines(image) - cosines(changed)) > 1e-5
    np.testing.assert_array_equal(differs, holds_corner)


def test_words_of_a_caption_are_told_apart_and_joined_from_their_pieces() -> None:
    """Every word once, in order, and each with a map for every picture."""
    model = tiny_model()
    tokenizer = tiny_tokenizer()
    explainer = _explainer(model, tokenizer)
    text = "a brown dog playfully runs"
    assert len(tokenizer.encode(text, 64)) > 7  # some words have several pieces
    found = explainer.words(_images(model), text)
    assert [word.word for word in found] == text.split()
    side = model.image_encoder.grid_side
    assert {word.heat_BYX.shape for word in found} == {(2, side, side)}
    assert explainer.words(_images(model), "") == ()


def test_a_word_is_as_likely_as_a_plain_pass_of_the_network_says() -> None:
    """Log probabilities after all words before, by the decoder on the kept tokens alone."""
    model, tokenizer = tiny_model(), styled_tokenizer()
    explainer = _explainer(model, tokenizer)
    [image] = _images(model, 1)
    ids = tokenizer.encode("a brown dog", 64)[:-1]
    places = windows(model.image_encoder.grid_side)
    with torch.inference_mode():
        features = model.image_encoder.features(torch.from_numpy(image[None]))
        tokens = model.image_encoder.tokens(features, places[:1])
        whole = torch.tensor([ids])
        out = model(whole, torch.ones_like(whole).bool(), features_BNC=features, keep_BK=places[:1])
        expected = out.logits_PV.log_softmax(-1)[range(len(ids) - 1), ids[1:]]
        text = model.unimodal(whole, torch.ones_like(whole).bool())[0]
        found = explainer._log_probabilities(text[:, :-1], ids[1:], model.pool(tokens))
    np.testing.assert_allclose(found[0], expected.numpy(), atol=1e-4)


def test_released_networks_are_explained_too() -> None:
    """With a class token that is no cell, one pooler, and CLIP's pieces."""
    model = released_model()
    explainer = _explainer(model, clip_tokenizer())
    images = _images(model, 1)
    side = model.image_encoder.grid_side
    assert side == model.config.image.size_px // model.config.image.patch_px
    found = explainer.words(images, "A photo of playfulness!")
    assert " ".join(word.word for word in found).replace(" !", "!") == "a photo of playfulness!"
    assert all(word.heat_BYX.shape == (1, side, side) for word in found)


def test_the_backend_explains_and_refuses_other_pictures(tmp_path: Path) -> None:
    """Through the door: arrays in, arrays out."""
    write_tiny_checkpoint(tmp_path)
    with open_backend(str(tmp_path), "cpu") as backend:
        size = backend.info().input_spec.size_px
        images = np.zeros((3, size, size, 3), np.uint8)
        heat = backend.explain(images, "a brown dog")
        assert heat.ndim == 3
        assert len(heat) == 3
        words = backend.explain_words(images, "A brown dog.")
        assert [word.word for word in words] == ["A", "brown", "dog"]
        with pytest.raises(KeyboardInterrupt):
            backend.explain(images, "a brown dog", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            backend.explain_words(images, "a brown dog", _interrupt)
        with pytest.raises(ValueError, match="pictures must be"):
            backend.explain(images[:, :8], "a brown dog")


def _interrupt() -> None:
    raise KeyboardInterrupt
