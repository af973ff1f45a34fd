"""Disks that are full, closed or of a poor kind: one true sentence, and nothing half made."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.local import Access
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetKeys,
    JobReply,
    Keys,
    ReplyBody,
    RequestBody,
    SetAnnotations,
    StartCaption,
    StartIndex,
    StartTeach,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, ReadAgain, Scope, TeachSource
from tests.support.engines import coloured_photos, index, local_engine
from tests.support.no_links import CAN_REFUSE, refuse_links
from tests.support.program import Outcome, cocadesk


@contextlib.contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """A disk of this size; skips the test where none can be mounted."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", os.fspath(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@contextlib.contextmanager
def full(place: Path, left: int = 0) -> Iterator[None]:
    """Takes the space of a disk for a while, but for so many bytes."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(ballast, max(0, ballast.stat().st_size - left))
    try:
        yield
    finally:
        ballast.unlink()


def sentence_of(done: Outcome) -> str:
    """The error of a command that the person can mend: its exit code, no traceback."""
    assert done.code == 2, done.err
    assert "Traceback" not in done.err
    assert ".rs:" not in done.err
    return done.err


@pytest.mark.skipif(not CAN_REFUSE, reason="hard links can't be refused here")
def test_a_disk_without_hard_links_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """exFAT and FAT32: Lance commits by links, so no table could be written."""
    photos, library = coloured_photos(tmp_path / "photos"), tmp_path / "deep" / "library"
    done = cocadesk("index", photos, "--library", library, preexec_fn=refuse_links)
    assert "hard links" in sentence_of(done)
    assert "damaged" not in done.err
    assert not (tmp_path / "deep").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.skipif(not CAN_REFUSE, reason="hard links can't be refused here")
def test_a_library_that_was_copied_to_such_a_disk_can_be_read(tmp_path: Path) -> None:
    """Writing into it is refused in the same sentence."""
    with local_engine(tmp_path / "library") as engine:
        index(engine, coloured_photos(tmp_path / "photos"))
    where = ("--library", tmp_path / "library")
    assert cocadesk("info", *where, preexec_fn=refuse_links).code == 0
    done = cocadesk("words", "undo", *where, preexec_fn=refuse_links)
    assert "hard links" in sentence_of(done)


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


@pytest.mark.parametrize("left", [0, 16 << 10, 64 << 10])
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path, left: int) -> None:
    """Words, undo, captions, an index, a lesson: one sentence each; all goes on afterwards."""
    photos = coloured_photos(tmp_path / "photos")
    with mounted(tmp_path / "disk", "16m") as disk:
        library = disk / "library"
        with local_engine(library) as engine:
            index(engine, photos)
            (key,) = engine.ask(GetKeys(paths=(WirePath.of(photos / "red-0.jpg"),)), Keys).keys
            engine.ask(SetAnnotations(keys=(key,), caption="mine"), AnnotationsReply)
        (photos / "new.jpg").write_bytes((photos / "red-0.jpg").read_bytes() + b"longer")
        folders = (WirePath.of(photos),)
        with full(disk, left):
            for body in (
                SetAnnotations(keys=(key,), caption="a full disk"),
                StartCaption(scope=Scope(keys=(key,))),
                StartIndex(folders=folders, again=ReadAgain.ALL),
                *([] if left else [StartTeach(source=TeachSource(folders=folders))]),
            ):
                refusal = refusal_of(library, body)
                assert refusal if not left else True
                assert not refusal or "full" in refusal or "No space left" in refusal
                assert ".rs:" not in refusal
        with Library.open(library, writer=False) as opened:
            (row,) = opened.media.rows([key])
            assert row.human_caption in ("mine", "a full disk")
        assert not refusal_of(library, SetAnnotations(keys=(key,), caption="after"))
        assert not refusal_of(library, StartIndex(folders=folders))
        with Library.open(library, writer=False) as opened:
            (row,) = opened.media.rows([key])
            assert row.human_caption == "after"
            assert opened.counts().photos == 6


def test_a_command_on_a_full_disk_ends_as_the_user_s_error(tmp_path: Path) -> None:
    """With a sentence and exit code 2, though not even the lock can be written."""
    with mounted(tmp_path / "disk", "16m") as disk:
        with local_engine(disk / "library") as engine:
            index(engine, coloured_photos(tmp_path / "photos"))
        red = tmp_path / "photos" / "red-0.jpg"
        with full(disk):
            where = ("--library", disk / "library")
            done = cocadesk("words", "set", red, "--caption", "no room", *where)
        assert "full" in sentence_of(done)
