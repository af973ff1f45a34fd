"""Boxes of ISO base media files (ISO/IEC 14496-12): HEIC, AVIF, JPEG XL, CR3, MP4."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_BOXES = 10_000


def boxes(data: bytes, start: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box from ``start`` on; of a ``uuid`` box its number is the kind.

    A last box that is cut has what is left of it. Ends silently where the data are no boxes.
    """
    at = start
    for _ in range(_MAX_BOXES):
        size, begin = int.from_bytes(data[at : at + 4], "big"), at + 8
        kind = data[at + 4 : begin]
        if size == 1:
            size, begin = int.from_bytes(data[begin : begin + 8], "big"), begin + 8
        end = at + size if size else len(data)
        if len(kind) < 4 or end < begin:
            return
        if kind == b"uuid":
            kind, begin = data[begin : begin + 16], begin + 16
        yield kind, data[begin:end]
        at = end
