"""A file that kills the engine: the job is set aside, the file named and passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
from PIL import Image

from cocadesk.engine.job_records import CRASHES_ALLOWED, JobSpec
from cocadesk.engine.local import Access, LocalEngine
from cocadesk.library.in_hand import left_in_hand
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    Failures,
    JobReply,
    Jobs,
    ListFailures,
    ListJobs,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState
from tests.support.fake_backend import FakeBackend
from tests.support.program import ROOT, environment

COLOURS = ("white", "red", "green")


def test_a_file_that_kills_the_engine_is_named_and_passed_over(tmp_path: Path) -> None:
    """A real process dies by its own hand for the third time; the next engine goes round it.

    ``tests/unit/engine/test_crash_guard.py`` has the deaths before, and the other jobs.
    """
    photos, folder = tmp_path / "photos", tmp_path / "library"
    photos.mkdir()
    for number, colour in enumerate(COLOURS):
        Image.new("RGB", (64 + number, 64), colour).save(photos / f"{number}.png")
    command = [sys.executable, "-m", "tests.support.deadly_backend", folder, photos]
    died = subprocess.run(command, cwd=ROOT, env=environment(), check=False)
    assert died.returncode == -9
    white = os.fsencode(photos / "0.png")
    assert white in left_in_hand(folder)
    _say_it_died_before(folder, white)
    with LocalEngine(
        folder, access=Access.CREATE, open_model=lambda _source: FakeBackend()
    ) as engine:
        (job,) = engine.ask(ListJobs(), Jobs).jobs
        assert job.state is JobState.FAILED
        assert f"It was reading {photos / '0.png'} each time" in job.message
        again = engine.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply).job
        assert engine.ask(WatchJob(job_id=again.id), JobReply).job.state is JobState.DONE
        (failure,) = engine.ask(ListFailures(), Failures).failures
        assert failure.path.to_bytes() == white
        assert "ended unexpectedly" in failure.reason
    with Library.open(folder, create=False, writer=False) as opened:
        assert opened.counts().photos == 2


def _say_it_died_before(folder: Path, path: bytes) -> None:
    with Library.open(folder, create=False) as library:
        (row,) = library.jobs.all()
        spec = msgspec.json.decode(row.spec, type=JobSpec)
        spec = msgspec.structs.replace(spec, crashes=CRASHES_ALLOWED - 1, suspects=(path,))
        library.jobs.save(replace(row, spec=msgspec.json.encode(spec).decode()))
