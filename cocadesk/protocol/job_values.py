"""Jobs as people see them: their kinds, states and what can be done about them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from cocadesk.protocol.base import Value


class JobKind(StrEnum):
    INDEX = "index"
    CAPTION = "caption"
    TAG = "tag"
    WRITE = "write"
    TAKE_OVER = "take over"
    TEACH = "teach"
    SWITCH_MODEL = "switch"
    FETCH_MODEL = "fetch"
    GROUP = "group"


class ReadAgain(StrEnum):
    """The files that an index reads though nothing about them has changed."""

    NOTHING = "nothing"
    FAILED = "failed"
    ALL = "all"


class RayValue(Value, frozen=True):
    """Workers of Ray that read for an index; 0 means one for each processor.

    ``address`` (HOST:PORT or auto) is a cluster that is there; else Ray is started here.
    """

    workers: int = 0
    address: str = ""


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True where the job will not move again."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def can_start_again(self) -> bool:
        """True where the job was stopped or has failed: its order is still there."""
        return self in (JobState.FAILED, JobState.CANCELLED)

    def after(self, action: JobAction) -> JobState:
        """The state that an action leads to; a job that is done stays as it is."""
        if action is JobAction.AGAIN:
            return JobState.QUEUED if self.can_start_again else self
        if self.is_final:
            return self
        if action is JobAction.CANCEL:
            return JobState.CANCELLED
        if action is JobAction.PAUSE:
            return JobState.PAUSED
        return JobState.QUEUED if self is JobState.PAUSED else self


class JobAction(StrEnum):
    """The things that can be done about a job; ``AGAIN`` starts one that did not succeed."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    AGAIN = "again"


class WorkState(Value, frozen=True):
    """How far long work is; ``current`` names what it has in hand.

    ``fraction`` is how much of the next one is done: of a video, by its seconds. ``is_bytes``:
    ``done`` and ``total`` count bytes.
    """

    stage: str = ""
    done: int = 0
    total: int | None = None
    failed: int = 0
    seconds_left: float | None = None
    current: str = ""
    fraction: float = 0.0
    is_bytes: bool = False

    def fields(self) -> dict[str, Any]:
        """These fields alone, for another message of the same work."""
        return {name: getattr(self, name) for name in WorkState.__struct_fields__}


class JobValue(WorkState, frozen=True, kw_only=True):
    """A job as people see it: what it does, how far it is, how it ended.

    ``waits_for`` says of one that waits what goes before it. ``attempt`` counts how often
    it was started. ``is_background``: the program has begun it by itself.
    """

    id: str
    kind: JobKind
    title: str
    state: JobState
    message: str = ""
    created: str = ""
    finished: str = ""
    waits_for: str = ""
    attempt: int = 1
    is_background: bool = False
