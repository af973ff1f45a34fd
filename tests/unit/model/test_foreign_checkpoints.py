"""State dicts of open_clip's CoCa: opened where whole, refused with a sentence where not."""

from __future__ import annotations

import errno
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cocadesk.errors import UserError
from cocadesk.model.backend import GenerationOptions, open_backend
from cocadesk.model.checkpoints import converted as prepared
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, load_model, stored_state
from cocadesk.model.checkpoints.converted import note_of
from cocadesk.model.checkpoints.open_clip_config import SETTINGS, detect
from cocadesk.model.checkpoints.open_clip_layout import to_open_clip
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig
from cocadesk.model.source import find_checkpoint
from tests.support.open_clip_reference import model_settings
from tests.support.released_model import (
    released_config,
    released_model,
    released_state,
    write_released,
)

State = dict[str, torch.Tensor]
SAFE, PICKLED = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"

HEADS = (
    '{{"model_cfg": {{"vision_cfg": {{"head_width": {}, "attentional_pool": true, '
    '"output_tokens": true}}, "text_cfg": {{"heads": {}, "embed_cls": true, '
    '"output_tokens": true}}, "multimodal_cfg": {{"heads": {}}}}}}}'
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh cache folder for conversions."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def state() -> State:
    """A whole state dict."""
    return released_state()


@pytest.mark.parametrize("name", [SAFE, PICKLED, "epoch_5.pt"])
def test_a_state_dict_opens_as_file_and_as_folder(tmp_path: Path, state: State, name: str) -> None:
    """All weights arrive; the settings beside it give heads and preprocessing."""
    path = write_released(tmp_path / "there" / name, state)
    for source in (path, path.parent):
        checkpoint = find_checkpoint(str(source))
        assert checkpoint.config == released_config()
        loaded = load_model(checkpoint).state_dict()
        for weight_name, weight in released_model().state_dict().items():
            torch.testing.assert_close(loaded[weight_name], weight, rtol=0, atol=0)


def test_a_training_checkpoint_is_unwrapped(tmp_path: Path, state: State) -> None:
    """open_clip's trainer keeps the weights beside epoch and optimiser, with a prefix."""
    whole = {f"module.{name}": weight for name, weight in state.items()}
    whole["module.text.attn_mask"] = torch.zeros(3, 3)
    path = write_released(tmp_path / "epoch.pt", state)
    torch.save({"epoch": 3, "state_dict": whole, "optimizer": {"state": {}}}, path)
    assert find_checkpoint(str(path)).config == released_config()


@pytest.mark.parametrize("name", [SAFE, PICKLED])
@pytest.mark.parametrize(
    "prefix",
    [
        "_orig_mod.module.",
        "module._orig_mod.",
        "module.module.",
        "model.",
        "model._orig_mod.",
        "a.b.",
    ],
)
def test_prefixes_of_other_programs_are_taken_off(
    tmp_path: Path, state: State, name: str, prefix: str
) -> None:
    """torch.compile, several devices and Lightning, in either format."""
    path = write_released(tmp_path / name, {prefix + key: w for key, w in state.items()})
    loaded = load_model(find_checkpoint(str(path))).state_dict()
    for weight_name, weight in released_model().state_dict().items():
        torch.testing.assert_close(loaded[weight_name], weight, rtol=0, atol=0)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"model_state_dict": state, "optimizer_state_dict": {"state": {}}},
        lambda state: {"state_dict": {f"model.{key}": w for key, w in state.items()}},
        lambda state: {
            "state_dict": {"loss.scale": torch.zeros(1)} | {f"m.{k}": w for k, w in state.items()}
        },
        lambda state: {"module": {"state_dict": state}},
        lambda state: {key.replace("visual.", "visual._orig_mod."): w for key, w in state.items()},
    ],
)
def test_weights_are_found_inside_a_training_checkpoint(
    tmp_path: Path, state: State, wrap: Callable[[State], object]
) -> None:
    """Wherever the usual trainers keep them."""
    path = write_released(tmp_path / "epoch.ckpt", state)
    torch.save(wrap(state), path)
    assert find_checkpoint(str(path)).config == released_config()


