"""Rows of the library as clients see them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cocadesk.library import Library, MediaRow, moments_of
from cocadesk.protocol.messages import Hits, Moments
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    FailureValue,
    Hit,
    MediaKind,
    Moment,
    Row,
    TagValue,
    VideoMoment,
)

if TYPE_CHECKING:
    from cocadesk.search import Hit as FoundHit


REPORTED = 10_000
"""How many files a job's report names at most."""


class LeftOut(Protocol):
    """A file that a job could do nothing with, and why."""

    @property
    def path(self) -> bytes: ...

    @property
    def reason(self) -> str: ...


def to_failures(left_out: Sequence[LeftOut], stage: str = "") -> tuple[FailureValue, ...]:
    """What a job that ends now has left out, as far as its report names it."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return tuple(
        FailureValue(path=WirePath.of(item.path), reason=item.reason, stage=stage, when=now)
        for item in left_out[:REPORTED]
    )


def to_row(library: Library, row: MediaRow) -> Row:
    """One row for a message; the thumbnail is named where its file exists."""
    path = WirePath.of(row.path)
    folder, name = os.path.split(path.text)
    return Row(
        key=row.key,
        path=path,
        name=name,
        folder=folder,
        kind=MediaKind(row.kind.value),
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        duration_s=row.duration_s,
        taken=row.taken.isoformat(timespec="seconds") if row.taken else None,
        camera=row.camera,
        lens=row.lens,
        latitude=row.latitude,
        longitude=row.longitude,
        rating=row.human_rating if row.human_rating is not None else row.rating,
        title=row.title,
        description=row.description,
        thumbnail=_if_there(library.thumbnail_path(row.picture_hash)),
        caption=row.caption,
        caption_by_person=row.human_caption is not None,
        tags=to_tags(row),
        state=row.state.value,
    )


def to_tags(row: MediaRow) -> tuple[TagValue, ...]:
    """The person's tags, then the machine's with their scores."""
    own = set(row.human_tags_added)
    return tuple(
        TagValue(tag=tag.tag, by_person=True)
        if tag.tag in own
        else TagValue(tag=tag.tag, score=tag.score)
        for tag in row.tags
    )


def to_hits(library: Library, found: Sequence[FoundHit], limit: int) -> Hits:
    """The first ``limit`` of what was found; one more says that there are more."""
    hits = tuple(_to_hit(library, hit) for hit in found[:limit])
    return Hits(hits=hits, complete=len(found) <= limit)


def _to_hit(library: Library, hit: FoundHit) -> Hit:
    return Hit(
        key=hit.key,
        score=round(hit.score, 6),
        time_s=hit.time_s,
        moments=tuple(
            Moment(time_s=moment.time_s, score=round(moment.score, 6)) for moment in hit.moments
        ),
        thumbnail=_if_there(library.moment_thumbnail_path(hit.picture_hash, hit.moments[0].view))
        if hit.moments
        else None,
    )


def to_moments(library: Library, row: MediaRow) -> Moments:
    """The moments of a video by the model in use; none of a photo."""
    views = library.views_of(library.model, [row.key]) if library.model else {}
    return Moments(
        key=row.key,
        moments=tuple(
            VideoMoment(
                time_s=view.time_s or 0.0,
                start_s=view.start_s or 0.0,
                end_s=view.end_s or 0.0,
                thumbnail=_if_there(library.moment_thumbnail_path(view.picture_hash, view.view)),
            )
            for view in moments_of(views.get(row.key, []))
        ),
    )


def _if_there(path: Path) -> WirePath | None:
    return WirePath.of(path) if path.exists() else None
