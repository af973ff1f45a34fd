"""The fake engine's handlers: each answers the requests of one part of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cocadesk.errors import UserError
from cocadesk.fake_engine.jobs import Answer, FakeJobs
from cocadesk.fake_engine.rows import FakeMedium
from cocadesk.protocol.messages import EventBody


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeContext:
    """The handlers' shared state; ``described`` are the media that have machine captions."""

    library: Path
    jobs: FakeJobs
    publish: Callable[[EventBody], None]
    media: dict[str, FakeMedium] = field(default_factory=dict)
    described: set[str] = field(default_factory=set)

    def medium(self, key: str) -> FakeMedium:
        """The medium of this key.

        Raises:
            UserError: there is none.
        """
        try:
            return self.media[key]
        except KeyError:
            raise UserError("This photo or video is no longer in the library.") from None


class FakeHandler(Protocol):
    """A part of the fake engine with its own requests."""

    def answers(self) -> Mapping[type[Any], Answer]:
        """A handler function for each type of request."""
        ...
