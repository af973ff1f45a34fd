"""A disk that is pulled out at any look of an index at it, and comes back, then or later.

The disks are real ones in memory. ``pulled_at_each_look`` is the whole check; the tests
run it in a short form and ``tests/bench`` in the long one.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.disks import Plug, mounted
from tests.support.fake_backend import FakeInfo
from tests.support.index_tools import CountingBackend, human_caption, row_at, run_index, write_photo

IMAGE_ID = FakeInfo().image_id
STRANGERS = 100
"""From this seed on the photos are those of the other disk."""
WORDS = {"a/1.jpg": "1", "a/2.jpg": "2", "b/3.jpg": "3", "a/four.jpg": "4", "5.jpg": "5"}
"""Captions in the end, by file: 3 was edited and 4 renamed; what is not here has none."""


class Back(StrEnum):
    """The disk that is plugged in after the pull."""

    LATER = "the same one, after the index"
    SOON = "the same one, two looks later"
    OTHER = "another one at once, the same one later"


class Looks:
    """Counts each folder below a place that is listed and each file that is opened there.

    ``acts`` are done right before the looks of these numbers.
    """

    _now: ClassVar[Looks | None] = None
    _is_hooked: ClassVar[bool] = False

    def __init__(self, place: Path, acts: Mapping[int, Callable[[], None]]) -> None:
        self._place = os.fsencode(place)
        self._acts = acts
        self._lock = threading.Lock()
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """The time in which they count."""
        if not Looks._is_hooked:
            sys.addaudithook(_on_event)
            Looks._is_hooked = True
        Looks._now = self
        try:
            yield
        finally:
            Looks._now = None

    @classmethod
    def see(cls, path: object) -> None:
        """A place is about to be looked at."""
        now = cls._now
        if now is None or not isinstance(path, str | bytes):
            return
        if os.fsencode(path).startswith(now._place):
            now._add()

    def _add(self) -> None:
        with self._lock:
            self.count += 1
            if act := self._acts.get(self.count):
                act()


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    """Python's own report of all that a program does; a hook can't be taken away again."""
    if event in ("open", "os.scandir", "os.listdir") and arguments:
        Looks.see(arguments[0])


class _Disks:
    """A disk with words on its photos, a backup of some of them at home, and another disk."""

    def __init__(self, base: Path) -> None:
        self.home, self.usb = base / "home", Plug(base / "usb")
        self.same, self.other = base / "same", base / "other"
        self.library = base / "libraries" / "prepared"

    def prepare(self) -> None:
        """The disk as it was indexed, and what was done to it since."""
        for name, seed in {"a/1": 1, "a/2": 2, "b/3": 3, "4": 4, "5": 5}.items():
            write_photo(self.same / f"{name}.jpg", seed)
        for seed, name in enumerate((*WORDS, "4.jpg", "new.jpg"), start=STRANGERS):
            write_photo(self.other / name, seed)
        self.usb.put(self.same)
        with Library.open(self.library) as library:
            run_index(library, [self.usb.place])
            said = {n: words for n, words in {**WORDS, "4.jpg": "4"}.items() if n != "a/four.jpg"}
            keys = {name: row_at(library, self.usb.place / name).key for name in said}
            library.edits.record([human_caption(keys[n], words) for n, words in said.items()])
        self.home.mkdir()
        for name, copy in {"a/1.jpg": "1.jpg", "4.jpg": "copy.jpg"}.items():
            shutil.copy(self.same / name, self.home / copy)
        write_photo(self.home / "own.jpg", 20)
        write_photo(self.same / "b" / "3.jpg", 53)
        (self.same / "4.jpg").rename(self.same / "a" / "four.jpg")
        write_photo(self.same / "new.jpg", 60)

    def index(self, library: Library, acts: Mapping[int, Callable[[], None]]) -> int:
        """An index of all; gives the number of its looks at the disk."""
        looks = Looks(self.usb.place, acts)
        with looks.counted():
            run_index(library, [self.usb.place, self.home])
        return looks.count

    def play(self, library: Library, look: int, back: Back) -> None:
        """An index during which the disk is pulled, and what holds then and afterwards."""
        self.usb.put(self.same)
        acts: dict[int, Callable[[], None]] = {look: lambda: self.usb.put(None)}
        if back is Back.SOON:
            acts[look + 2] = lambda: self.usb.put(self.same)
        elif back is Back.OTHER:
            acts[look] = lambda: self.usb.put(self.other)
        self.index(library, acts)
        if back is Back.OTHER:
            self.index(library, {})
            assert set(self.captions(library, self.usb.place).values()) <= {None}
        else:
            states = {row.state for row in library.media.iter_rows()}
            assert MediaState.MISSING not in states
        assert set(self.captions(library, self.home).values()) == {None}
        self.usb.put(self.same)
        self.index(library, {})
        self.check_whole(library)

    def captions(self, library: Library, folder: Path) -> dict[str, str | None]:
        """The caption of each file of a folder that is there, by its path in it."""
        return {
            os.fsdecode(os.path.relpath(row.path, os.fsencode(folder))): row.human_caption
            for row in library.media.iter_rows()
            if row.state == MediaState.PRESENT and row.root == os.fsencode(folder)
        }

    def check_whole(self, library: Library) -> None:
        """Each file has one row with its own words and the view of its own picture."""
        assert self.captions(library, self.usb.place) == {**WORDS, "new.jpg": None}
        assert self.captions(library, self.home) == dict.fromkeys(("1.jpg", "copy.jpg", "own.jpg"))
        hashes = {row.key: row.picture_hash for row in library.media.iter_rows()}
        marks = library.views.marks(IMAGE_ID)
        assert sorted(mark.key for mark in marks) == sorted(hashes)
        assert all(hashes[mark.key] == mark.picture_hash for mark in marks)
        backend = CountingBackend()
        again = run_index(library, [self.usb.place, self.home], backend=backend)
        assert (again.indexed, again.moved, again.failed, backend.embedded) == (0, 0, (), 0)


def pulled_at_each_look(base: Path, *, every: int = 1) -> int:
    """The disk is pulled right before each look at it, and comes back in each way; the tries."""
    libraries = base / "libraries"
    with mounted(base / "same"), mounted(base / "other"), mounted(libraries, "64m"):
        disks = _Disks(base)
        disks.prepare()
        try:
            with Library.open(_copy(disks.library, libraries / "count")) as library:
                looks = disks.index(library, {})
                disks.check_whole(library)
            tries = [(look, back) for look in range(1, looks + 1) for back in Back][::every]
            for look, back in tries:
                with Library.open(_copy(disks.library, libraries / "library")) as library:
                    disks.play(library, look, back)
        finally:
            disks.usb.put(None)
    return len(tries)


def _copy(prepared: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(prepared, folder))
