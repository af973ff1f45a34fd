"""The log of writes, by which what is in memory follows the tables."""

from __future__ import annotations

import pyarrow as pa
import pytest

from cocadesk.library.layout import MEDIA
from cocadesk.library.write_log import WriteLog


def rows(*keys: str) -> pa.Table:
    """A row a key, with a column that nobody asks for."""
    return pa.table({"key": list(keys), "name": [key.upper() for key in keys], "other": keys})


def kept(log: WriteLog, since: int) -> list[str] | None:
    """The names of the rows that are known since so many writes."""
    table = log.rows(MEDIA, since, ["key", "name"])
    assert table is None or table.column_names == ["key", "name"]
    return None if table is None else table.column("name").to_pylist()


def test_rows_of_writes_one_after_the_other_come_together() -> None:
    """Of the columns that are asked for; those of other tables are not among them."""
    log = WriteLog()
    log.add(MEDIA, ["a", "b"], rows("a", "b"))
    log.add("edits", ["z"], rows("z"))
    log.add(MEDIA, ["c"], rows("c"))
    assert kept(log, 0) == ["A", "B", "C"]
    assert kept(log, 1) == ["C"]
    assert kept(log, 2) is None
    assert log.touched(MEDIA, 0) == {"a", "b", "c"}


def test_views_of_one_medium_may_come_in_one_write() -> None:
    """A key several times in it is no later change."""
    log = WriteLog()
    log.add(MEDIA, ["a", "a"], rows("a", "a"))
    assert kept(log, 0) == ["A", "A"]


@pytest.mark.parametrize("keys", [None, ["c"], []])
def test_a_write_whose_rows_are_unknown_makes_them_be_read(keys: list[str] | None) -> None:
    """A deletion, or a change of some columns."""
    log = WriteLog()
    log.add(MEDIA, ["a"], rows("a"))
    log.add(MEDIA, keys)
    log.add(MEDIA, ["d"], rows("d"))
    assert kept(log, 0) is None
    assert kept(log, 2) == ["D"]


def test_a_row_that_was_written_twice_is_read() -> None:
    """The earlier write no longer says what it is."""
    log = WriteLog()
    log.add(MEDIA, ["a", "b"], rows("a", "b"))
    log.add(MEDIA, ["b"], rows("b"))
    assert kept(log, 0) is None
    assert kept(log, 1) == ["B"]


def test_only_the_last_rows_stay_in_memory() -> None:
    """The keys stay, so that the rows can be read."""
    log = WriteLog(rows_kept=3)
    for number in range(5):
        log.add(MEDIA, [f"k{number}"], rows(f"k{number}"))
    assert kept(log, 1) is None
    assert kept(log, 2) == ["K2", "K3", "K4"]
    assert log.touched(MEDIA, 0) == {f"k{number}" for number in range(5)}
