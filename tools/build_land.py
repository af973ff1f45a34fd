"""Makes the outlines of land from Natural Earth: ``python tools/build_land.py land-50m.json``.

The file is of the npm package world-atlas (TopoJSON, 1:50,000,000). Lines are simplified by
``TOLERANCE`` (Douglas and Peucker, 1973), islands smaller than ``SMALLEST`` left out, and what
crosses the 180th meridian is drawn at both edges. Written: a list of closed lines, each a list of
steps in hundredths of a degree, to the east and to the north by turns, from 0, 0 on.
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from pathlib import Path

TOLERANCE = 0.03
SMALLEST = 0.12
UNIT = 100
TURN = 360 * UNIT
TARGET = Path(__file__).parent.parent / "resources" / "world" / "land.json.gz"

Point = tuple[float, float]


def arcs_of(topology: dict) -> list[list[Point]]:
    """The arcs in degrees; they are stored as steps."""
    (x_by, y_by), (x_from, y_from) = (topology["transform"][k] for k in ("scale", "translate"))
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for x_step, y_step in steps:
            x, y = x + x_step, y + y_step
            arc.append((x * x_by + x_from, y * y_by + y_from))
        arcs.append(arc)
    return arcs


def ring_of(numbers: list[int], arcs: list[list[Point]]) -> list[Point]:
    """The closed line of some arcs; a negative number is one backwards."""
    line: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        line += arc[1:] if line else arc
    return line


def unrolled(ring: list[Point]) -> list[Point]:
    """Without the leap at the 180th meridian; a line around a pole is closed over the pole."""
    line = [ring[0]]
    for x, y in ring[1:]:
        line.append((x - 360 * round((x - line[-1][0]) / 360), y))
    if abs(line[-1][0] - line[0][0]) > 180:
        pole = -90.0 if line[0][1] < 0 else 90.0
        line = [(line[0][0], pole), *line, (line[-1][0], pole), (line[0][0], pole)]
    return line


def simplified(line: list[Point]) -> list[Point]:
    """The points without which the line would be off by more than ``TOLERANCE``."""
    keeps = {0, len(line) - 1}
    parts = [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        away = [(_distance(line[n], line[first], line[last]), n) for n in range(first + 1, last)]
        farthest, number = max(away, default=(0.0, 0))
        if farthest > TOLERANCE:
            keeps.add(number)
            parts += [(first, number), (number, last)]
    return [line[number] for number in sorted(keeps)]


def _distance(point: Point, start: Point, end: Point) -> float:
    x_by, y_by = end[0] - start[0], end[1] - start[1]
    x, y = point[0] - start[0], point[1] - start[1]
    length = (x_by**2 + y_by**2) ** 0.5
    return abs(x * y_by - y * x_by) / length if length else (x**2 + y**2) ** 0.5


def steps_of(ring: list[Point]) -> list[list[int]]:
    """The closed line as steps, once for each edge of the world that it is seen at."""
    middle = len(ring) // 2  # begun and ended at one point it would vanish
    line = simplified(ring[: middle + 1]) + simplified(ring[middle:])[1:]
    units = [(round(x * UNIT), round(y * UNIT)) for x, y in line]
    xs, ys = [x for x, _ in units], [y for _, y in units]
    if len(units) < 4 or max(max(xs) - min(xs), max(ys) - min(ys)) < SMALLEST * UNIT:
        return []
    found = []
    for turn in (0, -TURN, TURN):
        if max(xs) + turn > -TURN // 2 and min(xs) + turn < TURN // 2:
            moved = [(0, 0), *((x + turn, y) for x, y in units)]
            pairs = itertools.pairwise(moved)
            found.append([step for (a, b), (x, y) in pairs for step in (x - a, y - b)])
    return found


def main(source: Path) -> None:
    """Writes the outlines."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    arcs = arcs_of(topology)
    lines = [
        line
        for shape in topology["objects"]["land"]["geometries"]
        for polygon in (shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]])
        for ring in polygon
        for line in steps_of(unrolled(ring_of(ring, arcs)))
    ]
    lines.sort(key=len, reverse=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(lines, separators=(",", ":")) + "\n"
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    sys.stdout.write(f"{len(lines):,} outlines, {TARGET.stat().st_size / 1000:,.0f} kB: {TARGET}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
