"""Two threads in front of the committing one: decode and plan, then embed.

Queues are bounded, so a slow disk, model or store holds the others back and
memory stays flat. Files keep their order from planning to committing: the
vectors that a copy borrows are committed before it or with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cocadesk.indexing.pictures import Decoded, Embedded, embed_video
from cocadesk.indexing.planning import Planned, Unreadable
from cocadesk.indexing.types import ImageEmbedder, IndexOptions
from cocadesk.media import DecodedPhoto, DecodedVideo, DecodeFailure, DecodeRequest, FoundFile

_LOOK_S = 0.1
"""How long a blocked thread waits before it looks whether the index was cancelled."""
_BATCHES_AHEAD = 4


class Decoder(Protocol):
    """What the pipeline needs of ``media.DecoderPool``."""

    def decode(self, requests: Iterator[DecodeRequest], /) -> Iterator[Decoded | DecodeFailure]:
        """An answer to every request, as ready."""


class FilePlanner(Protocol):
    """Decides what becomes of each file; called on the decoding thread."""

    def without_decoding(self, found: FoundFile, /) -> Planned | None:
        """The plan of a file whose pictures need not be seen, else None."""

    def after_decoding(
        self, found: FoundFile, result: Decoded | DecodeFailure, /
    ) -> Planned | Unreadable | None:
        """The plan of a decoded file; None where it vanished meanwhile."""


class ThumbnailKeeper(Protocol):
    """Stores the thumbnail of a picture, or of a video's moment by its view number."""

    def __call__(self, picture_hash: str, jpeg: bytes, view: int | None = None, /) -> None: ...


