"""int8 tables of words: exact, chosen by what the table holds, checked when they are read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import (
    WEIGHTS,
    load_model,
    open_checkpoint,
    save_checkpoint,
)
from cocadesk.model.checkpoints.int8_rows import GRID_PREFIXES, TABLE, on_grid, put_on_grid, rows_of
from cocadesk.model.checkpoints.weight_files import SCALE, map_safetensors, write_safetensors
from cocadesk.model.runtime.text_tower import NumpyTextTower
from tests.support.tiny_model import sentence_model, table_on_grid, tiny_tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint in float16 whose table of words lies on an int8 grid."""
    save_checkpoint(tmp_path / "model", _model(), tiny_tokenizer(), "", half=True)
    return tmp_path / "model"


def _model() -> Any:
    return table_on_grid(sentence_model())


def _rows() -> st.SearchStrategy[NDArray[np.float32]]:
    """Tables that are whole numbers times a scale, with ±127 in each row."""
    return st.integers(1, 5).flatmap(
        lambda count: st.builds(
            lambda numbers, scales: _with_top(numbers).astype(np.float32) * scales[:, None],
            arrays.arrays(np.int8, (count, 7), elements=st.integers(-127, 127)),
            arrays.arrays(np.float32, count, elements=st.floats(2**-20, 2**20, width=32)),
        )
    )


def _with_top(numbers: NDArray[np.int8]) -> NDArray[np.int8]:
    numbers[:, 3] = np.where(numbers[:, 3] < 0, -127, 127)
    return numbers


@given(_rows())
def test_any_table_on_a_grid_comes_back_to_the_last_bit(table: NDArray[np.float32]) -> None:
    """And gives the same grid again: the ids of a model stay."""
    grid = on_grid(table)
    assert grid is not None
    weights = {TABLE: grid[0], TABLE + SCALE: grid[1]}
    again = rows_of(weights, TABLE, np.arange(len(table)))
    assert np.array_equal(again, table)
    found = on_grid(again)
    assert found is not None
    assert all(np.array_equal(a, b) for a, b in zip(grid, found, strict=True))


def test_a_row_of_zeros_is_on_every_grid() -> None:
    """The padding's row may be one."""
    table = np.zeros((2, 4), np.float32)
    table[1] = (127, 1, 0, -5)
    grid = on_grid(table)
    assert grid is not None
    assert np.array_equal(rows_of({"a": grid[0], "a.scale": grid[1]}, "a", np.arange(2)), table)


@pytest.mark.parametrize("number", [0.3, np.nan, np.inf])
def test_a_table_that_is_not_on_a_grid_is_told_apart(number: float) -> None:
    """One number is enough, also beyond the first thousand rows."""
    table = np.full((1500, 4), 127, np.float32)
    assert on_grid(table) is not None
    table[1400, 2] = number
    assert on_grid(table) is None


def test_a_model_with_an_int8_table_comes_back_exactly(folder: Path) -> None:
    """The table in int8 with a scale a row, all else in float16; torch gets its very numbers."""
    stored = map_safetensors(folder / WEIGHTS)
    assert stored[TABLE].dtype == np.int8
    assert (stored[TABLE + SCALE].dtype, stored[TABLE + SCALE].shape) == (np.float32, (512,))
    others = {w.dtype for name, w in stored.items() if not name.startswith(TABLE)}
    assert others == {np.dtype(np.float16)}
    loaded = load_model(open_checkpoint(folder))
    assert torch.equal(loaded.unimodal.embedding.weight, _model().unimodal.embedding.weight)


def test_loading_and_saving_keeps_the_ids(folder: Path, tmp_path: Path) -> None:
    """Nothing changed, so its name does not."""
    opened = open_checkpoint(folder)
    again = save_checkpoint(tmp_path / "again", load_model(opened), opened.tokenizer, "", half=True)
    assert again == opened.ids()


def test_a_table_that_was_taught_is_stored_as_all_else(folder: Path, tmp_path: Path) -> None:
    """Off the grid int8 would lose what was learned."""
    model = load_model(open_checkpoint(folder))
    with torch.no_grad():
        model.unimodal.embedding.weight[7] += 0.01
    ids = save_checkpoint(tmp_path / "taught", model, tiny_tokenizer(), "", half=True)
    stored = map_safetensors(tmp_path / "taught" / WEIGHTS)
    assert stored[TABLE].dtype == np.float16
    assert TABLE + SCALE not in stored
    assert ids.image_id == open_checkpoint(folder).ids().image_id
    assert ids.model_id != open_checkpoint(folder).ids().model_id


