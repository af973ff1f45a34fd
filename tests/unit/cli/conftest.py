"""A library that commands work on, with and without a running engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine


@pytest.fixture(params=["alone", "engine"])
def base(request: pytest.FixtureRequest, alone: Path) -> Iterator[Path]:
    """The folder ``alone`` of a test module: nobody has its library open, or an engine has."""
    if request.param == "alone":
        yield alone
        return
    with inner_engine(alone / "library", "fake", opener=lambda _: FakeBackend()):
        yield alone
