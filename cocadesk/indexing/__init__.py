"""The pipeline that makes files searchable: scan, decode, embed, commit.

Importing this package is cheap: the pipeline is imported when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cocadesk.indexing.types import (
    Failed,
    IndexOptions,
    IndexProgress,
    IndexReport,
    IndexStage,
)

if TYPE_CHECKING:
    from cocadesk.indexing.steps import index_steps

__all__ = [
    "Failed",
    "IndexOptions",
    "IndexProgress",
    "IndexReport",
    "IndexStage",
    "index_steps",
]


def __getattr__(name: str) -> Any:
    """Import the heavy half of the room on first use (PEP 562)."""
    if name == "index_steps":
        from cocadesk.indexing.steps import index_steps

        return index_steps
    raise AttributeError(name)
