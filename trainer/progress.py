"""Progress of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """``done`` of ``total`` of a stage; ``figures`` are losses or dev figures."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)


Reporter = Callable[[TrainReport], None]
