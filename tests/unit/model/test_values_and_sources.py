"""Small parts of the model's door: unit vectors, ids, sources, and what a picture becomes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.locations import durable_source
from cocadesk.model.backend import open_source
from cocadesk.model.checkpoints.checkpoint import CONFIG, TOKENIZER, WEIGHTS, is_checkpoint
from cocadesk.model.ids import ModelIds, compute_ids, keep_ids, read_ids
from cocadesk.model.known_models import KnownModel, known_models
from cocadesk.model.network.config import PoolerDesign
from cocadesk.model.source import find_checkpoint, resolve_source
from cocadesk.model.tokenizers.captions import clean_caption
from cocadesk.model.tokenizers.tokenizer import pad_batch
from cocadesk.picture_input import InputSpec
from cocadesk.vectors import unit_vectors
from tests.support.configs import tiny_config
from tests.support.tiny_model import write_tiny_checkpoint


@given(arrays(np.float32, (4, 5), elements=st.floats(-1e6, 1e6, width=32)))
def test_unit_vectors_have_unit_norm_or_are_zero(vectors: NDArray[np.float32]) -> None:
    """Each row for itself, and its direction stays."""
    unit = unit_vectors(vectors)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    assert unit.dtype == np.float32
    for row, made, norm in zip(vectors, unit, norms, strict=True):
        if norm < 1e-9:
            continue
        np.testing.assert_allclose(np.linalg.norm(made), 1, atol=1e-5)
        np.testing.assert_allclose(made * norm, row, atol=1e-4 * norm)


def test_a_vector_of_zeros_stays_one() -> None:
    """No warning, no NaN: a search just never finds it."""
    np.testing.assert_array_equal(unit_vectors(np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(unit_vectors(np.array([3.0, 4.0])), np.float32([0.6, 0.8]))


@pytest.mark.parametrize("size_px", [0, -1, 5000])
def test_an_input_that_no_decoder_makes_is_refused(size_px: int) -> None:
    """A size of nothing, or one beyond reason."""
    with pytest.raises(ValueError, match="between 1 and 4096"):
        InputSpec(size_px=size_px)


def weights(seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """A few made-up weights under names that the ids know."""
    random = np.random.default_rng(seed)
    names = ("image_encoder.a", "contrastive_pooler.b", "generative_pooler.c", "unimodal.d")
    return {name: random.normal(size=(2, 3)).astype(np.float32) for name in names}


@pytest.mark.parametrize("name", list(weights()))
@pytest.mark.parametrize("design", [PoolerDesign.CASCADE, PoolerDesign.PARALLEL])
def test_a_changed_weight_changes_the_ids_that_it_shapes(name: str, design: PoolerDesign) -> None:
    """Stored vectors stay valid exactly where no weight of the image side changed."""
    config = tiny_config()
    config = type(config).from_json(
        json.dumps(json.loads(config.to_json()) | {"pooler": {"design": design, "heads": 2}})
    )
    before = compute_ids(config, weights())
    changed = weights()
    changed[name] = changed[name] + 1
    after = compute_ids(config, changed)
    is_image = name.startswith(("image_", "contrastive_")) or (
        name.startswith("generative_") and design is PoolerDesign.CASCADE
    )
    assert after.model_id != before.model_id
    assert (after.image_id != before.image_id) is is_image


def test_ids_depend_on_names_and_types_but_not_on_order() -> None:
    """A file may hold its weights in any order."""
    config, plain = tiny_config(), weights()
    ids = compute_ids(config, plain)
    assert compute_ids(config, dict(reversed(plain.items()))) == ids
    assert compute_ids(config, {k: v.astype(np.float64) for k, v in plain.items()}) != ids
    assert compute_ids(config, {k: v.T for k, v in plain.items()}) != ids
    assert ids.model_id.startswith("coca-tiny-")


def test_kept_ids_are_read_until_the_weights_change(tmp_path: Path) -> None:
    """By size and time: hashing a gigabyte at every start would take seconds."""
    path, ids = tmp_path / "model.safetensors", ModelIds(model_id="m-1", image_id="i-1")
    path.write_bytes(b"weights")
    assert read_ids(path) is None
    keep_ids(path, ids)
    assert read_ids(path) == ids
    path.write_bytes(b"other weights")
    assert read_ids(path) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"bytes": 7, "mtime_ns": "x"}'])
def test_broken_kept_ids_are_made_anew(tmp_path: Path, content: str) -> None:
    """They are a cache."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    (tmp_path / "ids.json").write_text(content, "utf-8")
    assert read_ids(path) is None


def test_a_run_of_the_library_is_a_source(tmp_path: Path) -> None:
    """``run:ID`` becomes its folder; everything else is passed on."""
    (tmp_path / "a1").mkdir()
    assert resolve_source("run:a1", tmp_path) == str(tmp_path / "a1")
    assert resolve_source("starter", tmp_path) == "starter"
    assert resolve_source("/some/where") == "/some/where"


@pytest.mark.parametrize("source", ["run:none", "run:", "run:../etc", "run:a/b", "run:a1/"])
def test_a_run_that_is_not_there_is_a_sentence(tmp_path: Path, source: str) -> None:
    """And no name leads out of the folder of runs."""
    (tmp_path / "a1").mkdir()
    for folder in (tmp_path, None):
        with pytest.raises(UserError, match="no teaching run"):
            resolve_source(source, folder)


