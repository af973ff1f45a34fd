"""Files are read in three stages: decode and match, embed, commit.

The first two run on threads of their own. The queues between the stages are bounded,
so a slow disk, model or store holds the others back and memory stays flat. Files keep
their order from matching to committing: the vectors that a copy takes over are
committed before it or with it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from cocadesk.indexing.first_rows import MOST_WAITING, FirstRows
from cocadesk.indexing.known_files import MatchedFile, Unreadable, Vanished
from cocadesk.indexing.pictures import Decoded, Embedded, embed_photos, embed_video
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.layout import Thumbnails
from cocadesk.library.library import Library
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeRequest,
    FoundFile,
    ReadMetadata,
)
from cocadesk.model.backend import Backend, ModelInfo
from cocadesk.model.runtime.memory import trim_heap

_LOOK_S = 0.1
"""Seconds that a blocked thread waits before it looks whether the work was cancelled."""
_BATCHES_AHEAD = 4
_FIRST_PICTURES = 4
"""The first batch is small: nobody knows yet how long the model takes."""
_GATHER_SHARE, _EMBED_SHARE, _COMMIT_SHARE = 0.25, 0.2, 0.5
"""Of ``commit_s``: how long a batch gathers, how long it is embedded, when it is committed."""
TIDY_EVERY_COMMITS = 64
DECODER_NICENESS = 10
"""Decoders give way to programs that a person works with (Unix alone)."""

T = TypeVar("T")


class Decoder(Protocol):
    """The part of ``media.DecoderPool`` that reading needs."""

    def decode(self, requests: Iterator[DecodeRequest], /) -> Iterator[Decoded | DecodeFailure]:
        """An answer to every request, as ready."""

    def metadata(
        self, requests: Iterator[DecodeRequest], /
    ) -> Iterator[ReadMetadata | DecodeFailure]:
        """The metadata of every file, without decoding it, as ready."""


class Matcher(Protocol):
    """Decides what becomes of each file; called on the decoding thread."""

    def match_bytes(self, found: FoundFile, /) -> MatchedFile | None:
        """The match of a file whose pictures need not be seen, else None."""

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure, /
    ) -> MatchedFile | Unreadable | Vanished:
        """The match of a decoded file."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Files on their way to a commit; ``embedded`` by the hash of the picture."""

    matched: list[MatchedFile] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    vanished: list[FoundFile] = field(default_factory=list)
    embedded: dict[str, Embedded] = field(default_factory=dict)
    since_s: float = field(default_factory=time.monotonic)
    """When its oldest file came."""

    def __len__(self) -> int:
        return len(self.matched) + len(self.unreadable) + len(self.vanished)

    def paths(self) -> list[bytes]:
        """The paths of all its files."""
        read = [item.found for item in self.matched]
        left_out = [item.found for item in self.unreadable]
        return [found.path for found in (*read, *left_out, *self.vanished)]

    def add(self, other: Batch) -> None:
        """Join ``other`` behind this one."""
        self.since_s = min(self.since_s, other.since_s) if len(self) else other.since_s
        self.matched.extend(other.matched)
        self.unreadable.extend(other.unreadable)
        self.vanished.extend(other.vanished)
        self.embedded.update(other.embedded)


