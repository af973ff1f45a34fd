"""Random moves, copies, edits, touches and deletions against a plain model of the rules."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cocadesk.library.library import Library
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    photo_bytes,
    run_index,
    video_bytes,
)

IMAGE_ID = FakeInfo().image_id
NAMES = ("a.jpg", "b'c.jpg", "d.mp4", "sub/a.jpg", "sub/e.mp4")
name = st.sampled_from(NAMES)
# Two photos and two videos are each one picture in two files (another comment). Files
# count by their content: a video may be named like a photo.
content = st.sampled_from(("0", "1", "0 comment", "video2", "video3", "video2 comment"))
VIDEOS = {"video2": ("red", "blue"), "video3": ("red", "green", "white")}
# A video of n shots of 4 frames: its whole is made of as many frames as there are, to 16.
FRAMES = {"video2": 8 + 2, "video3": 12 + 3}


def bytes_of(text: str) -> bytes:
    """The file of a content."""
    picture, _, comment = text.partition(" ")
    if picture in VIDEOS:
        return video_bytes(VIDEOS[picture], title=comment)
    return photo_bytes(int(picture), comment=comment)


def views_of(text: str) -> int:
    """The number of views of a content: the whole, and a video's moments."""
    return 1 + len(VIDEOS.get(text.split()[0], ()))


@dataclass(slots=True)
class Medium:
    """A medium by the rules: where it is, what it shows, whether it is gone."""

    name: str
    content: str
    time: int
    is_missing: bool = False


@dataclass(slots=True)
class Model:
    """The identity rules in their plainest form, keyed by a number for each key."""

    media: dict[int, Medium] = field(default_factory=dict)
    next_number: int = 0

    def index(self, files: dict[str, tuple[str, int]]) -> dict[str, int]:
        """Apply the rules to all files together; gives what must be counted."""
        counted = {"indexed": 0, "unchanged": 0, "moved": 0, "copied": 0, "embedded": 0}
        waiting = dict(files)
        settled = {id(m) for m in self._in_place(waiting, counted)}
        self._move(waiting, settled, counted)
        contents = {medium.content for medium in self.media.values()}
        read: set[str] = set()
        for path in scan_order(waiting):
            text, time = waiting[path]
            counted["indexed"] += 1
            counted["embedded"] += self._frames_to_embed(text)
            known = next((m for m in self._present_at(path) if id(m) not in settled), None)
            if text not in contents and known is not None:
                known.content, known.time = text, time
            else:
                counted["copied"] += text in contents | read
                known = Medium(path, text, time)
                self.media[self.next_number] = known
                self.next_number += 1
            read.add(text)
            settled.add(id(known))
        for medium in self.media.values():
            medium.is_missing = id(medium) not in settled
        return counted

    def _frames_to_embed(self, text: str) -> int:
        """None where a medium shows the picture; one redrawn before in this scan has lost it."""
        picture = text.split()[0]
        if picture in {medium.content.split()[0] for medium in self.media.values()}:
            return 0
        return FRAMES.get(picture, 1)

    def _present_at(self, path: str) -> list[Medium]:
        return [m for m in self.media.values() if m.name == path and not m.is_missing]

    def _in_place(
        self, waiting: dict[str, tuple[str, int]], counted: dict[str, int]
    ) -> list[Medium]:
        """Those whose file is where it was, with the same bytes."""
        found = []
        order = sorted(self.media.items(), key=lambda item: (item[1].is_missing, -item[0]))
        for _, medium in order:
            if waiting.get(medium.name, ("", 0))[0] == medium.content:
                medium.time = waiting.pop(medium.name)[1]
                counted["unchanged"] += 1
                found.append(medium)
        return found

    def _move(
        self, waiting: dict[str, tuple[str, int]], settled: set[int], counted: dict[str, int]
    ) -> None:
        """Each file with the bytes of a medium that has lost its place, the likest first."""
        while pairs := [
            (m.is_missing, -common_ending(m.name, path), path, m.name, number)
            for number, m in self.media.items()
            for path, (text, _) in waiting.items()
            if id(m) not in settled and m.content == text
        ]:
            *_, path, _, number = min(pairs)
            medium = self.media[number]
            medium.name, medium.time = path, waiting.pop(path)[1]
            settled.add(id(medium))
            counted["moved"] += 1


def common_ending(one: str, other: str) -> int:
    """Two when folder and name are equal, one when only the name is."""
    if one.split("/")[-1] != other.split("/")[-1]:
        return 0
    return 2 if one == other else 1


