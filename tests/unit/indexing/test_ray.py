"""An index on a real Ray of this computer with two workers: the same library, nothing lost.

Ray takes seconds to start and to end, and each worker too. So one test makes one check after
another; tests of their own might run in several processes, each with a Ray.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import tempfile
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest

from cocadesk.errors import UserError
from cocadesk.indexing.index import index_steps
from cocadesk.indexing.ray_cluster import RayCluster, RayOptions, WorkerLostError
from cocadesk.indexing.ray_workers import RayWorkers
from cocadesk.indexing.types import IndexOptions, IndexStage
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow
from cocadesk.protocol.job_values import RayValue
from cocadesk.protocol.messages import JobReply, StartIndex, WatchJob
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, JobState
from tests.support.engines import coloured_photos, local_engine
from tests.support.fake_backend import FakeBackend, SlowBackend
from tests.support.index_tools import (
    CountingBackend,
    run_index,
    stored_vectors,
    write_photo,
    write_video,
)
from tests.support.killed_index import IMAGE_ID, check_whole
from tests.support.power_cut import kill_after
from tests.support.ray_files import FailingReader, ray_workers

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray does not exist for this machine"),
    pytest.mark.skipif(os.name == "nt", reason="Ray on Windows is not tested"),
]


def test_an_index_on_ray_is_as_one_without(tmp_path: Path) -> None:
    """The whole of it, also where workers, Ray or the person end it in the middle."""
    cluster = RayCluster(RayOptions(workers=2))
    try:
        assert cluster.start() == 2
        listens_to_this_computer_alone_and_tells_nobody()
        with ray_workers(SlowBackend) as workers:
            the_library_is_the_same(workers, tmp_path / "same")
            a_killed_worker_loses_nothing(workers, tmp_path / "killed")
            read_by = readers()
            assert any(map(spools, read_by))
            a_cancelled_index_keeps_what_is_committed(workers, tmp_path / "cancelled")
        assert not any(map(spools, read_by))
        an_error_of_a_worker_is_as_its_loss(cluster)
        the_engine_indexes_also_after_a_restart(tmp_path / "engine")
        its_end_is_said(tmp_path / "ended")
    finally:
        cluster.close()
    assert not [one for one in psutil.Process().children(recursive=True) if _is_of_ray(one)]


def spools(pid: int) -> list[Path]:
    """The folders in which frames of videos wait for a process."""
    return list(Path(tempfile.gettempdir()).glob(f"cocadesk-frames-{pid}-*"))


def an_error_of_a_worker_is_as_its_loss(cluster: RayCluster) -> None:
    """It is on one computer; the index goes on with others."""
    reader = cluster.reader(partial(FailingReader))  # type: ignore[arg-type]
    opening = reader.open()
    try:
        until_s = time.monotonic() + 60
        while not cluster.ready([opening], 1.0):
            assert time.monotonic() < until_s
        with pytest.raises(WorkerLostError, match="No space left on device") as caught:
            opening.next()
        assert caught.value.is_error
    finally:
        reader.end()


def _is_of_ray(process: psutil.Process) -> bool:
    try:
        return any("ray" in part for part in process.cmdline())
    except psutil.Error:
        return False


def many_kinds(folder: Path) -> Path:
    """Photos, a copy, a long photo, videos, and files that can't be read."""
    for number in range(16):
        write_photo(folder / f"{number}.jpg", number)
    shutil.copy(folder / "3.jpg", folder / "copy of 3.jpg")
    write_video(folder / "a.mp4", "red", "green", "blue")
    write_video(folder / "b.mp4", "white", "blue")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    (folder / "empty.png").write_bytes(b"")
    return folder


def content(library: Library) -> dict[bytes, MediaRow]:
    """The rows by path."""
    return {row.path: row for row in library.media.iter_rows()}


def the_library_is_the_same(workers: RayWorkers, tmp_path: Path) -> None:
    """Rows, vectors, thumbnails and failures; keys and times are a library's own."""
    folder = many_kinds(tmp_path / "photos")
    with Library.open(tmp_path / "plain") as plain, Library.open(tmp_path / "ray") as library:
        expected = run_index(plain, [folder], own_pool=True)
        backend = CountingBackend()
        report = run_index(library, [folder], decoder=workers, backend=backend)
        assert backend.embedded == 0
        assert [(one.path, one.reason) for one in report.failed] == [
            (one.path, one.reason) for one in expected.failed
        ]
        assert (report.indexed, report.videos) == (expected.indexed, expected.videos)
        here, there = content(plain), content(library)
        assert there.keys() == here.keys()
        own = {"key", "added_utc", "indexed_utc"}
        for path, row in here.items():
            other = there[path]
            fields = set(row.__slots__) - own
            assert {name: getattr(other, name) for name in fields} == {
                name: getattr(row, name) for name in fields
            }
            views = plain.views.of_keys(IMAGE_ID, [row.key])[row.key]
            others = library.views.of_keys(IMAGE_ID, [other.key])[other.key]
            for view, same in zip(views, others, strict=True):
                np.testing.assert_array_equal(view.vector, same.vector)
                assert (view.start_s, view.end_s) == (same.start_s, same.end_s)
            thumbnails = (one.thumbnails.path(row.picture_hash) for one in (plain, library))
            first, second = (path.read_bytes() for path in thumbnails)
            assert first == second
        check_failures = {one.path: one.reason for one in library.media.failures()}
        assert check_failures == {one.path: one.reason for one in plain.media.failures()}


