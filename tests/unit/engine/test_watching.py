"""Folders that live: what changes in them is in the library without anybody asking."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from cocadesk.engine.index_job import IndexSpec
from cocadesk.engine.job_records import JobSpec
from cocadesk.engine.power import Power
from cocadesk.indexing.watching import WatchPace
from cocadesk.library.library import Library
from cocadesk.library.rows import new_key
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    ControlJob,
    GetRows,
    JobChanged,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListNewest,
    Rows,
    StartIndex,
    WatchFolders,
    Watching,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobAction, JobState, JobValue
from tests.support.engines import index, watch
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import write_photo
from tests.support.inner_engine import inner_engine
from tests.support.waiting import until

WAIT_S = 40.0
PACE = WatchPace(quiet_s=0.2, most_s=5.0, tick_s=0.1)


def _engine(folder: Path) -> AbstractContextManager[EngineClient]:
    return inner_engine(folder, "fake", opener=lambda _source: FakeBackend(), watch=PACE)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos."""
    for seed in range(2):
        write_photo(tmp_path / "photos" / f"{seed}.jpg", seed)
    return tmp_path / "photos"


@pytest.fixture
def client(tmp_path: Path, photos: Path) -> Iterator[EngineClient]:
    """A client of an engine that has indexed the photos, and watches them."""
    with _engine(tmp_path / "library") as made:
        index(made, photos)
        yield made


def _present(client: EngineClient) -> dict[str, str]:
    """The key of each file that is there, by its name."""
    keys = client.ask(ListNewest(filter="state:present"), Keys, timeout_s=WAIT_S).keys
    rows = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    return {row.name: row.key for row in rows}


def _wait_for(client: EngineClient, *names: str) -> dict[str, str]:
    """The present files, once they are these."""
    until(lambda: set(_present(client)) == set(names))
    return _present(client)


def _jobs(client: EngineClient) -> tuple[JobValue, ...]:
    return client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs


def test_a_photo_that_appears_is_found_and_one_that_goes_is_missing(
    client: EngineClient, photos: Path
) -> None:
    """Nobody asks for it; the windows are told."""
    write_photo(photos / "new" / "2.jpg", 2)
    _wait_for(client, "0.jpg", "1.jpg", "2.jpg")
    (photos / "0.jpg").unlink()
    _wait_for(client, "1.jpg", "2.jpg")


def test_a_photo_that_is_renamed_stays_who_it_is(client: EngineClient, photos: Path) -> None:
    """By its bytes, as in every index."""
    before = _present(client)
    (photos / "0.jpg").rename(photos / "renamed.jpg")
    after = _wait_for(client, "1.jpg", "renamed.jpg")
    assert after["renamed.jpg"] == before["0.jpg"]


