"""A range of files read as a worker of Ray reads it, here in the process of the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.indexing.pictures import (
    EmbeddedPhoto,
    EmbeddedVideo,
    embed_photos,
    embed_video,
)
from cocadesk.indexing.range_reader import RangeAnswer, RangeReader, UnseenFile, WantedFile
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    ReadMetadata,
)
from cocadesk.model.backend import Backend
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import decode_file, write_photo, write_video


@pytest.fixture(scope="module")
def reader() -> Iterator[RangeReader]:
    """A worker that has opened its model."""
    reader = RangeReader(FakeBackend, host="attic")  # type: ignore[arg-type]
    (opened,) = reader.open()
    assert (opened.host, opened.image_id, opened.error) == ("attic", FakeInfo().image_id, "")
    yield reader
    reader.close()


def wanted(*paths: Path) -> list[WantedFile]:
    """The files as they were found."""
    return [
        WantedFile(
            request=DecodeRequest(token=number, path=os.fsencode(path)),
            size_bytes=path.stat().st_size if path.exists() else -1,
        )
        for number, path in enumerate(paths)
    ]


def by_token(
    pieces: Iterator[list[RangeAnswer | UnseenFile]],
) -> list[RangeAnswer | UnseenFile]:
    """The answers in the order of the files."""
    return sorted((one for piece in pieces for one in piece), key=lambda one: one.token)


def test_photos_and_videos_come_with_their_vectors_and_without_pixels(
    reader: RangeReader, tmp_path: Path
) -> None:
    """The vectors, thumbnails and hashes are those of a decode and an embedding here."""
    photo = write_photo(tmp_path / "a.jpg", 1)
    video = write_video(tmp_path / "b.mp4", "red", "green", "blue")
    first, second = by_token(reader.read(wanted(photo, video)))
    assert isinstance(first, EmbeddedPhoto)
    assert isinstance(second, EmbeddedVideo)
    assert (first.input_HWC.size, second.frames_NHWC.size) == (0, 0)
    here, moving = (decode_file(one.request) for one in wanted(photo, video))
    assert isinstance(here, DecodedPhoto)
    assert isinstance(moving, DecodedVideo)
    backend: Backend = FakeBackend()  # type: ignore[assignment]
    vectors_VD = embed_photos(backend, {"a": here})["a"].vectors_VD
    np.testing.assert_array_equal(first.embedded.vectors_VD, vectors_VD)
    embedded = embed_video(backend, moving)
    np.testing.assert_allclose(second.embedded.vectors_VD, embedded.vectors_VD, atol=1e-6)
    assert second.embedded.spans == embedded.spans
    for there, own in ((first, here), (second, moving)):
        assert there.picture_hash == own.picture_hash
        assert there.file_hash == own.file_hash
        assert there.thumbnail_jpeg == own.thumbnail_jpeg


def test_vectors_that_came_along_are_not_made_again(reader: RangeReader, tmp_path: Path) -> None:
    """The pipeline embeds the others of its batch, and takes these as they are."""
    (came,) = by_token(reader.read(wanted(write_photo(tmp_path / "a.jpg", 1))))
    (other,) = (decode_file(one.request) for one in wanted(write_photo(tmp_path / "b.jpg", 2)))
    assert isinstance(came, EmbeddedPhoto)
    assert isinstance(other, DecodedPhoto)
    backend: Backend = FakeBackend()  # type: ignore[assignment]
    embedded = embed_photos(backend, {"a": came, "b": other})
    assert embedded["a"] is came.embedded
    assert embedded["b"].vectors_VD.shape == (1, 32)


def test_a_broken_file_fails_and_the_rest_of_the_range_is_read(
    reader: RangeReader, tmp_path: Path
) -> None:
    """It ends a decoder at most, which is a process of its own."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    files = [write_photo(tmp_path / f"{n}.jpg", n) for n in range(20)]
    failed, *rest = by_token(reader.read(wanted(broken, *files)))
    assert isinstance(failed, DecodeFailure)
    assert not failed.is_passing
    assert len([one for one in rest if isinstance(one, EmbeddedPhoto)]) == 20


def test_a_file_that_this_computer_does_not_see_is_for_others(
    reader: RangeReader, tmp_path: Path
) -> None:
    """It is there where it was found: another worker may see it."""
    gone, other = write_photo(tmp_path / "gone.jpg", 1), write_photo(tmp_path / "other.jpg", 2)
    files = wanted(gone, other)
    gone.unlink()
    other.write_bytes(other.read_bytes() + b"more")
    first, second = by_token(reader.read(files))
    assert isinstance(first, UnseenFile)
    assert isinstance(second, UnseenFile)
    assert first.reason == (
        "The Ray worker on attic does not see this file: files must lie at the same paths there."
    )
    assert "sees another file in its place" in second.reason


def test_metadata_are_read_without_a_decode(reader: RangeReader, tmp_path: Path) -> None:
    """For files whose pictures are known."""
    (answer,) = by_token(
        reader.read(wanted(write_photo(tmp_path / "a.jpg", 1, comment="Ida")), is_metadata=True)
    )
    assert isinstance(answer, ReadMetadata)
    assert answer.metadata.description == "Ida"


def test_a_model_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """The sentence travels to the committing process."""

    def refuse() -> Backend:
        raise UserError("This model cannot be opened.", "Its file is cut.")

    (opened,) = RangeReader(refuse).open()
    assert opened.error == "This model cannot be opened. Its file is cut."


def test_the_limits_are_those_of_whoever_commits(tmp_path: Path) -> None:
    """A computer with less memory reads the same pictures, and one with more no others."""
    limits = DecodeLimits(pixels=100)
    reader = RangeReader(FakeBackend, limits=limits)  # type: ignore[arg-type]
    list(reader.open())
    try:
        (answer,) = by_token(reader.read(wanted(write_photo(tmp_path / "a.jpg", 1))))
    finally:
        reader.close()
    assert isinstance(answer, DecodeFailure)
    assert "megapixels" in answer.reason
