"""A network's answers besides arrays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The network that answers: its input, its device and the reason for it."""

    name: str
    model_id: str
    image_id: str
    embedding_dim: int
    image_size_px: int
    resize: str
    device: str
    precision: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A written caption; ``score`` is the mean probability of its tokens, 0 to 1."""

    text: str
    score: float
