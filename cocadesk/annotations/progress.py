"""Progress of the long work on captions and tags."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnnotationStage(StrEnum):
    """The stages of a job on captions or tags."""

    PLAN = "plan"
    CAPTION = "caption"
    TAG = "tag"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMedium:
    """A photo, video or ``.txt`` that was not described or written, and why."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationProgress:
    """Progress of a job, in media; ``current`` is the file in hand.

    Since the last step: ``keys`` have new captions or tags, ``skipped`` got none.
    """

    stage: AnnotationStage
    done: int
    total: int
    failed: int = 0
    seconds_left: float | None = None
    current: bytes | None = None
    keys: tuple[str, ...] = ()
    skipped: tuple[FailedMedium, ...] = ()