def test_a_file_that_is_being_written_is_waited_for(client: EngineClient, photos: Path) -> None:
    """Half a photo is never read: it would be listed as broken."""
    whole = write_photo(photos.parent / "outside.jpg", 7).read_bytes()
    with (photos / "slow.jpg").open("wb") as file:
        for start in range(0, len(whole), max(1, len(whole) // 8)):
            file.write(whole[start : start + max(1, len(whole) // 8)])
            file.flush()
            threading.Event().wait(0.05)
    _wait_for(client, "0.jpg", "1.jpg", "slow.jpg")
    assert [job.failed for job in _jobs(client)] == [0] * len(_jobs(client))


def test_many_changes_at_once_are_one_job(client: EngineClient, photos: Path) -> None:
    """And it is one that began by itself."""
    for seed in range(10, 40):
        write_photo(photos / f"{seed}.jpg", seed)
    until(lambda: len(_present(client)) == 32)
    until(lambda: all(job.state.is_final for job in _jobs(client)))
    own = [job for job in _jobs(client) if job.is_background]
    assert 1 <= len(own) <= 3
    assert all("Looking at changes in photos" in job.title for job in own)


def test_what_changed_while_no_engine_was_there_is_found_at_its_start(
    tmp_path: Path, photos: Path
) -> None:
    """Events are not all that counts."""
    with _engine(tmp_path / "library") as client:
        index(client, photos)
    write_photo(photos / "2.jpg", 2)
    with _engine(tmp_path / "library") as client:
        _wait_for(client, "0.jpg", "1.jpg", "2.jpg")


def test_a_folder_that_a_person_has_just_indexed_is_not_looked_at_again(
    tmp_path: Path, photos: Path
) -> None:
    """Only what changes in it afterwards is the reason for a job."""
    with _engine(tmp_path / "library") as client:
        index(client, photos)
        started = client.ask(StartIndex(), JobReply, timeout_s=WAIT_S).job
        watch(client, started)
        assert not [job for job in _jobs(client) if job.is_background]


def test_what_a_look_of_an_earlier_engine_waits_for_is_found(tmp_path: Path, photos: Path) -> None:
    """That look goes on at the start, and ends while a file is still being written."""
    with _engine(tmp_path / "library") as client:
        index(client, photos)
    work = IndexSpec(folders=(WirePath.of(photos),), settle_s=30.0)
    spec = JobSpec(
        title="Looking at changes", work=msgspec.json.encode(work).decode(), is_background=True
    )
    with Library.open(tmp_path / "library", create=False) as library:
        (row,) = library.jobs.all()
        left = replace(row, id=new_key(), state=JobState.QUEUED.value, report=None)
        library.jobs.save(replace(left, spec=msgspec.json.encode(spec).decode()))
    write_photo(photos / "late.jpg", 9)
    with _engine(tmp_path / "library") as client:
        _wait_for(client, "0.jpg", "1.jpg", "late.jpg")


@pytest.mark.parametrize("action", [JobAction.CANCEL, JobAction.PAUSE])
def test_what_a_person_has_stopped_is_not_read_by_itself(
    tmp_path: Path, photos: Path, action: JobAction
) -> None:
    """Nor when the engine starts anew; the page of folders says why, other folders are watched."""
    other = tmp_path / "other"
    write_photo(other / "a.jpg", 50)
    with _engine(tmp_path / "library") as client:
        index(client, other)
        _wait_for(client, "a.jpg")
        for seed in range(2, 200):
            write_photo(photos / f"{seed}.jpg", seed + 100)
        body = StartIndex(folders=(WirePath.of(photos),))
        job = client.ask(body, JobReply, timeout_s=WAIT_S).job
        until(lambda: str(photos) in _why_not(client))
        stop = ControlJob(job_id=job.id, action=action)
        client.ask(stop, JobReply, timeout_s=WAIT_S)
        until(lambda: _state(client, job) in (JobState.CANCELLED, JobState.PAUSED))
        write_photo(other / "b.jpg", 51)
        until(lambda: "b.jpg" in _present(client))
        _say_why_not(client, photos)
    write_photo(other / "c.jpg", 52)
    with _engine(tmp_path / "library") as client:
        until(lambda: "c.jpg" in _present(client))
        assert len(_present(client)) < 200
        begun = [one.title for one in _jobs(client) if one.is_background]
        assert not any("photos" in title for title in begun)
        _say_why_not(client, photos)
        on = JobAction.AGAIN if action is JobAction.CANCEL else JobAction.RESUME
        client.ask(ControlJob(job_id=job.id, action=on), JobReply, timeout_s=WAIT_S)
        until(lambda: _state(client, job) is JobState.DONE)
        assert len(_present(client)) == 203
        write_photo(photos / "late.jpg", 53)
        until(lambda: "late.jpg" in _present(client))


def _state(client: EngineClient, job: JobValue) -> JobState:
    return next(one.state for one in _jobs(client) if one.id == job.id)


def _why_not(client: EngineClient) -> dict[str, str]:
    folders = client.ask(WatchFolders(), Watching, timeout_s=WAIT_S).folders
    return {folder.path.text: folder.why_not for folder in folders}


def _say_why_not(client: EngineClient, stopped: Path) -> None:
    said = _why_not(client)
    assert said.pop(str(stopped)).startswith("Reading it was stopped or is paused.")
    assert set(said.values()) == {""}


def test_media_of_a_disk_that_is_put_back_are_there_again(
    client: EngineClient, photos: Path
) -> None:
    """Within seconds, without a look at the menu; the same photos as before."""
    before = _present(client)
    photos.rename(photos.with_name("pulled"))
    _wait_for(client)
    photos.with_name("pulled").rename(photos)
    assert _wait_for(client, "0.jpg", "1.jpg") == before
    write_photo(photos / "2.jpg", 2)
    _wait_for(client, "0.jpg", "1.jpg", "2.jpg")


def test_looks_without_news_leave_no_jobs_behind(client: EngineClient, photos: Path) -> None:
    """A text beside a photo is a change, and nothing new."""
    until(lambda: all(job.state.is_final for job in _jobs(client)))
    (photos / "notes.txt").write_text("nothing to see")
    write_photo(photos / "2.jpg", 2)
    _wait_for(client, "0.jpg", "1.jpg", "2.jpg")
    (photos / "notes.txt").write_text("nothing again")
    until(lambda: len([job for job in _jobs(client) if job.is_background]) <= 1)
    before = index(client, photos).job
    (photos / "notes.txt").write_text("nothing at all")
    look = _next_look(client, before)
    until(lambda: look.id not in {job.id for job in _jobs(client)})


def _next_look(client: EngineClient, before: JobValue) -> JobValue:
    """The first job that has begun by itself after another one and is done."""
    while True:
        event = client.next_event(WAIT_S)
        job = event.job if isinstance(event, JobChanged) else before
        if job.is_background and job.id > before.id and job.state is JobState.DONE:
            return job


def test_watching_is_turned_off_and_on_and_remembered(tmp_path: Path, photos: Path) -> None:
    """Off, nothing is looked at; on again, what has changed meanwhile is found."""
    folder = tmp_path / "library"
    with _engine(folder) as client:
        index(client, photos)
        off = client.ask(WatchFolders(is_on=False), Watching, timeout_s=WAIT_S)
        assert not off.is_on
    with _engine(folder) as client:
        assert not client.ask(WatchFolders(), Watching, timeout_s=WAIT_S).is_on
        write_photo(photos / "2.jpg", 2)
        index(client, photos / "0.jpg")
        assert set(_present(client)) == {"0.jpg", "1.jpg"}
        on = client.ask(WatchFolders(is_on=True), Watching, timeout_s=WAIT_S)
        assert on.is_on
        _wait_for(client, "0.jpg", "1.jpg", "2.jpg")
        (watched,) = client.ask(WatchFolders(), Watching, timeout_s=WAIT_S).folders
        assert (watched.path, watched.why_not) == (WirePath.of(photos), "")


def test_a_library_in_a_watched_folder_does_not_wake_itself(tmp_path: Path) -> None:
    """Its thumbnails are files that appear as well."""
    photos = tmp_path / "photos"
    write_photo(photos / "0.jpg", 0)
    with _engine(photos / "library") as client:
        index(client, photos)
        write_photo(photos / "1.jpg", 1)
        _wait_for(client, "0.jpg", "1.jpg")
        until(lambda: all(job.state.is_final for job in _jobs(client)))
        assert len([job for job in _jobs(client) if job.is_background]) <= 2


def _supply(folder: Path, name: str, **facts: str) -> None:
    (folder / name).mkdir(parents=True)
    for fact, value in facts.items():
        (folder / name / fact).write_text(value + "\n")


@pytest.mark.parametrize(
    ("status", "scope", "expected"),
    [
        ("Discharging", "System", True),
        ("Charging", "System", False),
        ("Full", "System", False),
        ("Discharging", "Device", False),
    ],
)
def test_a_battery_that_is_emptied_is_told_from_others(
    tmp_path: Path, status: str, scope: str, expected: bool
) -> None:
    """That of a mouse does not count, nor one that is charged."""
    _supply(tmp_path, "BAT0", type="Battery", status=status, scope=scope)
    _supply(tmp_path, "AC", type="Mains", online="0")
    assert Power(tmp_path).is_on_battery() is expected


@pytest.mark.parametrize(
    ("status", "worked_s", "expected"),
    [("Discharging", 0.25, [0.25]), ("Discharging", 60.0, [1.0]), ("Charging", 0.25, [])],
)
def test_work_rests_on_battery_as_long_as_it_took(
    tmp_path: Path, status: str, worked_s: float, expected: list[float]
) -> None:
    """But not so long that whoever stops it has to wait."""
    _supply(tmp_path, "BAT0", type="Battery", status=status)
    slept_s: list[float] = []
    power = Power(tmp_path, sleep=slept_s.append)
    power.rest(worked_s)
    assert slept_s == expected
    assert power.said_of("Reading").startswith("Reading")
    assert (power.said_of("Reading") != "Reading") is bool(expected)


def test_without_supplies_there_is_mains_power(tmp_path: Path) -> None:
    """A desktop computer, or a system that does not tell."""
    assert not Power(tmp_path / "none").is_on_battery()


def test_the_supplies_are_looked_at_now_and_then(tmp_path: Path) -> None:
    """Not at each step of a job."""
    now_s = [0.0]
    power = Power(tmp_path, clock=lambda: now_s[0])
    assert not power.is_on_battery()
    _supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    assert not power.is_on_battery()
    now_s[0] = 10.0
    assert power.is_on_battery()
