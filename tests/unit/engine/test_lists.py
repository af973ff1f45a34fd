"""Lists of a real library while others write to it, and what is hidden in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    Albums,
    AnnotationsReply,
    Detail,
    GetDetail,
    Keys,
    ListAlbums,
    ListNewest,
    NewAlbum,
    SetAnnotations,
)
from cocadesk.search import matching, ordering
from cocadesk.search.filters import EVERYTHING, Filter
from tests.support.annotated_library import annotated_library
from tests.support.fake_backend import FakeBackend


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LocalEngine]:
    """An engine over a library of three photos."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg", "c.jpg"):
        pass
    library = tmp_path / "library"
    with LocalEngine(library, access=Access.WRITE, open_model=lambda _: FakeBackend()) as engine:
        yield engine


def listed(engine: LocalEngine) -> tuple[str, ...]:
    """All media as they are listed."""
    return engine.ask(ListNewest(), Keys).keys


def hide(engine: LocalEngine, *keys: str) -> None:
    """Hide media by hand."""
    engine.ask(SetAnnotations(keys=keys, hidden=True), AnnotationsReply)


def test_what_is_hidden_while_a_list_is_read_is_in_no_later_one(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are answered on several threads: news may come between a read and its keeping."""
    read = matching.newest_keys
    first = listed(engine)
    hide(engine, first[0])

    def interrupted(library: Library, among: Filter = EVERYTHING) -> Sequence[str]:
        keys = read(library, among)
        monkeypatch.undo()
        hide(engine, first[1])
        return keys

    _patch(monkeypatch, interrupted)
    assert listed(engine) == first[1:]
    assert listed(engine) == first[2:]
    assert engine.ask(ListNewest(offset=1), Keys).total == 1


def _patch(monkeypatch: pytest.MonkeyPatch, read: Callable[..., Sequence[str]]) -> None:
    from cocadesk.engine import library_requests

    for module in (ordering, library_requests):
        if hasattr(module, "newest_keys"):
            monkeypatch.setattr(module, "newest_keys", read)


def test_albums_count_and_show_nothing_that_is_hidden(engine: LocalEngine) -> None:
    """The cover is the first photo that is shown; one with hidden photos alone has none."""
    first, second, third = listed(engine)
    engine.ask(NewAlbum(name="Sea", keys=(first, second)), AnnotationsReply)
    engine.ask(NewAlbum(name="Secret", keys=(first,)), AnnotationsReply)
    engine.ask(SetAnnotations(keys=(third,), hidden=False), AnnotationsReply)
    hide(engine, first)
    sea, secret = engine.ask(ListAlbums(), Albums).albums
    assert (sea.count, secret.count) == (1, 0)
    assert sea.cover == engine.ask(GetDetail(key=second), Detail).row.thumbnail is not None
    assert secret.cover is None
