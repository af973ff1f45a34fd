"""Ranges of files handed to workers, of which any may be lost; the workers stand in for Ray's."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from cocadesk.errors import UserError
from cocadesk.indexing.ray_cluster import RayCluster, RayOptions, require_ray
from cocadesk.indexing.ray_workers import RayWorkers
from cocadesk.media.types import DecodeFailure, DecodeRequest, ReadMetadata
from tests.support.fake_backend import FakeBackend
from tests.support.ray_files import IMAGE_ID, StandInCluster


def workers_of(cluster: StandInCluster) -> RayWorkers:
    """Workers on the stand-in."""
    return RayWorkers(FakeBackend, IMAGE_ID, RayOptions(), cluster=cluster)


def requests(count: int) -> Iterator[DecodeRequest]:
    """So many files that are not there: a stand-in does not look."""
    return (DecodeRequest(token=n, path=b"/nowhere/%d.jpg" % n) for n in range(count))


def answers(cluster: StandInCluster, count: int) -> dict[bytes, ReadMetadata | DecodeFailure]:
    """The answer to each of so many files."""
    with workers_of(cluster) as workers:
        found = list(workers.metadata(requests(count)))
    assert sorted(one.token for one in found) == list(range(count))
    assert cluster.is_closed
    assert all(reader.is_ended for reader in cluster.readers)
    return {one.path: one for one in found}


def failed(found: dict[bytes, ReadMetadata | DecodeFailure]) -> list[bytes]:
    """The files that gave no metadata."""
    return [path for path, answer in found.items() if isinstance(answer, DecodeFailure)]


def test_every_file_is_answered_once_in_ranges_for_all_workers() -> None:
    """As many workers as there are to be; the first ranges are small."""
    cluster = StandInCluster(workers=3)
    assert failed(answers(cluster, 300)) == []
    assert len(cluster.readers) == 3
    assert max(len(files) for files in cluster.ranges[:3]) == 4
    assert max(len(files) for files in cluster.ranges) == 64


def test_nothing_starts_without_a_file() -> None:
    """Ray would take seconds."""
    cluster = StandInCluster()
    assert answers(cluster, 0) == {}
    assert cluster.readers == []


def test_no_more_workers_start_than_there_are_ranges() -> None:
    """Each opens the model, which takes longer than to read a handful of files."""
    cluster = StandInCluster(workers=16)
    answers(cluster, 7)
    assert len(cluster.readers) == 2


def test_no_worker_holds_more_than_two_ranges() -> None:
    """The list of files is not read ahead of what workers can take."""
    cluster = StandInCluster(workers=2)
    taken = 0

    def counted() -> Iterator[DecodeRequest]:
        nonlocal taken
        for taken, request in enumerate(requests(1000), start=1):  # noqa: B007
            yield request

    with workers_of(cluster) as workers:
        for done, _ in enumerate(workers.metadata(counted()), start=1):
            assert taken - done <= 4 * 64 + 64
    assert cluster.most_held <= 4


def test_the_files_of_a_lost_worker_are_read_by_another() -> None:
    """Those that it has answered are not read again."""
    cluster = StandInCluster()
    cluster.deadly[b"/nowhere/2.jpg"] = 1
    assert failed(answers(cluster, 40)) == []
    read_twice = {
        path
        for n, files in enumerate(cluster.ranges)
        for path in files
        if any(path in later for later in cluster.ranges[n + 1 :])
    }
    assert b"/nowhere/2.jpg" in read_twice
    assert not {b"/nowhere/0.jpg", b"/nowhere/1.jpg"} & read_twice


def test_a_file_that_ends_its_workers_is_given_up_alone() -> None:
    """The third time it is alone in its range; its neighbours are read."""
    cluster = StandInCluster()
    cluster.deadly[b"/nowhere/17.jpg"] = 9
    found = answers(cluster, 60)
    assert failed(found) == [b"/nowhere/17.jpg"]
    failure = found[b"/nowhere/17.jpg"]
    assert isinstance(failure, DecodeFailure)
    assert failure.reason == "3 Ray workers ended while they read this file."
    assert (failure.is_passing, failure.is_killed) == (True, True)
    assert cluster.deadly[b"/nowhere/17.jpg"] == 6


def test_several_deadly_files_cost_only_themselves() -> None:
    """Also where they lie in one range."""
    cluster = StandInCluster()
    for number in (20, 21, 55):
        cluster.deadly[b"/nowhere/%d.jpg" % number] = 99
    assert len(failed(answers(cluster, 80))) == 3


def test_a_worker_that_never_begins_holds_nothing_up() -> None:
    """There may be fewer processors than workers were asked for."""
    cluster = StandInCluster(workers=2)
    cluster.pending = {1}
    assert failed(answers(cluster, 100)) == []


def files_in(folder: Path, count: int) -> list[bytes]:
    """So many files that are there."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(b"here")
    return [os.fsencode(folder / f"{number}.jpg") for number in range(count)]


