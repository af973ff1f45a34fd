"""Made-up heat maps of the fake engine: each word has a place of its own."""

from __future__ import annotations

import zlib

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.pictures import heat_png
from cocadesk.fake_engine.rows import FakeContext, FakeMedium
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import Explain, Explained, HeatValue, ReplyBody
from cocadesk.protocol.paths import WirePath

SIDE = 9
_SILENT = frozenset(("a", "an", "and", "at", "in", "is", "of", "on", "over", "the", "to", "with"))


class FakeExplaining:
    """Answers ``Explain`` for its media; no file is read, and a sheet is the layer alone."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations

    def _explain(self, body: Explain, call: Call) -> ReplyBody:
        medium = self._medium(body)
        is_own = body.is_caption and not body.text
        text = self._annotations.caption_of(medium.row.key) if is_own else body.text.strip()
        words = [word for word in text.split() if word.lower() not in _SILENT]
        if not words:
            raise UserError("There are no words to look for in the picture.")
        told = words if body.is_caption else [text]
        heats = tuple(self._heat(medium, each) for each in told)
        if body.sheet is not None:
            self._write(body.sheet, heats[0])
        return Explained(text=text, heats=heats, sheet=body.sheet)

    def _medium(self, body: Explain) -> FakeMedium:
        if body.path is None:
            return self._context.medium(body.key)
        for medium in self._context.media.values():
            if medium.row.path == body.path:
                return medium
        raise UserError(f"{body.path.text} cannot be read.", "There is no such file.")

    def _heat(self, medium: FakeMedium, text: str) -> HeatValue:
        number = zlib.crc32(f"{medium.row.key} {text}".encode())
        place = (number % SIDE, number // SIDE % SIDE)
        grid = tuple(
            tuple(
                max(0.0, 1 - ((x - place[0]) ** 2 + (y - place[1]) ** 2) / 12) for x in range(SIDE)
            )
            for y in range(SIDE)
        )
        path = self._context.library / "heat" / f"{medium.row.key}-{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(heat_png(grid))
        peak = ((place[0] + 0.5) / SIDE, (place[1] + 0.5) / SIDE)
        return HeatValue(text=text, grid=grid, peak=peak, layer=WirePath.of(path))

    def _write(self, sheet: WirePath, heat: HeatValue) -> None:
        try:
            with open(sheet.to_bytes(), "xb") as file:  # noqa: PTH123 - bytes
                file.write(heat_png(heat.grid))
        except FileExistsError:
            raise UserError(
                f"{sheet.text} is there already.", "Nothing was written over it."
            ) from None
