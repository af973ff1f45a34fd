"""Disks that refuse: full, read-only, closed, without hard links; what is said and what is kept.

Each function is a whole check and gives its number of tries; the tests run it in a short
form and ``tests/bench`` in the long one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetInfo,
    GetKeys,
    GetRows,
    Hits,
    Info,
    JobReply,
    Keys,
    PlanWrite,
    ReplyBody,
    RequestBody,
    Rows,
    Search,
    SetAnnotations,
    StartCaption,
    StartIndex,
    StartTeach,
    StartWrite,
    UndoAnnotations,
    WatchJob,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobState,
    ReadAgain,
    Scope,
    TeachSource,
    WriteKind,
    WriteReport,
)
from tests.support.disks import as_ordinary_user, full, mounted, read_only
from tests.support.engines import coloured_photos, local_engine
from tests.support.index_tools import human_caption, row_at, run_index
from tests.support.no_links import REFUSED_LINKS
from tests.support.program import Outcome, invoked, invoked_under

WORDS = "mine"


def sentence_of(done: Outcome) -> str:
    """The error of a command that the person can mend: its exit code, no traceback."""
    assert done.code == 2, done.err
    assert "Traceback" not in done.err
    assert ".rs:" not in done.err
    assert "CocaDesk itself" not in done.err
    return done.err


def library_with_words(folder: Path, photos: Path) -> str:
    """A library of five photos, of which one has words; gives its key."""
    with Library.open(folder) as library:
        run_index(library, [coloured_photos(photos)])
        key = row_at(library, photos / "red-0.jpg").key
        library.edits.record([human_caption(key, WORDS)])
    return key


def check_words(folder: Path, key: str, *captions: str) -> None:
    """The photo has one of these captions; the library opens without a notice."""
    with Library.open(folder, writer=False) as library:
        (row,) = library.media.rows([key])
        assert row.human_caption in captions
        assert library.notices == ()


def refusal_of(folder: Path, body: RequestBody) -> str:
    """The error of a request, or of its job; empty where all went well."""
    try:
        with local_engine(folder, Access.WRITE) as engine:
            reply = engine.ask(body, ReplyBody)
            if isinstance(reply, JobReply):
                job = engine.ask(WatchJob(job_id=reply.job.id), JobReply).job
                return job.message if job.state is JobState.FAILED else ""
    except UserError as error:
        return str(error)
    return ""


def full_disk(base: Path, *, rooms: Sequence[int] = (0,)) -> int:
    """Words, captions, an index, a lesson with so many bytes left: one sentence each.

    What was there is kept, and all goes on when there is room again.
    """
    photos, tries = base / "photos", 0
    with mounted(base / "disk") as disk:
        library = disk / "library"
        key = library_with_words(library, photos)
        (photos / "new.jpg").write_bytes((photos / "red-0.jpg").read_bytes() + b"longer")
        folders = (WirePath.of(photos),)
        for left in rooms:
            with full(disk, left):
                for body in (
                    SetAnnotations(keys=(key,), caption="a full disk"),
                    StartCaption(scope=Scope(keys=(key,)), again=True),
                    StartIndex(folders=folders, again=ReadAgain.ALL),
                    *([] if left else [StartTeach(source=TeachSource(folders=folders))]),
                ):
                    refusal = refusal_of(library, body)
                    assert refusal or left
                    assert not refusal or "full" in refusal or "No space left" in refusal
                    assert ".rs:" not in refusal
                    tries += 1
            check_words(library, key, WORDS, "a full disk")
            assert not refusal_of(library, SetAnnotations(keys=(key,), caption=WORDS))
            assert not refusal_of(library, StartIndex(folders=folders))
            check_words(library, key, WORDS)
        with Library.open(library, writer=False) as opened:
            assert opened.counts().photos == 6
    return tries


def no_hard_links(base: Path) -> int:
    """A library is refused before anything is made; one that was copied there can be read."""
    photos, deep = coloured_photos(base / "photos"), base / "deep"
    with Library.open(base / "library") as library:
        run_index(library, [photos])
    where = ("--library", base / "library")
    index, info, undo = invoked_under(
        REFUSED_LINKS,
        ("index", photos, "--library", deep / "library"),
        ("info", *where),
        ("words", "undo", *where),
    )
    assert "hard links" in sentence_of(index)
    assert "damaged" not in index.err
    assert not deep.exists()
    assert sorted(path.name for path in base.iterdir()) == ["library", "photos"]
    assert info.code == 0
    assert "hard links" in sentence_of(undo)
    return 3


def check_read_only_library(library: Path, photos: Path, key: str) -> int:
    """Nobody can write into the library: it is read, and each order to write is refused."""
    with local_engine(library, Access.READ) as engine:
        hits = engine.ask(Search(text="something red"), Hits).hits
        assert "red" in hits[0].path.text
        assert engine.ask(GetInfo(), Info).counts.photos == 5
        assert engine.ask(GetRows(keys=(key,)), Rows).rows[0].caption is not None
    where, red = ("--library", library), photos / "red-0.jpg"
    reading = (("info",), ("words", "history", red), ("words", "write", photos, "--preview"))
    for order in (*reading, ("exclude", photos, "--list")):
        done = invoked(*order, *where)
        assert (done.code, "Traceback" in done.err) == (0, False), done.err
    writing = (
        ("index", photos),
        ("words", "set", red, "--caption", "other"),
        ("words", "undo"),
        ("words", "write", photos),
        ("words", "vocabulary", "--shipped"),
        ("forget", red, "--yes"),
        ("exclude", photos, "*.png"),
        ("library", "repair"),
        ("library", "backup"),
        ("library", "restore"),
    )
    for order in writing:
        said = sentence_of(invoked(*order, *where))
        assert "Read-only" in said or "Permission denied" in said, said
        assert "damaged" not in said
    check_words(library, key, WORDS)
    return len(writing) + len(reading) + 2


def read_only_library(base: Path) -> int:
    """The library's disk takes nothing: what reads works, the rest says so."""
    photos = base / "photos"
    with mounted(base / "disk") as disk:
        key = library_with_words(disk / "library", photos)
        with read_only(disk):
            tries = check_read_only_library(disk / "library", photos, key)
        assert not refusal_of(disk / "library", StartIndex(folders=(WirePath.of(photos),)))
    return tries


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Nothing in a folder is made, changed or removed meanwhile."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    yield
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def check_read_only_photos(library: Path, photos: Path, reason: str, *, describes: bool) -> int:
    """Photos that nobody can write beside: all else works, captions beside them are refused.

    The captions are made by a job where it ``describes``.
    """
    folder = WirePath.of(photos)
    with Library.open(library) as opened, untouched(photos):
        assert run_index(opened, [photos]).indexed == len(_jpegs(photos))
        if not describes:
            opened.media.set_captions(dict.fromkeys(opened.media.all_keys(), "red"), "fake")
    with local_engine(library) as engine, untouched(photos):
        keys = engine.ask(GetKeys(paths=tuple(map(WirePath.of, _jpegs(photos)))), Keys).keys
        if describes:
            _do(engine, StartCaption(scope=Scope(folders=(folder,))))
        engine.ask(SetAnnotations(keys=keys[:1], caption=WORDS, add_tags=("x",)), AnnotationsReply)
        assert engine.ask(Search(text="something red"), Hits).hits[0].caption is not None
        rows = engine.ask(GetRows(keys=keys), Rows).rows
        plan = engine.ask(PlanWrite(scope=Scope(folders=(folder,))), WritePlan)
        assert {(item.kind, item.reason) for item in plan.items} == {(WriteKind.SKIPPED, reason)}
        done = _do(engine, StartWrite(scope=Scope(folders=(folder,))))
        assert isinstance(done.report, WriteReport)
        assert {item.reason for item in done.report.skipped} == {reason}
        assert (done.report.written, done.job.failed) == (0, len(keys))
        assert engine.ask(GetRows(keys=keys), Rows).rows == rows
        assert engine.ask(UndoAnnotations(), AnnotationsReply).title.startswith("Caption")
        engine.ask(SetAnnotations(keys=keys[:1], caption=WORDS), AnnotationsReply)
    with untouched(photos):
        said = invoked("words", "write", photos, "--library", library)
    assert said.code == 1, said.err
    assert said.err.count(reason) == 1
    return 6


def _jpegs(photos: Path) -> list[Path]:
    return sorted(photos.glob("*.jpg"))


def _do(engine: LocalEngine, body: RequestBody) -> JobReply:
    reply = engine.ask(body, JobReply)
    return engine.ask(WatchJob(job_id=reply.job.id), JobReply)


def read_only_photos(base: Path) -> int:
    """The photos' disk takes nothing."""
    with mounted(base / "disk") as disk:
        photos = coloured_photos(disk / "photos")
        with read_only(disk):
            reason = "The disk is read-only."
            return check_read_only_photos(base / "library", photos, reason, describes=True)


def closed_photos(base: Path) -> int:
    """The folder of the photos is closed to the person."""
    photos, reason = coloured_photos(base / "photos"), "The folder or the file can't be written to."
    photos.chmod(0o555)
    try:
        return as_ordinary_user(
            lambda: check_read_only_photos(base / "library", photos, reason, describes=False)
        )
    finally:
        photos.chmod(0o755)