def of_files(paths: list[bytes]) -> Iterator[DecodeRequest]:
    """These files."""
    return (DecodeRequest(token=n, path=path) for n, path in enumerate(paths))


def test_a_computer_without_the_files_does_not_swallow_them(tmp_path: Path) -> None:
    """Another worker reads them; the one that sees nothing of several ranges is retired."""
    cluster, paths = StandInCluster(workers=2), files_in(tmp_path, 600)
    cluster.sees = lambda number, _path: number != 0
    with workers_of(cluster) as workers:
        found = list(workers.metadata(of_files(paths)))
        assert sorted(one.token for one in found) == list(range(600))
        assert not [one for one in found if isinstance(one, DecodeFailure)]
        assert cluster.readers[0].is_ended
        assert len(cluster.readers) == 2
        assert workers.notes == [
            "The Ray worker on attic reads no more: it does not see files that others see."
            " Files must lie at the same paths there."
        ]
    assert len([files for files in cluster.ranges if len(files) <= 4]) < 12


def test_a_file_that_one_computer_does_not_see_is_read_by_another(tmp_path: Path) -> None:
    """Each sees a part of the archive; none is retired while it sees something."""
    cluster, paths = StandInCluster(workers=3), files_in(tmp_path, 200)
    cluster.sees = lambda number, path: paths.index(path) % 3 != number
    with workers_of(cluster) as workers:
        found = list(workers.metadata(of_files(paths)))
        assert sorted(one.token for one in found) == list(range(200))
        assert not [one for one in found if isinstance(one, DecodeFailure)]
        assert workers.notes == []


def test_a_file_that_no_worker_sees_fails_for_now(tmp_path: Path) -> None:
    """Only then, and the rest is read."""
    cluster, paths = StandInCluster(workers=2), files_in(tmp_path, 90)
    cluster.sees = lambda _number, path: path != paths[40]
    with workers_of(cluster) as workers:
        found = list(workers.metadata(of_files(paths)))
    (failure,) = [one for one in found if isinstance(one, DecodeFailure)]
    assert (failure.path, failure.reason) == (paths[40], "It is not there.")
    assert (failure.is_passing, failure.is_killed) == (True, False)
    assert len(found) == 90


def test_a_file_that_is_gone_here_too_is_not_looked_for(tmp_path: Path) -> None:
    """It was deleted between the scan and its turn: no fault of a worker's."""
    cluster, paths = StandInCluster(workers=2), files_in(tmp_path, 40)

    def sees(_number: int, path: bytes) -> bool:
        Path(os.fsdecode(path)).unlink(missing_ok=True)
        return False

    cluster.sees = sees
    with workers_of(cluster) as workers:
        found = list(workers.metadata(of_files(paths)))
    assert len([one for one in found if isinstance(one, DecodeFailure)]) == 40
    assert sum(map(len, cluster.ranges)) == 40


