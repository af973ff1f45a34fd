"""The media of a request's scope: keys, folders, files and a filter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.scopes import scope_keys, some_scope_keys
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Scope
from tests.support.engines import coloured_photos
from tests.support.index_tools import run_index


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in ``photos/2014``, with a sibling whose name begins like the folder's."""
    base = tmp_path_factory.mktemp("scopes")
    coloured_photos(base / "photos" / "2014")
    (base / "photos" / "2014" / "red-0.jpg").rename(base / "photos" / "2014.jpg")
    with Library.open(base / "library") as library:
        run_index(library, [base / "photos"])
    return base


@pytest.fixture
def library(base: Path) -> Iterator[Library]:
    """The library, to read."""
    with Library.open(base / "library", create=False, writer=False) as library:
        yield library


def _names(library: Library, keys: list[str]) -> list[str]:
    return [Path(row.path.decode()).name for row in library.media.rows(keys)]


def _scope(base: Path, *names: str, filter: str = "") -> Scope:
    folders = tuple(WirePath.of(base / "photos" / name) for name in names)
    return Scope(folders=folders, filter=filter)


def test_an_empty_scope_is_the_whole_library(library: Library) -> None:
    """Jobs on everything need no list."""
    assert len(scope_keys(library, Scope())) == 5
    assert some_scope_keys(library, Scope()) == scope_keys(library, Scope())


def test_a_folder_is_all_below_it_and_a_file_is_itself(base: Path, library: Library) -> None:
    """A sibling whose name begins like the folder's does not belong to it."""
    inside = _names(library, some_scope_keys(library, _scope(base, "2014")))
    assert inside == ["blue-2.jpg", "green-1.jpg", "red-4.jpg", "white-3.jpg"]
    assert _names(library, some_scope_keys(library, _scope(base, "2014.jpg"))) == ["2014.jpg"]
    both = some_scope_keys(library, _scope(base, "2014.jpg", "2014"))
    assert len(both) == 5


@pytest.mark.parametrize("names", [("nowhere",), ("2014", "nowhere"), ("2014.jp",), ("2",)])
def test_a_folder_that_names_nothing_is_told(
    base: Path, library: Library, names: tuple[str, ...]
) -> None:
    """Also beside others that name something: else a typing error would go unseen."""
    with pytest.raises(UserError, match="is not in the library") as error:
        some_scope_keys(library, _scope(base, *names))
    assert names[-1] in error.value.what


def test_a_filter_narrows_a_scope(base: Path, library: Library) -> None:
    """It is the same grammar as in a search."""
    assert scope_keys(library, _scope(base, "2014", filter="kind:video")) == []
    photos = some_scope_keys(library, _scope(base, "2014", filter="kind:photo -has:caption"))
    assert len(photos) == 4
    with pytest.raises(UserError, match="fits the filter") as error:
        some_scope_keys(library, _scope(base, "2014", filter="kind:video"))
    assert "kind:video" in error.value.why


def test_an_empty_library_says_how_to_begin(tmp_path: Path) -> None:
    """There is nothing to work on yet."""
    with (
        Library.open(tmp_path / "library") as library,
        pytest.raises(UserError, match="no photos in the library yet"),
    ):
        some_scope_keys(library, Scope())
