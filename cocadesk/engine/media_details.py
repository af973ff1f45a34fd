"""Previews, captions and tags of single media on demand."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cocadesk.annotations.describe import Describer, MediaDescriber, WantedPicture
from cocadesk.engine.conversions import to_tags, to_writing, views_of
from cocadesk.engine.file_descriptions import describe_files
from cocadesk.engine.full_pictures import FullPictures
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.scopes import row_of
from cocadesk.errors import UserError, tr
from cocadesk.library.parts import video_part
from cocadesk.library.paths import beside
from cocadesk.library.rows import MediaKind, MediaRow, ViewRow
from cocadesk.library.vectors import moments_of, representative_moment
from cocadesk.protocol.calls import Call
from cocadesk.protocol.captions import CaptionWriting
from cocadesk.protocol.messages import (
    Describe,
    DescribeFiles,
    Description,
    GetPreview,
    Preview,
    RowsChanged,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import DescriptionKind, JobKind, JobState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.media.pool.pool import DecoderPool
    from cocadesk.media.types import DecodedPhoto
    from cocadesk.picture_input import InputSpec

PREVIEW_PX = 2048
LOOK_S = 0.2
FULL_PX = 65_500  # of ``cocadesk.media.source``, which loads NumPy
PICTURES_KEPT = 8


class _Known(NamedTuple):
    """The picture of a file that was decoded for a model's input."""

    path: bytes
    mtime_ns: int
    time_s: float | None
    spec: InputSpec


