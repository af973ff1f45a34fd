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
    TAKE_OVER = "take over"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A photo or video that was not described, or a ``.txt`` left as it is, and why.

    ``is_failure`` where the disk refused to write a ``.txt``.
    """

    path: bytes
    reason: str
    is_failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationProgress:
    """Progress of a job, in media; ``current_path`` is the file in hand.

    Since the last step: ``keys`` have new captions or tags, ``skipped`` got none.
    """

    stage: AnnotationStage
    done: int
    total: int
    failed: int = 0
    seconds_left: float | None = None
    current_path: bytes | None = None
    keys: tuple[str, ...] = ()
    skipped: tuple[SkippedFile, ...] = ()
