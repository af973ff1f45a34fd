"""thin"""

from __future__ import annotations

from cocadesk.media.source import RawMetadata
from cocadesk.media.types import PhotoMetadata


def read_metadata(raw: RawMetadata) -> PhotoMetadata:
    """Nothing yet."""
    return PhotoMetadata()
