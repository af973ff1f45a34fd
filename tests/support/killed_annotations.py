"""Commands on annotations that end in the middle, and what must hold after them.

Each function is a whole check and gives the number of writes of the command; the tests
run it in a short form and ``tests/bench`` in the long one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cocadesk.annotations import sidecar_files, sidecar_journal
from cocadesk.annotations.albums import AlbumEditor
from cocadesk.annotations.human import AnnotationEdit
from cocadesk.library.store import Store
from tests.support.annotated_library import AnnotatedCase, annotated_library, reopened
from tests.support.power_cut import PowerCut, power_cuts

NAMES = ("a.jpg", "b.jpg", "c.jpg")
WRITES: tuple[tuple[object, str], ...] = (
    (Store, "append"),
    (Store, "merge"),
    (sidecar_journal, "write_atomically"),
    (sidecar_files, "_write"),
    (sidecar_files.os, "replace"),
    (sidecar_files.os, "unlink"),
    (Path, "unlink"),
)
"""All that a command on annotations does to the disk."""


def prepare(base: Path) -> None:
    """Three photos with machine captions; beside one lie somebody's notes."""
    with annotated_library(base, *NAMES) as case:
        case.machine_captions()
        (case.photos / "b.txt").write_text("notes")


def entries(photos: Path) -> dict[str, str]:
    """All files but the photos, hidden ones too."""
    return {p.name: p.read_text() for p in photos.iterdir() if p.suffix != ".jpg"}


def _fresh_copies(base: Path, every: int) -> Iterator[tuple[Path, PowerCut]]:
    """The prepared library once for each cut, always in the same place."""
    work, prepared = base / "work", base / "prepared"
    prepare(work)
    work.rename(prepared)
    for cut in power_cuts(every):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(prepared, work)
        yield work, cut


@contextmanager
def _cut(base: Path, cut: PowerCut) -> Iterator[AnnotatedCase]:
    with reopened(base) as case, cut.during(*WRITES):
        yield case


def write_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """The next writer finishes the files, or the undo finds nothing to do."""
    writes, whole = 0, {"a.txt": "a machine's a\n", "b.txt": "a machine's b\n"}
    for work, cut in _fresh_copies(base, every):
        with _cut(work, cut) as case:
            case.write(overwrite=True)
        with reopened(work) as case:
            found = entries(case.photos)
            logged = {os.path.basename(path) for path in _logged(case)}  # noqa: PTH119
            changed = {name for name, text in found.items() if text != "notes"}
            assert changed == logged
            assert not changed or whole.items() <= found.items()
            assert case.annotations.undo().skipped == ()
            assert entries(case.photos) == {"b.txt": "notes"}
            case.annotations.redo()
            assert entries(case.photos) == found
        writes = cut.writes
    return writes


def _logged(case: AnnotatedCase) -> list[str]:
    changes = sidecar_journal.net_changes(case.library.edits.of_files())
    return [os.fsdecode(change.after.path) for change in changes]


def undo_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """Half an undo of written files is finished at the next start."""
    writes = 0
    for work, cut in _fresh_copies(base, every):
        with reopened(work) as case:
            case.write(overwrite=True)
            written = entries(case.photos)
        with _cut(work, cut) as case:
            case.annotations.undo()
        with reopened(work) as case:
            is_undone = case.annotations.titles().undo == ""
            assert entries(case.photos) == ({"b.txt": "notes"} if is_undone else written)
            case.annotations.redo()
            assert entries(case.photos) == written
        writes = cut.writes
    return writes


def album_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """An album is made with all its photos or not at all, and deleted whole or not at all."""
    writes = 0
    for work, cut in _fresh_copies(base, every):
        with _cut(work, cut) as case:
            albums = AlbumEditor(case.library, case.annotations)
            albums.new("Best", case.keys())
            albums.move("Best", case.keys()[2:], case.keys()[0])
            albums.delete("Best")
        with reopened(work) as case:
            keys, done = case.keys(), len(case.annotations.state().undo)
            names = list(case.library.albums.names().items())
            assert [name for _, name in names] == (["Best"] if 0 < done < 3 else [])
            order = {1: keys, 2: [*keys[2:], *keys[:2]]}.get(done, [])
            assert [key for album, _ in names for key in case.library.albums.places(album)] == order
            for row in case.library.media.rows(keys):
                assert len(row.human_albums) == len(row.human_places) == len(names)
            for _ in range(done):
                case.annotations.undo()
            assert case.library.albums.names() == {}
            assert not any(row.human_albums for row in case.library.media.rows(keys))
        writes = cut.writes
    return writes


def edit_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """One command on many photos is said of all or of none."""
    writes = 0
    for work, cut in _fresh_copies(base, every):
        with _cut(work, cut) as case:
            edit = AnnotationEdit(caption="mine", add_tags=("x",))
            case.annotations.set(case.keys(), edit)
        with reopened(work) as case:
            rows = case.library.media.rows(case.keys())
            expected = "mine" if case.annotations.titles().undo else None
            assert {row.human_caption for row in rows} == {expected}
            case.annotations.undo()
            assert {row.human_caption for row in case.library.media.rows(case.keys())} == {None}
        writes = cut.writes
    return writes
