"""Rows of the library as clients see them."""

from __future__ import annotations

import os

from cocadesk.library import Library, MediaRow
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import MediaKind, Row, TagValue


def to_row(library: Library, row: MediaRow) -> Row:
    """One row for a message; the thumbnail is named where its file exists."""
    path = WirePath.of(row.path)
    folder, name = os.path.split(path.text)
    thumbnail = library.thumbnail_path(row.pixels)
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
        thumbnail=WirePath.of(thumbnail) if thumbnail.exists() else None,
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
