"""Hubness correction: what is near everything stands in no result where it does not belong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import load_model, open_checkpoint, save_checkpoint
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.ids import compute_ids
from cocadesk.model.network.config import STRETCH, CocaConfig, HubnessConfig, ImageEncoderKind
from cocadesk.model.network.hubness import Hubness, corrected_photos, corrected_texts
from cocadesk.model.runtime.coca_backend import CocaBackend
from cocadesk.model.runtime.torch import TorchImageTower
from cocadesk.model.source import find_checkpoint
from tests.support.configs import tiny_config
from tests.support.tiny_model import BANKS, corrected_model, tiny_tokenizer

_SHRINK = 1 + STRETCH**-2
#: ``broad`` and ``narrow`` with which every text asks for one photo, or for many.
ALL, NONE = (-9.0, -8.0), (8.0, 9.0)


def _unit(*rows: tuple[float, ...]) -> torch.Tensor:
    return F.normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def _hubness(bank: torch.Tensor, usual: torch.Tensor, weight: float = 0.7) -> Hubness:
    made = Hubness(len(bank), bank.shape[1], 30.0, weight)
    made.bank.copy_(bank)
    made.level.copy_(made.nearness(usual)[0].mean())
    return made


def _offset(side: Hubness, vectors: torch.Tensor) -> torch.Tensor:
    return side.offset(side.nearness(vectors)[0])


def test_a_photo_near_all_texts_leaves_the_first_place_to_the_right_ones() -> None:
    """The hub wins every query by a little, until what it owes to being near all is taken off."""
    texts = _unit((1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1))
    photos = _unit((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (1, 1, 1, 1.2))
    assert (texts @ photos.T).argmax(1).tolist() == [3, 3, 3]
    photo_side, text_side = _hubness(texts, photos), _hubness(photos, texts)
    scores = corrected_texts(texts, text_side, *ALL) @ corrected_photos(photos, photo_side).T
    assert scores.argmax(1).tolist() == [0, 1, 2]


def test_a_cosine_is_lessened_by_both_offsets() -> None:
    """And by one factor for all, so that the temperature can give it back."""
    random = torch.Generator().manual_seed(1)
    texts, photos, bank = (F.normalize(torch.randn(40, 24, generator=random)) for _ in range(3))
    photo_side = _hubness(bank, photos, 0.3)
    text_side = _hubness(bank.flip(1), texts, 0.3)
    scores = corrected_texts(texts, text_side, *ALL) @ corrected_photos(photos, photo_side).T
    expected = (
        texts @ photos.T - _offset(photo_side, photos).T - _offset(text_side, texts)
    ) / _SHRINK
    assert _offset(photo_side, photos).std() > 0.005
    torch.testing.assert_close(scores, expected, atol=0.01, rtol=0)


def test_photos_keep_their_nearness_for_a_text_that_many_of_them_fit() -> None:
    """Photos of dogs are near many captions; "a dog" asks for all, and ranks as without banks."""
    random = torch.Generator().manual_seed(3)
    texts, photos, bank = (F.normalize(torch.randn(40, 24, generator=random)) for _ in range(3))
    vectors = corrected_photos(photos, _hubness(bank, photos, 0.3))
    text_side = _hubness(bank.flip(1), texts, 0.3)
    scores = corrected_texts(texts, text_side, *NONE) @ vectors.T
    plain = (texts @ photos.T - _offset(text_side, texts)) / _SHRINK
    assert float(torch.corrcoef(torch.stack((scores.flatten(), plain.flatten())))[0, 1]) > 0.999
    # In between, the nearer a text is to few of the bank, the more counts.
    peak = text_side.nearness(texts)[0] - texts @ text_side.bank.mean(0)[:, None]
    shares = -corrected_texts(texts, text_side, float(peak.min()), float(peak.max()))[:, 24]
    ranks = (shares.argsort().argsort() - peak[:, 0].argsort().argsort()).abs()
    assert ranks.max() <= 2
    assert shares.min() == 0


def test_photos_are_as_like_each_other_as_before() -> None:
    """Equal photos have cosine 1, others keep their order."""
    random = torch.Generator().manual_seed(2)
    photos, bank = (F.normalize(torch.randn(50, 24, generator=random)) for _ in range(2))
    vectors = corrected_photos(photos, _hubness(bank, photos, 0.3))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(50))
    before, after = photos @ photos.T, vectors @ vectors.T
    torch.testing.assert_close(after, (before + STRETCH**-2) / _SHRINK, atol=0.02, rtol=0)


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_network_corrects_as_before_with_and_without_torch(
    tmp_path: Path, half: bool
) -> None:
    """The banks lie in the file as int8, without loss; a search reads them in numpy."""
    model = corrected_model()
    save_checkpoint(tmp_path / "model", model, tiny_tokenizer(), "", half=half)
    stored = map_safetensors(tmp_path / "model" / "model.safetensors")
    assert {stored[f"{side}_hubness.bank"].dtype for side in ("image", "text")} == {np.dtype("i1")}
    loaded = load_model(open_checkpoint(tmp_path / "model"))
    assert torch.equal(loaded.get_buffer("image_hubness.bank"), model.image_hubness.bank)
    texts = ["a dog", "two children play with a red ball on the grass", ""]
    with open_backend(str(tmp_path / "model")) as backend:
        vectors = backend.embed_texts(texts)
        assert backend.info().embedding_dim == vectors.shape[1] == 34
        images = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
        photos = backend.embed_images(images)
    batch = tiny_tokenizer().batch(texts, 40)
    with torch.inference_mode():
        tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
        expected = loaded.encode_text(tokens, valid).numpy()
        pictures = loaded.encode_image(torch.from_numpy(images)).vector_BE.numpy()
    np.testing.assert_allclose(vectors, expected, atol=2e-6)
    np.testing.assert_allclose(photos, pictures, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_openvino_corrects_as_torch_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The correction is part of what is converted."""
    pytest.importorskip("openvino")
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    model = corrected_model(kind=ImageEncoderKind.EFFICIENTNET_LITE)
    save_checkpoint(tmp_path / "model", model, tiny_tokenizer(), "")
    images = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8)
    with CocaBackend(find_checkpoint(str(tmp_path / "model")), "cpu") as backend:
        found = backend.embed_images(images)
    expected = TorchImageTower(model, "cpu")(images)[0]
    assert ((found * expected).sum(1) > 0.9999).all()
    assert list((tmp_path / "cache" / "compiled").glob("*.xml"))


def test_the_bank_of_texts_belongs_to_the_photos_vectors_and_that_of_photos_does_not() -> None:
    """Other texts make photos' stored vectors foreign; other photos change the model id alone."""
    config = replace(tiny_config(), hubness=BANKS)
    weights = {name: w.numpy() for name, w in corrected_model().state_dict().items()}
    before = compute_ids(config, weights)
    for side, same in (("image", False), ("text", True)):
        name = f"{side}_hubness.bank"
        other = compute_ids(config, {**weights, name: weights[name] + 1})
        assert (other.image_id == before.image_id) is same
        assert other.model_id != before.model_id
    heavier = replace(config, hubness=replace(BANKS, text_weight=0.5))
    assert compute_ids(heavier, weights).image_id != before.image_id


def test_a_config_without_banks_says_nothing_of_them_and_one_bank_alone_is_refused() -> None:
    """Ids made before the correction existed stay the same."""
    assert "hubness" not in tiny_config().to_json()
    config = replace(tiny_config(), hubness=BANKS)
    assert CocaConfig.from_json(config.to_json()) == config
    with pytest.raises(ValueError, match="both banks"):
        replace(tiny_config(), hubness=HubnessConfig(texts=5))
