"""The door to LanceDB: keyed merges, filtered reads, versions and errors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.library import store as store_module
from cocadesk.library.literals import is_in, literal
from cocadesk.library.paths import storable
from cocadesk.library.rows import FailureRow, ViewRow
from cocadesk.library.schema import FAILURES, TABLES, rows_to_arrow, views_to_arrow
from cocadesk.library.store import IN_LIST_LIMIT, Store
from tests.support.disks import mounted, read_only

VIEWS = "views_some"


def failures(*paths: bytes, stage: str = "decode") -> pa.Table:
    """Rows of the table of failures."""
    return rows_to_arrow(
        FAILURES,
        [
            FailureRow(
                path=path,
                root=b"/",
                reason="bad",
                stage=stage,
                when=datetime(2020, 1, 1, tzinfo=UTC),
                size_bytes=1,
                mtime_ns=1,
            )
            for path in paths
        ],
    )


def paths(store: Store, where: str | None = None) -> list[bytes]:
    """The paths in the table of failures, sorted."""
    return sorted(store.read(FAILURES, where=where, columns=["path"])["path"].to_pylist())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store with the tables of the schema."""
    opened = Store(tmp_path / "store", read_only=False, key_index_rows=100)
    opened.create_missing()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One store for many examples."""
    opened = Store(tmp_path_factory.mktemp("store"), read_only=False, key_index_rows=100)
    opened.create_missing()
    return opened


def test_the_tables_of_the_schema_are_made_once(store: Store) -> None:
    """Making them again keeps what they hold."""
    store.append(FAILURES, failures(b"/a"))
    store.create_missing()
    assert set(store.names()) == set(TABLES)
    assert paths(store) == [b"/a"]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(max_size=8).map(storable), min_size=1, max_size=4, unique=True))
def test_a_literal_means_just_its_text(shared_store: Store, texts: list[str]) -> None:
    """Quotes, comments, line ends and NUL within a text change nothing in a condition."""
    store = shared_store
    store.delete(FAILURES, "true")
    for text in texts:
        store.append(FAILURES, failures(text.encode(), stage=text))
    for text in texts:
        wanted = [text.encode()]
        assert paths(store, f"stage = {literal(text)}") == wanted
        assert paths(store, f"path = {literal(text.encode())}") == wanted
        assert paths(store, is_in("stage", [text])) == wanted


def test_an_empty_list_matches_nothing(store: Store) -> None:
    """Rather than being a mistake of grammar."""
    store.append(FAILURES, failures(b"/a"))
    assert paths(store, is_in("path", [])) == []
    assert store.read_in(FAILURES, "path", []).num_rows == 0
    store.delete_in(FAILURES, "path", [])
    assert paths(store) == [b"/a"]


def test_a_merge_run_twice_equals_one(store: Store) -> None:
    """Rows are keyed; the second replaces the first."""
    for stage in ("scan", "decode", "decode"):
        store.merge(FAILURES, ["path"], failures(b"/a", b"/b", stage=stage))
    assert paths(store, "stage = 'decode'") == [b"/a", b"/b"]
    assert store.count(FAILURES) == 2


def test_a_merge_without_inserting_changes_known_rows_and_given_columns_alone(
    store: Store,
) -> None:
    """Unknown keys add nothing; other columns keep their values."""
    store.append(FAILURES, failures(b"/a"))
    part = pa.table({"path": pa.array([b"/a", b"/b"], pa.binary()), "stage": ["scan", "scan"]})
    store.merge(FAILURES, ["path"], part, insert=False)
    rows = store.read(FAILURES).to_pylist()
    assert [(row["path"], row["stage"], row["reason"]) for row in rows] == [(b"/a", "scan", "bad")]


def test_lists_longer_than_one_question_are_asked_in_pieces(store: Store) -> None:
    """Reads and deletions of more keys than a list may hold."""
    names = [b"/%05d" % number for number in range(IN_LIST_LIMIT * 2 + 5)]
    store.append(FAILURES, failures(*names))
    values = names[3:]
    assert store.read_in(FAILURES, "path", values, ["path"]).num_rows == len(values)
    store.delete_in(FAILURES, "path", values)
    assert paths(store) == names[:3]


def test_a_version_changes_with_each_write_and_with_nothing_else(store: Store) -> None:
    """Merges of nothing are no writes; a write that fails counts, as its half may be there."""
    seen = [store.version(FAILURES)]
    for rows in (failures(b"/a"), failures(b"/b")):
        store.append(FAILURES, rows)
        seen.append(store.version(FAILURES))
    store.merge(FAILURES, ["path"], failures())
    store.read(FAILURES)
    assert store.version(FAILURES) == seen[-1]
    with pytest.raises(ValueError, match="nothing"):
        store.delete(FAILURES, "nothing = 1")
    seen.append(store.version(FAILURES))
    store.delete(FAILURES, "true")
    seen.append(store.version(FAILURES))
    assert len(set(seen)) == len(seen)


def test_a_reading_store_sees_commits_and_may_not_write(store: Store, tmp_path: Path) -> None:
    """Each kind of write is refused in the same sentence."""
    reader = Store(tmp_path / "store", read_only=True, key_index_rows=100)
    before = reader.version(FAILURES)
    assert paths(reader) == []
    store.append(FAILURES, failures(b"/a"))
    assert paths(reader) == [b"/a"]
    assert reader.version(FAILURES) != before
    for write in (
        lambda: reader.append(FAILURES, failures(b"/b")),
        lambda: reader.merge(FAILURES, ["path"], failures(b"/b")),
        lambda: reader.delete(FAILURES, "true"),
        lambda: reader.drop(FAILURES),
        lambda: reader.tidy(FAILURES),
        lambda: reader.create_views(VIEWS, 2),
    ):
        with pytest.raises(UserError, match="reading only"):
            write()
    assert paths(store) == [b"/a"]


def test_a_lost_table_is_a_sentence(store: Store, tmp_path: Path) -> None:
    """It names the library and what could not be done."""
    store.append(FAILURES, failures(b"/a"))
    shutil.rmtree(tmp_path / "store" / f"{FAILURES}.lance")
    reader = Store(tmp_path / "store", read_only=True, key_index_rows=100)
    with pytest.raises(UserError, match=r"can't read[^$]*damaged"):
        reader.read(FAILURES)
    assert not reader.has(FAILURES)


def test_views_have_one_length_and_are_found_by_cosine(store: Store) -> None:
    """Made once; the nearest first, only those that fulfil the condition."""
    store.create_views(VIEWS, 2)
    store.create_views(VIEWS, 7)
    assert store.dimension(VIEWS) == 2
    vectors = {"a": [1.0, 0.0], "b": [0.6, 0.8], "c": [-1.0, 0.0]}
    store.append(
        VIEWS,
        views_to_arrow(
            [
                ViewRow(
                    key=key,
                    view=0,
                    picture_hash=key,
                    vector=np.asarray(vector, np.float32),
                    root=b"/",
                    folder_text="/",
                )
                for key, vector in vectors.items()
            ]
        ),
    )
    query = np.asarray([2.0, 0.1], np.float32)
    found = store.nearest(VIEWS, query, 3, None)
    assert found["key"].to_pylist() == ["a", "b", "c"]
    wanted = [
        1 - float(np.dot(query, vectors[key])) / float(np.linalg.norm(query)) for key in "abc"
    ]
    assert found["_distance"].to_pylist() == pytest.approx(wanted, abs=2e-3)
    assert store.nearest(VIEWS, query, 1, "key <> 'a'")["key"].to_pylist() == ["b"]
    store.drop(VIEWS)
    assert not store.has(VIEWS)


def test_tidying_compacts_what_many_small_writes_have_left(store: Store) -> None:
    """Once there are enough of them; the rows stay."""
    for number in range(20):
        store.append(FAILURES, failures(b"/%d" % number))
    assert store.tidy(FAILURES)
    assert not store.tidy(FAILURES)
    assert store.count(FAILURES) == 20


def test_a_damaged_table_is_told_without_places_in_lance_s_source(tmp_path: Path) -> None:
    """A person can do nothing with the name of a Rust file."""
    store = Store(tmp_path / "store", read_only=False, key_index_rows=100)
    store.create_missing()
    store.append(FAILURES, failures(b"/a.jpg"))
    store.close()
    for file in (tmp_path / "store" / f"{FAILURES}.lance" / "data").iterdir():
        file.write_bytes(b"")
    with pytest.raises(UserError, match="can't read") as refused:
        Store(tmp_path / "store", read_only=True, key_index_rows=100).read(FAILURES)
    assert ".rs" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_disk_that_becomes_read_only_is_said_for_what_it_is(tmp_path: Path) -> None:
    """As systems do with one that fails: the library is not damaged, and goes on afterwards."""
    with mounted(tmp_path / "disk") as disk:
        store = Store(disk / "store", read_only=False, key_index_rows=100)
        store.create_missing()
        with read_only(disk):
            for write in (
                lambda: store.append(FAILURES, failures(b"/a")),
                lambda: store.merge(FAILURES, ("path",), failures(b"/a")),
                lambda: store.create_views(VIEWS, 4),
            ):
                with pytest.raises(UserError, match="the disk is read-only") as caught:
                    write()
                assert "damaged" not in str(caught.value)
            assert paths(store) == []
        store.append(FAILURES, failures(b"/b"))
        assert paths(store) == [b"/b"]
        store.close()


def test_what_is_kept_of_tables_in_memory_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each commit is a version, and Lance keeps what it has read of all of them."""
    sizes = []
    for bound in (1 << 30, 20_000):
        monkeypatch.setattr(store_module, "_METADATA_CACHE_BYTES", bound)
        made = Store(tmp_path / str(bound) / "store", read_only=False)
        made.create_missing()
        for number in range(30):
            made.merge(FAILURES, ["path"], failures(f"/{number}".encode()))
        assert len(paths(made)) == 30
        sizes.append(made.session.size_bytes)
        made.close()
    unbounded, bounded = sizes
    assert bounded < 40_000 < unbounded
