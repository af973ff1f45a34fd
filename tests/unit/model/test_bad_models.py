"""Models and inputs that are not as they should be: a sentence at once, and nothing half opened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.media.photo.decode import decode_photo
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import CONFIG, WEIGHTS, save_checkpoint
from cocadesk.model.network.config import CocaConfig
from cocadesk.model.tokenizers.clip import clip_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.protocol.values import ModelState
from cocadesk.search.searcher import CutsTexts
from tests.support.configs import tiny_config
from tests.support.released_model import write_released
from tests.support.tiny_model import (
    styled_tokenizer,
    tiny_model,
    tiny_tokenizer,
    write_tiny_checkpoint,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh cache folder."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def other_model(folder: Path) -> Path:
    """A checkpoint of another architecture."""
    config = tiny_config()
    image = replace(config.image, width=64, mlp_width=128)
    save_checkpoint(folder, tiny_model(config=replace(config, image=image)), tiny_tokenizer(), "")
    return folder


def swap_weights(folder: Path) -> None:
    shutil.copy(other_model(folder.parent / "other") / WEIGHTS, folder / WEIGHTS)


def swap_config(folder: Path) -> None:
    shutil.copy(other_model(folder.parent / "other") / CONFIG, folder / CONFIG)


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) * 2 // 3])


def without_head(folder: Path) -> None:
    state = load_file(folder / WEIGHTS)
    del state["image_projection.weight"]
    save_file(state, folder / WEIGHTS)


def in_other_numbers(folder: Path) -> None:
    state = load_file(folder / WEIGHTS)
    save_file({name: weight.bfloat16() for name, weight in state.items()}, folder / WEIGHTS)


def without_numbers(folder: Path) -> None:
    state = load_file(folder / WEIGHTS)
    state["text_projection.weight"] = torch.full_like(state["text_projection.weight"], torch.nan)
    save_file(state, folder / WEIGHTS)


def no_config(folder: Path) -> None:
    table = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({"architecture": "llama", **table}))


def _name(value: object) -> str:
    return getattr(value, "__name__", "")


SPOILED = [
    (swap_weights, "do not fit its config.*should be .* and is "),
    (swap_config, "do not fit its config.*should be .* and is "),
    (cut, "cut short"),
    (without_head, "“image_projection.weight” should be .* and is absent"),
    (in_other_numbers, "is stored as BF16"),
    (no_config, "architecture"),
]


@pytest.mark.parametrize(
    ("spoil", "words"), SPOILED, ids=lambda each: getattr(each, "__name__", "")
)
def test_a_checkpoint_whose_parts_do_not_belong_together_is_refused_when_it_is_opened(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """Not at the first picture; also where the whole one was opened before.

    The sentences say what, why and what to do, in words of ours.
    """
    folder = write_tiny_checkpoint(tmp_path / "model")
    with open_backend(str(folder), "cpu") as backend:
        backend.embed_texts(["a dog"])
    spoil(folder)
    with pytest.raises(UserError, match=words) as refused:
        open_backend(str(folder), "cpu")
    told = refused.value
    assert str(folder) in told.what
    assert told.why
    assert told.what_to_do
    assert "deserializing" not in told.why


def test_a_pair_that_fits_is_looked_at_once(tmp_path: Path, cache: Path) -> None:
    """Later starts need no torch for it; a cache that takes nothing costs only that."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    open_backend(str(folder), "cpu").close()
    assert len(list((cache / "fitting").iterdir())) == 1
    shutil.rmtree(cache / "fitting")
    (cache / "fitting").write_text("")
    open_backend(str(folder), "cpu").close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [*SPOILED, (without_numbers, "not a number")],
    ids=_name,
)
def test_the_model_that_answers_goes_on_where_another_cannot_be_opened(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """Weights of no numbers too: its first text is embedded before it answers."""
    good = write_tiny_checkpoint(tmp_path / "good", seed=1)
    bad = write_tiny_checkpoint(tmp_path / "bad")
    spoil(bad)
    with Library.open(tmp_path / "library") as library:
        holder = ModelHolder(
            library, lambda source: open_backend(source, "cpu"), str(good), cache=tmp_path
        )
        expected = holder.opened().backend.embed_texts(["a dog"])
        with pytest.raises(UserError, match=words):
            holder.open(str(bad))
        assert holder.source == str(good)
        assert holder.value().state is ModelState.READY
        np.testing.assert_array_equal(holder.opened().backend.embed_texts(["a dog"]), expected)
        holder.close()


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (2, 1)])
@pytest.mark.parametrize("is_released", [False, True])
def test_a_picture_of_a_pixel_is_embedded_and_captioned(
    tmp_path: Path, is_released: bool, size: tuple[int, int]
) -> None:
    """From the file to a unit vector; squashed and cropped."""
    file = tmp_path / "pixel.png"
    Image.new("RGB", size, (200, 30, 30)).save(file)
    folder = (
        write_released(tmp_path / "model.safetensors")
        if is_released
        else write_tiny_checkpoint(tmp_path / "model")
    )
    with open_backend(str(folder), "cpu") as backend:
        picture = decode_photo(file, backend.info().input_spec).input_HWC[None]
        assert np.linalg.norm(backend.embed_images(picture)) == pytest.approx(1, abs=1e-5)
        (caption,) = backend.caption(picture)
    assert isinstance(caption.text, str)