def test_an_archive_that_no_worker_sees_is_said_and_not_listed(tmp_path: Path) -> None:
    """A million failures would say less."""
    cluster, paths = StandInCluster(workers=2), files_in(tmp_path, 400)
    cluster.sees = lambda _number, _path: False
    with workers_of(cluster) as workers, pytest.raises(UserError) as caught:
        list(workers.metadata(of_files(paths)))
    assert caught.value.what == "No Ray worker sees the files."
    assert sum(map(len, cluster.ranges)) < 200


def test_a_worker_that_has_not_begun_may_see_the_files(tmp_path: Path) -> None:
    """They wait for it, though not for ever: perhaps it never begins."""
    cluster, paths = StandInCluster(workers=2), files_in(tmp_path, 30)
    cluster.sees = lambda number, _path: number != 0
    cluster.late = {1}
    with workers_of(cluster) as workers:
        found = list(workers.metadata(of_files(paths)))
    assert not [one for one in found if isinstance(one, DecodeFailure)]
    cluster = StandInCluster(workers=2)
    cluster.sees = lambda _number, _path: False
    cluster.pending = {1}
    some = RayWorkers(FakeBackend, IMAGE_ID, RayOptions(), cluster=cluster, opening_s=0.0)
    with some as workers:
        found = list(workers.metadata(of_files(paths[:6])))
    assert len([one for one in found if isinstance(one, DecodeFailure)]) == 6


def test_a_worker_that_fails_costs_its_file_and_not_the_index() -> None:
    """As one that is lost: its disk may be full; the reason is said."""
    cluster = StandInCluster()
    cluster.is_error = True
    cluster.deadly[b"/nowhere/17.jpg"] = 3
    found = answers(cluster, 60)
    assert failed(found) == [b"/nowhere/17.jpg"]
    failure = found[b"/nowhere/17.jpg"]
    assert isinstance(failure, DecodeFailure)
    assert failure.reason == "3 Ray workers failed at this file. killed"
    assert (failure.is_passing, failure.is_killed) == (True, False)


def test_workers_that_fail_at_every_file_are_not_started_for_ever() -> None:
    """It is not the files then."""
    cluster = StandInCluster()
    cluster.is_error = True
    for number in range(60):
        cluster.deadly[b"/nowhere/%d.jpg" % number] = 99
    with pytest.raises(UserError, match="fail at each file"):
        answers(cluster, 60)


def test_large_files_are_shared_out_one_by_one(tmp_path: Path) -> None:
    """A worker with an hour of video in its hands keeps no other behind it."""
    paths = files_in(tmp_path, 40)
    for path in paths[20:]:
        os.truncate(path, 300 << 20)
    cluster = StandInCluster(workers=4)
    with workers_of(cluster) as workers:
        assert len(list(workers.metadata(of_files(paths)))) == 40
    large = set(paths[20:])
    assert all(len(large.intersection(files)) <= 1 for files in cluster.ranges)
    assert cluster.most_large_held == 1


def test_a_worker_that_reads_by_other_means_is_refused() -> None:
    """What the same file gives would depend on who read it."""
    cluster = StandInCluster()
    cluster.reads = "CocaDesk 0.0.9 (4.1) with rawpy"
    with pytest.raises(UserError, match="on attic reads files by other means") as caught:
        answers(cluster, 5)
    assert "It has CocaDesk 0.0.9 (4.1) with rawpy" in caught.value.why


def test_a_worker_with_another_model_is_refused() -> None:
    """Its vectors would not fit those of the library."""
    with pytest.raises(UserError, match="on attic has another model than this library"):
        answers(StandInCluster(image_id="other-222222222222"), 5)


def test_workers_that_end_before_they_read_are_not_started_for_ever() -> None:
    """Two losses are made up for, three are said."""
    cluster = StandInCluster()
    cluster.starts_lost = 2
    assert failed(answers(cluster, 20)) == []
    cluster = StandInCluster()
    cluster.starts_lost = 99
    with pytest.raises(UserError, match="end before they can read"):
        answers(cluster, 20)