def test_a_path_is_remembered_absolutely_and_a_name_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next program starts in another folder."""
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert durable_source("model") == str(tmp_path / "model")
    assert durable_source("starter") == "starter"
    assert durable_source("open_clip:coca_ViT-B-32/laion2b_s13b_b90k").startswith("open_clip:")


def test_a_lost_model_says_how_to_go_back(tmp_path: Path) -> None:
    """The person may not know where it came from."""
    gone = str(tmp_path / "gone")
    with pytest.raises(UserError) as caught:
        open_source(gone, None, is_chosen_here=False)
    assert gone in caught.value.what
    assert caught.value.why.startswith(f"There is no model “{gone}”. It is neither")
    assert "model use starter" in caught.value.what_to_do


def test_a_model_chosen_here_that_is_nowhere_is_told_as_it_is(tmp_path: Path) -> None:
    """The person has just named it: there is nothing to go back to."""
    with pytest.raises(UserError, match=r"^There is no model") as caught:
        open_source(str(tmp_path / "gone"), None, is_chosen_here=True)
    assert "model use starter" not in caught.value.what_to_do


@pytest.mark.parametrize("name", ["notes.txt", "weights.onnx"])
def test_a_file_that_is_no_model_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    """Nothing of it is read."""
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match="is not a CocaDesk model"):
        find_checkpoint(str(tmp_path / name))


def test_a_source_that_is_nowhere_names_what_would_do() -> None:
    """A mistyped name or a missing folder."""
    with pytest.raises(UserError, match="There is no model") as caught:
        find_checkpoint("/no/such/model")
    assert "hf-hub:" in caught.value.what_to_do


@pytest.mark.parametrize("source", ["", "  ", "local-dir:"])
def test_no_name_is_no_model_and_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Whatever lies there."""
    monkeypatch.chdir(write_tiny_checkpoint(tmp_path / "model"))
    assert durable_source(source) == source
    with pytest.raises(UserError, match="No model is named"):
        find_checkpoint(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [("x" * 300, "File name too long"), ("~nobody-at-all/x", "home directory")],
)
def test_a_name_that_no_disk_can_hold_is_a_sentence(source: str, words: str) -> None:
    """The system's reason is told."""
    assert durable_source(source) == source
    with pytest.raises(UserError, match=f"There is no model.*The system says: .*{words}") as told:
        find_checkpoint(source)
    assert "hf-hub:" in told.value.what_to_do


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_in_a_circle_and_devices_are_no_models(tmp_path: Path) -> None:
    """In each place where a model's files may lie."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "round").symlink_to(tmp_path)
    whole = write_tiny_checkpoint(tmp_path / "whole")
    (whole / WEIGHTS).unlink()
    (whole / WEIGHTS).symlink_to(WEIGHTS)
    for source, words in (
        ("a", "There is no model"),
        ("", "It has no model.safetensors"),
        ("round", "It has no model.safetensors"),
        ("whole", "It has no model.safetensors"),
        (f"whole/{WEIGHTS}", "There is no model"),
    ):
        with pytest.raises(UserError, match=words):
            find_checkpoint(str(tmp_path / source))
    with pytest.raises(UserError, match="neither a file nor a folder"):
        find_checkpoint("/dev/zero")


def checkpoint_at(folder: Path, size: int = 10) -> Path:
    """A folder that looks like a checkpoint; nothing opens it."""
    folder.mkdir(parents=True)
    for name in (WEIGHTS, CONFIG, TOKENIZER):
        (folder / name).write_bytes(b"x" * size)
    return folder


def test_finished_runs_are_listed_with_their_titles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has no result, or an odd name, is none."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    runs = tmp_path / "runs"
    for name, files in {
        "a1": {"result.json": "{}", "spec.json": '{"title": "quillet"}'},
        "b2": {"result.json": "{}", "spec.json": "broken"},
        "c3": {},
        "odd name": {"result.json": "{}"},
    }.items():
        checkpoint_at(runs / name / "checkpoints" / "best")
        for file, text in files.items():
            (runs / name / file).write_text(text, "utf-8")
    found = {model.source: model for model in known_models(runs_folder=runs)}
    assert found["run:a1"] == KnownModel(
        source="run:a1", name="quillet", size_bytes=30, note="taught here"
    )
    assert found["run:b2"].name == "run b2"
    assert not {"run:c3", "run:odd name"} & set(found)


def test_folders_of_models_are_looked_into_one_level_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model folder itself, or a folder of some; a missing one is no error."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    one = checkpoint_at(tmp_path / "models" / "one")
    checkpoint_at(tmp_path / "models" / "deep" / "two")
    folders = (tmp_path / "models", one, tmp_path / "none")
    sources = [model.source for model in known_models(folders)]
    assert sources.count(str(one)) == 1
    assert str(tmp_path / "models" / "deep" / "two") not in sources
    assert is_checkpoint(one)
    assert not is_checkpoint(tmp_path / "models")


def test_the_model_in_use_is_listed_even_where_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a note; where it is there, with its size."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    here = checkpoint_at(tmp_path / "model")
    for current, size in ((str(here), 30), (str(tmp_path / "gone"), 0)):
        model = next(m for m in known_models(used=[current]) if m.source == current)
        assert model.size_bytes == size
        assert bool(model.note) is (size == 0)


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), max_size=4), st.integers(0, 3))
def test_padded_rows_give_their_ids_back(rows: list[list[int]], pad_id: int) -> None:
    """By the mask, whatever the padding is."""
    batch = pad_batch(rows, pad_id)
    assert batch.tokens_BT.shape == batch.valid_BT.shape
    for row, tokens, valid in zip(rows, batch.tokens_BT, batch.valid_BT, strict=True):
        assert tokens[valid].tolist() == row
        assert set(tokens[~valid].tolist()) <= {pad_id}


@given(st.text())
def test_a_cleaned_caption_is_one_line_and_stays_so(text: str) -> None:
    """Cleaning twice changes nothing more."""
    cleaned = clean_caption(text)
    assert "\n" not in cleaned
    assert "  " not in cleaned
    assert cleaned == cleaned.strip()
    assert clean_caption(cleaned) == cleaned
