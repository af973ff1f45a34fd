"""The pipeline that makes files searchable: scan, decode, embed, commit.

Importing this package is cheap: the pipeline is imported when first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cocadesk.indexing.types import (
    Failed,
    IndexOptions,
    IndexProgress,
    IndexReport,
    IndexStage,
    ReembedReport,
)

if TYPE_CHECKING:
    from cocadesk.indexing.index import index_steps
    from cocadesk.indexing.pictures import Embedded, embed_video
    from cocadesk.indexing.reembed import reembed_steps

__all__ = [
    "Embedded",
    "Failed",
    "IndexOptions",
    "IndexProgress",
    "IndexReport",
    "IndexStage",
    "ReembedReport",
    "embed_video",
    "index_steps",
    "reembed_steps",
]

_LAZY = {
    "Embedded": "cocadesk.indexing.pictures",
    "reembed_steps": "cocadesk.indexing.reembed",
    "embed_video": "cocadesk.indexing.pictures",
    "index_steps": "cocadesk.indexing.index",
}


def __getattr__(name: str) -> Any:
    """Import the heavy half of the room on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(name)
