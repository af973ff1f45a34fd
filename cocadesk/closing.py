"""Base of what frees something at the end of a ``with``."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType
from typing import Self


class Closing:
    """Closed at the end of its ``with``, whatever happened in it."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Frees what it holds; safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
