"""Messages that wait for one client, and the rule by which some are dropped."""

from __future__ import annotations

from collections import deque

from cocadesk.protocol.messages import (
    EngineMessage,
    Event,
    EventBody,
    FinalMessage,
    JobChanged,
    Progress,
    RowsChanged,
    RunChanged,
)

EVENT_INTERVAL_S = 0.05
MAX_NAMED_KEYS = 500

_Slot = tuple[str, object]


class Outbox:
    """Results wait in order; of progress and events only the latest waits.

    Used by the server's thread alone. Results are never dropped; an event
    about rows is merged with the one that waits, and names no keys once
    there are too many.
    """

    def __init__(self) -> None:
        self._results: deque[EngineMessage] = deque()
        self._latest: dict[_Slot, EngineMessage] = {}

    @property
    def has_results(self) -> bool:
        return bool(self._results)

    @property
    def has_latest(self) -> bool:
        return bool(self._latest)

    def put(self, message: EngineMessage) -> None:
        """Adds a message; a request's end takes its waiting progress away."""
        if isinstance(message, Progress):
            self._latest[("progress", message.id)] = message
        elif isinstance(message, Event):
            self._put_event(message.body)
        else:
            if isinstance(message, FinalMessage):
                self._latest.pop(("progress", message.id), None)
            self._results.append(message)

    def take_results(self) -> list[EngineMessage]:
        """All waiting results, in order."""
        taken = list(self._results)
        self._results.clear()
        return taken

    def take_latest(self) -> list[EngineMessage]:
        """The latest of each progress and event; call at most 20 times a second."""
        taken = list(self._latest.values())
        self._latest.clear()
        return taken

    def _put_event(self, body: EventBody) -> None:
        slot: _Slot = (type(body).__name__, None)
        if isinstance(body, JobChanged):
            slot = ("job", body.job.id)
        elif isinstance(body, RunChanged):
            slot = ("run", body.run.id)
        waiting = self._latest.get(slot)
        if isinstance(waiting, Event):
            body = _merged(waiting.body, body)
        self._latest[slot] = Event(body=body)


def _merged(first: EventBody, second: EventBody) -> EventBody:
    """The second event, with what must not be lost of the first, which waits still."""
    if isinstance(first, RunChanged) and isinstance(second, RunChanged):
        # The points that wait go with the newest state, so that a curve has no gaps.
        return RunChanged(run=second.run, points=first.points + second.points)
    if isinstance(first, RowsChanged) and isinstance(second, RowsChanged):
        keys = tuple(dict.fromkeys(first.keys + second.keys))
        is_named = first.keys and second.keys and len(keys) <= MAX_NAMED_KEYS
        return RowsChanged(
            keys=keys if is_named else (),
            only_suggestions=first.only_suggestions and second.only_suggestions,
        )
    return second
