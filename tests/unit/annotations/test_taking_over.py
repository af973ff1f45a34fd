"""Texts beside photos as captions of the person: taken over, never over what is there."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.annotations.sidecar_job import write_steps
from cocadesk.annotations.taking_over import (
    EMPTY,
    HAS_CAPTION,
    NO_TEXT,
    OURS,
    TakeOverReport,
    take_over_steps,
)
from cocadesk.library.library import Library
from tests.support.index_tools import row_at, run_index, write_photo


class World:
    """Photos and texts in a folder, indexed into a library."""

    def __init__(self, folder: Path, texts: dict[str, bytes | None]) -> None:
        self.folder = folder / "photos"
        for number, (name, text) in enumerate(texts.items()):
            photo = write_photo(self.folder / f"{name}.jpg", number)
            if text is not None:
                photo.with_suffix(".txt").write_bytes(text)
        self.library = Library.open(folder / "library")
        run_index(self.library, [self.folder])
        self.annotations = HumanAnnotations(self.library)

    def key(self, name: str) -> str:
        """The key of a photo."""
        return row_at(self.library, self.folder / f"{name}.jpg").key

    def caption(self, name: str) -> str | None:
        """The person's caption of a photo."""
        return row_at(self.library, self.folder / f"{name}.jpg").human_caption

    def say(self, name: str, caption: str) -> None:
        """The person writes a caption here."""
        self.annotations.set([self.key(name)], AnnotationEdit(caption=caption))

    def take(self, batch: str = "b", steps: int = 99) -> TakeOverReport | None:
        """Take over all texts; None where it was stopped after some steps."""
        keys = self.library.media.all_keys()
        job = take_over_steps(self.library, self.annotations, keys, batch=batch)
        for _ in range(steps):
            try:
                next(job)
            except StopIteration as done:
                return cast(TakeOverReport, done.value)
        return None

    def write(self) -> None:
        """Write all captions beside the photos."""
        keys = self.library.media.all_keys()
        list(write_steps(self.library, self.annotations, keys, batch="w"))


def reasons(report: TakeOverReport | None) -> dict[str, str]:
    """Why texts were left alone, by photo."""
    assert report is not None
    return {item.path.rpartition(b"/")[2].decode(): item.reason for item in report.skipped}


def test_texts_become_captions_of_the_person_and_one_undo_takes_them_back(tmp_path: Path) -> None:
    """In one line, whatever their encoding; a photo without a text is counted."""
    world = World(
        tmp_path,
        {"sea": b"our boat\n at sea\n", "old": "Füße".encode("utf-16"), "bare": None},
    )
    report = world.take()
    assert report == TakeOverReport(taken=2, without=1)
    assert (world.caption("sea"), world.caption("old"), world.caption("bare")) == (
        "our boat at sea",
        "Füße",
        None,
    )
    assert world.annotations.titles().undo == "Captions of 2 photos"
    assert len(world.annotations.undo().keys) == 2
    assert (world.caption("sea"), world.caption("old")) == (None, None)
    world.annotations.redo()
    assert world.caption("sea") == "our boat at sea"


def test_a_caption_that_the_person_wrote_here_stays(tmp_path: Path) -> None:
    """The text is named with the reason; an equal one is no news."""
    world = World(tmp_path, {"sea": b"theirs", "pier": b"the pier"})
    world.say("sea", "mine")
    world.say("pier", "the pier")
    report = world.take()
    assert (report and report.taken, report and report.unchanged) == (0, 1)
    assert reasons(report) == {"sea.jpg": HAS_CAPTION}
    assert world.caption("sea") == "mine"


def test_a_text_that_was_written_from_here_is_not_taken_back(tmp_path: Path) -> None:
    """Neither the machine's caption nor one that the person has changed since."""
    world = World(tmp_path, {"sea": None, "pier": None})
    world.say("sea", "mine")
    world.library.media.set_captions({world.key("pier"): "a machine's"}, "m")
    world.write()
    world.say("sea", "")
    assert reasons(world.take()) == {"sea.jpg": OURS, "pier.jpg": OURS}
    assert (world.caption("sea"), world.caption("pier")) == (None, None)


def test_a_text_of_ours_that_somebody_changed_is_the_persons(tmp_path: Path) -> None:
    """It holds other bytes than we wrote."""
    world = World(tmp_path, {"pier": None})
    world.library.media.set_captions({world.key("pier"): "a machine's"}, "m")
    world.write()
    (world.folder / "pier.txt").write_text("the pier, at last", encoding="utf-8")
    world.take()
    assert world.caption("pier") == "the pier, at last"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", EMPTY),
        (b" \n\t\n", EMPTY),
        (bytes(range(256)), NO_TEXT),
        (b"long " * 4_000, "That caption is too long."),
    ],
)
def test_what_is_no_caption_is_left_alone_with_the_reason(
    tmp_path: Path, text: bytes, reason: str
) -> None:
    """Nothing, no text, a whole book."""
    world = World(tmp_path, {"sea": text})
    assert reasons(world.take()) == {"sea.jpg": reason}
    assert world.caption("sea") is None


def test_a_text_belongs_to_one_of_two_photos_of_its_name(tmp_path: Path) -> None:
    """The one that a write would put its caption there for."""
    world = World(tmp_path, {"sea": b"our boat"})
    write_photo(world.folder / "sea.png", 7)
    run_index(world.library, [world.folder])
    report = world.take()
    assert report is not None
    assert report.taken == 1
    assert list(reasons(report)) == ["sea.png"]


def test_a_job_that_was_stopped_goes_on_as_the_same_command(tmp_path: Path) -> None:
    """All that it took is one batch: one undo takes it back."""
    world = World(tmp_path, {"sea": b"our boat"})
    assert world.take(steps=2) is None
    assert world.caption("sea") == "our boat"
    assert world.take() == TakeOverReport(taken=1)
    world.annotations.undo()
    assert world.caption("sea") is None
    again = world.take()
    assert again is not None
    assert again.was_undone
