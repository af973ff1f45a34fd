"""Captions and tags of the files that a command names, in and outside the library."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.library.rows import DESCRIBE, MediaRow
from cocadesk.protocol.messages import (
    AnnotationsReply,
    DescribedFile,
    DescribedFiles,
    DescribeFiles,
    GetKeys,
    Keys,
    ReplyBody,
    SetAnnotations,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import DescriptionKind
from tests.support.annotated_library import record_deadly
from tests.support.engines import coloured_photos, index
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import CountingBackend
from tests.support.shots import write_shot
from tests.support.videos import make_clip_of_colours


@pytest.fixture
def backend() -> CountingBackend:
    """The model of all engines of a test."""
    return CountingBackend()


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of five photos of one colour each and a video, and a copy of it."""
    base = tmp_path_factory.mktemp("described") / "base"
    photos = coloured_photos(base / "photos")
    make_clip_of_colours(photos / "clip.mp4", ("red", "green", "blue"))
    with _engine(base, FakeBackend(), Access.CREATE) as engine:
        index(engine, photos)
    shutil.copytree(base, base.with_name("copy"))
    return base


@pytest.fixture
def base(indexed: Path) -> Path:
    """That library as it was, at its place."""
    shutil.rmtree(indexed)
    shutil.copytree(indexed.with_name("copy"), indexed)
    return indexed


def _engine(base: Path, backend: FakeBackend, access: Access = Access.OPTIONAL) -> LocalEngine:
    return LocalEngine(base / "library", access=access, open_model=lambda _source: backend)  # type: ignore[arg-type, return-value]


def _describe(
    engine: LocalEngine,
    paths: Sequence[Path],
    kind: DescriptionKind = DescriptionKind.CAPTION,
    **more: object,
) -> tuple[dict[str, DescribedFile], DescribedFiles]:
    """The described files by name, and the end."""
    parts: list[ReplyBody] = []
    body = DescribeFiles(paths=tuple(map(WirePath.of, paths)), kind=kind, **more)  # type: ignore[arg-type]
    end = engine.ask(body, DescribedFiles, on_partial=parts.append)
    files = [part for part in parts if isinstance(part, DescribedFile)]
    return {os.fsdecode(part.path.to_bytes()).rpartition("/")[2]: part for part in files}, end


def _row(base: Path, path: Path) -> MediaRow:
    with Library.open(base / "library", create=False, writer=False) as library:
        row = library.media.row_by_path(os.fsencode(path))
        assert row is not None
        return row


def test_captions_are_kept_and_not_made_again(base: Path, backend: CountingBackend) -> None:
    """The second time nothing is decoded; the answer is the same."""
    photo = base / "photos" / "green-1.jpg"
    with _engine(base, backend) as engine:
        first, _ = _describe(engine, [photo])
    assert first["green-1.jpg"].caption == "a green picture"
    assert _row(base, photo).machine_caption == "a green picture"
    with _engine(base, backend) as engine:
        second, _ = _describe(engine, [photo])
    assert (first, backend.captioned) == (second, 1)


@pytest.mark.parametrize("kind", list(DescriptionKind))
def test_a_raw_is_described_as_the_photo_that_it_is_a_part_of(
    tmp_path: Path, backend: CountingBackend, kind: DescriptionKind
) -> None:
    """By its own path, with what is known of the medium; what is new is stored there."""
    jpeg, raw = write_shot(tmp_path / "photos", "IMG_1", 1)
    with _engine(tmp_path, backend, Access.CREATE) as engine:
        index(engine, tmp_path / "photos")
        first, end = _describe(engine, [raw], kind)
        assert (list(first), end.failed) == (["IMG_1.dng"], ())
        captioned = backend.captioned
        both, _ = _describe(engine, [raw, jpeg], kind)
    assert sorted(both) == ["IMG_1.dng", "IMG_1.jpg"]
    assert both["IMG_1.dng"].caption == both["IMG_1.jpg"].caption
    assert both["IMG_1.dng"].tags == both["IMG_1.jpg"].tags
    assert backend.captioned == captioned


def test_a_persons_caption_is_the_answer(base: Path, backend: CountingBackend) -> None:
    """The machine is not even asked."""
    photo = base / "photos" / "green-1.jpg"
    with _engine(base, backend) as engine:
        keys = engine.ask(GetKeys(paths=(WirePath.of(photo),)), Keys).keys
        engine.ask(SetAnnotations(keys=keys, caption="our meadow"), AnnotationsReply)
        said, _ = _describe(engine, [photo])
    assert (said["green-1.jpg"].caption, backend.captioned) == ("our meadow", 0)


def test_a_photo_that_has_changed_since_is_read_again(base: Path, backend: CountingBackend) -> None:
    """Its caption of before, and its vector, are those of another picture."""
    photo = base / "photos" / "green-1.jpg"
    with _engine(base, backend) as engine:
        _describe(engine, [photo])
        photo.write_bytes((base / "photos" / "blue-2.jpg").read_bytes())
        said, _ = _describe(engine, [photo])
        _describe(engine, [photo], DescriptionKind.TAGS)
    assert said["green-1.jpg"].caption == "a blue picture"
    assert (backend.captioned, backend.embedded) == (2, 1)