def a_killed_worker_loses_nothing(workers: RayWorkers, tmp_path: Path) -> None:
    """SIGKILL in the middle: another reads its files, and each has its vectors once."""
    folder = tmp_path / "photos"
    for number in range(40):
        write_photo(folder / f"{number}.jpg", number)
    options = IndexOptions(commit_rows=3, commit_s=0.2)
    killed = 0
    with Library.open(tmp_path / "library") as library:
        for step in index_steps(
            library,
            FakeBackend(),  # type: ignore[arg-type]
            [os.fsencode(folder)],
            pool=workers,
            options=options,
        ):
            if step.stage is IndexStage.EMBED and step.done >= 4 and not killed:
                killed = min(readers())
                os.kill(killed, signal.SIGKILL)
        assert killed
        assert library.media.failures() == []
        check_whole(library, folder)
        assert run_index(library, [folder]).indexed == 0


def _reads(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[0].startswith("ray::RangeReader")
    except (psutil.Error, IndexError):
        return False


def a_cancelled_index_keeps_what_is_committed(workers: RayWorkers, tmp_path: Path) -> None:
    """The next one, without Ray, reads the rest alone."""
    folder = tmp_path / "photos"
    for number in range(40):
        write_photo(folder / f"{number}.jpg", number)
    with Library.open(tmp_path / "library") as library:
        steps = index_steps(
            library,
            FakeBackend(),  # type: ignore[arg-type]
            [os.fsencode(folder)],
            pool=workers,
            options=IndexOptions(commit_rows=2, commit_s=0.2),
        )
        while (step := next(steps)).stage is not IndexStage.EMBED or step.done < 4:
            pass
        started_s = time.monotonic()
        steps.close()
        assert time.monotonic() - started_s < 20
        stored = library.views.count(IMAGE_ID)
        assert 4 <= stored < 40
        backend = CountingBackend()
        run_index(library, [folder], backend=backend)
        assert backend.embedded == 40 - stored
        check_whole(library, folder)


def the_engine_indexes_also_after_a_restart(tmp_path: Path) -> None:
    """The request of the command line; the order is in the job's record."""
    folder = coloured_photos(tmp_path / "photos")
    order = StartIndex(folders=(WirePath.of(folder),), ray=RayValue(workers=2))
    with local_engine(tmp_path / "library") as engine:
        queued = engine.ask(order, JobReply).job
    before, seen = readers(), set[int]()
    with local_engine(tmp_path / "library") as engine:
        job = engine.ask(
            WatchJob(job_id=queued.id), JobReply, on_progress=lambda _: seen.update(readers())
        )
    assert job.job.state is JobState.DONE, job.job.message
    assert isinstance(job.report, IndexReport)
    assert job.report.indexed == 5
    assert seen - before


def readers() -> set[int]:
    """The processes that read for Ray of this one."""
    return {one.pid for one in psutil.Process().children(recursive=True) if _reads(one)}


def listens_to_this_computer_alone_and_tells_nobody() -> None:
    """Loopback addresses only, a secret, no usage report, no dashboard."""
    listening, environment = set(), {}
    ours = psutil.Process()
    for process in (ours, *ours.children(recursive=True)):
        with_inet = process.net_connections(kind="inet")
        listening |= {one.laddr.ip for one in with_inet if one.status == psutil.CONN_LISTEN}
        if process.name() == "raylet":
            environment = process.environ()
    assert listening
    for address in listening:
        mapped = getattr(ipaddress.ip_address(address), "ipv4_mapped", None)
        assert (mapped or ipaddress.ip_address(address)).is_loopback, address
    assert environment["RAY_usage_stats_enabled"] == "0"
    assert environment["RAY_AUTH_MODE"] == "token"


def its_end_is_said(tmp_path: Path) -> None:
    """At once; Ray itself would wait for it. The last use of it here."""
    write_photo(tmp_path / "photos" / "a.jpg", 1)
    ours = psutil.Process().children()
    host = next(one for one in ours if "cocadesk.indexing.ray_host" in one.cmdline())
    host.terminate()
    host.wait(30)
    with Library.open(tmp_path / "library") as library, ray_workers() as workers:
        with pytest.raises(UserError) as caught:
            run_index(library, [tmp_path / "photos"], decoder=workers)
        assert caught.value.what == "Ray has ended."
        assert library.media.failures() == []


def test_a_killed_index_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """SIGKILL of the committing process: Ray ends with it, and what is committed stays."""
    folder, target = tmp_path / "photos", tmp_path / "library"
    for number in range(30):
        write_photo(folder / f"{number}.jpg", number)
    before = set(Path("/tmp").glob("cocadesk-ray-*"))
    kill_after(
        "tests.support.ray_files",
        (target, folder),
        lambda _, line: line.startswith("embed") and int(line.split()[1]) >= 6,
    )
    with Library.open(target) as library:
        stored = library.views.count(IMAGE_ID)
        assert 0 < stored < 30
        backend = CountingBackend()
        run_index(library, [folder], backend=backend)
        assert backend.embedded == 30 - stored
        check_whole(library, folder)
        assert len(stored_vectors(library, IMAGE_ID)) == 30
    until_s = time.monotonic() + 60
    while left := set(Path("/tmp").glob("cocadesk-ray-*")) - before:
        assert time.monotonic() < until_s, left
        time.sleep(0.2)