def test_of_two_networks_in_one_file_none_is_guessed(tmp_path: Path, state: State) -> None:
    """Their names are told."""
    both = {f"{whose}.{key}": w for key, w in state.items() for whose in ("student", "teacher")}
    path = write_released(tmp_path / PICKLED, both)
    with pytest.raises(UserError, match=r"holds 2 models. They are called student, teacher"):
        find_checkpoint(str(path))


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


@pytest.mark.parametrize("name", [SAFE, PICKLED])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (POINTER, "git lfs pull"),
        (b"\n<!DOCTYPE html><html>Log in</html>", "It is a web page"),
        (b"<html>", "It is a web page"),
        (b"", "it is empty"),
    ],
)
def test_what_was_fetched_in_place_of_weights_is_named(
    tmp_path: Path, state: State, name: str, content: bytes, words: str
) -> None:
    """Not "damaged": the person can do something about it."""
    path = write_released(tmp_path / name, state)
    path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        find_checkpoint(str(path))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused_at_once(
    tmp_path: Path, state: State, value: float
) -> None:
    """Each caption would be "$"."""
    broken = {name: torch.full_like(weight, value) for name, weight in state.items()}
    path = write_released(tmp_path / SAFE, broken)
    with pytest.raises(UserError, match="is not a number"):
        find_checkpoint(str(path))


def test_half_precision_weights_become_float32(tmp_path: Path, state: State) -> None:
    """Answers are of the stored numbers, calculated in float32."""
    halves = {name: weight.bfloat16() for name, weight in state.items()}
    path = write_released(tmp_path / SAFE, halves)
    loaded = load_model(find_checkpoint(str(path)))
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    expected = state["text.cls_emb"].bfloat16().float()
    torch.testing.assert_close(loaded.unimodal.cls, torch.nn.Parameter(expected))


