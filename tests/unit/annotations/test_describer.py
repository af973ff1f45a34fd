"""Captions and tags of single media and of loose files: stale or not, made, stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.describe import Describer, MediaDescriber, WantedPicture, is_as_indexed
from cocadesk.annotations.human import AnnotationEdit
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
from cocadesk.library.library import Library
from cocadesk.library.rows import Tag
from tests.support.annotated_library import MODEL, annotated_library
from tests.support.annotation_walk import decode_here
from tests.support.fake_backend import FakeBackend, FakeCaption
from tests.support.index_tools import row_at, run_index, write_photo, write_video

COLOURS = Vocabulary(name="colours", tags=("red thing", "green thing", "blue thing"))
PLAIN = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Model(FakeBackend):
    """The fake; remembers how many pictures it was given at a time."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        """As the fake."""
        self.batches.append(len(images_BHWC))
        return super().caption(images_BHWC, options)


def decode_plain(wanted: Sequence[WantedPicture]) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
    """A picture of the colour that the file is named after, in reverse order."""
    for item in reversed(wanted):
        colour = PLAIN.get(item.path.decode())
        yield (
            item.key,
            "It is no photo." if colour is None else np.full((8, 8, 3), colour, np.uint8),
        )


def wanted(*names: str) -> list[WantedPicture]:
    """Loose files of these names."""
    return [WantedPicture(key=f"{n} {name}", path=name.encode()) for n, name in enumerate(names)]


def describer(model: FakeBackend, vocabulary: Vocabulary = COLOURS) -> Describer:
    """Of plain pictures."""
    return Describer(model, lambda: ZeroShotTagger(model, vocabulary, at_least=1), decode_plain)


def test_loose_files_are_captioned_with_scores_or_say_why_not() -> None:
    """By the names that the caller gave them, whatever the order of the decoder."""
    answers = dict(describer(Model()).captions(wanted("red", "nothing", "blue")))
    assert answers["1 nothing"] == "It is no photo."
    assert answers["0 red"] == FakeCaption(text="a red picture", score=0.9)
    assert answers["2 blue"] == FakeCaption(text="a blue picture", score=0.9)


def test_many_loose_files_are_captioned_a_few_at_a_time() -> None:
    """Memory stays flat, and the first answers are there before the last file is read."""
    model = Model()
    answers = describer(model).captions(wanted(*["green"] * 20))
    next(answers)
    assert model.batches == [8]
    assert len(list(answers)) == 19
    assert model.batches == [8, 8, 4]


def test_loose_files_are_tagged_by_their_pictures() -> None:
    """The best tag first, no more than asked for."""
    answers = dict(describer(Model()).tags(wanted("red", "nothing", "blue"), top=1))
    assert answers["1 nothing"] == "It is no photo."
    for key, tag in (("0 red", "red thing"), ("2 blue", "blue thing")):
        tags = answers[key]
        assert isinstance(tags, list)
        assert [one.tag for one in tags] == [tag]


def test_no_files_need_no_decoder_and_no_model() -> None:
    """An empty question has an empty answer."""

    def no_decoder(_: Sequence[WantedPicture]) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
        raise AssertionError

    model = Model()
    nothing = Describer(model, lambda: ZeroShotTagger(model, COLOURS), no_decoder)
    assert list(nothing.captions([])) == []
    assert list(nothing.tags([])) == []


def test_a_caption_holds_while_it_is_a_persons_or_this_models(tmp_path: Path) -> None:
    """Another model's is stale; a person's never is, also an older model's beside it."""
    with annotated_library(tmp_path, "a.jpg") as case:
        media = MediaDescriber(case.library, describer(Model()))
        key = case.key("a.jpg")
        assert media.known_caption(case.row("a.jpg")) is None
        case.library.media.set_captions({key: "an older one"}, "older-model")
        assert media.known_caption(case.row("a.jpg")) is None
        case.library.media.set_captions({key: "this model's"}, MODEL)
        assert media.known_caption(case.row("a.jpg")) == "this model's"
        case.library.media.set_captions({key: "an older one"}, "older-model")
        case.annotations.set([key], AnnotationEdit(caption="mine"))
        assert media.known_caption(case.row("a.jpg")) == "mine"


def test_captions_of_media_are_stored_with_their_scores(tmp_path: Path) -> None:
    """Those that could not be read keep what they had."""
    with annotated_library(tmp_path, "a.jpg", "b.jpg") as case:
        case.machine_captions()
        (case.photos / "b.jpg").write_bytes(b"\xff\xd8 cut")
        model = Model()
        loose = Describer(model, lambda: ZeroShotTagger(model, COLOURS), decode_here)
        media = MediaDescriber(case.library, loose)
        answers = media.caption([case.row("a.jpg"), case.row("b.jpg")])
        assert answers[case.key("b.jpg")] == "unreadable"
        row = case.row("a.jpg")
        assert (row.machine_caption or "").endswith(" picture")
        assert row.machine_caption_score == pytest.approx(0.9)
        assert case.row("b.jpg").machine_caption == "a machine's b"


def test_tags_are_stale_with_another_vocabulary_and_made_without_reading_files(
    tmp_path: Path,
) -> None:
    """The stored vectors are enough; media without any are skipped."""
    with annotated_library(tmp_path, "a.jpg") as case:
        media = MediaDescriber(case.library, describer(Model()))
        assert media.has_stale_tags(case.row("a.jpg"))
        (case.photos / "a.jpg").unlink()
        tags = media.tag([case.row("a.jpg")])
        assert len(tags[case.key("a.jpg")]) >= 1
        assert not media.has_stale_tags(case.row("a.jpg"))
        shipped = MediaDescriber(case.library, describer(Model(), load_vocabulary()))
        assert shipped.has_stale_tags(case.row("a.jpg"))


class _Other(Model):
    """A model whose vectors the library does not have."""

    def info(self):  # type: ignore[no-untyped-def]
        """Other names."""
        from tests.support.other_model import OTHER

        return OTHER


def test_media_without_vectors_of_the_model_get_no_tags_from_the_library(tmp_path: Path) -> None:
    """They keep those that they have; their picture can be tagged instead."""
    with annotated_library(tmp_path, "a.jpg") as case:
        case.library.media.set_tags({case.key("a.jpg"): [Tag(tag="old", score=0.5)]}, "older")
        media = MediaDescriber(case.library, describer(_Other()))
        assert media.tag([case.row("a.jpg")]) == {}
        assert [tag.tag for tag in case.row("a.jpg").machine_tags] == ["old"]


def test_a_video_is_pictured_by_the_frame_that_stands_for_it(tmp_path: Path) -> None:
    """A photo has no time."""
    path = write_video(tmp_path / "media" / "v.mp4", "red", "green", "green")
    photo = write_photo(tmp_path / "media" / "p.jpg", 1)
    with Library.open(tmp_path / "library") as library:
        run_index(library, [tmp_path / "media"])
        media = MediaDescriber(library, describer(Model()))
        video, still = media.pictures([row_at(library, path), row_at(library, photo)])
    assert video.path == os.fsencode(path)
    assert video.time_s is not None
    assert 0.5 <= video.time_s < 1.5
    assert still.time_s is None


def test_a_file_is_as_indexed_while_size_and_time_are(tmp_path: Path) -> None:
    """One that is gone is not."""
    with annotated_library(tmp_path, "a.jpg") as case:
        row, path = case.row("a.jpg"), case.photos / "a.jpg"
        assert is_as_indexed(row)
        os.utime(path, ns=(1, 1))
        assert not is_as_indexed(row)
        path.unlink()
        assert not is_as_indexed(row)
