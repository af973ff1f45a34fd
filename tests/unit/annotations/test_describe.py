"""Captions and tags of many media: what is made, what is left alone, what goes on later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.describe import DescribeReport, WantedPicture, caption_steps, tag_steps
from cocadesk.annotations.human import AnnotationEdit
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
from cocadesk.errors import UserError
from cocadesk.library.in_hand import left_in_hand
from cocadesk.library.rows import DESCRIBE, Tag
from tests.support.annotated_library import (
    MODEL,
    AnnotatedCase,
    annotated_library,
    record_deadly,
    reopened,
)
from tests.support.annotation_walk import decode_here, drain
from tests.support.fake_backend import FakeBackend, FakeCaption
from tests.support.index_tools import run_index, write_photo, write_video

BACKEND = FakeBackend()
OWN = Vocabulary(name="own", tags=("red thing", "green thing", "blue thing"))


def tagger(vocabulary: Vocabulary | None = None) -> ZeroShotTagger:
    """A tagger of the shipped vocabulary, or of another."""
    return ZeroShotTagger(BACKEND, vocabulary or load_vocabulary())


def describe(
    case: AnnotatedCase, *, again: bool = False, style: str | None = None
) -> DescribeReport:
    """A caption job on everything."""
    steps = caption_steps(
        case.library, BACKEND, tagger, decode_here, case.keys(), again=again, style=style
    )
    report = drain(steps)
    assert isinstance(report, DescribeReport)
    return report


def test_each_medium_is_described_once_by_a_model(tmp_path: Path) -> None:
    """A second job finds nothing to do; ``again`` describes all of them again."""
    with annotated_library(tmp_path) as case:
        assert describe(case) == DescribeReport(described=3)
        row = case.row("a.jpg")
        assert row.machine_caption_model == MODEL
        assert row.machine_tags_model == tagger().version
        assert row.machine_caption_score == pytest.approx(0.9)
        assert describe(case) == DescribeReport(unchanged=3)
        assert describe(case, again=True) == DescribeReport(described=3)


def test_captions_in_another_style_are_made_anew_where_a_style_is_wanted(tmp_path: Path) -> None:
    """Without one, those of any style of the model stay; a person's caption does in any case."""
    with annotated_library(tmp_path) as case:
        case.annotations.set([case.key("b.jpg")], AnnotationEdit(caption="mine"))
        assert describe(case, style="short").described == 3
        short = case.row("a.jpg")
        assert short.machine_caption_model == f"{MODEL}+short"
        assert not (short.machine_caption or "").startswith("a ")
        assert describe(case, style="short").described == 0
        assert describe(case).described == 0
        assert describe(case, style="sentence").described == 2
        sentence = case.row("a.jpg")
        assert (sentence.machine_caption, sentence.machine_caption_model) == (
            f"a {short.machine_caption}",
            MODEL,
        )
        assert describe(case, again=True, style="alt text").described == 3
        person = case.row("b.jpg")
        assert (person.human_caption, person.machine_caption) == ("mine", None)


def test_a_style_that_the_model_does_not_know_stops_the_job_at_once(tmp_path: Path) -> None:
    """Before a file is read; nothing is stored."""
    with annotated_library(tmp_path) as case:
        with pytest.raises(UserError, match="in the style “rhymed”"):
            describe(case, style="rhymed")
        assert case.row("a.jpg").machine_caption is None


def test_a_persons_caption_is_left_alone(tmp_path: Path) -> None:
    """Tags are made all the same, and a person's tags stand before them."""
    with annotated_library(tmp_path) as case:
        key = case.key("a.jpg")
        case.annotations.set([key], AnnotationEdit(caption="mine", add_tags=("own tag",)))
        report = describe(case, again=True)
        assert (report.described, report.by_person, report.unchanged) == (3, 1, 0)
        row = case.row("a.jpg")
        assert (row.caption, row.machine_caption) == ("mine", None)
        assert row.machine_tags_model == tagger().version
        assert row.tags[0] == Tag(tag="own tag", score=1.0)
        assert describe(case).by_person == 1


