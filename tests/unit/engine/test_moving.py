"""A library moved by its engine, beside its work; what a person says meanwhile is in the copy."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.library.moving import LibraryMove
from cocadesk.library_uri import moved_to
from cocadesk.locations import STARTER
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    CareReport,
    Detail,
    Done,
    Failed,
    GetDetail,
    GetInfo,
    Info,
    Keys,
    LibraryMoved,
    ListNewest,
    MoveLibrary,
    Progress,
    RemoveOldLibrary,
    SetAnnotations,
)
from cocadesk.protocol.paths import WirePath
from tests.support.engines import filled_library
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine

WAIT_S = 60.0


def _engine(folder: Path, access: Access = Access.WRITE) -> LocalEngine:
    return LocalEngine(folder, access=access, open_model=lambda _source: FakeBackend())


def _first(client: EngineClient | LocalEngine) -> str:
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[0]


def _answer(client: EngineClient) -> LibraryMoved:
    """The end of the move, past what is told of it and of other things."""
    while not isinstance(message := client.receive(WAIT_S), Done | Failed):
        continue
    assert isinstance(message, Done), message
    assert isinstance(message.body, LibraryMoved)
    return message.body


def test_words_said_during_a_move_are_in_the_new_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine answers while it copies; afterwards it writes nothing into the old place."""
    base = filled_library(tmp_path)
    copied, goes_on = threading.Event(), threading.Event()
    real = LibraryMove.copy

    def slowly(self: LibraryMove) -> None:
        real(self)
        copied.set()
        assert goes_on.wait(WAIT_S)

    monkeypatch.setattr(LibraryMove, "copy", slowly)
    with inner_engine(base / "library", STARTER, opener=lambda _source: FakeBackend()) as client:
        key = _first(client)
        client.send(MoveLibrary(folder=WirePath.of(tmp_path / "elsewhere")))
        assert copied.wait(WAIT_S)
        body = SetAnnotations(keys=(key,), caption="said during the move")
        client.ask(body, AnnotationsReply, timeout_s=WAIT_S)
        goes_on.set()
        moved = _answer(client)
        with pytest.raises(UserError, match="was moved to"):
            client.ask(SetAnnotations(keys=(key,), caption="late"), AnnotationsReply)
    assert moved.folder == WirePath.of(tmp_path / "elsewhere")
    assert moved.old == WirePath.of(base / "library")
    with _engine(tmp_path / "elsewhere") as there:
        assert there.ask(GetDetail(key=key), Detail).row.caption == "said during the move"
        assert there.ask(GetInfo(), Info).moved_from == moved.old
        (said,) = there.ask(RemoveOldLibrary(), CareReport).done
        assert "was removed" in said
        assert there.ask(GetInfo(), Info).moved_from is None
    assert not (base / "library" / "store").exists()


def test_a_folder_that_is_there_gets_the_library_in_it(tmp_path: Path) -> None:
    """By a name that says what it is; progress tells files, sizes and the time left."""
    base = filled_library(tmp_path)
    (tmp_path / "disk").mkdir()
    told: list[Progress] = []
    with _engine(base / "library") as engine:
        body = MoveLibrary(folder=WirePath.of(tmp_path / "disk"))
        moved = engine.ask(body, LibraryMoved, on_progress=told.append)
    assert moved.folder == WirePath.of(tmp_path / "disk" / "CocaDesk library")
    assert moved_to(base / "library") == tmp_path / "disk" / "CocaDesk library"
    assert told[-1].done == told[-1].total
    assert "MB" in told[-1].stage
    assert told[-1].seconds_left == 0.0


def test_a_move_that_fails_leaves_the_library_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trace of the copy is left, and words are taken as before."""
    base = filled_library(tmp_path)

    def fail(self: LibraryMove) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(LibraryMove, "switch", fail)
    with _engine(base / "library") as engine:
        key = _first(engine)
        with pytest.raises((UserError, OSError)):
            engine.ask(MoveLibrary(folder=WirePath.of(tmp_path / "new")), LibraryMoved)
        engine.ask(SetAnnotations(keys=(key,), caption="after it"), AnnotationsReply)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "photos"]
    with _engine(base / "library") as engine:
        assert engine.ask(GetDetail(key=key), Detail).row.caption == "after it"
