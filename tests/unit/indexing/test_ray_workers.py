"""Ranges of files handed to workers, of which any may be lost; the workers stand in for Ray's."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

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
