"""The engines of the contract tests: each is opened once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.protocol.messages import AnnotationsReply, GetUndoState, UndoAnnotations
from tests.support.engines import ENGINES, EngineCase


@pytest.fixture(scope="session", params=ENGINES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> EngineCase:
    """The fake engine, one in this process, and one in a process of its own."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def client(case: EngineCase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnyEngine]:
    """A client of an engine whose library holds a few photos; tests leave these as they were."""
    with case.open(tmp_path_factory.mktemp(case.name)) as client:
        yield client


@pytest.fixture
def taken_back(client: AnyEngine) -> Iterator[None]:
    """Takes back what the test says, so that it does not matter which test comes first."""

    def ask(body: GetUndoState | UndoAnnotations) -> str:
        return client.ask(body, AnnotationsReply, timeout_s=60.0).undo_title

    before = ask(GetUndoState())
    yield
    while ask(GetUndoState()) not in ("", before):
        ask(UndoAnnotations())
