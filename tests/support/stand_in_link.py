"""A link without an engine: notes what is asked, and answers when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from ui.engine.link import LinkState

Body = TypeVar("Body")


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request under way, with the calls that its answers go to."""

    body: Any
    on_done: Callable[[Any], None]
    on_failed: Callable[[UserError], None] | None
    on_partial: Callable[[Any], None] | None


class StandInTicket:
    """Cancels its request."""

    def __init__(self, link: StandInLink, asked: Asked) -> None:
        self._link = link
        self._asked = asked

    def cancel(self) -> None:
        """Silences the answer; safe to call late or twice."""
        if self._asked in self._link.waiting:
            self._link.waiting.remove(self._asked)


class StandInLink(QObject):
    """Has the face of ``EngineLink``; connected from the start."""

    state_changed = Signal(object)
    connected = Signal(object)
    event_received = Signal(object)
    restarted = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.library = Path("library")
        self.state = LinkState.CONNECTED
        self.problem: UserError | None = None
        self.waiting: list[Asked] = []
        self.sent: list[Any] = []

    def ask(
        self,
        body: Any,
        answer: type[Any],
        on_done: Callable[[Any], None],
        *,
        on_failed: Callable[[UserError], None] | None = None,
        on_progress: object = None,
        on_partial: Callable[[Any], None] | None = None,
        priority: object = None,
    ) -> StandInTicket:
        """Notes the request; without a connection it is dropped."""
        asked = Asked(body=body, on_done=on_done, on_failed=on_failed, on_partial=on_partial)
        if self.state is LinkState.CONNECTED:
            self.sent.append(body)
            self.waiting.append(asked)
        return StandInTicket(self, asked)

    def bodies(self, kind: type[Body]) -> list[Body]:
        """The requests of a type that wait for their answer, oldest first."""
        return [asked.body for asked in self.waiting if isinstance(asked.body, kind)]

    def answer(self, kind: type[Any], reply: object) -> None:
        """Answers the oldest waiting request of this type."""
        self._take(kind).on_done(reply)

    def partly_answer(self, kind: type[Any], reply: object) -> None:
        """Sends a part of the answer; the request goes on waiting."""
        asked = next(one for one in self.waiting if isinstance(one.body, kind))
        assert asked.on_partial is not None
        asked.on_partial(reply)

    def fail(self, kind: type[Any], error: UserError) -> None:
        """Fails the oldest waiting request of this type."""
        asked = self._take(kind)
        if asked.on_failed is not None:
            asked.on_failed(error)

    def lose(self) -> None:
        """The engine is gone, and with it what it was asked."""
        self.waiting.clear()
        self._set(LinkState.LOST)

    def come_back(self) -> None:
        """Another engine is there."""
        self._set(LinkState.CONNECTED)
        self.connected.emit(None)
        self.restarted.emit()

    def _take(self, kind: type[Any]) -> Asked:
        asked = next(one for one in self.waiting if isinstance(one.body, kind))
        self.waiting.remove(asked)
        return asked

    def _set(self, state: LinkState) -> None:
        self.state = state
        self.state_changed.emit(state)
