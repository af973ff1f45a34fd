"""The moments of videos that belong to photos: of Live Photos, and inside motion photos."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence

from cocadesk.indexing.known_files import MatchedFile
from cocadesk.indexing.pictures import Embedded, embed_video
from cocadesk.indexing.pipeline import Decoder
from cocadesk.library.library import Library
from cocadesk.library.parts import HAS_VIDEO, Part, PartRole
from cocadesk.library.paths import beside
from cocadesk.library.rows import (
    Identity,
    MediaChange,
    MediaKind,
    MediaRow,
    MediaState,
    ViewRow,
    ViewShows,
    place_of,
)
from cocadesk.media.types import DecodedVideo, DecodeFailure, DecodeRequest
from cocadesk.model.backend import Backend

log = logging.getLogger(__name__)

UNREADABLE = "unreadable"
"""The format of a part whose video gives no picture: it is not read again until it changes."""


def _videos(one: Identity) -> list[tuple[PartRole, str]]:
    return [(part.role, part.file_hash) for part in one.parts if part.role in HAS_VIDEO]


class LiveVideos:
    """Reads the videos of photos that have no moments yet, and commits them one by one.

    The moments stand behind the photo's own views, and show spans of the video.
    """

    def __init__(self, library: Library, backend: Backend, batch: int) -> None:
        self._library = library
        self._backend = backend
        self._batch = batch
        self._image_id = backend.info().image_id

    def wanted(self, identities: Sequence[Identity]) -> list[tuple[Identity, Part]]:
        """The photos that are there and whose videos are to be read."""
        having = [
            (one, part)
            for one in identities
            if one.state == MediaState.PRESENT and one.kind == MediaKind.PHOTO
            for part in one.parts
            if part.role in HAS_VIDEO and part.format != UNREADABLE
        ]
        if not having:
            return []
        marks = self._library.views.part_marks(self._image_id, ViewShows.LIVE)
        done = {(mark.key, mark.picture_hash) for mark in marks}
        return [one for one in having if (one[0].key, one[0].picture_hash) not in done]

    def drop_changed(self, matched: Sequence[MatchedFile]) -> None:
        """Drop the moments of photos whose videos are others now, or gone; before that is said."""
        changed = {
            item.match.key
            for item in matched
            if item.match.previous is not None
            and _videos(item.match.previous) != _videos(item.identity)
        }
        if not changed:
            return
        first: dict[str, int] = {}
        for mark in self._library.views.part_marks(self._image_id, ViewShows.LIVE):
            if mark.key in changed:
                first[mark.key] = min(mark.view, first.get(mark.key, mark.view))
        self._library.views.remove_from(self._image_id, first)

    def steps(self, wanted: Sequence[tuple[Identity, Part]], decoder: Decoder) -> Iterator[int]:
        """Read them; yields the number that are done."""
        requests = (
            DecodeRequest(token=number, path=beside(one.path, part.name), is_inside=not part.name)
            for number, (one, part) in enumerate(wanted)
        )
        for done, answer in enumerate(decoder.decode(requests), start=1):
            one, part = wanted[answer.token]
            if isinstance(answer, DecodedVideo):
                with answer:
                    embedded = embed_video(self._backend, answer, batch=self._batch)
                    self._commit(one, answer, embedded)
            elif not isinstance(answer, DecodeFailure) or not answer.is_passing:
                log.info("the video of %r gives no moments", one.path)
                self._give_up(one, part)
            yield done

    def _row(self, one: Identity) -> MediaRow | None:
        """The photo's row, where it shows the same picture still."""
        rows = self._library.media.rows([one.key])
        return rows[0] if rows and rows[0].picture_hash == one.picture_hash else None

    def _commit(self, one: Identity, video: DecodedVideo, embedded: Embedded) -> None:
        with self._library.writing():
            row = self._row(one)
            own = self._library.views.of_keys(self._image_id, [one.key]).get(one.key, [])
            if row is None or not own:
                return  # the photo itself is read first
            first = sum(view.shows is not ViewShows.LIVE for view in own)
            views = []
            for place, (span, moment) in enumerate(zip(embedded.spans, video.moments, strict=True)):
                number = first + place
                self._library.thumbnails.write(row.picture_hash, moment.thumbnail_jpeg, number)
                views.append(
                    ViewRow(
                        view=number,
                        picture_hash=row.picture_hash,
                        vector=embedded.vectors_VD[1 + place],
                        shows=ViewShows.LIVE,
                        **place_of(row),
                        **dataclasses.asdict(span),
                    )
                )
            self._library.thumbnails.settle()
            self._library.views.commit(self._image_id, views)
            self._library.views.remove_from(self._image_id, {one.key: first + len(views)})

    def _give_up(self, one: Identity, part: Part) -> None:
        with self._library.writing():
            row = self._row(one)
            if row is not None:
                unreadable = dataclasses.replace(part, format=UNREADABLE)
                told = (unreadable if each == part else each for each in row.parts)
                # What was taken for a video inside the file is none.
                parts = tuple(each for each in told if each != unreadable or each.name)
                changed = dataclasses.replace(row, parts=parts)
                self._library.media.commit([MediaChange(row=changed, is_new=False)])