def scan_order(files: dict[str, tuple[str, int]]) -> list[str]:
    """A folder's own files by name, then its subfolders."""
    return sorted(files, key=lambda path: (path.count("/"), path))


class Identity(RuleBasedStateMachine):
    """Files change at random; each index must leave what the plain model says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.photos = self.folder / "photos"
        (self.photos / "sub").mkdir(parents=True)
        # A file that stays, so that the folder is never an empty mount point.
        (self.photos / "z keep.jpg").write_bytes(photo_bytes(9))
        self.library = Library.open(self.folder / "library")
        self.model = Model()
        self.files: dict[str, tuple[str, int]] = {"z keep.jpg": ("9", 1)}
        os.utime(self.photos / "z keep.jpg", (1, 1))
        self.clock = 1
        self.keys: dict[int, str] = {}
        self.is_indexed = False

    def teardown(self) -> None:
        """Close and clean up."""
        self.library.close()
        shutil.rmtree(self.folder)

    def _stamp(self, path: str, text: str) -> None:
        self.clock += 1
        os.utime(self.photos / path, (self.clock, self.clock))
        self.files[path] = (text, self.clock)
        self.is_indexed = False

    @rule(path=name, text=content)
    def write(self, path: str, text: str) -> None:
        """A new or an edited file."""
        (self.photos / path).write_bytes(bytes_of(text))
        self._stamp(path, text)

    @rule(path=name)
    def delete(self, path: str) -> None:
        """A file is gone."""
        if self.files.pop(path, None):
            (self.photos / path).unlink()
            self.is_indexed = False

    @rule(source=name, path=name)
    def move(self, source: str, path: str) -> None:
        """Moved, perhaps over another; the time stays."""
        if source in self.files and source != path:
            (self.photos / source).rename(self.photos / path)
            self.files[path] = self.files.pop(source)
            self.is_indexed = False

    @rule(source=name, path=name)
    def copy(self, source: str, path: str) -> None:
        """Copied under a new time."""
        if source in self.files and source != path:
            shutil.copy(self.photos / source, self.photos / path)
            self._stamp(path, self.files[source][0])

    @rule(path=name)
    def touch(self, path: str) -> None:
        """Only the time changes."""
        if path in self.files:
            self._stamp(path, self.files[path][0])

    @precondition(lambda self: not self.is_indexed)
    @rule()
    def index(self) -> None:
        """The library must equal the model."""
        wanted = self.model.index(self.files)
        backend = CountingBackend()
        report = run_index(self.library, [self.photos], backend=backend, decoder=InProcessDecoder())
        self.is_indexed = True
        assert report.failed == ()
        assert {
            "indexed": report.indexed,
            "unchanged": report.unchanged,
            "moved": report.moved,
            "copied": report.copied,
        } == {name: wanted[name] for name in ("indexed", "unchanged", "moved", "copied")}
        # A picture is embedded once, while a medium shows it.
        assert backend.embedded == wanted["embedded"]

    @invariant()
    def library_equals_model(self) -> None:
        """Same media with the same fates; each has the vector of its own picture."""
        if not self.is_indexed:
            return
        rows = list(self.library.media.iter_rows())
        start = len(os.fsencode(self.photos)) + 1
        names = {row.key: row.path[start:].decode() for row in rows}
        for number, medium in self.model.media.items():
            if number not in self.keys:
                (self.keys[number],) = [
                    row.key
                    for row in rows
                    if row.key not in self.keys.values() and names[row.key] == medium.name
                ]
        by_key = {row.key: row for row in rows}
        assert set(by_key) == set(self.keys.values())
        marks = self.library.views.marks(IMAGE_ID)
        for number, medium in self.model.media.items():
            row = by_key[self.keys[number]]
            assert (names[row.key], row.state == "missing") == (medium.name, medium.is_missing)
            mine = [mark for mark in marks if mark.key == row.key]
            assert {mark.picture_hash for mark in mine} == {row.picture_hash}
            own, text = sorted(mark.view for mark in mine), medium.content
            assert own == list(range(views_of(text)))
            is_video = text.split()[0] in VIDEOS
            assert (row.kind == "video", row.duration_s is not None) == (is_video, is_video)
            for view in own[1:]:
                assert self.library.thumbnails.moment_path(row.picture_hash, view).exists()
        assert {mark.key for mark in marks} == set(by_key)


Identity.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestIdentity = Identity.TestCase
