"""An object store for the tests of libraries in one, and the person's account there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.object_store import VARIABLES, Server, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A store in a process of its own, which no test ends; each test has a bucket of its own."""
    with serving() as served:
        yield served


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials that the person has set."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
