"""CLIP and SigLIP models of open_clip search as open_clip itself does, from our own pixels."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.locations import durable_source
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodeRequest
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.open_clip_names import architectures, settings_of
from cocadesk.model.checkpoints.open_clip_towers import SearchTowers
from cocadesk.model.device import DeviceChoice
from cocadesk.model.known_models import known_models
from cocadesk.model.runtime import open_clip_backend
from cocadesk.model.runtime.heat_parts import (
    NEUTRAL,
    TOWER_SIDE,
    cutout_cover,
    cutouts,
    told_apart,
)
from cocadesk.model.runtime.open_clip_backend import OpenClipBackend
from cocadesk.model.source import find_checkpoint, find_model
from cocadesk.picture_input import InputSpec, Resize, Scaling
from cocadesk.resources import resource_path
from tests.support.open_clip_reference import SAFE
from tests.support.open_clip_towers import KINDS, TEXTS, TowerAnswers, run_towers

MOST = 1e-5
LEAST_COSINE = 0.995
#: Of a photo's pixels, in steps of 255: JPEG decoders round otherwise than Pillow's.
MEAN_STEPS = 2.0


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten real photos, wide and tall."""
    folder = tmp_path_factory.mktemp("photos")
    for photo in sorted((resource_path("samples") / "photos").glob("*.jpg"))[:10]:
        shutil.copy(photo, folder)
    return folder


@pytest.fixture(scope="module")
def towers(
    tmp_path_factory: pytest.TempPathFactory, photos: Path
) -> Callable[[str], tuple[Path, TowerAnswers]]:
    """A folder with a model of a kind and what open_clip answered with it; made once."""
    made: dict[str, tuple[Path, TowerAnswers]] = {}

    def of(kind: str) -> tuple[Path, TowerAnswers]:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind) / f"tiny-{kind}"
            made[kind] = folder, run_towers(folder, kind, photos)
        return made[kind]

    return of


Towers = Callable[[str], tuple[Path, TowerAnswers]]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def _decoded(folder: Path, spec: InputSpec) -> NDArray[np.uint8]:
    """The photos as the program decodes them for an index."""
    paths = sorted(folder.iterdir())
    wanted = [DecodeRequest(token=n, path=bytes(path)) for n, path in enumerate(paths)]
    found: dict[int, NDArray[np.uint8]] = {}
    with DecoderPool(spec=spec, workers=1) as pool:
        for answer in pool.decode(wanted):
            assert isinstance(answer, DecodedPhoto), answer
            found[answer.token] = answer.input_HWC.copy()
    return np.stack([found[n] for n in range(len(paths))])


@pytest.mark.parametrize("kind", list(KINDS))
def test_vectors_are_open_clips_and_our_decoder_gives_its_pixels(
    towers: Towers, photos: Path, kind: str
) -> None:
    """The same pixels and texts within 1e-5; photos through our own decoder by cosine."""
    folder, answers = towers(kind)
    with open_backend(f"local-dir:{folder}", "cpu") as backend:
        info = backend.info()
        images = backend.embed_images(answers.images_BHWC)
        texts = backend.embed_texts(TEXTS)
        pixels = _decoded(photos, info.input_spec)
        of_photos = backend.embed_images(pixels)
        assert backend.embed_texts([]).shape == (0, 64)
    assert (info.is_for_search, info.is_for_captions, info.styles) == (True, False, ())
    assert info.embedding_dim == 64
    np.testing.assert_allclose(images, answers.image_BE, atol=MOST)
    np.testing.assert_allclose(texts, answers.text_BE, atol=MOST)
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)
    assert texts.dtype == images.dtype == np.float32
    between = answers.photo_NE @ answers.photo_NE.T
    assert between[~np.eye(len(between), dtype=bool)].max() < LEAST_COSINE  # told apart
    steps = np.abs(pixels.astype(float) - answers.photo_pixels).mean(axis=(1, 2, 3))
    assert steps.max() < MEAN_STEPS, steps
    assert (of_photos * answers.photo_NE).sum(axis=1).min() >= LEAST_COSINE