def read_steps(
    candidates: Sequence[FoundFile],
    *,
    matcher: Matcher,
    library: Library,
    embedder: Backend,
    pool: Decoder | None,
    options: IndexOptions,
    commit: Callable[[Batch], None],
    progress: Callable[[int], T],
    show: Callable[[Sequence[MatchedFile]], None] = lambda _files: None,
    is_input_only: bool = False,
) -> Generator[T, None, None]:
    """Decode, match, embed and commit these files, as rows or seconds are due.

    A picture waits ``commit_s`` at most from its decode to its commit, or as long as one
    picture takes to embed: that is what a kill costs. Until the first are committed, ``show``
    gets new files that wait for that, to commit them without vectors (see ``first_rows``).
    ``is_input_only``: nothing but the vectors of photos is wanted, no thumbnail, no metadata.
    Yields the ``progress`` of the number of files that wait for the next commit.
    Closing it, and an error in a stage, commits what is embedded by then; the
    rest is read by the next index.
    """
    cancelled = threading.Event()
    # A video waits with hundreds of frames on the disk: a few may, a folder of them not.
    video_places = threading.BoundedSemaphore(options.queue_videos)
    with opened_decoder(pool, embedder.info(), options) as decoder:
        files = _Stage[_File]("index-decode", options.queue_files, cancelled)
        batches = _Stage[Batch]("index-embed", _BATCHES_AHEAD, cancelled)
        first = FirstRows()
        reading = _Reading(
            candidates,
            decoder,
            matcher,
            library.thumbnails,
            video_places,
            first,
            is_input_only=is_input_only,
        )
        embedding = _Embedding(files, embedder, options, video_places)
        try:
            files.start(reading.run)
            batches.start(embedding.run)
            writing = _Writing(commit, show, first, library.tidy)
            yield from _commit_batches(batches, options, writing, progress)
        finally:
            cancelled.set()
            stop = getattr(decoder, "stop", None)
            if stop is not None:
                stop()  # else the thread would wait for a video to be decoded to its end
            files.join()
            batches.join()
            for left in files.leftover():
                if isinstance(left, MatchedFile):
                    left.release_pixels()


def opened_decoder(
    pool: Decoder | None, model: ModelInfo, options: IndexOptions
) -> AbstractContextManager[Decoder]:
    """The given pool, or one of our own for the model's input size."""
    if pool is not None:
        return contextlib.nullcontext(pool)
    from cocadesk.media.pool.pool import DecoderPool

    return DecoderPool(spec=model.input_spec, workers=options.workers, niceness=DECODER_NICENESS)


class _CancelledError(Exception):
    """The work was closed while a thread waited."""


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing in a queue; ``error`` is what stopped the stage early."""

    error: BaseException | None = None


_File = MatchedFile | Unreadable | Vanished


class _Stage(Generic[T]):
    """A thread and the bounded queue that it fills for the next stage."""

    def __init__(self, name: str, size: int, cancelled: threading.Event) -> None:
        self._name = name
        self.limit = size
        self._queue: queue.Queue[T | _End] = queue.Queue(size)
        self._taken = threading.Event()
        self._cancelled = cancelled
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[_Stage[T]], None]) -> None:
        """Start ``work``, which puts its results into this stage."""
        self._thread = threading.Thread(
            target=self._run, args=(work,), name=self._name, daemon=True
        )
        self._thread.start()

    def _run(self, work: Callable[[_Stage[T]], None]) -> None:
        """A thread's life: whatever ends it early travels to the next stage."""
        error: BaseException | None = None
        try:
            work(self)
        except _CancelledError:
            return
        except BaseException as caught:  # noqa: BLE001 - raised again by the next stage
            error = caught
        with contextlib.suppress(_CancelledError):
            self.put(_End(error))

    def check(self) -> None:
        """Raise where the work was cancelled."""
        if self._cancelled.is_set():
            raise _CancelledError

    def put(self, item: T | _End) -> None:
        """Add a result, as soon as there is room (``limit``, at most the size it was made with)."""
        while True:
            self.check()
            if self._queue.qsize() >= self.limit:
                self._taken.wait(_LOOK_S)
                self._taken.clear()
                continue
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=_LOOK_S)
                return

    def get(self, timeout_s: float) -> T | _End | None:
        """The next result, ``_End`` after the last; None where none came in time."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None
        finally:
            self._taken.set()

    def join(self) -> None:
        """Wait for the end of the thread."""
        if self._thread is not None:
            self._thread.join()

    def leftover(self) -> Iterator[T | _End]:
        """The results that nobody has taken; for after ``join``."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._queue.get_nowait()


