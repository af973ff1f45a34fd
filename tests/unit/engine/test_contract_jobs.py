"""Duties of every engine: jobs that did not succeed are done again, folders are watched or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    ControlJob,
    JobReply,
    ListRoots,
    Roots,
    StartIndex,
    TryAgain,
    WatchFolders,
    Watching,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, JobAction, JobState, JobValue
from tests.support.engines import EngineCase, watch

WAIT_S = 60.0
TRIES = 5


def _index(client: AnyEngine, folder: Path) -> JobValue:
    body = StartIndex(folders=(WirePath.of(folder),))
    return client.ask(body, JobReply, timeout_s=WAIT_S).job


def _stopped(client: AnyEngine, case: EngineCase, folder: Path) -> JobValue:
    """An index that was stopped before a file failed; one may be done too soon for that."""
    for n in range(TRIES):
        base = folder / str(n)
        base.mkdir()
        job = _index(client, case.new_folder(base))
        body = ControlJob(job_id=job.id, action=JobAction.CANCEL)
        stopped = client.ask(body, JobReply, timeout_s=WAIT_S).job
        if stopped.state is JobState.CANCELLED and not stopped.failed:
            return stopped
    raise AssertionError(f"none of {TRIES} jobs could be stopped")


def test_the_files_that_a_job_could_not_do_are_tried_again_alone(
    client: AnyEngine, case: EngineCase, tmp_path: Path
) -> None:
    """A job of its own, about exactly these; nothing else is looked at."""
    done = watch(client, _index(client, case.new_folder(tmp_path)))
    assert done.job.failed >= 1
    again = client.ask(TryAgain(job_id=done.job.id), JobReply, timeout_s=WAIT_S)
    assert again.job.id != done.job.id
    report = watch(client, again.job).report
    assert isinstance(report, IndexReport)
    assert report.indexed + len(report.failed) == done.job.failed
    assert report.unchanged == 0


def test_a_job_without_failures_has_nothing_to_try_again(
    client: AnyEngine, case: EngineCase, tmp_path: Path
) -> None:
    """A sentence, not an empty job."""
    stopped = _stopped(client, case, tmp_path)
    with pytest.raises(UserError, match="nothing to try again"):
        client.ask(TryAgain(job_id=stopped.id), JobReply, timeout_s=WAIT_S)


def test_a_job_that_was_stopped_is_started_again(
    client: AnyEngine, case: EngineCase, tmp_path: Path
) -> None:
    """The same job with the same order; one that is done stays as it is."""
    job = _stopped(client, case, tmp_path)
    body = ControlJob(job_id=job.id, action=JobAction.AGAIN)
    again = client.ask(body, JobReply, timeout_s=WAIT_S)
    assert (again.job.id, again.job.attempt) == (job.id, 2)
    ended = watch(client, again.job).job
    assert ended.state is JobState.DONE
    assert client.ask(body, JobReply, timeout_s=WAIT_S).job.attempt == 2


def test_watching_is_turned_off_and_on(client: AnyEngine) -> None:
    """The answer says what holds; without a wish nothing changes."""
    for is_on, waits in ((False, True), (True, False)):
        body = WatchFolders(is_on=is_on, waits_on_battery=waits)
        said = client.ask(body, Watching, timeout_s=WAIT_S)
        assert (said.is_on, said.waits_on_battery) == (is_on, waits)
        again = client.ask(WatchFolders(), Watching, timeout_s=WAIT_S)
        assert (again.is_on, again.waits_on_battery) == (is_on, waits)
        roots = client.ask(ListRoots(), Roots, timeout_s=WAIT_S).roots
        assert [folder.path for folder in again.folders] == [root.path for root in roots]
