"""Made-up pictures for the fake engine, written with the standard library."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

Rgb = tuple[int, int, int]

_SKIES: tuple[tuple[Rgb, Rgb], ...] = (
    ((74, 124, 178), (206, 222, 232)),
    ((236, 142, 92), (252, 220, 170)),
    ((38, 46, 82), (122, 98, 142)),
    ((120, 166, 190), (232, 232, 220)),
    ((92, 128, 120), (214, 224, 196)),
)
_GROUNDS: tuple[Rgb, ...] = (
    (86, 112, 74),
    (198, 168, 118),
    (58, 84, 106),
    (120, 84, 70),
    (230, 232, 236),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A landscape of a sky, a sun and hills, chosen by a number."""

    number: int

    def png(self, width: int, height: int) -> bytes:
        """The scene as a PNG file of this size in pixels."""
        middle = height // 2
        rows = bytearray()
        for y in range(middle):
            rows.append(0)
            rows += self._sky_line(y / height, width, height)
        rows += self._ground_lines(width, height, middle)
        return _png(width, height, bytes(rows))

    def _sky_line(self, v: float, width: int, height: int) -> bytearray:
        top, bottom = _SKIES[self.number % len(_SKIES)]
        line = bytearray(bytes(_mix(top, bottom, v * 2)) * width)
        half = self._sun_half_width(v, height)
        if half > 0:
            centre = int((0.2 + 0.6 * ((self.number * 37) % 100) / 100) * width)
            left, right = max(0, centre - half), min(width, centre + half)
            line[3 * left : 3 * right] = bytes((255, 244, 214)) * (right - left)
        return line

    def _ground_lines(self, width: int, height: int, middle: int) -> bytearray:
        """The lower half: each line is the one above with a few more columns of ground."""
        ground = bytes(_GROUNDS[(self.number // 2) % len(_GROUNDS)])
        starts: dict[int, list[int]] = {}
        for x in range(width):
            starts.setdefault(int(self._hill_top(x / width) * height), []).append(x)
        line = bytearray(bytes(_SKIES[self.number % len(_SKIES)][1]) * width)
        rows = bytearray()
        for y in range(middle, height):
            for x in starts.get(y, ()):
                line[3 * x : 3 * x + 3] = ground
            rows.append(0)
            rows += line
        return rows

    def _sun_half_width(self, v: float, height: int) -> int:
        radius = 0.06 + 0.02 * (self.number % 3)
        offset = v - 0.28
        return int(math.sqrt(max(0.0, radius**2 - offset**2)) * height)

    def _hill_top(self, u: float) -> float:
        phase = self.number * 1.7
        return 0.66 + 0.07 * math.sin(5 * u + phase) + 0.04 * math.sin(13 * u + 2 * phase)


def write_scene(path: Path, number: int, width: int, height: int) -> None:
    """Writes a scene's PNG file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_scene_png(number, width, height))


@lru_cache(maxsize=256)
def _scene_png(number: int, width: int, height: int) -> bytes:
    """Drawn once a process: tests start hundreds of engines that show the same scenes."""
    return Scene(number=number).png(width, height)


def _mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    a, b, c = (round(p + (q - p) * share) for p, q in zip(first, second, strict=True))
    return a, b, c


def heat_png(grid: Sequence[Sequence[float]]) -> bytes:
    """Cells of heat (0 to 1) as a PNG with alpha: dark where cold, yellow where hot."""
    rows = bytearray()
    for line in grid:
        rows.append(0)
        for heat in line:
            rows += bytes((*_mix((20, 10, 60), (252, 230, 90), heat), 140))
    return _png(len(grid[0]), len(grid), bytes(rows), has_alpha=True)


def _png(width: int, height: int, rows: bytes, *, has_alpha: bool = False) -> bytes:
    colours = 6 if has_alpha else 2
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