def test_all_matrices_of_the_text_side_can_be_stored_so(tmp_path: Path) -> None:
    """A model put on the grid takes half the room there, and gives its vectors without torch."""
    model = _model()
    put_on_grid(model)
    before = {name: w.clone() for name, w in model.state_dict().items()}
    save_checkpoint(tmp_path / "small", model, tiny_tokenizer(), "", half=True)
    stored = map_safetensors(tmp_path / "small" / WEIGHTS)
    int8 = {name for name, w in stored.items() if w.dtype == np.int8}
    matrices = {n for n, w in stored.items() if w.ndim == 2 and n.startswith(GRID_PREFIXES)}
    assert int8 == matrices
    assert "multimodal.layers.0.mlp.0.weight" in int8
    loaded = load_model(open_checkpoint(tmp_path / "small"))
    for name in int8:
        assert torch.equal(loaded.state_dict()[name], before[name])
    _assert_same_vectors(tmp_path / "small")


def test_texts_have_the_same_vectors_without_torch(folder: Path) -> None:
    """The search reads the table's rows as they are stored."""
    _assert_same_vectors(folder)


def _assert_same_vectors(folder: Path) -> None:
    texts = ["a dog", "two children play with a red ball on the grass", ""]
    with open_backend(str(folder)) as backend:
        vectors = backend.embed_texts(texts)
    batch = tiny_tokenizer().batch(texts, 40)
    tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
    with torch.inference_mode():
        expected = load_model(open_checkpoint(folder)).encode_text(tokens, valid).numpy()
    np.testing.assert_allclose(vectors, expected, atol=2e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.float16])
def test_a_search_reads_only_the_rows_of_its_words(folder: Path, dtype: type) -> None:
    """A table of a quarter million words costs no memory and no time at a start."""
    opened = open_checkpoint(folder)
    weights = map_safetensors(folder / WEIGHTS)
    weights[TABLE] = np.ones((250_000, 32), dtype)
    weights[TABLE + SCALE] = np.ones(250_000, np.float32)
    tracemalloc.start()
    try:
        NumpyTextTower(opened.config, opened.tokenizer, weights)(["a dog"])
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < weights[TABLE].size / 4


def _damaged(kind: str, scale: NDArray[np.float32]) -> NDArray[Any] | None:
    return {
        "missing": None,
        "short": scale[:-1],
        "of two axes": scale[:, None],
        "in half precision": scale.astype(np.float16),
        "not a number": np.where(np.arange(len(scale)) == 9, np.float32(np.nan), scale),
        "infinite": np.where(np.arange(len(scale)) == 9, np.float32(np.inf), scale),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["missing", "short", "of two axes", "in half precision", "not a number", "infinite"]
)
def test_scales_that_do_not_fit_the_table_are_named(folder: Path, kind: str) -> None:
    """For torch and mapped: the vectors would be nonsense, or the start would crash."""
    weights = dict(map_safetensors(folder / WEIGHTS))
    scale = _damaged(kind, weights.pop(TABLE + SCALE))
    if scale is not None:
        weights[TABLE + SCALE] = scale
    write_safetensors(folder.parent / "damaged", weights)
    (folder.parent / "damaged").replace(folder / WEIGHTS)
    for read in (lambda: load_model(open_checkpoint(folder)), lambda: open_backend(str(folder))):
        with pytest.raises(UserError, match="cannot be read") as caught:
            read()
        assert "scale" in caught.value.why


def test_scales_without_an_int8_table_do_not_fit(folder: Path) -> None:
    """A file put together from two."""
    weights = dict(map_safetensors(folder / WEIGHTS))
    weights[TABLE] = weights[TABLE].astype(np.float16)
    write_safetensors(folder.parent / "mixed", weights)
    (folder.parent / "mixed").replace(folder / WEIGHTS)
    with pytest.raises(UserError, match="do not fit its config"):
        load_model(open_checkpoint(folder))
