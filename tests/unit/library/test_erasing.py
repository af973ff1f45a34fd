"""Deleted rows leave no bytes in a table's files, and the rest is as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from cocadesk.library.erasing import erase_deleted

ROWS = 60


@pytest.fixture
def vectors() -> NDArray[np.float16]:
    """A vector a row."""
    return np.random.default_rng(1).standard_normal((ROWS, 16)).astype(np.float16)


@pytest.fixture
def table(tmp_path: Path, vectors: NDArray[np.float16]) -> Any:
    """A table with one file of rows."""
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 16)
    rows = pa.table({"key": [f"k{n}" for n in range(ROWS)], "vector": flat})
    return lancedb.connect(tmp_path).create_table("t", rows)


def erase(table: Any, tmp_path: Path, *, keys: tuple[str, ...] = ("key",)) -> int:
    """Erases; gives how often indexes were made anew."""
    made: list[bool] = []
    folder = tmp_path / "t.lance"
    erase_deleted(table, folder, keys, lambda: made.append(True), files_to_unite=4)
    return len(made)


def holders(tmp_path: Path, needle: bytes) -> list[Path]:
    """The files that hold these bytes."""
    return [p for p in tmp_path.rglob("*") if p.is_file() and needle in p.read_bytes()]


@pytest.mark.parametrize("keys", [("key",), ()])
def test_the_bytes_of_a_deleted_row_go(
    table: Any, tmp_path: Path, vectors: NDArray[np.float16], keys: tuple[str, ...]
) -> None:
    """By writing some rows anew where they can be told apart, else all of them."""
    assert holders(tmp_path, vectors[7].tobytes())
    table.delete("key = 'k7'")
    made = erase(table, tmp_path, keys=keys)
    assert holders(tmp_path, vectors[7].tobytes()) == []
    assert made == (0 if keys else 1)
    kept = {row["key"]: row["vector"] for row in table.search().limit(ROWS).to_list()}
    assert kept == {f"k{n}": vectors[n].tolist() for n in range(ROWS) if n != 7}


def test_the_bytes_of_a_replaced_row_go(
    table: Any, tmp_path: Path, vectors: NDArray[np.float16]
) -> None:
    """What it was before lies in an old version, and in the file of the others."""
    table.merge_insert("key").when_matched_update_all().execute(
        pa.table(
            {
                "key": ["k3"],
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(16, np.float16)), 16),
            }
        )
    )
    assert holders(tmp_path, vectors[3].tobytes())
    erase(table, tmp_path)
    assert holders(tmp_path, vectors[3].tobytes()) == []
    assert table.count_rows() == ROWS


def test_one_erasing_after_the_other_leaves_few_files(
    table: Any, tmp_path: Path, vectors: NDArray[np.float16]
) -> None:
    """Files that came of writing some rows anew are united in time."""
    for number in range(12):
        table.delete(f"key = 'k{number}'")
        erase(table, tmp_path)
        assert holders(tmp_path, vectors[number].tobytes()) == []
    assert len(list((tmp_path / "t.lance" / "data").iterdir())) <= 5
    assert table.count_rows() == ROWS - 12


def test_a_table_without_deleted_rows_only_loses_its_old_versions(
    table: Any, tmp_path: Path
) -> None:
    """Its file of rows is left as it is."""
    before = {path.name for path in (tmp_path / "t.lance" / "data").iterdir()}
    more = table.search().limit(1).to_arrow().set_column(0, "key", [["more"]])
    table.add(more)
    erase(table, tmp_path)
    assert table.count_rows() == ROWS + 1
    assert len(list((tmp_path / "t.lance" / "_versions").glob("*.manifest"))) == 1
    assert before