def test_whoever_closes_the_answers_ends_the_workers_that_read() -> None:
    """A video of hours would be decoded to its end; the rest of the work is done by new ones."""
    cluster = StandInCluster(workers=2)
    with workers_of(cluster) as workers:
        started = workers.metadata(requests(500))
        next(started), next(started)
        assert list(workers.under_way().values()) == [0.5]
        started.close()  # type: ignore[attr-defined]
        assert workers.under_way() == {}
        assert cluster.held == 0
        assert len(list(workers.metadata(requests(30)))) == 30


def test_a_stop_from_another_thread_ends_the_answers() -> None:
    """As that of the decoder processes; what comes after is answered again."""
    with workers_of(StandInCluster()) as workers:
        started = workers.metadata(requests(500))
        next(started)
        workers.stop()
        assert len(list(started)) < 499
        assert len(list(workers.metadata(requests(30)))) == 30


def test_a_stop_while_ray_starts_ends_the_answers() -> None:
    """It may hang; no worker is started then, and Ray is closed."""
    cluster = StandInCluster()
    cluster.is_slow_to_start = True
    with workers_of(cluster) as workers:
        found = list[object]()
        thread = threading.Thread(target=lambda: found.extend(workers.metadata(requests(9))))
        thread.start()
        assert cluster.is_starting.wait(10)
        workers.stop()
        thread.join(10)
        assert not thread.is_alive()
    assert (found, cluster.readers, cluster.is_closed) == ([], [], True)


def started_by(code: str, **times: float) -> RayCluster:
    """Ray of this computer, with this program in place of the process that starts it."""
    return RayCluster(RayOptions(workers=1), command=(sys.executable, "-c", code), **times)


HANGS = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray does not exist for this machine")
def test_a_ray_that_hangs_is_given_up_and_killed() -> None:
    """While it starts, and when it is to end; a stop does not wait for either."""
    before = set(psutil.Process().children())
    cluster = started_by(HANGS, start_s=0.3, end_s=0.1)
    with pytest.raises(UserError) as caught:
        cluster.start()
    assert caught.value.what == "Ray could not be started."
    assert "did not answer" in caught.value.why
    cluster.close()
    cluster = started_by(HANGS, end_s=0.1)
    assert cluster.start(lambda: True) == 0
    cluster.close()
    assert set(psutil.Process().children()) <= before
    assert "RAY_AUTH_TOKEN" not in os.environ


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray does not exist for this machine")
def test_a_ray_that_others_can_reach_is_refused() -> None:
    """The switches that keep it to this computer are not documented: a release may drop them."""
    cluster = started_by("print('192.168.0.7:6379', flush=True); input()")
    with pytest.raises(UserError) as caught:
        cluster.start()
    cluster.close()
    assert "It listens at 192.168.0.7:6379" in caught.value.why


def test_a_missing_ray_is_said_with_what_to_install() -> None:
    """It is not among what CocaDesk brings."""
    with pytest.raises(UserError) as caught:
        require_ray("no_such_ray")
    assert caught.value.what == "Ray is not installed."
    assert caught.value.what_to_do == 'Install it: pip install "cocadesk[ray]".'


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray does not exist for this machine")
@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:1", "There is no Ray cluster at 127.0.0.1:1."),
        ("127.0.0.1:99999", "There is no Ray cluster at 127.0.0.1:99999."),
        ("ray://somewhere:10001", "ray://somewhere:10001 is no address of a Ray cluster."),
        ("somewhere", "somewhere is no address of a Ray cluster."),
    ],
)
def test_an_address_where_no_cluster_is_is_said(address: str, sentence: str) -> None:
    """At once: Ray itself would wait for it, and end the process."""
    cluster = RayCluster(RayOptions(address=address))
    with pytest.raises(UserError) as caught:
        cluster.start()
    cluster.close()
    assert caught.value.what == sentence
