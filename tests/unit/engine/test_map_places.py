"""Places of likeness in a library: kept, added to, made anew, forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cocadesk.engine.likeness import LikenessPlaces
from cocadesk.library.layout import MAP_NAME
from cocadesk.library.library import Library
from cocadesk.library.map_file import read_map
from cocadesk.library.rows import MediaRow
from cocadesk.vectors import unit_vectors
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

DIMENSION = 8


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one, of a model with short vectors."""
    with Library.open(tmp_path / "library") as library:
        library.set_model(IMAGE_ID)
        library.views.create(IMAGE_ID, DIMENSION)
        yield library


def _add(library: Library, count: int, seed: int, *, with_vectors: bool = True) -> list[MediaRow]:
    rng = np.random.default_rng(seed)
    rows = [media_row(b"%d-%d.jpg" % (seed, number)) for number in range(count)]
    if with_vectors:
        vectors = unit_vectors(rng.normal(size=(count, DIMENSION)).astype(np.float32))
        views = [view_row(row, vector) for row, vector in zip(rows, vectors, strict=True)]
        library.views.commit(IMAGE_ID, views)
    insert(library, *rows)
    return rows


def _keys(rows: list[MediaRow]) -> list[str]:
    return [row.key for row in rows]


def _never(_share: float) -> None:
    raise AssertionError("nothing is to be laid out")


def _quietly(_share: float) -> None:
    pass


def test_places_are_found_once_and_kept(library: Library) -> None:
    """Another start reads them; media without a vector have none."""
    rows = _add(library, 30, 1)
    without = _add(library, 1, 2, with_vectors=False)
    first = LikenessPlaces(library).of(_keys(rows), _quietly)
    assert np.isfinite(first).all()
    again = LikenessPlaces(library).of(_keys([*without, *rows]), _never)
    assert np.isnan(again[0]).all()
    assert (again[1:] == first).all()


def test_what_comes_later_is_placed_among_the_rest(library: Library) -> None:
    """No point that is there moves."""
    rows = _add(library, 60, 1)
    places = LikenessPlaces(library)
    first = places.of(_keys(rows), _quietly)
    new = _add(library, 5, 2)
    grown = places.of(_keys([*rows, *new]), _never)
    assert (grown[:60] == first).all()
    assert np.isfinite(grown).all()
    assert grown.min() >= 0
    assert (LikenessPlaces(library).of(_keys([*rows, *new]), _never) == grown).all()


def test_a_damaged_file_costs_only_time(library: Library) -> None:
    """The places are found again, the same as before."""
    rows = _add(library, 30, 1)
    first = LikenessPlaces(library).of(_keys(rows), _quietly)
    file = library.folder / MAP_NAME
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    assert read_map(library.folder, IMAGE_ID) is None
    assert (LikenessPlaces(library).of(_keys(rows), _quietly) == first).all()
    assert read_map(library.folder, "another model") is None


def test_nothing_of_a_forgotten_medium_is_left(library: Library) -> None:
    """The file goes; the next one has the others alone."""
    rows = _add(library, 30, 1)
    places = LikenessPlaces(library)
    places.of(_keys(rows), _quietly)
    assert rows[3].key.encode() in (library.folder / MAP_NAME).read_bytes()
    identities = {one.key: one for one in library.media.identities()}
    gone = identities.pop(rows[3].key)
    library.forgetting.run(library.forgetting.order([gone], list(identities.values()), []))
    assert not (library.folder / MAP_NAME).exists()
    LikenessPlaces(library).of(_keys(rows[4:]), _quietly)
    assert rows[3].key.encode() not in (library.folder / MAP_NAME).read_bytes()


def test_a_map_in_memory_forgets_as_well(library: Library) -> None:
    """What was kept after a forgetting has nothing of it, and no new layout is needed."""
    rows = _add(library, 30, 1)
    places = LikenessPlaces(library)
    first = places.of(_keys(rows), _quietly)
    identities = {one.key: one for one in library.media.identities()}
    gone = identities.pop(rows[3].key)
    library.forgetting.run(library.forgetting.order([gone], list(identities.values()), []))
    later = _add(library, 2, 5)
    kept = [row for row in rows if row is not rows[3]]
    grown = places.of(_keys([*kept, *later]), _never)
    assert (grown[:29] == np.delete(first, 3, axis=0)).all()
    assert rows[3].key.encode() not in (library.folder / MAP_NAME).read_bytes()
    assert (LikenessPlaces(library).of(_keys(kept), _never) == grown[:29]).all()


def test_media_forgotten_while_they_are_laid_out_move_no_other(library: Library) -> None:
    """Each of the others has a place of its own kind."""
    rows = _add(library, 40, 1)
    identities = {one.key: one for one in library.media.identities()}
    gone = [identities.pop(row.key) for row in rows[:5]]

    def forget(share: float) -> None:
        if share >= 0.8 and gone:
            order = library.forgetting.order(gone, list(identities.values()), [])
            library.forgetting.run(order)
            gone.clear()

    found = LikenessPlaces(library).of(_keys(rows[5:]), forget)
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(4), axis=0)) > 30


def test_a_table_of_vectors_without_any_has_no_places(library: Library) -> None:
    """As after damage, until the photos are read again."""
    rows = _add(library, 3, 1, with_vectors=False)
    assert np.isnan(LikenessPlaces(library).of(_keys(rows), _quietly)).all()


def test_a_library_without_vectors_has_no_places(tmp_path: Path) -> None:
    """Nothing is laid out, and nothing fails."""
    with Library.open(tmp_path / "library") as library:
        rows = [media_row(b"a.jpg")]
        insert(library, *rows)
        assert np.isnan(LikenessPlaces(library).of(_keys(rows), _never)).all()