@dataclass(slots=True, kw_only=True)
class Batch:
    """Files on their way to a commit; ``embedded`` by picture hash."""

    planned: list[Planned] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    vanished: int = 0
    embedded: dict[str, Embedded] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.planned) + len(self.unreadable) + self.vanished

    def add(self, other: Batch) -> None:
        """Join ``other`` behind this one."""
        self.planned.extend(other.planned)
        self.unreadable.extend(other.unreadable)
        self.vanished += other.vanished
        self.embedded.update(other.embedded)


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing in a queue; ``error`` is what stopped the thread early."""

    error: BaseException | None = None


_Item = Planned | Unreadable | None


class _CancelledError(Exception):
    """The index was closed while a thread waited."""


class Pipeline:
    """Decodes, plans and embeds ``candidates`` on two threads; iterate ``batches``."""

    def __init__(
        self,
        *,
        candidates: Sequence[FoundFile],
        decoder: Decoder,
        planner: FilePlanner,
        embedder: ImageEmbedder,
        keep_thumbnail: ThumbnailKeeper,
        options: IndexOptions,
    ) -> None:
        self._candidates = candidates
        self._decoder = decoder
        self._planner = planner
        self._embedder = embedder
        self._keep_thumbnail = keep_thumbnail
        self._options = options
        self._cancelled = threading.Event()
        # A video waits with hundreds of frames on the disk: a few may, a folder of them not.
        self._video_places = threading.BoundedSemaphore(options.queue_videos)
        self._items: queue.Queue[_Item | _End] = queue.Queue(options.queue_files)
        self._batches: queue.Queue[Batch | _End] = queue.Queue(_BATCHES_AHEAD)
        self._threads = [
            threading.Thread(target=self._run, args=(work, out), name=name, daemon=True)
            for name, work, out in (
                ("index-decode", self._decode, self._items),
                ("index-embed", self._embed, self._batches),
            )
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def next_batch(self, timeout_s: float) -> Batch | None:
        """The next batch, an empty one when none came in time, None after the last.

        Raises:
            Exception: what a thread ended with.
        """
        try:
            batch = self._batches.get(timeout=timeout_s)
        except queue.Empty:
            return Batch()
        if isinstance(batch, _End):
            if batch.error is not None:
                raise batch.error
            return None
        return batch

    def close(self) -> None:
        """Stop the threads; what they hold is read again by the next index."""
        self._cancelled.set()
        stop = getattr(self._decoder, "stop", None)
        if stop is not None:
            stop()  # else the thread would wait for a film to be decoded to its end
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        while True:
            try:
                left = self._items.get_nowait()
            except queue.Empty:
                break
            if isinstance(left, Planned):
                left.let_go_of_pixels()

    def _run(self, work: Callable[[], None], out: queue.Queue[Any]) -> None:
        """A thread's life: whatever ends it early travels to the committing thread."""
        error: BaseException | None = None
        try:
            work()
        except _CancelledError:
            return
        except BaseException as caught:  # noqa: BLE001 - raised again by ``next_batch``
            error = caught
        try:
            self._put(out, _End(error))
        except _CancelledError:
            return

    def _put(self, out: queue.Queue[Any], item: object) -> None:
        while not self._cancelled.is_set():
            try:
                out.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue
            return
        raise _CancelledError

    def _decode(self) -> None:
        """First thread: identity by bytes, else by a decode; thumbnails are written here."""
        answers = self._decoder.decode(self._requests())
        try:
            for answer in answers:
                found = self._candidates[answer.token]
                item = self._planner.after_decoding(found, answer)
                if isinstance(item, Planned):
                    self._keep_thumbnails(item)
                    self._take_place(item)
                elif isinstance(answer, DecodedVideo):
                    answer.close()
                self._put(self._items, item)
        finally:
            close = getattr(answers, "close", None)
            if close is not None:
                close()

    def _keep_thumbnails(self, item: Planned) -> None:
        """Write them before anything else is said of the file; then they are let go."""
        if item.decoded is None:
            return
        picture_hash = item.decoded.picture_hash
        self._keep_thumbnail(picture_hash, item.decoded.thumbnail_jpeg)
        if isinstance(item.decoded, DecodedVideo):
            for view, moment in enumerate(item.decoded.moments, start=1):
                self._keep_thumbnail(picture_hash, moment.thumbnail_jpeg, view)

    def _take_place(self, item: Planned) -> None:
        """Let go of frames that nobody will embed; those of a video wait for a free place."""
        if not item.needs_embedding:
            item.let_go_of_pixels()
        elif isinstance(item.decoded, DecodedVideo):
            while not self._video_places.acquire(timeout=_LOOK_S):
                if self._cancelled.is_set():
                    item.let_go_of_pixels()
                    raise _CancelledError

    def _requests(self) -> Iterator[DecodeRequest]:
        for token, found in enumerate(self._candidates):
            if self._cancelled.is_set():
                return
            planned = self._planner.without_decoding(found)
            if planned is None:
                yield DecodeRequest(token=token, path=found.path)
            else:
                self._put(self._items, planned)

    def _embed(self) -> None:
        """Second thread: gather files until a batch of pictures is full, embed, pass on."""
        batch = Batch()
        waiting = 0
        while True:
            item = self._next_item(is_waiting=len(batch) > 0)
            if isinstance(item, _End):
                self._finish(batch)
                if item.error is not None:
                    raise item.error
                return
            if isinstance(item, Planned):
                batch.planned.append(item)
                if isinstance(item.decoded, DecodedVideo):
                    self._embed_video(batch, item, item.decoded)
                else:
                    waiting += item.needs_embedding
            elif isinstance(item, Unreadable):
                batch.unreadable.append(item)
            elif item is None:
                batch.vanished += 1
            is_due = isinstance(item, _Nothing) or len(batch) >= self._options.commit_rows
            if waiting >= self._options.embed_batch or is_due:
                self._finish(batch)
                batch, waiting = Batch(), 0

    def _next_item(self, *, is_waiting: bool) -> _Item | _End | _Nothing:
        """The next file; ``_Nothing`` when a begun batch has waited long enough."""
        while not self._cancelled.is_set():
            try:
                return self._items.get(timeout=self._options.commit_s if is_waiting else _LOOK_S)
            except queue.Empty:
                if is_waiting:
                    return _Nothing()
        raise _CancelledError

    def _finish(self, batch: Batch) -> None:
        if len(batch) == 0:
            return
        pictures = {
            item.verdict.picture_hash: item.decoded.input_HWC
            for item in batch.planned
            if item.needs_embedding and isinstance(item.decoded, DecodedPhoto)
        }
        if pictures:
            vectors = self._embedder.embed_images(np.stack(list(pictures.values())))
            for picture_hash, vector in zip(pictures, vectors, strict=True):
                batch.embedded[picture_hash] = Embedded(vectors_VD=vector[None])
        for item in batch.planned:
            item.let_go_of_pixels()
        self._put(self._batches, batch)

    def _embed_video(self, batch: Batch, item: Planned, video: DecodedVideo) -> None:
        """At once, a batch of frames at a time, so that its place is soon free again."""
        try:
            batch.embedded[item.verdict.picture_hash] = embed_video(
                self._embedder, video, batch=self._options.embed_batch, check=self._check
            )
        finally:
            item.let_go_of_pixels()
            self._video_places.release()

    def _check(self) -> None:
        if self._cancelled.is_set():
            raise _CancelledError


@dataclass(frozen=True, slots=True)
class _Nothing:
    """No file came in time."""