def test_settings_become_the_decoders(towers: Towers) -> None:
    """Size, the way of resizing, its filter and the margin's grey."""
    expected = {
        "clip": InputSpec(size_px=96, resize=Resize.CENTER_CROP, scaling=Scaling.BICUBIC),
        "quick": InputSpec(size_px=96, resize=Resize.LONGEST, scaling=Scaling.BILINEAR, fill=40),
        "siglip": InputSpec(size_px=160, resize=Resize.SQUASH, scaling=Scaling.BICUBIC),
    }
    for kind, spec in expected.items():
        with open_backend(str(towers(kind)[0]), "cpu") as backend:
            assert backend.info().input_spec == spec


def test_ids_are_kept_and_follow_the_weights(towers: Towers, tmp_path: Path) -> None:
    """The second start reads no weights; other words keep the image id, other pictures do not."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "mine"
    shutil.copytree(towers("clip")[0], folder)
    with open_backend(str(folder), "cpu") as backend:
        first = backend.info()
    before = _modules_after_opening(folder)
    assert "open_clip" not in before
    assert "torch" not in before
    for changed, same_images in (("token_embedding.weight", True), ("visual.proj", False)):
        state = load_file(folder / SAFE)
        state[changed] = state[changed] + 0.1 * torch.ones(())
        save_file(state, folder / SAFE)
        with open_backend(str(folder), "cpu") as backend:
            other = backend.info()
        assert other.model_id != first.model_id
        assert (other.image_id == first.image_id) is same_images
        first = other


def _modules_after_opening(folder: Path) -> set[str]:
    code = (
        "import sys; from cocadesk.model.backend import open_backend; "
        f"open_backend({str(folder)!r}, 'cpu').info(); print(*sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_captions_and_poolers_are_refused_in_a_sentence(towers: Towers) -> None:
    """They come from another model."""
    folder, answers = towers("clip")
    with open_backend(str(folder), "cpu") as backend:
        with pytest.raises(UserError, match="can only search"):
            backend.caption(answers.images_BHWC)
        with pytest.raises(UserError, match="for captions"):
            backend.pooled(answers.images_BHWC)
        with pytest.raises(UserError, match="can only search"):
            backend.explain_words(answers.images_BHWC, "a dog")
    with pytest.raises(UserError, match="can only search"):
        find_checkpoint(str(folder))


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_map_is_hot_where_cutouts_alone_fit_a_text(towers: Towers, kind: str) -> None:
    """Worked out anew from the vectors of cutouts; a person who leaves ends it."""
    folder, answers = towers(kind)
    images = answers.images_BHWC[:2]
    with open_backend(str(folder), "cpu") as backend:
        found = backend.explain(images, "a dog")
        vectors = told_apart(backend.embed_texts(["a dog", *NEUTRAL]))
        cosines = backend.embed_images(cutouts(images[1])) @ vectors[0]
        cover = cutout_cover(images.shape[1], TOWER_SIDE)
        expected = (cosines @ cover / cover.sum(0)).reshape(TOWER_SIDE, TOWER_SIDE)
        assert backend.explain(images[:0], "a dog").shape == (0, TOWER_SIDE, TOWER_SIDE)
        looks = iter([None, KeyboardInterrupt])

        def leave() -> None:
            if (error := next(looks)) is not None:
                raise error

        with pytest.raises(KeyboardInterrupt):
            backend.explain(images, "a dog", leave)
        with pytest.raises(ValueError, match="pictures must be"):
            backend.explain(images[:, :8], "a dog")
    assert found.shape == (2, TOWER_SIDE, TOWER_SIDE)
    assert found.dtype == np.float32
    assert (found.min(), found.max() <= 1) == (0, True)
    assert found[1].argmax() == expected.argmax()
    shape = ((expected - expected.min()) / np.ptp(expected)) ** 2
    np.testing.assert_allclose(found[1], shape * found[1].max(), atol=1e-3)


def test_an_idle_model_is_freed_and_opened_again(towers: Towers) -> None:
    """With the same vectors; a short memory halves the batch."""
    folder, answers = towers("clip")
    found, now = find_model(str(folder)), [0.0]
    assert isinstance(found, SearchTowers)
    with OpenClipBackend(found, "cpu", idle_s=60, clock=lambda: now[0]) as backend:
        first = backend.embed_images(answers.images_BHWC)
        assert not backend.idle.look()
        now[0] = 61
        assert backend.idle.look()
        encode, sizes = backend._encode_images, []

        def short(images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
            sizes.append(len(images_BHWC))
            if len(images_BHWC) > 1:
                raise MemoryError
            return encode(images_BHWC)

        backend._encode_images = short  # type: ignore[method-assign]
        again = backend.embed_images(answers.images_BHWC)
    assert sizes[:3] == [4, 2, 1]
    np.testing.assert_allclose(again, first, atol=1e-6)


def test_a_card_that_is_full_is_left_for_the_cpu_from_the_first_opening_on(
    towers: Towers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids need none, and pictures and texts are computed, as many at once as ever."""
    folder, answers = towers("clip")
    found, move, sizes = find_model(str(folder)), torch.nn.Module.to, list[int]()
    assert isinstance(found, SearchTowers)

    def full(self: torch.nn.Module, device: str) -> torch.nn.Module:
        if device == "cuda":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return move(self, device)

    card = DeviceChoice(device="cuda", reason="it computes", name="GeForce X")
    monkeypatch.setattr(open_clip_backend, "choose_device", lambda _wanted: card)
    monkeypatch.setattr(torch.nn.Module, "to", full)
    with OpenClipBackend(found) as backend:
        encode = backend._encode_images

        def counted(images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
            vectors = encode(images_BHWC)
            sizes.append(len(images_BHWC))
            return vectors

        backend._encode_images = counted  # type: ignore[method-assign]
        assert backend.info().device == "cuda"
        vectors = backend.embed_images(answers.images_BHWC)
        assert backend.info().device == "cpu"
        assert backend.info().reason.startswith("GeForce X failed (CUDA out of memory")
        backend.embed_texts(["a dog"])
    assert sizes == [4]
    with OpenClipBackend(found, "cpu") as backend:
        np.testing.assert_allclose(vectors, backend.embed_images(answers.images_BHWC), atol=1e-6)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_it_tells_how_much_of_a_text_it_reads(towers: Towers, kind: str) -> None:
    """The rest changes nothing; a word less does."""
    words = [
        "a",
        "dog",
        "two",
        "children",
        "play",
        "with",
        "red",
        "ball",
        "cat",
        "very",
        "long",
        "one",
        "hello",
        "world",
    ] * 8
    text = " ".join(words)
    with open_backend(str(towers(kind)[0]), "cpu") as backend:
        assert isinstance(backend, OpenClipBackend)
        assert backend.fitting("a red ball") == "a red ball"
        read = backend.fitting(text)
        shorter = read.rsplit(" ", 1)[0]
        assert len(words) > len(read.split()) > 10
        vectors = backend.embed_texts([text, read, shorter])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-4


def test_a_file_is_opened_with_the_name_of_its_model(tmp_path: Path, towers: Towers) -> None:
    """A damaged, hostile, foreign or missing file is told apart in a sentence."""
    weights = tmp_path / "mine.safetensors"
    shutil.copy(towers("clip")[0] / SAFE, weights)
    with pytest.raises(UserError, match="does not fit the model"):
        open_backend(f"open_clip:ViT-S-32-alt/{weights}", "cpu")
    with pytest.raises(UserError, match="whole path"):
        open_backend(f"open_clip:ViT-B-32/{tmp_path}/gone.safetensors", "cpu")
    with pytest.raises(UserError, match="Did you mean ViT-B-32"):
        open_backend(f"open_clip:ViT-B-33/{weights}", "cpu")
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(UserError, match="cut short"):
        open_backend(f"open_clip:ViT-S-32-alt/{weights}", "cpu")
    pickle = tmp_path / "evil.pt"
    pickle.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(UserError, match="not opened"):
        open_backend(f"open_clip:ViT-S-32-alt/{pickle}", "cpu")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("open_clip:ViT-B-32/laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        ("open_clip:vit-b-16-SIGLIP/WebLI", "ViT-B-16-SigLIP"),
        ("open_clip:ViT-B-32/openai", "vit_base_patch32_clip_224.openai"),
    ],
)
def test_names_and_tags_lead_to_the_hub_without_open_clip(source: str, said: str) -> None:
    """Nothing is imported for it; offline it says that the model is not here."""
    from cocadesk.model.checkpoints.hub import parse_repository

    assert said in parse_repository(source).name
    with pytest.raises(UserError, match="not on this machine"):
        find_model(source, fetch=False)


