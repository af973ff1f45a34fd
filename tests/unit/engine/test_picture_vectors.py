"""Pictures that a search names by path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cocadesk.engine.picture_vectors import PictureVectors
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.search.searcher import Searcher
from tests.support.fake_backend import FakeBackend


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """An empty library."""
    with Library.open(tmp_path_factory.mktemp("base") / "library") as opened:
        yield opened


@pytest.mark.parametrize("path", ["a\0b", "~a\0", "/nowhere\0.jpg", "~nobody at all/\ud800.jpg"])
def test_what_can_be_no_path_gets_a_sentence(library: Library, path: str) -> None:
    """As a path at which there is nothing does."""
    backend = FakeBackend()
    find = PictureVectors(library).finder(None, backend, Searcher(library, backend))
    with pytest.raises(UserError, match="Nothing can be like"):
        find(path)
