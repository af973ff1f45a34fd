"""What is made when somebody looks at a medium: its preview, caption and tags."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cocadesk.annotations import tags_from_views
from cocadesk.engine.conversions import to_tags
from cocadesk.engine.loaded_model import LoadedModel, ModelHolder
from cocadesk.errors import UserError
from cocadesk.library import (
    Library,
    MediaKind,
    MediaRow,
    ViewRow,
    moments_of,
    representative_moment,
)
from cocadesk.library.atomic import write_atomically
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import Description, Preview
from cocadesk.protocol.paths import WirePath

if TYPE_CHECKING:
    from cocadesk.media import DecodedPhoto, DecoderPool
    from cocadesk.model.backend import Backend

PREVIEW_PX = 2048
PICTURES_KEPT = 8
GONE = "This medium is no longer in the library."


class _Known(NamedTuple):
    """Which picture of which file was decoded for which model input."""

    path: bytes
    mtime_ns: int
    time_s: float | None
    size_px: int


class MediaDetails:
    """Looks at single media on demand; decodes in one worker process of its own.

    A video is looked at through one frame: that of the moment nearest to the
    whole, unless another time is asked for.
    """

    def __init__(
        self,
        library: Library,
        model: ModelHolder,
        *,
        on_change: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._library = library
        self._model = model
        self._on_change = on_change
        self._pool: DecoderPool | None = None
        self._decoding = threading.Lock()
        self._describing = threading.Lock()
        self._pictures: OrderedDict[_Known, DecodedPhoto] = OrderedDict()

    def row(self, key: str) -> MediaRow:
        """The library's row.

        Raises:
            UserError: there is none of that key.
        """
        rows = self._library.media.rows([key])
        if not rows:
            raise UserError(GONE)
        return rows[0]

    def preview(self, key: str, time_s: float | None, call: Call) -> Preview:
        """A screen-sized JPEG of the photo, or of the video at that time, made where missing.

        Of a file that is not there now, the thumbnail.
        """
        row = self.row(key)
        if time_s is None and (moments := moments_of(self._views(row))):
            time_s = moments[0].time_s  # the one that its thumbnail and the strip begin with
        time_s = self._time(row, time_s)
        path = self._preview_path(row.picture_hash, time_s)
        if not path.exists():
            try:
                decoded = self._decode(row, time_s, call)
            except UserError:
                path = self._thumbnail_path(row, time_s)
                if not path.exists():
                    raise
            else:
                path = self._preview_path(decoded.picture_hash, time_s)
                width, height = decoded.width, decoded.height
                return Preview(key=key, path=WirePath.of(path), width=width, height=height)
        return Preview(key=key, path=WirePath.of(path), width=row.width, height=row.height)

    def _time(self, row: MediaRow, time_s: float | None) -> float | None:
        """The time to look at: None of a photo, else as asked, else what stands for the video."""
        if row.kind is not MediaKind.VIDEO:
            return None
        if time_s is not None:
            return max(0.0, time_s)
        return representative_moment(self._views(row)) or 0.0

    def _views(self, row: MediaRow) -> list[ViewRow]:
        """The views of the model in use."""
        image_id = self._library.model
        return self._library.views.of_keys(image_id, [row.key]).get(row.key, []) if image_id else []

    def _thumbnail_path(self, row: MediaRow, time_s: float | None) -> Path:
        """The thumbnail of the moment at that time, else of the medium."""
        for view in self._views(row) if time_s is not None else ():
            if view.time_s == time_s:
                path = self._library.thumbnails.moment_path(row.picture_hash, view.view)
                if path.exists():
                    return path
        return self._library.thumbnails.path(row.picture_hash)

    def describe(self, key: str, call: Call) -> Description:
        """Caption and tags; what this model has not written yet is made and kept.

        The caption comes first, as a part of the answer. A person's caption is
        never made anew.
        """
        opened = self._model.opened()
        with self._describing:
            call.check()
            row = self.row(key)
            reason = self._fill_caption(row, opened.backend, call)
            try:
                if row.machine_tags_model != opened.tags_mark():
                    call.partial(self._description(key, reason))
                    self._make_tags(row, opened, call)
            except UserError as error:
                reason = reason or str(error)
        return self._description(key, reason)

    def _description(self, key: str, reason: str) -> Description:
        row = self.row(key)
        return Description(
            key=key,
            caption=row.caption,
            caption_by_person=row.human_caption is not None,
            tags=to_tags(row),
            reason=reason,
        )

    def _fill_caption(self, row: MediaRow, backend: Backend, call: Call) -> str:
        """Writes the machine's caption where it is missing; why not, in words, or nothing."""
        by_this_model = row.machine_caption_model == backend.info().model_id
        if row.human_caption is not None or (row.machine_caption is not None and by_this_model):
            return ""
        try:
            self._make_caption(row, backend, call)
        except UserError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Ends the worker process."""
        with self._decoding:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _make_tags(self, row: MediaRow, opened: LoadedModel, call: Call) -> None:
        """Tags from the stored vectors; the file is not read."""
        tagger = opened.tagger()
        call.check()
        tags = tags_from_views(self._library, opened.backend.info().image_id, tagger, [row])
        if tags:
            self._library.media.set_tags(tags, tagger.mark)
            self._on_change((row.key,))

    def _make_caption(self, row: MediaRow, backend: Backend, call: Call) -> None:
        decoded = self._decode(row, self._time(row, None), call)
        call.check()
        caption = backend.caption(decoded.input_HWC[None])[0]
        self._library.media.set_captions(
            {row.key: caption.text}, backend.info().model_id, caption.score
        )
        self._on_change((row.key,))

    def _decode(self, row: MediaRow, time_s: float | None, call: Call) -> DecodedPhoto:
        """The picture, decoded once for preview and caption; its preview file is written.

        Raises:
            UserError: the file gives no picture.
        """
        from cocadesk.media import DecodedPhoto, DecodeFailure, DecodeRequest

        with self._decoding:
            pool = self._open_pool()
            known = _Known(row.path, row.mtime_ns, time_s, pool.spec.size_px)
            if known in self._pictures:
                self._pictures.move_to_end(known)
                return self._pictures[known]
            call.check()
            request = DecodeRequest(token=0, path=row.path, time_s=time_s)
            answer = next(iter(list(pool.decode([request]))))
            if isinstance(answer, DecodeFailure):
                raise UserError("This file cannot be read now.", answer.reason)
            if not isinstance(answer, DecodedPhoto):
                answer.close()
                raise UserError("This file is a video now.", "It was a photo when it was indexed.")
            path = self._preview_path(answer.picture_hash, time_s)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, answer.thumbnail_jpeg, durable=False)
            self._pictures[known] = answer
            while len(self._pictures) > PICTURES_KEPT:
                self._pictures.popitem(last=False)
            return answer

    def _open_pool(self) -> DecoderPool:
        """The decoder for the model in use."""
        from cocadesk.media import DecoderPool, InputSpec, ResizeMode

        info = self._model.backend().info()
        spec = InputSpec(size_px=info.image_size_px, resize=ResizeMode(info.resize))
        if self._pool is not None and self._pool.spec != spec:
            self._pool.close()
            self._pool = None
        if self._pool is None:
            self._pool = DecoderPool(spec=spec, workers=1, thumbnail_px=PREVIEW_PX, slots=1)
        return self._pool

    def _preview_path(self, picture_hash: str, time_s: float | None) -> Path:
        """One file a picture; of a video one a time."""
        name = picture_hash if time_s is None else f"{picture_hash}-{round(time_s * 1000)}ms"
        return (
            self._library.folder / "previews" / picture_hash[:2] / picture_hash[2:4] / f"{name}.jpg"
        )