def test_unknown_names_and_tags_are_answered_with_the_nearest() -> None:
    """What open_clip has is listed."""
    with pytest.raises(UserError, match="laion2b_s34b_b79k"):
        find_model("open_clip:ViT-B-32/nosuchtag", fetch=False)
    with pytest.raises(UserError, match="no model"):
        find_model("open_clip:Banana/x", fetch=False)
    assert {"ViT-B-32", "ViT-B-16-SigLIP"} <= architectures().keys()


def test_a_tokenizer_that_is_missing_is_told_with_what_helps(
    towers: Towers, tmp_path: Path
) -> None:
    """SigLIP's texts are read by its own; without its file or transformers nothing is opened."""
    folder = tmp_path / "bare"
    shutil.copytree(towers("siglip")[0], folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        open_backend(str(folder), "cpu")


def test_a_folder_as_open_clip_writes_it_is_remembered_whole(towers: Towers) -> None:
    """``local-dir:`` is another word for its path."""
    folder = towers("clip")[0]
    assert durable_source(f"local-dir:{folder}") == str(folder)
    with pytest.raises(UserError, match="no model"):
        find_model("local-dir:/no/such/folder")


def test_settings_of_a_coca_are_not_taken_for_two_towers(tmp_path: Path, towers: Towers) -> None:
    """With a decoder in its settings, weights without one are damaged, not a CLIP."""
    folder = tmp_path / "mixed"
    shutil.copytree(towers("clip")[0], folder)
    settings = json.loads((folder / "open_clip_config.json").read_text())
    settings["model_cfg"]["multimodal_cfg"] = {}
    (folder / "open_clip_config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="not a CoCa"):
        open_backend(str(folder), "cpu")


def test_models_of_many_languages_are_told_by_their_vocabulary() -> None:
    """They read other scripts; CLIP's and the first SigLIP's know English."""
    expected = {
        "ViT-B-32": False,
        "ViT-B-16-SigLIP": False,
        "ViT-B-16-SigLIP-i18n-256": True,
        "ViT-B-16-SigLIP2": True,
        "xlm-roberta-base-ViT-B-32": True,
        "ViT-H-14-worldwide": True,
    }
    for name, is_multilingual in expected.items():
        towers = SearchTowers(
            name=name, weights=Path("none"), settings=settings_of(name), preprocessing={}
        )
        assert towers.is_multilingual is is_multilingual, name


def test_a_model_in_the_hubs_cache_is_listed_for_search_alone(
    towers: Towers, tmp_path: Path
) -> None:
    """And opened by its name there."""
    repository = tmp_path / "hub" / "models--maker--tiny-clip"
    snapshot = repository / "snapshots" / ("0" * 40)
    shutil.copytree(towers("clip")[0], snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    found = {model.source: model for model in known_models()}["hf-hub:maker/tiny-clip"]
    assert (found.is_for_search, found.is_for_captions) == (True, False)
    assert "for search only" in found.note
    with open_backend(found.source, "cpu", fetch=False) as backend:
        assert backend.info().name == "tiny-clip"