class MediaDetails(RequestHandler):
    """Makes and keeps what a view of one medium needs; decodes in one worker process.

    A video is seen through one frame: that of the moment nearest to the
    whole, unless another time is asked for.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._model = context.model
        self._pool: DecoderPool | None = None
        self._decoding = threading.Lock()
        self._describing = threading.Lock()
        self._pictures: OrderedDict[_Known, DecodedPhoto] = OrderedDict()
        self._fulls = FullPictures()

    def close(self) -> None:
        """Ends the worker process."""
        with self._decoding:
            if self._pool is not None:
                self._pool.close()
                self._pool = None
            self._fulls.close()

    def _preview(self, body: GetPreview, call: Call) -> Preview:
        """A screen-sized JPEG of the photo, or of the video at that time, made where missing.

        Of a file that is not there now, the thumbnail.
        """
        key, time_s = body.key, body.time_s
        row = row_of(self._library, key)
        if time_s is None and (moments := moments_of(self._views(row))):
            time_s = moments[0].time_s  # the one that its thumbnail and the strip begin with
        time_s = self._time(row, time_s)
        if body.is_full:
            return self._full(row, time_s, call)
        path = self._preview_path(row.picture_hash, time_s)
        self._library.thumbnails.bring([path])
        if not path.exists():
            try:
                decoded = self._decode(row, time_s, call)
            except UserError:
                path = self._thumbnail_path(row, time_s)
                if not path.exists():
                    raise
            else:
                path = self._preview_path(_hash_for(row, decoded, time_s), time_s)
                width, height = decoded.width, decoded.height
                return Preview(key=key, path=WirePath.of(path), width=width, height=height)
        return Preview(key=key, path=WirePath.of(path), width=row.width, height=row.height)

    def _full(self, row: MediaRow, time_s: float | None, call: Call) -> Preview:
        """Every pixel, decoded anew unless somebody has looked at them not long ago."""
        path = self._full_path(row.picture_hash, time_s)
        if not self._fulls.has(path):
            with self._decoding:
                call.check()
                decoded = self._read(row, time_s, FULL_PX)
            path = self._full_path(_hash_for(row, decoded, time_s), time_s)
            self._fulls.keep(path, decoded.thumbnail_jpeg)
            row = replace(row, width=decoded.width, height=decoded.height)
        return Preview(key=row.key, path=WirePath.of(path), width=row.width, height=row.height)

    def _full_path(self, picture_hash: str, time_s: float | None) -> Path:
        preview = self._preview_path(picture_hash, time_s)
        return preview.with_name(f"{preview.stem}-full.jpg")

    def _time(self, row: MediaRow, time_s: float | None) -> float | None:
        """The time to look at: None of a photo, else as asked, else what stands for the video.

        Where a time is asked for of a photo with a video, it is one of that.
        """
        if row.kind is not MediaKind.VIDEO:
            return time_s if video_part(row.parts) is not None else None
        if time_s is not None:
            return max(0.0, time_s)
        return representative_moment(self._views(row)) or 0.0

    def _views(self, row: MediaRow) -> list[ViewRow]:
        return views_of(self._library, self._model.value().image_id, row.key)

    def _thumbnail_path(self, row: MediaRow, time_s: float | None) -> Path:
        """The thumbnail of the moment at that time, else of the medium."""
        for view in self._views(row) if time_s is not None else ():
            if view.time_s == time_s:
                path = self._library.thumbnails.moment_path(row.picture_hash, view.view)
                self._library.thumbnails.bring([path])
                if path.exists():
                    return path
        path = self._library.thumbnails.path(row.picture_hash)
        self._library.thumbnails.bring([path])
        return path

    def _describe(self, body: Describe, call: Call) -> None:
        """On a thread of its own: the rows of a grid must not wait for a caption."""
        self._context.run_long(
            call, lambda: self._made_description(body.key, body.writing, call), name="describe"
        )

    def _made_description(self, key: str, writing: CaptionWriting, call: Call) -> Description:
        """Caption and tags; what this model has not written yet is made and kept.

        The caption comes first, as a part of the answer. A person's caption is
        never replaced.
        """
        opened, captioner, reason = self._model.opened(), self._model.captioner(), ""
        self._wait_for_vectors(key, opened.backend.info().image_id, call)
        describer = Describer(
            opened.backend,
            opened.tagger,
            partial(self._decode_wanted, call, captioner.model.info().input_spec),
            writing=to_writing(writing),
            captioner=captioner,
        )
        media = MediaDescriber(self._library, describer)
        with self._describing:
            call.check()
            row = row_of(self._library, key)
            if media.known_caption(row) is None:
                answer = media.caption([row])[key]
                reason = answer if isinstance(answer, str) else ""
                if not reason:
                    self._say_suggested(key)
            try:
                if media.has_stale_tags(row):
                    call.partial(self._description(key, reason))
                    call.check()
                    if media.tag([row]):
                        self._say_suggested(key)
            except UserError as error:
                reason = reason or str(error)
        return self._description(key, reason)

    def _say_suggested(self, key: str) -> None:
        self._context.publish(RowsChanged(keys=(key,), only_suggestions=True))

    def _wait_for_vectors(self, key: str, image_id: str, call: Call) -> None:
        """Let an index that has just begun find its first photos before one is described."""
        while self._is_indexing() and image_id not in row_of(self._library, key).embedded:
            call.check()
            time.sleep(LOOK_S)

    def _is_indexing(self) -> bool:
        jobs = self._context.jobs().all()
        return any(j.kind is JobKind.INDEX and j.state is JobState.RUNNING for j in jobs)

    def _description(self, key: str, reason: str) -> Description:
        row = row_of(self._library, key)
        return Description(
            key=key,
            caption=row.caption,
            caption_by_person=row.human_caption is not None,
            tags=to_tags(row),
            reason=reason,
        )

    def _describe_files(self, body: DescribeFiles, call: Call) -> None:
        opened, context = self._model.opened(), self._context
        is_captioned = body.kind is DescriptionKind.CAPTION
        captioner = self._model.captioner() if is_captioned else None
        context.run_long(
            call,
            lambda: describe_files(
                body,
                call,
                opened.backend,
                opened.tagger,
                context.library,
                context.unkept,
                captioner,
            ),
            name="describe files",
        )

    def picture(
        self, key: str, time_s: float | None, spec: InputSpec, call: Call
    ) -> tuple[MediaRow, DecodedPhoto]:
        """A medium and its picture as a model of this input sees it, with its preview.

        Raises:
            UserError: there is no such medium, or its file gives no picture.
        """
        row = row_of(self._library, key)
        return row, self._decode(row, self._time(row, time_s), call, spec)

    def _decode_wanted(
        self, call: Call, spec: InputSpec, wanted: Sequence[WantedPicture], /
    ) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
        """The decoder for captions: one picture serves the preview, too."""
        for item in wanted:
            row = row_of(self._library, item.key)
            try:
                decoded = self._decode(row, self._time(row, item.time_s), call, spec)
                yield item.key, decoded.input_HWC
            except UserError as error:
                yield item.key, str(error)

    def _decode(
        self, row: MediaRow, time_s: float | None, call: Call, spec: InputSpec | None = None
    ) -> DecodedPhoto:
        """The picture, decoded once for preview and caption; its preview file is written.

        Without a ``spec`` for whichever model pictures were decoded last.

        Raises:
            UserError: the file gives no picture.
        """
        with self._decoding:
            known = _Known(row.path, row.mtime_ns, time_s, self._open_pool(spec).spec)
            if known in self._pictures:
                self._pictures.move_to_end(known)
                return self._pictures[known]
            call.check()
            answer = self._read(row, time_s)
            path = self._preview_path(_hash_for(row, answer, time_s), time_s)
            if not path.exists():
                self._library.thumbnails.keep(path, answer.thumbnail_jpeg)
            self._pictures[known] = answer
            while len(self._pictures) > PICTURES_KEPT:
                self._pictures.popitem(last=False)
            return answer

    def _read(
        self, row: MediaRow, time_s: float | None, thumbnail_px: int | None = None
    ) -> DecodedPhoto:
        """One file through the worker process; the caller has the lock.

        Raises:
            UserError: the file gives no picture.
        """
        from cocadesk.media.types import DecodedPhoto, DecodeFailure, DecodeRequest

        request = DecodeRequest(
            token=0,
            path=row.path,
            time_s=time_s,
            duration_s=row.duration_s,
            thumbnail_px=thumbnail_px,
        )
        if time_s is not None and (part := video_part(row.parts)) is not None:
            video = beside(row.path, part.name)
            request = replace(request, path=video, is_inside=not part.name)
        answer = next(iter(list(self._open_pool().decode([request]))))
        if isinstance(answer, DecodeFailure):
            raise UserError(tr("This file cannot be read now."), answer.reason)
        if not isinstance(answer, DecodedPhoto) and row.format == answer.format:
            # An older program took a picture that moves for a photo; its next index won't.
            answer = answer.still()
        if not isinstance(answer, DecodedPhoto):
            answer.close()
            raise UserError(
                tr("This file has been replaced by a video."), "", tr("Index its folder again.")
            )
        return answer

    def _open_pool(self, spec: InputSpec | None = None) -> DecoderPool:
        """The decoder for a model; without a ``spec`` the one that is open, whatever for."""
        from cocadesk.media.pool.pool import DecoderPool

        if spec is None:
            spec = self._pool.spec if self._pool else self._caption_spec()
        if self._pool is not None and self._pool.spec != spec:
            self._pool.close()
            self._pool = None
        if self._pool is None:
            self._pool = DecoderPool(spec=spec, workers=1, thumbnail_px=PREVIEW_PX, slots=1)
        return self._pool

    def _caption_spec(self) -> InputSpec:
        """The input of the model that captions: what is decoded for a preview serves it, too."""
        try:
            return self._model.captioner().model.info().input_spec
        except UserError:  # a preview needs none
            return self._model.opened().backend.info().input_spec

    def _preview_path(self, picture_hash: str, time_s: float | None) -> Path:
        """One file a picture; of a video one a time."""
        name = picture_hash if time_s is None else f"{picture_hash}-{round(time_s * 1000)}ms"
        return (
            self._library.folder / "previews" / picture_hash[:2] / picture_hash[2:4] / f"{name}.jpg"
        )


def _hash_for(row: MediaRow, decoded: DecodedPhoto, time_s: float | None) -> str:
    """The hash under which a preview lies: a frame of a photo's own video with the photo's."""
    is_of_photo = row.kind is not MediaKind.VIDEO and time_s is not None
    return row.picture_hash if is_of_photo else decoded.picture_hash
