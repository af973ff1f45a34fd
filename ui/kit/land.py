"""The outlines of land under a map of the world."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath, QPolygonF

from cocadesk.resources import resource_path


@lru_cache(maxsize=1)
def land() -> QPainterPath:
    """All coasts, with places from 0 to 1: 180° west to east, 90° north to south."""
    path = QPainterPath()
    rings = json.loads(gzip.decompress(resource_path("world", "land.json.gz").read_bytes()))
    for ring in rings:
        line = QPolygonF()
        x = y = 0
        for step in range(0, len(ring), 2):
            x, y = x + ring[step], y + ring[step + 1]
            line.append(QPointF((x + 18000) / 36000, (9000 - y) / 18000))
        path.addPolygon(line)
    return path
