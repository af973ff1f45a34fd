"""What is made when somebody looks at a photo: its preview, caption and tags."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.engine_model import ModelKeeper
from cocadesk.engine_rows import to_tags
from cocadesk.errors import UserError
from cocadesk.library import Library, MediaRow
from cocadesk.library.atomic import write_atomically
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import Description, Preview
from cocadesk.protocol.paths import WirePath

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.media import DecodedPhoto, DecoderPool
    from cocadesk.model.backend import Backend

PREVIEW_PX = 2048
PICTURES_KEPT = 8
GONE = "This photo is no longer in the library."


class PhotoWords:
    """Looks at single photos on demand; decodes in one worker process of its own."""

    def __init__(
        self,
        library: Library,
        model: ModelKeeper,
        *,
        on_change: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._library = library
        self._model = model
        self._on_change = on_change
        self._pool: DecoderPool | None = None
        self._decoding = threading.Lock()
        self._describing = threading.Lock()
        self._pictures: OrderedDict[tuple[bytes, int], DecodedPhoto] = OrderedDict()

    def row(self, key: str) -> MediaRow:
        """The library's row.

        Raises:
            UserError: there is none of that key.
        """
        rows = self._library.rows([key])
        if not rows:
            raise UserError(GONE)
        return rows[0]

    def preview(self, key: str, call: Call) -> Preview:
        """A screen-sized JPEG of the photo, made where missing.

        Of a file that is not there now, the thumbnail.
        """
        row = self.row(key)
        path = self._preview_path(row.pixels)
        if path.exists():
            return self._preview(row, path)
        try:
            decoded = self._decode(row, call)
        except UserError:
            thumbnail = self._library.thumbnail_path(row.pixels)
            if thumbnail.exists():
                return self._preview(row, thumbnail)
            raise
        path = self._preview_path(decoded.pixels)
        return Preview(key=key, path=WirePath.of(path), width=decoded.width, height=decoded.height)

    def describe(self, key: str, call: Call) -> Description:
        """Caption and tags; what this model has not written yet is made and kept.

        The caption comes first, as a part of the answer. A person's caption is
        never made anew.
        """
        backend = self._model.backend()
        model_id = backend.info().model_id
        with self._describing:
            call.check()
            row = self.row(key)
            has_tags = row.machine_tags_model == model_id
            reason = self._fill_caption(row, backend, call)
            if not has_tags:
                call.partial(self._description(key, reason))
                self._make_tags(row, backend, call)
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

    def _make_tags(self, row: MediaRow, backend: Backend, call: Call) -> None:
        """Tags from the stored vector; the file is not read."""
        vector = self._vector(row.key, backend.info().image_id)
        if vector is None:
            return
        call.check()
        tags = self._model.tagger().tag(vector[None])[0]
        self._library.set_machine_tags({row.key: tags}, backend.info().model_id)
        self._on_change((row.key,))

    def _make_caption(self, row: MediaRow, backend: Backend, call: Call) -> None:
        decoded = self._decode(row, call)
        call.check()
        caption = backend.caption(decoded.input_HWC[None])[0]
        self._library.set_machine_caption(
            {row.key: caption.text}, backend.info().model_id, caption.score
        )
        self._on_change((row.key,))

    def _vector(self, key: str, image_id: str) -> NDArray[np.float32] | None:
        """The stored (D,) unit vector of the whole picture, or None."""
        import numpy as np

        views = self._library.views.of_keys(image_id, [key]).get(key)
        if not views:
            return None
        vector = np.asarray(views[0].vector, np.float32)
        return vector / max(float(np.linalg.norm(vector)), 1e-12)

    def _decode(self, row: MediaRow, call: Call) -> DecodedPhoto:
        """The photo, decoded once for preview and caption; its preview file is written.

        Raises:
            UserError: the file gives no picture.
        """
        from cocadesk.media import DecodeFailure, DecodeRequest

        known = (row.path, row.mtime_ns)
        with self._decoding:
            if known in self._pictures:
                self._pictures.move_to_end(known)
                return self._pictures[known]
            call.check()
            request = DecodeRequest(token=0, path=row.path)
            answer = next(iter(list(self._open_pool().decode([request]))))
            if isinstance(answer, DecodeFailure):
                raise UserError("This photo cannot be read now.", answer.reason)
            path = self._preview_path(answer.pixels)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, answer.thumbnail_jpeg, durable=False)
            self._pictures[known] = answer
            while len(self._pictures) > PICTURES_KEPT:
                self._pictures.popitem(last=False)
            return answer

    def _open_pool(self) -> DecoderPool:
        if self._pool is None:
            from cocadesk.media import DecoderPool, InputSpec, ResizeMode

            info = self._model.backend().info()
            spec = InputSpec(size_px=info.image_size_px, resize=ResizeMode(info.resize))
            self._pool = DecoderPool(spec=spec, workers=1, thumbnail_px=PREVIEW_PX, slots=1)
        return self._pool

    def _preview_path(self, pixels: str) -> Path:
        return self._library.folder / "previews" / pixels[:2] / pixels[2:4] / f"{pixels}.jpg"

    def _preview(self, row: MediaRow, path: Path) -> Preview:
        return Preview(key=row.key, path=WirePath.of(path), width=row.width, height=row.height)
