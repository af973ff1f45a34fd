"""A network's picture input: what the decoder makes and the model reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Resize(StrEnum):
    """The way from a picture of any shape to the square that the network sees."""

    SQUASH = "squash"
    CENTER_CROP = "center_crop"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """A model's picture input: a square of ``size_px``."""

    size_px: int
    resize: Resize = Resize.SQUASH

    def __post_init__(self) -> None:
        if not 1 <= self.size_px <= 4096:
            raise ValueError(f"size_px must lie between 1 and 4096, not {self.size_px}")
