"""The pipeline of an index or a switch in the caller's thread, so that a test orders its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cocadesk.indexing.known_files import MatchedFile, Unreadable
from cocadesk.indexing.pictures import embed_photos
from cocadesk.indexing.pipeline import Batch, Decoder, Matcher
from cocadesk.indexing.types import IndexOptions, IndexProgress
from cocadesk.library.library import Library
from cocadesk.media.types import DecodedPhoto, DecodeRequest, FoundFile
from cocadesk.model.backend import Backend


def read_in_one_thread(
    candidates: Sequence[FoundFile],
    *,
    matcher: Matcher,
    library: Library,
    embedder: Backend,
    pool: Decoder,
    options: IndexOptions,
    commit: Callable[[Batch], None],
    progress: Callable[[int], IndexProgress],
    show: Callable[[Sequence[MatchedFile]], None] = lambda _files: None,
    is_input_only: bool = False,
) -> Iterator[IndexProgress]:
    """As ``read_steps``, of photos: a step after each decode and each commit.

    New photos are shown as soon as they are decoded.
    Embedding is no step of its own: nothing that others could change is read or written by it.
    """
    batch = Batch()

    def requests() -> Iterator[DecodeRequest]:
        for token, found in enumerate(candidates):
            matched = matcher.match_bytes(found)
            if matched is None:
                yield DecodeRequest(token=token, path=found.path, is_input_only=is_input_only)
            else:
                batch.matched.append(matched)

    for answer in pool.decode(requests()):
        item = matcher.match_picture(candidates[answer.token], answer)
        if isinstance(item, MatchedFile):
            batch.matched.append(item)
            if item.match.is_new_row and item.needs_embedding and item.decoded is not None:
                library.thumbnails.write(item.match.picture_hash, item.decoded.thumbnail_jpeg)
                show([item])
        elif isinstance(item, Unreadable):
            batch.unreadable.append(item)
        else:
            batch.vanished.append(item.found)
        yield progress(len(batch))
        if len(batch) >= options.commit_rows:
            _embed(batch, library, embedder)
            commit(batch)
            batch = Batch()
            yield progress(0)
    if len(batch):
        _embed(batch, library, embedder)
        commit(batch)
        yield progress(0)


def _embed(batch: Batch, library: Library, embedder: Backend) -> None:
    for item in batch.matched:
        photo = item.decoded
        if isinstance(photo, DecodedPhoto):
            if photo.thumbnail_jpeg:
                library.thumbnails.write(photo.picture_hash, photo.thumbnail_jpeg)
            if item.needs_embedding:
                batch.embedded.update(embed_photos(embedder, {photo.picture_hash: photo}))
            item.release_pixels()
