"""Photos made on the spot, a decoder in this process, and a model that counts its work."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import IndexOptions, IndexProgress, IndexReport
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, MediaRow, ViewRow
from cocadesk.media.metadata.merge import with_sidecars_of
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.photo.motion import video_inside
from cocadesk.media.pool.worker import metadata_of
from cocadesk.media.sniffing import SNIFF_BYTES, is_video
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    PhotoError,
    ReadMetadata,
)
from cocadesk.media.video.decode import decode_video
from cocadesk.model.backend import Backend
from cocadesk.picture_input import InputSpec
from tests.support.fake_backend import FakeBackend, FakeCaption, FakeInfo
from tests.support.videos import make_video

SPEC = InputSpec(size_px=64)


def photo_bytes(seed: int, *, size: tuple[int, int] = (48, 32), comment: str = "") -> bytes:
    """A small JPEG: one colour with soft noise, all from ``seed``; ``comment`` only in EXIF."""
    rng = np.random.default_rng(seed)
    colour = rng.integers(30, 225, 3)
    noise = rng.normal(0, 12, (size[1] // 8, size[0] // 8, 3)).repeat(8, 0).repeat(8, 1)
    pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
    exif = Image.Exif()
    if comment:
        exif[0x010E] = comment
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85, exif=exif)
    return buffer.getvalue()


def write_photo(path: Path, seed: int, *, comment: str = "") -> Path:
    """Write the photo of ``seed``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo_bytes(seed, comment=comment))
    return path


def decode_file(request: DecodeRequest) -> DecodedPhoto | DecodedVideo:
    """The answer that a worker process would give, decoded here."""
    decoded = _decoded(request)
    if not request.beside:
        return decoded
    metadata = with_sidecars_of(decoded.metadata, (request.path, *request.beside))
    return dataclasses.replace(decoded, metadata=metadata)


def _decoded(request: DecodeRequest) -> DecodedPhoto | DecodedVideo:
    path = Path(os.fsdecode(request.path))
    if request.is_inside:
        return decode_video(video_inside(path.read_bytes()), SPEC, token=request.token)
    if path.exists() and is_video(path.read_bytes()[:SNIFF_BYTES], request.path):
        return decode_video(path, SPEC, token=request.token)
    return decode_photo(path, SPEC, token=request.token, is_input_only=request.is_input_only)


@functools.cache
def video_bytes(colours: tuple[str, ...], *, title: str = "") -> bytes:
    """A small video of one shot a colour, half a second each; ``title`` is metadata only."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        metadata = {"title": title} if title else None
        make_video(path, colours, 0.5, 8, (64, 48), metadata=metadata)
        return path.read_bytes()


def write_video(path: Path, *colours: str, title: str = "") -> Path:
    """Write the video of these colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(video_bytes(colours, title=title))
    return path


class InProcessDecoder:
    """The real decode, without worker processes (for files that we made ourselves)."""

    def __init__(self) -> None:
        self.decoded: list[bytes] = []

    def decode(
        self, requests: Iterable[DecodeRequest]
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """Answers in the order of the requests."""
        for request in requests:
            self.decoded.append(request.path)
            try:
                yield decode_file(request)
            except PhotoError as error:
                yield DecodeFailure(
                    token=request.token,
                    path=request.path,
                    reason=error.reason,
                    is_photo=error.is_photo,
                    is_passing=error.is_passing,
                )
            except FileNotFoundError:
                yield DecodeFailure(token=request.token, path=request.path, reason="It is gone.")

    def metadata(self, requests: Iterable[DecodeRequest]) -> Iterator[ReadMetadata | DecodeFailure]:
        """The metadata of each file, without decoding it."""
        for request in requests:
            try:
                facts = metadata_of(request.path, DecodeLimits())
            except PhotoError as error:
                yield DecodeFailure(token=request.token, path=request.path, reason=error.reason)
                continue
            if request.beside:
                paths = (request.path, *request.beside)
                facts = facts._replace(metadata=with_sidecars_of(facts.metadata, paths))
            yield ReadMetadata(token=request.token, path=request.path, **facts._asdict())


def stored_vectors(library: Library, image_id: str) -> dict[tuple[str, int], NDArray[np.float32]]:
    """The vectors of all views by key and number."""
    keys = [row.key for row in library.media.iter_rows()]
    stored = library.views.vectors_of(image_id, keys)
    return {(key, view.view): view.vector for key, views in stored.items() for view in views}


class CountingBackend(FakeBackend):
    """The fake; counts the pictures that it embeds and captions, and keeps the texts."""

    def __init__(self) -> None:
        self.embedded = 0
        self.captioned = 0
        self.texts: list[str] = []

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded += len(images_BHWC)
        return super().embed_images(images_BHWC)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts.extend(texts)
        return super().embed_texts(texts)

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        self.captioned += len(images_BHWC)
        return super().caption(images_BHWC, options)


class _AnyDecoder(Protocol):
    def decode(
        self, requests: Iterator[DecodeRequest], /
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """Answers."""


def run_index(
    library: Library,
    roots: Sequence[Path],
    *,
    backend: Backend | None = None,
    decoder: _AnyDecoder | None = None,
    options: IndexOptions | None = None,
    progress: list[IndexProgress] | None = None,
    own_pool: bool = False,
) -> IndexReport:
    """Run an index to its end, decoding in this process unless it has its ``own_pool``."""
    steps = index_steps(
        library,
        backend or FakeBackend(),
        [os.fsencode(root) for root in roots],
        pool=None if own_pool else decoder or InProcessDecoder(),
        options=options,
    )
    while True:
        try:
            step = next(steps)
        except StopIteration as done:
            report = done.value
            assert isinstance(report, IndexReport)
            return report
        if progress is not None:
            progress.append(step)


def row_at(library: Library, path: Path) -> MediaRow:
    """The row of the file at ``path``."""
    row = library.media.row_by_path(os.fsencode(path))
    assert row is not None
    return row


def views_at(library: Library, path: Path, image_id: str = FakeInfo().image_id) -> list[ViewRow]:
    """The views of the file at ``path``, by number."""
    key = row_at(library, path).key
    return library.views.of_keys(image_id, [key]).get(key, [])


def human_caption(key: str, text: str) -> Edit:
    """A person's caption, for the log."""
    return Edit(
        batch="b",
        key=key,
        who="person",
        when=datetime.now(UTC),
        field="human_caption",
        old="null",
        new=json.dumps(text),
    )


def set_human_caption(library: Library, key: str, text: str) -> None:
    """A person's caption, written to the log."""
    library.edits.record([human_caption(key, text)])