class _Reading:
    """First stage: identity by bytes, else by a decode; thumbnails are written here."""

    def __init__(
        self,
        candidates: Sequence[FoundFile],
        decoder: Decoder,
        matcher: Matcher,
        thumbnails: Thumbnails,
        video_places: threading.BoundedSemaphore,
        first: FirstRows,
        *,
        is_input_only: bool,
    ) -> None:
        self._candidates = candidates
        self._decoder = decoder
        self._matcher = matcher
        self._thumbnails = thumbnails
        self._video_places = video_places
        self._first = first
        self._is_input_only = is_input_only

    def run(self, out: _Stage[_File]) -> None:
        """Read all candidates."""
        answers = self._decoder.decode(self._requests(out))
        try:
            for answer in answers:
                item = self._matcher.match_picture(self._candidates[answer.token], answer)
                if isinstance(item, MatchedFile):
                    self._write_thumbnails(item)
                    self._first.add(item)
                    self._wait_for_place(item, out)
                elif isinstance(answer, DecodedVideo):
                    answer.close()
                out.put(item)
        finally:
            close = getattr(answers, "close", None)
            if close is not None:
                close()

    def _requests(self, out: _Stage[_File]) -> Iterator[DecodeRequest]:
        """Those files that must be decoded; the others are passed on at once."""
        for token, found in enumerate(self._candidates):
            out.check()
            matched = self._matcher.match_bytes(found)
            if matched is None:
                yield DecodeRequest(
                    token=token,
                    path=found.path,
                    beside=found.beside,
                    is_input_only=self._is_input_only,
                )
            else:
                out.put(matched)

    def _write_thumbnails(self, item: MatchedFile) -> None:
        """Write them before anything else is said of the file; then they are released."""
        if item.decoded is None:
            return
        picture_hash = item.decoded.picture_hash
        if item.decoded.thumbnail_jpeg:
            self._thumbnails.write(picture_hash, item.decoded.thumbnail_jpeg)
        if isinstance(item.decoded, DecodedVideo):
            for view, moment in enumerate(item.decoded.moments, start=1):
                self._thumbnails.write(picture_hash, moment.thumbnail_jpeg, view)

    def _wait_for_place(self, item: MatchedFile, out: _Stage[_File]) -> None:
        """Release frames that nobody will embed; those of a video wait for a free place."""
        if not item.needs_embedding:
            item.release_pixels()
        elif isinstance(item.decoded, DecodedVideo):
            try:
                while not self._video_places.acquire(timeout=_LOOK_S):
                    out.check()
            except _CancelledError:
                item.release_pixels()
                raise


class Pace:
    """The number of pictures that a model embeds in ``target_s`` seconds, from the last batch.

    A slow model gets small batches, so that a kill costs little, but of ``least`` pictures or
    some times as many: what computes several at once is not left with a few at the end. A fast
    one gets large ones.
    """

    def __init__(self, target_s: float, most: int, least: int = 1) -> None:
        self._target_s = target_s
        self._most = most
        self._least = min(least, most)
        self.pictures = min(_FIRST_PICTURES, most)

    def note(self, pictures: int, seconds: float) -> None:
        """A batch of so many pictures has taken so long."""
        fitting = self._target_s * pictures / max(seconds, 1e-6)
        whole = min(self._most, int(fitting)) // self._least * self._least
        self.pictures = max(self._least, whole)


