"""Engines for tests, fake and real, behind one way to open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.fake import FakeEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCase:
    """An engine for the contract tests.

    ``open`` gives a client of an engine whose library holds a few photos;
    ``word`` stands in the caption of the best answer to ``query``.
    """

    name: str
    open: Callable[[Path], AbstractContextManager[EngineClient]]
    new_folder: Callable[[Path], Path]
    query: str
    word: str


@contextmanager
def fake_client(base: Path) -> Iterator[EngineClient]:
    """A client of a fake engine that runs on a thread of this process."""
    library = base / "library"
    library.mkdir()
    with FakeEngine(library, media=30) as engine:
        assert engine.server.endpoint is not None
        with EngineClient(engine.server.endpoint, events=True) as client:
            yield client


def _any_folder(base: Path) -> Path:
    folder = base / "more photos"
    folder.mkdir()
    return folder


ENGINES = [
    EngineCase(name="fake", open=fake_client, new_folder=_any_folder, query="a dog", word="dog")
]