def test_files_that_cannot_be_read_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """With the reason; they are tried again by the next job."""
    with annotated_library(tmp_path) as case:
        (case.photos / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
        report = describe(case)
        assert report.described == 2
        assert case.row("b.jpg").machine_tags_model == tagger().version  # from its stored vector
        assert [Path(f.path.decode()).name for f in report.failed] == ["b.jpg"]
        assert report.failed[0].reason
        write_photo(case.photos / "b.jpg", 1)
        assert describe(case).described == 1
        (case.photos / "c.jpg").unlink()
        run_index(case.library, [case.photos])
        keys = [row.key for row in case.library.media.iter_rows()]
        steps = caption_steps(case.library, BACKEND, tagger, decode_here, keys)
        told = [item.reason for step in steps for item in step.skipped]
        assert told == ["The file is not there now."]


def test_a_job_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """Also one that describes again, as long as it remembers whom it has described."""
    names = [f"{number:02}.jpg" for number in range(12)]
    looked_at: list[str] = []

    def decode(
        wanted: Sequence[WantedPicture],
    ) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
        looked_at.extend(item.key for item in wanted)
        return decode_here(wanted)

    with annotated_library(tmp_path, *names) as case:
        done: set[str] = set()
        describe(case)
        for _ in range(2):
            steps = caption_steps(
                case.library, BACKEND, tagger, decode, case.keys(), again=True, done=done
            )
            next(steps)
            step = next(steps)
            assert (step.done, step.total) == (8, 12)
            steps.close()
        assert len(looked_at) == 8
    with reopened(tmp_path) as case:
        drain(
            caption_steps(case.library, BACKEND, tagger, decode, case.keys(), again=True, done=done)
        )
        assert sorted(looked_at) == sorted(case.keys())


def test_the_report_counts_what_was_described_before_a_pause(tmp_path: Path) -> None:
    """Captions and tags that the job has made itself were not known before."""
    names = [f"{number:02}.jpg" for number in range(12)]
    with annotated_library(tmp_path, *names) as case:
        made: set[str] = set()
        keys = case.keys()
        first = caption_steps(case.library, BACKEND, tagger, decode_here, keys, made=made)
        next(first)
        next(first)
        first.close()
        assert len(made) == 8
        rest = caption_steps(case.library, BACKEND, tagger, decode_here, keys, made=made)
        assert drain(rest) == DescribeReport(described=12)
        assert describe(case) == DescribeReport(unchanged=12)
        own, tagged = tagger(OWN), set(keys[:4])
        some = tag_steps(case.library, BACKEND.info().image_id, own, keys[:4])
        drain(some)
        report = drain(tag_steps(case.library, BACKEND.info().image_id, own, keys, tagged))
        assert report == DescribeReport(described=12)


def test_a_caption_job_may_rest_after_each_few(tmp_path: Path) -> None:
    """It is told how long these took; what was known already is no work."""
    with annotated_library(tmp_path, *(f"{number:02}.jpg" for number in range(12))) as case:
        worked_s: list[float] = []
        for expected in (2, 2):
            drain(
                caption_steps(
                    case.library, BACKEND, tagger, decode_here, case.keys(), rest=worked_s.append
                )
            )
            assert len(worked_s) == expected
        assert min(worked_s) > 0


def test_a_video_is_described_by_its_moments(tmp_path: Path) -> None:
    """The caption by the frame that stands for it, the tags by all of them."""
    seen: list[float | None] = []

    def decode(
        wanted: Sequence[WantedPicture],
    ) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
        seen.extend(item.time_s for item in wanted)
        red = np.zeros((64, 64, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
        return iter([(item.key, red) for item in wanted])

    with annotated_library(tmp_path, "a.jpg") as case:
        write_video(case.photos / "video.mp4", "red", "red", "blue")
        run_index(case.library, [case.photos])
        drain(caption_steps(case.library, BACKEND, lambda: tagger(OWN), decode, case.keys()))
        row = case.row("video.mp4")
        assert row.machine_caption == "a red picture"
        assert seen[0] is None
        assert seen[1] is not None
        assert {tag.tag for tag in row.machine_tags} <= set(OWN.tags)
        said = case.annotations.set(case.keys(), AnnotationEdit(add_tags=("both",)))
        assert said.title == "Tags of 2 photos and videos"


def test_another_vocabulary_tags_everything_again_from_stored_vectors(tmp_path: Path) -> None:
    """No file is read: they may even be gone from the disk."""
    with annotated_library(tmp_path) as case:
        describe(case)
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            (case.photos / name).rename(tmp_path / name)
        image_id = BACKEND.info().image_id
        report = drain(tag_steps(case.library, image_id, tagger(OWN), case.keys()))
        assert report == DescribeReport(described=3)
        rows = case.library.media.rows(case.keys())
        assert {row.machine_tags_model for row in rows} == {tagger(OWN).version}
        assert all({tag.tag for tag in row.machine_tags} <= set(OWN.tags) for row in rows)
        again = drain(tag_steps(case.library, image_id, tagger(OWN), case.keys()))
        assert again == DescribeReport(unchanged=3)
        back = drain(tag_steps(case.library, image_id, tagger(), case.keys()))
        assert back == DescribeReport(described=3)
        assert case.row("a.jpg").machine_tags_model == tagger().version


class _Watched(FakeBackend):
    """Remembers which files were noted as in hand each time it was asked for captions."""

    def __init__(self, folder: Path) -> None:
        self.in_hand: list[tuple[bytes, ...]] = []
        self._folder = folder

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        self.in_hand.append(left_in_hand(self._folder))
        return super().caption(images_BHWC, options)


def test_the_files_that_the_model_looks_at_are_noted(tmp_path: Path) -> None:
    """All of a batch; after crashes one at a time, so that one file is to blame."""
    with annotated_library(tmp_path) as case:
        model, paths = _Watched(case.library.folder), [row.path for row in case.rows()]
        drain(caption_steps(case.library, model, tagger, decode_here, case.keys()))
        assert model.in_hand == [tuple(paths)]
        steps = caption_steps(
            case.library, model, tagger, decode_here, case.keys(), again=True, is_careful=True
        )
        drain(steps)
        assert model.in_hand[1:] == [(path,) for path in paths]
        assert left_in_hand(case.library.folder) == ()


def test_a_file_that_ended_the_engine_is_passed_over_with_a_sentence(tmp_path: Path) -> None:
    """The others are described; once it has changed it is tried again."""
    with annotated_library(tmp_path) as case:
        record_deadly(case.library, case.row("b.jpg"), DESCRIBE)
        report = describe(case)
        assert report.described == 2
        assert [item.reason for item in report.failed] == ["CocaDesk ended over it."]
        assert case.row("b.jpg").machine_tags_model == tagger().version  # from its stored vector
        write_photo(case.photos / "b.jpg", 7)
        assert describe(case).described == 1