class _Embedding:
    """Second stage: gathers files until a batch of pictures is full, embeds, passes on."""

    def __init__(
        self,
        files: _Stage[_File],
        embedder: Backend,
        options: IndexOptions,
        video_places: threading.BoundedSemaphore,
    ) -> None:
        self._files = files
        self._embedder = embedder
        self._options = options
        self._video_places = video_places
        self._pace = Pace(options.commit_s * _EMBED_SHARE, options.embed_batch, options.least_batch)
        self._is_open = False
        self._files.limit = min(options.queue_files, MOST_WAITING)

    def run(self, out: _Stage[Batch]) -> None:
        """Embed all files of the first stage, in batches of what may wait together."""
        batch, pictures, rested_s = Batch(), 0, time.monotonic()
        while True:
            out.check()
            item = self._files.get(self._patience_s(batch) if len(batch) else _LOOK_S)
            if not len(batch):
                batch.since_s = time.monotonic()
            if isinstance(item, MatchedFile):
                batch.matched.append(item)
                if isinstance(item.decoded, DecodedVideo):
                    self._embed_video(batch, item, item.decoded, out)
                elif item.needs_embedding and item.decoded is not None:
                    pictures += 1 + len(item.decoded.box_inputs)
            elif isinstance(item, Unreadable):
                batch.unreadable.append(item)
            elif isinstance(item, Vanished):
                batch.vanished.append(item.found)
            is_due = not isinstance(item, _File) or len(batch) >= self._options.commit_rows
            is_due = is_due or self._patience_s(batch) <= 0
            if len(batch) and (is_due or pictures >= self._pace.pictures):
                self._embed_photos(batch)
                out.put(batch)
                batch, pictures = Batch(), 0
                # Only now: what is read waits meanwhile, and that holds the decoders back too.
                self._options.rest(time.monotonic() - rested_s)
                rested_s = time.monotonic()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return

    def _bound_queue(self, pictures_each: float = 1.0) -> None:
        """No more decoded files wait than the next batch: they are lost in a kill as well.

        ``pictures_each`` is what a file of the last batch had: of long photos fewer wait.
        """
        batch = int(self._pace.pictures / pictures_each)
        self._files.limit = min(self._options.queue_files, batch + 4)

    def _patience_s(self, batch: Batch) -> float:
        """How long a begun batch may still wait for more."""
        waited_s = time.monotonic() - batch.since_s
        return max(0.0, self._options.commit_s * _GATHER_SHARE - waited_s)

    def _embed_photos(self, batch: Batch) -> None:
        photos = {
            item.match.picture_hash: item.decoded
            for item in batch.matched
            if item.needs_embedding and isinstance(item.decoded, DecodedPhoto)
        }
        if photos:
            started_s = time.monotonic()
            batch.embedded.update(embed_photos(self._embedder, photos))
            pictures = sum(1 + len(photo.box_inputs) for photo in photos.values())
            if self._is_open:  # else the model was opened meanwhile, which says nothing
                self._pace.note(pictures, time.monotonic() - started_s)
            self._is_open = True
            self._bound_queue(pictures / len(photos))
        for item in batch.matched:
            item.release_pixels()

    def _embed_video(
        self, batch: Batch, item: MatchedFile, video: DecodedVideo, out: _Stage[Batch]
    ) -> None:
        """At once, a batch of frames at a time, so that its place is soon free again."""
        try:
            batch.embedded[item.match.picture_hash] = embed_video(
                self._embedder, video, batch=self._options.embed_batch, check=out.check
            )
        finally:
            item.release_pixels()
            self._video_places.release()


@dataclass(frozen=True, slots=True)
class _Writing:
    """What the third stage writes with; see ``read_steps``."""

    commit: Callable[[Batch], None]
    show: Callable[[Sequence[MatchedFile]], None]
    first: FirstRows
    tidy: Callable[[], None]


def _commit_batches(
    batches: _Stage[Batch],
    options: IndexOptions,
    writing: _Writing,
    progress: Callable[[int], T],
) -> Generator[T, None, None]:
    """Third stage, on the caller's thread; see ``read_steps``."""
    pending = Batch()
    commits = 0
    try:
        while not isinstance(batch := batches.get(options.progress_s), _End):
            if batch is not None:
                pending.add(batch)
            waited_s = time.monotonic() - pending.since_s
            # The first at once: whoever is killed every few seconds gets on.
            is_due = waited_s >= options.commit_s * _COMMIT_SHARE or not commits
            if len(pending) >= options.commit_rows or (is_due and len(pending)):
                full, pending = pending, Batch()
                writing.first.close()
                writing.commit(full)
                commits += 1
                trim_heap()  # some milliseconds
                if commits % TIDY_EVERY_COMMITS == 0:
                    writing.tidy()
            elif shown := writing.first.due():
                writing.show(shown)
            yield progress(len(pending))
        if batch.error is not None:
            raise batch.error
    finally:
        # Also when cancelled, or when a thread failed: what is embedded stays embedded.
        if len(pending):
            writing.commit(pending)