def test_tags_of_members_come_from_stored_vectors(base: Path, backend: CountingBackend) -> None:
    """No file is read, so photos may lie on a slow disk."""
    with _engine(base, backend) as engine:
        said, end = _describe(engine, [base / "photos"], DescriptionKind.TAGS)
    assert len(said) == 6
    assert (backend.embedded, end) == (0, DescribedFiles())
    row = _row(base, base / "photos" / "red-0.jpg")
    assert [tag.tag for tag in row.machine_tags] == [t.tag for t in said["red-0.jpg"].tags]


def test_a_short_answer_does_not_shorten_the_stored_tags(
    base: Path, backend: CountingBackend
) -> None:
    """``--top`` is for what is printed."""
    photo = base / "photos" / "red-0.jpg"
    with _engine(base, backend) as engine:
        whole, _ = _describe(engine, [photo], DescriptionKind.TAGS)
        few, _ = _describe(engine, [photo], DescriptionKind.TAGS, top=1)
    assert few["red-0.jpg"].tags == whole["red-0.jpg"].tags[:1]
    assert len(_row(base, photo).machine_tags) == len(whole["red-0.jpg"].tags)


def test_labels_take_the_place_of_the_vocabulary(tmp_path: Path, backend: CountingBackend) -> None:
    """The best of them is always given, however little it fits."""
    photos = coloured_photos(tmp_path / "photos")
    with _engine(tmp_path, backend) as engine:
        said, _ = _describe(
            engine, [photos], DescriptionKind.TAGS, labels=("something red", "something blue")
        )
    assert said["red-0.jpg"].tags[0].tag == "something red"
    assert said["blue-2.jpg"].tags[0].tag == "something blue"
    assert all(file.tags for file in said.values())


def test_a_video_is_described_by_one_frame(
    base: Path, tmp_path: Path, backend: CountingBackend
) -> None:
    """In the library the frame that stands for it, outside that of its middle."""
    outside = make_clip_of_colours(tmp_path / "outside.mp4", ("white", "green", "white"))
    with _engine(base, backend) as engine:
        said, end = _describe(engine, [base / "photos" / "clip.mp4", Path(outside)])
    assert (len(said), end.failed, backend.captioned) == (2, (), 2)
    assert said["outside.mp4"].caption == "a green picture"


def test_files_that_cannot_be_read_are_named_and_the_rest_goes_on(
    base: Path, backend: CountingBackend
) -> None:
    """In the order in which they failed, each with a sentence."""
    broken = base / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    missing = base / "missing.jpg"
    with _engine(base, backend) as engine:
        said, end = _describe(engine, [missing, broken, base / "photos" / "white-3.jpg"])
    assert said.keys() == {"white-3.jpg"}
    assert [failure.path for failure in end.failed] == [WirePath.of(missing), WirePath.of(broken)]
    assert all(failure.reason.endswith(".") for failure in end.failed)
    with _engine(base, backend) as engine, pytest.raises(UserError, match="cannot be read"):
        _describe(engine, [missing])


def test_a_filter_chooses_among_the_librarys_media(base: Path, backend: CountingBackend) -> None:
    """Other files have nothing that it could ask for; without a library it is an error."""
    photos = base / "photos"
    coloured_photos(base / "elsewhere")
    with _engine(base, backend) as engine:
        said, _ = _describe(engine, [photos], filter="kind:video")
        assert said.keys() == {"clip.mp4"}
        with pytest.raises(UserError, match="is not in the library"):
            _describe(engine, [base / "elsewhere"], filter="kind:photo")
    with (
        _engine(base / "elsewhere", backend) as engine,
        pytest.raises(UserError, match="no library to filter"),
    ):
        _describe(engine, [photos], filter="kind:photo")


def test_progress_counts_all_files(base: Path, backend: CountingBackend) -> None:
    """Known ones too; the last step is the whole."""
    steps: list[tuple[int, int | None]] = []
    body = DescribeFiles(paths=(WirePath.of(base / "photos"),), kind=DescriptionKind.CAPTION)
    with _engine(base, backend) as engine:
        engine.ask(
            body, DescribedFiles, on_progress=lambda now: steps.append((now.done, now.total))
        )
    assert steps == [(done, 6) for done in range(7)]


def test_a_file_that_ended_the_engine_is_not_tried_by_a_command(
    base: Path, backend: CountingBackend
) -> None:
    """It is named with the reason; the others are described."""
    deadly, other = (base / "photos" / name for name in ("green-1.jpg", "red-0.jpg"))
    with Library.open(base / "library") as library:
        record_deadly(library, _row(base, deadly), DESCRIBE)
    with _engine(base, backend) as engine:
        described, end = _describe(engine, [deadly, other])
    assert set(described) == {"red-0.jpg"}
    assert [failure.reason for failure in end.failed] == ["CocaDesk ended over it."]
    assert backend.captioned == 1