def test_an_empty_text_is_embedded_like_any_other(tmp_path: Path) -> None:
    """Blanks alone are the same."""
    with open_backend(str(write_tiny_checkpoint(tmp_path / "model")), "cpu") as backend:
        empty, blank = backend.embed_texts(["", " \n "])
        assert np.linalg.norm(empty) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(empty, blank, atol=1e-6)
        assert backend.embed_texts([]).shape == (0, 32)


TOKENIZERS = [clip_tokenizer, tiny_tokenizer, styled_tokenizer]


@pytest.mark.parametrize("make", TOKENIZERS)
def test_a_long_text_is_cut_at_a_word(make: Callable[[], TextTokenizer]) -> None:
    """As many words as fit, and not a part of the next; shorter texts stay as they are."""
    tokenizer = make()
    text = "a brown dog runs\n on the green grass and two children play with a red ball 2014 "
    for context in (8, 12, 20):
        kept = tokenizer.fitting(text, context)
        assert text.startswith(kept)
        assert text[len(kept)].isspace()
        assert len(tokenizer._split(kept)) <= context - 2
        more = f"{kept} {text[len(kept) :].split()[0]}"
        assert len(tokenizer._split(more)) > context - 2
    assert tokenizer.fitting(text, 500) == text
    assert tokenizer.fitting("", 8) == ""
    assert tokenizer.fitting(" " * 5000, 8) == " " * 5000


@pytest.mark.parametrize("make", TOKENIZERS)
@pytest.mark.parametrize("word", ["x" * 3000, "ж" * 3000, "\ud800" * 300, "🙂" * 300])
def test_a_word_that_is_too_long_alone_is_cut_within(
    make: Callable[[], TextTokenizer], word: str
) -> None:
    """There is no place between words; what is left is never empty and never too long."""
    tokenizer = make()
    kept = tokenizer.fitting(f"{word} dog", 12)
    assert kept == word[: len(kept)]
    assert kept
    ids = tokenizer.encode(kept, 12)
    assert (len(ids), ids[-1]) == (12, tokenizer.end_id)


def test_words_beyond_the_context_change_nothing(tmp_path: Path) -> None:
    """The vector is that of the words which are read, and the backend tells which."""
    with open_backend(str(write_tiny_checkpoint(tmp_path / "model")), "cpu") as backend:
        assert isinstance(backend, CutsTexts)
        text = "two children play with a red ball on the green grass " * 9
        kept = backend.fitting(text)
        assert 8 < len(kept.split()) < len(text.split())
        whole, part, other = backend.embed_texts([text, kept, f"{kept} nonsense"])
        np.testing.assert_allclose(whole, part, atol=1e-6)
        np.testing.assert_allclose(whole, other, atol=1e-6)
        assert backend.fitting("a dog") == "a dog"


def test_a_config_of_millions_of_layers_is_refused_at_once(tmp_path: Path) -> None:
    """Before anything is built."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    table = json.loads((folder / CONFIG).read_text())
    table["text"]["unimodal_layers"] = 10_000_000
    (folder / CONFIG).write_text(json.dumps(table))
    with pytest.raises(UserError):
        open_backend(str(folder), "cpu")
    with pytest.raises(UserError):
        CocaConfig.from_json("[" * 200_000)
