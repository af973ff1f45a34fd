"""The fake engine's videos: their moments, and the frames that stand for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cocadesk.fake_engine.handlers import FakeContext
from cocadesk.fake_engine.jobs import Answer
from cocadesk.fake_engine.rows import LONG_SIDE_PX, FakeMedium, write_picture
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import GetMoments, GetPreview, Moments, Preview, ReplyBody
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Hit, VideoMoment

PREVIEW_PX = 1400
SHOT_S = 4.0


class FakeVideos:
    """Shots of four seconds, each with a picture of its own."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context

    def answers(self) -> Mapping[type[Any], Answer]:
        return {GetMoments: self._moments, GetPreview: self._preview}

    def hit(self, medium: FakeMedium, score: float) -> Hit:
        """A medium as a search result: a video with its moments, best first."""
        row = medium.row
        best_s = medium.moments[0].time_s if medium.moments else None
        frame = self._frame(medium, best_s, LONG_SIDE_PX, "moments") if medium.moments else None
        return Hit(
            key=row.key,
            score=score,
            path=row.path,
            kind=row.kind,
            caption=medium.caption,
            time_s=best_s,
            moments=medium.moments,
            thumbnail=frame,
        )

    def _moments(self, body: GetMoments, _call: Call) -> ReplyBody:
        medium = self._context.medium(body.key)
        length_s = medium.row.duration_s
        if length_s is None:
            return Moments(key=body.key, moments=())
        starts = [SHOT_S * n for n in range(int(length_s / SHOT_S))]
        return Moments(
            key=body.key,
            moments=tuple(
                VideoMoment(
                    time_s=start_s + SHOT_S / 2,
                    start_s=start_s,
                    end_s=min(length_s, start_s + SHOT_S),
                    thumbnail=self._frame(medium, start_s, LONG_SIDE_PX, "moments"),
                )
                for start_s in starts
            ),
        )

    def _preview(self, body: GetPreview, _call: Call) -> ReplyBody:
        medium = self._context.medium(body.key)
        path = self._frame(medium, body.time_s, PREVIEW_PX, "previews")
        return Preview(key=body.key, path=path, width=medium.row.width, height=medium.row.height)

    def _frame(
        self, medium: FakeMedium, time_s: float | None, long_side_px: int, folder: str
    ) -> WirePath:
        """The picture of the shot at that time; of a photo the photo itself."""
        is_moving = time_s is not None and medium.row.duration_s is not None
        shot = int((time_s or 0.0) / SHOT_S) if is_moving else 0
        path: Path = self._context.library / folder / f"{medium.row.key}-{shot}.png"
        if not path.exists():
            number = medium.number + 5 * shot + shot
            write_picture(path, number, medium.row.width, medium.row.height, long_side_px)
        return WirePath.of(path)
