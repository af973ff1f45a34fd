"""An engine with as many made-up media as one likes: keys and rows follow from numbers.

    python -m tests.bench.window_engine --library DIR --media N --thumbnails DIR

It serves what a grid asks for, each medium with one of the thumbnails of a folder, and
leaves the rest to the fake engine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtGui import QImageReader

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    Detail,
    GetDetail,
    GetPreview,
    GetRows,
    Hits,
    Keys,
    ListNewest,
    Preview,
    ReplyBody,
    RequestBody,
    Rows,
    Search,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.shapes import shape_of
from cocadesk.protocol.values import Days, Hit, Row

FIRST_DAY, DAYS = 13_149, 7_305
"""2006-01-01, and twenty years."""
HITS = 500


class ManyMedia:
    """Answers about media that are numbers, the newest first."""

    def __init__(self, count: int, thumbnails: Path) -> None:
        self._count = count
        self._paths = sorted(thumbnails.glob("*.jpg"))
        sizes = [QImageReader(str(path)).size() for path in self._paths]
        self._sizes = [(size.width(), size.height()) for size in sizes]
        shapes = bytes(shape_of(*size) for size in self._sizes)
        self._shapes = shapes * (count // len(shapes) + 1)
        self._days = self._count_days()
        self.answers: dict[type[Any], Callable[[Any, Call], ReplyBody]] = {
            ListNewest: self._newest,
            GetRows: lambda body, _call: Rows(rows=tuple(map(self._row, body.keys))),
            GetDetail: lambda body, _call: Detail(row=self._row(body.key)),
            GetPreview: self._preview,
            Search: self._search,
        }

    def _count_days(self) -> Days:
        """Some days have many, most have few."""
        weights = [1 + (day * 2_654_435_761 % 97) ** 2 // 400 for day in range(DAYS)]
        total = sum(weights)
        counts = [self._count * weight // total for weight in weights]
        counts[0] += self._count - sum(counts)
        days = [(FIRST_DAY + DAYS - place, n) for place, n in enumerate(counts) if n]
        return Days(days=tuple(day for day, _ in days), counts=tuple(n for _, n in days))

    def _newest(self, body: ListNewest, _call: Call) -> Keys:
        numbers = range(body.offset, min(self._count, body.offset + body.limit))
        return Keys(
            keys=tuple(f"01J{number:023d}" for number in numbers),
            offset=body.offset,
            total=self._count,
            shapes=self._shapes[numbers.start : numbers.stop],
            days=None if body.offset else self._days,
        )

    def _search(self, body: Search, _call: Call) -> Hits:
        step = max(1, self._count // HITS)
        keys = [f"01J{(n * step + len(body.text)) % self._count:023d}" for n in range(HITS)]
        hits = (Hit(key=key, score=0.5, path=self._row(key).path) for key in keys)
        return Hits(hits=tuple(hits), complete=False, shapes=self._shapes[:HITS])

    def _row(self, key: str) -> Row:
        number = int(key[3:])
        place = number % len(self._paths)
        width, height = self._sizes[place]
        return Row(
            key=key,
            path=WirePath.of(self._paths[place]),
            name=f"IMG_{number:07d}.jpg",
            folder="/photos",
            width=width * 12,
            height=height * 12,
            thumbnail=WirePath.of(self._paths[place]),
            caption="a dog runs over the grass" if number % 2 else None,
            stars=number % 6 if number % 5 == 0 else 0,
            favourite=number % 17 == 0,
        )

    def _preview(self, body: GetPreview, _call: Call) -> Preview:
        row = self._row(body.key)
        return Preview(key=row.key, path=row.path, width=row.width, height=row.height)


class ManyMediaEngine(FakeEngine):
    """The fake engine with many media in the place of its own."""

    def __init__(self, library: Path, many: ManyMedia) -> None:
        super().__init__(library, media=0)
        self._many = many

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``Handler``."""
        found = self._many.answers.get(type(body))
        return super().answer(body, call) if found is None else found(body, call)


def main() -> None:
    """Serves until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--media", type=int, required=True)
    parser.add_argument("--thumbnails", type=Path, required=True)
    options = parser.parse_args()
    with ManyMediaEngine(options.library, ManyMedia(options.media, options.thumbnails)):
        sys.stdout.write("serving\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
