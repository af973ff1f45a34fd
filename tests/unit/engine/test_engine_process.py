"""The engine as a process: one a library, killed at any moment, unused."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cocadesk.errors import UserError
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import (
    connect_or_start,
    engine_command,
    engine_environment,
    running_engine,
)
from cocadesk.protocol.messages import (
    Describe,
    Description,
    Detail,
    GetDetail,
    GetInfo,
    GetPreview,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListNewest,
    Preview,
    Search,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, JobState
from tests.support.engines import FAKE_MODEL, coloured_photos, index, real_client, stop

WAIT_S = 60.0


def test_a_second_engine_gets_one_sentence_that_names_the_first(tmp_path: Path) -> None:
    """Two writers of one library cannot be; the sentence says which process has it."""
    with real_client(tmp_path) as client:
        second = subprocess.run(
            engine_command(tmp_path / "library", extra=FAKE_MODEL),
            env=engine_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 2
    last = second.stderr.strip().splitlines()[-1]
    assert str(client.welcome.engine_pid) in last
    assert "Traceback" not in second.stderr


def test_a_killed_engine_loses_no_job_and_no_photo(tmp_path: Path) -> None:
    """After kill -9 in the middle of an index the next engine finishes it by itself."""
    photos = coloured_photos(tmp_path / "photos")
    library = tmp_path / "library"
    with connect_or_start(library, extra=FAKE_MODEL) as client:
        body = StartIndex(folders=(WirePath.of(photos),))
        job = client.ask(body, JobReply, timeout_s=WAIT_S).job
        os.kill(client.welcome.engine_pid, signal.SIGKILL)
        with pytest.raises(ConnectionError):
            client.receive(WAIT_S)
    with connect_or_start(library, extra=FAKE_MODEL) as client:
        ended = client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=WAIT_S)
        assert ended.job.state is JobState.DONE
        assert isinstance(ended.report, IndexReport)
        assert ended.report.indexed + ended.report.unchanged == 5
        assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S).total == 5
        assert len(client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs) == 1
        stop(client)


def test_an_unused_engine_ends_but_not_while_a_job_runs(tmp_path: Path) -> None:
    """It lingers after its last client, finishes its jobs, then gives the library back."""
    photos = coloured_photos(tmp_path / "photos")
    library = tmp_path / "library"
    client = connect_or_start(library, extra=[*FAKE_MODEL, "--linger-s", "0.2"])
    pid = client.welcome.engine_pid
    client.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply, timeout_s=WAIT_S)
    client.close()
    _wait_for_end(pid)
    assert running_engine(library) is None
    with real_client(tmp_path) as client:
        assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).counts.media == 5


def _wait_for_end(pid: int) -> None:
    """The engine may have ended already; its starter takes note of that."""
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(WAIT_S)


def test_sigterm_ends_the_engine_in_order(tmp_path: Path) -> None:
    """The address is taken away and the lock is free at once."""
    library = tmp_path / "library"
    with connect_or_start(library, extra=FAKE_MODEL) as client:
        os.kill(client.welcome.engine_pid, signal.SIGTERM)
        with pytest.raises(ConnectionError):
            client.receive(WAIT_S)
    with real_client(tmp_path) as client:
        assert client.welcome.library_id


@pytest.fixture(scope="module")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """One engine for the tests that only ask."""
    with real_client(tmp_path_factory.mktemp("engine")) as client:
        yield client


def test_a_folder_that_is_not_there_is_refused_in_a_sentence(
    shared_client: EngineClient, tmp_path: Path
) -> None:
    """No job is made of a mistyped name, nor of no folder at all."""
    body = StartIndex(folders=(WirePath.of(tmp_path / "nowhere"),))
    with pytest.raises(UserError, match="nowhere"):
        shared_client.ask(body, JobReply, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="Add a folder first"):
        shared_client.ask(StartIndex(), JobReply, timeout_s=WAIT_S)


def test_a_second_index_finds_nothing_new_and_a_photo_that_has_gone_keeps_what_is_stored(
    shared_client: EngineClient, tmp_path: Path
) -> None:
    """The outcome is in numbers and words; the thumbnail stands in for the preview."""
    client = shared_client
    photos = coloured_photos(tmp_path / "photos")
    first, second = index(client, photos), index(client, photos)
    assert isinstance(first.report, IndexReport)
    assert isinstance(second.report, IndexReport)
    assert (first.report.indexed, second.report.indexed) == (5, 0)
    assert "Nothing new" in second.job.message
    key = client.ask(Search(text="something blue"), Hits, timeout_s=WAIT_S).hits[0].key
    for photo in photos.iterdir():
        photo.unlink()
    preview = client.ask(GetPreview(key=key), Preview, timeout_s=WAIT_S)
    assert Path(preview.path.to_str()).stat().st_size > 0
    words = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert words.caption is None
    assert "cannot be read" in words.reason
    assert words.tags == client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row.tags


def test_a_model_that_cannot_be_opened_fails_the_search_not_the_engine(tmp_path: Path) -> None:
    """Listing still works; the search says what is wrong."""
    library = tmp_path / "library"
    with connect_or_start(library, extra=["--model", str(tmp_path / "none")]) as client:
        with pytest.raises(UserError, match="none"):
            client.ask(Search(text="a dog"), Hits, timeout_s=WAIT_S)
        assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S).total == 0
        stop(client)