class _Hostile:
    """Pickles to a call that makes a file."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self._mark),)


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_hostile_pickle_does_not_run(tmp_path: Path, state: State, is_zip: bool) -> None:
    """Neither in torch's zip format nor as a bare pickle; the sentence says why."""
    mark = tmp_path / "ran"
    path = tmp_path / "model.pt"
    if is_zip:
        torch.save({**state, "extra": _Hostile(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": _Hostile(mark)}))
    with pytest.raises(UserError, match="could run a program") as refused:
        find_checkpoint(str(path))
    assert not mark.exists()
    assert "weights_only" not in refused.value.why, "torch's advice would run it"


@pytest.mark.parametrize(
    ("name", "million"), [("coca_ViT-B-32", 253.56), ("coca_ViT-L-14", 638.45)]
)
def test_the_two_released_sizes_are_known_by_their_shapes(name: str, million: float) -> None:
    """Without any settings; the number of weights is open_clip's (its model profile)."""
    settings = model_settings(name)
    vision, text = settings["vision_cfg"], settings["text_cfg"]
    config = released_config()
    config = replace(
        config,
        name=name,
        embedding_dim=settings["embed_dim"],
        image=replace(
            config.image,
            size_px=vision["image_size"],
            patch_px=vision["patch_size"],
            width=vision["width"],
            layers=vision["layers"],
            heads=vision["width"] // 64,
            mlp_width=4 * vision["width"],
            mean=(0.48145466, 0.4578275, 0.40821073),
            std=(0.26862954, 0.26130258, 0.27577711),
        ),
        pooler=replace(config.pooler, generative_queries=255, heads=8),
        text=replace(
            config.text,
            context=76,
            width=text["width"],
            heads=text["heads"],
            mlp_width=4 * text["width"],
            unimodal_layers=text["layers"],
            multimodal_layers=settings["multimodal_cfg"]["layers"],
        ),
    )
    with torch.device("meta"):
        theirs = to_open_clip(stored_state(CoCa(config)), config)
    shapes = {key: tuple(w.shape) for key, w in theirs.items()}
    for beside in (None, {}, {"model_cfg": settings}):
        assert detect(shapes, beside, "it") == config
    other = model_settings("coca_ViT-L-14" if name == "coca_ViT-B-32" else "coca_ViT-B-32")
    with pytest.raises(UserError, match=r"are of different models.* embed_dim = "):
        detect(shapes, {"model_cfg": other}, "it")
    with pytest.raises(UserError, match="correct_cls_mask"):
        detect(shapes, {"model_cfg": {"text_cfg": {"correct_cls_mask": True}}}, "it")
    assert sum(w.numel() for w in theirs.values()) / 1e6 == pytest.approx(million, abs=0.01)


@pytest.mark.parametrize("name", [SAFE, PICKLED])
@pytest.mark.parametrize("keep", [0, 1, 9, 1_000, 0.5, 0.999])
def test_a_truncated_state_dict_gives_a_sentence(
    tmp_path: Path, state: State, name: str, keep: float, cache: Path
) -> None:
    """Cut anywhere: no crash, and nothing is left in the cache."""
    path = write_released(tmp_path / name, state)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 and keep else int(keep)])
    with pytest.raises(UserError) as refused:
        find_checkpoint(str(path))
    assert "(" not in refused.value.why, "what the reader of the file said is for the log"
    assert not list(cache.glob("models/*"))


def test_a_file_that_the_system_does_not_give_is_not_called_damaged(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails, or permissions."""
    path = write_released(tmp_path / PICKLED, state)

    def failing(*_given: object, **_more: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(torch, "load", failing)
    with pytest.raises(UserError, match="The system says: Input/output error") as refused:
        find_checkpoint(str(path))
    assert "damaged" not in str(refused.value)


def _without(state: State, name: str) -> State:
    return {key: weight for key, weight in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: _without(s, "text_decoder.cross_attn.0.ln_1_kv.bias"), "is absent"),
        (lambda s: {**s, "visual.surprise": torch.zeros(2)}, "should be absent"),
        (lambda s: {**s, "visual.proj": torch.zeros(32, 31)}, "another width"),
        (lambda s: {**s, "text.ln_final.bias": torch.zeros(31)}, "should be"),
        (lambda s: {**s, "logit_bias": torch.zeros(())}, "logit_bias"),
        (lambda s: {**s, "text.cls_emb": torch.zeros(32, dtype=torch.int64)}, "int64"),
        (lambda s: _without(s, "text.cls_emb"), "not a CoCa model"),
        (lambda s: {**s, "text.token_embedding.weight": torch.zeros(64000, 32)}, "64000"),
        (lambda s: {**s, "visual.conv1.weight": torch.zeros(3)}, "shapes"),
        (lambda s: {**s, "visual.positional_embedding": torch.zeros(())}, "shapes"),
        (lambda s: {"weight": torch.zeros(4)}, "not a CoCa model"),
    ],
)
def test_foreign_missing_and_extra_weights_are_named(
    tmp_path: Path, state: State, change: Callable[[State], State], words: str, cache: Path
) -> None:
    """The sentence says which weight does not fit, and nothing is kept."""
    path = write_released(tmp_path / SAFE, change(state))
    with pytest.raises(UserError) as caught:
        find_checkpoint(str(path))
    assert words in str(caught.value)
    assert not list(cache.glob("models/*"))


@pytest.mark.parametrize(
    ("part", "size", "words"),
    [
        ("vision_cfg", {"image_size": 224}, "vision_cfg has image_size = 224, by the weights 64"),
        ("vision_cfg", {"image_size": [64, 32]}, "image_size"),
        ("vision_cfg", {"layers": 12}, "layers = 12, by the weights 1"),
        ("text_cfg", {"width": 512}, "text_cfg has width = 512, by the weights 32"),
        ("text_cfg", {"context_length": 77}, "context_length = 77, by the weights 40"),
        ("text_cfg", {"vocab_size": 64000}, "vocab_size"),
        ("multimodal_cfg", {"layers": "many"}, "layers = many"),
    ],
)
def test_settings_of_another_architecture_are_told(
    tmp_path: Path, state: State, part: str, size: dict[str, object], words: str, cache: Path
) -> None:
    """With the file to exchange; nothing is kept."""
    path = write_released(tmp_path / SAFE, state)
    table = json.loads((tmp_path / SETTINGS).read_text())
    table["model_cfg"][part] |= size
    (tmp_path / SETTINGS).write_text(json.dumps(table))
    with pytest.raises(UserError, match=words) as refused:
        find_checkpoint(str(path))
    assert SETTINGS in refused.value.what_to_do
    assert not list(cache.glob("models/*"))


def test_settings_that_name_the_weights_sizes_are_followed(tmp_path: Path, state: State) -> None:
    """As open_clip writes them, each size by its name."""
    path = write_released(tmp_path / SAFE, state)
    table = json.loads((tmp_path / SETTINGS).read_text())
    table["model_cfg"]["vision_cfg"] |= {"image_size": [64, 64], "patch_size": 16, "width": 32}
    table["model_cfg"]["text_cfg"] |= {"context_length": 40, "vocab_size": 49_408, "layers": 1}
    (tmp_path / SETTINGS).write_text(json.dumps(table))
    assert find_checkpoint(str(path)).config == released_config()


@pytest.mark.parametrize("name", ["visual.proj", "text.text_projection", "logit_scale"])
def test_a_checkpoint_without_a_contrastive_head_is_refused(
    tmp_path: Path, state: State, name: str, cache: Path
) -> None:
    """One that was trained to caption alone: searches would find nothing."""
    path = write_released(tmp_path / SAFE, _without(state, name))
    with pytest.raises(UserError, match=f"no contrastive head.*lacks {name}") as refused:
        find_checkpoint(str(path))
    assert "trained with the contrastive loss" in refused.value.what_to_do
    assert not list(cache.glob("models/*"))


@pytest.mark.parametrize(
    "content", [{}, [1, 2], {"a": 1}, {3: torch.zeros(1)}, torch.zeros(3), {"state_dict": {}}]
)
def test_a_file_that_is_no_state_dict_is_named(tmp_path: Path, content: object) -> None:
    """A list, a number, an empty dict: damaged, in words."""
    path = tmp_path / "model.pt"
    torch.save(content, path)
    with pytest.raises(UserError, match="cannot be read"):
        find_checkpoint(str(path))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("no json", "cannot be read"),
        ("[1]", "not a table"),
        ('{"model_cfg": {"quick_gelu": true}}', "QuickGELU"),
        ('{"model_cfg": 3}', "does not fit"),
        ('{"model_cfg": {"vision_cfg": 3}}', "does not fit"),
        ('{"model_cfg": {"text_cfg": {"correct_cls_mask": true}}}', "attentional_pool"),
        (HEADS.format(0, 2, 2), "does not fit"),
        (HEADS.format(16, -2, -2), "counted from 1"),
        (HEADS.format(16, 3, 3), "multiple of its heads"),
        ('{"preprocess_cfg": {"resize_mode": "longest"}}', "longest"),
        ('{"preprocess_cfg": {"mean": [1, 2]}}', "does not fit"),
        ('{"preprocess_cfg": {"std": ["a", 1, 1]}}', "does not fit"),
        ('{"preprocess_cfg": {"mean": [1e999, 0, 0]}}', "no colours"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(
    tmp_path: Path, state: State, settings: str, words: str
) -> None:
    """A CoCa of another build would give wrong vectors without a word."""
    path = write_released(tmp_path / SAFE, state)
    (tmp_path / "open_clip_config.json").write_text(settings)
    with pytest.raises(UserError) as caught:
        find_checkpoint(str(path))
    assert words in str(caught.value)


def test_unknown_sizes_need_their_settings(tmp_path: Path, state: State) -> None:
    """Head counts cannot be seen in shapes."""
    path = write_released(tmp_path / SAFE, state)
    (tmp_path / "open_clip_config.json").unlink()
    with pytest.raises(UserError, match="neither coca_ViT-B-32 nor coca_ViT-L-14"):
        find_checkpoint(str(path))


def test_a_conversion_is_kept_until_the_file_changes(
    tmp_path: Path, state: State, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second opening reads no foreign file; a changed one replaces the old conversion."""
    path = write_released(tmp_path / SAFE, state)
    first = find_checkpoint(str(path))
    with monkeypatch.context() as patch:
        patch.setattr(prepared, "read_state_dict", lambda path: pytest.fail("read again"))
        again = find_checkpoint(str(path))
    assert (again.folder, again.ids()) == (first.folder, first.ids())
    before = first.ids()
    save_file(released_state(seed=5), path)
    os.utime(path, ns=(1, 1))
    other = find_checkpoint(str(path))
    assert other.ids().image_id != before.image_id
    assert list((cache / "models").iterdir()) == [other.folder]


def test_kept_ids_are_those_of_the_weights(tmp_path: Path, state: State) -> None:
    """The ids file saves reading all weights; without it the same ids are computed."""
    checkpoint = find_checkpoint(str(write_released(tmp_path / SAFE, state)))
    kept = checkpoint.ids()
    (checkpoint.folder / "ids.json").unlink()
    assert checkpoint.ids() == kept


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, state: State, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how much room the conversion needs, and where."""
    path = write_released(tmp_path / SAFE, state)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(UserError, match=r"GB in .*No space left"):
        find_checkpoint(str(path))
    assert not list(cache.glob("models/*"))


def test_a_damaged_conversion_is_made_anew(tmp_path: Path, state: State) -> None:
    """The cache is only a copy."""
    path = write_released(tmp_path / SAFE, state)
    first = find_checkpoint(str(path))
    (first.folder / "config.json").write_text("{")
    assert find_checkpoint(str(path)).ids() == first.ids()


def test_the_spoiled_checkpoint_is_told_by_its_name() -> None:
    """COCO-tuned B-32 no longer finds pictures; L-14 does."""
    spoiled = "laion/mscoco_finetuned_CoCa-ViT-B-32-laion2B-s13B-b90k"
    assert "not for search" in note_of(CocaConfig(name="coca_ViT-B-32"), spoiled)
    assert note_of(CocaConfig(name="coca_ViT-L-14"), spoiled.replace("B-32", "L-14")) == ""
    assert note_of(CocaConfig(name="coca_ViT-B-32"), "laion/CoCa-ViT-B-32") == ""


def test_the_note_of_a_model_stands_in_its_info(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the device's reason."""
    monkeypatch.setattr(prepared, "note_of", lambda config, name: f"read of {name}")
    path = write_released(tmp_path / "folder" / SAFE, state)
    with open_backend(str(path), "cpu") as backend:
        reason = backend.info().reason
    assert reason == f"the CPU was asked for; read of folder/{SAFE}"


def test_several_state_dicts_in_a_folder_must_be_named(tmp_path: Path, state: State) -> None:
    """Without a usual name among them none is guessed."""
    write_released(tmp_path / "a.pt", state)
    assert find_checkpoint(str(tmp_path)).config == released_config()
    write_released(tmp_path / "b.pt", state)
    with pytest.raises(UserError, match="holds 2 models"):
        find_checkpoint(str(tmp_path))


def test_the_door_embeds_captions_and_pools(tmp_path: Path, state: State) -> None:
    """Vectors of unit norm, many texts the same as few, captions through CLIP's words."""
    path = write_released(tmp_path / SAFE, state)
    images = np.random.default_rng(0).integers(0, 255, (5, 64, 64, 3), dtype=np.uint8)
    with open_backend(str(path), "cpu") as backend:
        vectors, tokens = backend.pooled(images)
        np.testing.assert_allclose(vectors, backend.embed_images(images), atol=1e-5)
        assert tokens.shape == (5, 4, 32)
        captions = backend.caption(images[:2], GenerationOptions(max_tokens=6))
        assert all(caption.text == caption.text.strip() for caption in captions)
        assert 0 < backend.info().embedding_dim == len(vectors[0])


def test_a_changed_weight_never_reaches_the_mapped_file(tmp_path: Path, state: State) -> None:
    """Teaching starts from mapped weights; the checkpoint stays as it is."""
    checkpoint = find_checkpoint(str(write_released(tmp_path / SAFE, state)))
    before = (checkpoint.folder / WEIGHTS).read_bytes()
    with torch.no_grad():
        for parameter in load_model(checkpoint).parameters():
            parameter.zero_()
    assert (checkpoint.folder / WEIGHTS).read_bytes() == before
