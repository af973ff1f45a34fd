"""Slow is not broken: workers that wait, hang or are killed, by a clock that the tests drive."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.media.pool.deadline import WorkDone
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodeFailure, DecodeRequest
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, natural_picture

SPEC = InputSpec(size_px=48)
BREAKING = "tests.support.breaking_worker"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and SIGSTOP")


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Twelve small photos, each with its own content."""
    paths = []
    for index in range(12):
        path = tmp_path / f"photo{index:02}.jpg"
        path.write_bytes(encode(natural_picture(160 + index, 120, seed=index), "JPEG"))
        paths.append(path)
    return paths


def requests(paths: list[Path]) -> Iterator[DecodeRequest]:
    """One request a path; the token is its place in the list."""
    for token, path in enumerate(paths):
        yield DecodeRequest(token=token, path=os.fsencode(path))


class Stage:
    """A clock and a count of work: only workers that stand still let time pass.

    Each look at a worker of ``still`` is ``step_s`` seconds after the last one; any other
    worker has always worked since, and no time passes beyond ``until_s``. So a slow
    machine changes nothing.
    """

    def __init__(self, step_s: float = 4.0) -> None:
        self.step_s = step_s
        self.now_s = 0.0
        self.still: set[int] = set()
        self.wakes_at_s = self.until_s = float("inf")
        self._looks = 0

    def clock(self) -> float:
        """The seconds; they pass on the pool's thread alone."""
        if self.still and threading.current_thread() is threading.main_thread():
            self.now_s = min(self.now_s + self.step_s, self.until_s)
            if self.now_s >= self.wakes_at_s:
                for pid in self.still:
                    os.kill(pid, signal.SIGCONT)
                self.still.clear()
        return self.now_s

    def work_of(self, pid: int) -> WorkDone:
        """The same again of a worker that stands still."""
        self._looks += 1
        return WorkDone(0.0, 0 if pid in self.still else self._looks)

    def stop(self, *pids: int) -> None:
        """Stop processes, as a stalled disk does."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            self.still.add(pid)

    def pool(self, workers: int, **more: int) -> DecoderPool:
        """A pool on this stage."""
        return DecoderPool(
            spec=SPEC,
            workers=workers,
            clock=self.clock,
            work_of=self.work_of,
            look_s=0.01,
            **more,
        )


def warm(pool: DecoderPool, photos: list[Path]) -> None:
    """Let all workers start."""
    assert len(list(pool.decode(requests(photos)))) == len(photos)


def test_workers_that_stand_still_longer_than_a_deadline_go_on_with_their_files(
    photos: list[Path],
) -> None:
    """The disk stalls for 24 seconds: not one file is lost, and no worker was ended."""
    stage = Stage()
    with stage.pool(2) as pool:
        warm(pool, photos)
        before = set(pool.worker_pids)
        stage.stop(*before)
        stage.wakes_at_s = stage.now_s + 24
        results = list(pool.decode(requests(photos)))
    assert sorted(result.token for result in results) == list(range(12))
    assert all(isinstance(result, DecodedPhoto) for result in results)


def test_a_file_whose_disk_does_not_answer_is_put_off_and_the_others_are_decoded(
    photos: list[Path],
) -> None:
    """The one in the stopped worker's hands; those behind it do not wait for it."""
    stage = Stage()
    with stage.pool(1) as pool:
        warm(pool, photos)
        (stopped,) = pool.worker_pids
        stage.stop(stopped)
        stage.until_s = stage.now_s + 30
        results = []
        for result in pool.decode(requests(photos)):
            results.append(result)
            if len(results) == 11:
                stage.until_s = float("inf")
        assert stopped not in pool.worker_pids
        assert len(pool.worker_pids) == 1
    assert [isinstance(result, DecodedPhoto) for result in results] == [True] * 11 + [False]
    failed = results[-1]
    assert isinstance(failed, DecodeFailure)
    assert failed.reason == "The disk did not answer for 60 seconds."
    assert failed.is_passing
    assert not failed.is_killed


def test_a_worker_that_was_set_aside_gives_its_file_when_the_disk_answers(
    photos: list[Path],
) -> None:
    """Each file once; afterwards there are as many workers as before."""
    stage = Stage()
    with stage.pool(1) as pool:
        warm(pool, photos)
        (stopped,) = pool.worker_pids
        stage.stop(stopped)
        stage.until_s = stage.now_s + 30
        results = []
        for result in pool.decode(requests(photos)):
            results.append(result)
            if len(results) == 11:
                assert len(pool.worker_pids) == 2
                stage.wakes_at_s = stage.now_s
        assert all(isinstance(result, DecodedPhoto) for result in results)
        assert sorted(result.token for result in results) == list(range(12))
        assert stopped not in pool.worker_pids
        assert len(pool.worker_pids) == 1


def test_all_workers_may_stand_still_and_the_other_files_are_decoded(photos: list[Path]) -> None:
    """One disk of two is stalled: as many workers again are started, no more."""
    stage = Stage()
    with stage.pool(2) as pool:
        warm(pool, photos)
        stopped = pool.worker_pids
        stage.stop(*stopped)
        stage.until_s = stage.now_s + 30
        most, results = 0, list[object]()
        for result in pool.decode(requests(photos)):
            results.append(result)
            most = max(most, len(pool.worker_pids))
            if len(results) == 10:
                stage.until_s = float("inf")
        assert most == 4
        assert len(pool.worker_pids) == 2
        assert not set(stopped) & set(pool.worker_pids)
    assert [isinstance(result, DecodedPhoto) for result in results] == [True] * 10 + [False] * 2


def test_a_cancelled_decode_leaves_no_worker_that_stands_still(photos: list[Path]) -> None:
    """The next decode does not wait for the disk of the last."""
    stage = Stage()
    with stage.pool(1) as pool:
        warm(pool, photos)
        stage.stop(*pool.worker_pids)
        answers = pool.decode(requests(photos))
        next(answers)
        answers.close()
        assert not stage.still & set(pool.worker_pids)
        stage.still.clear()
        warm(pool, photos)


def test_a_file_that_has_the_decoder_compute_for_ever_fails_for_good(photos: list[Path]) -> None:
    """Counted in what the system says of its computing, on a machine of any speed."""
    photos[3] = photos[3].rename(photos[3].with_name("spin.jpg"))
    with DecoderPool(spec=SPEC, workers=2, deadline_s=1.0, worker_module=BREAKING) as pool:
        results = list(pool.decode(requests(photos)))
    (failed,) = [result for result in results if isinstance(result, DecodeFailure)]
    assert (failed.token, failed.is_passing) == (3, False)
    assert failed.reason == "Decoding took more than 1 seconds of computing."


def test_where_the_pool_cannot_see_the_computing_the_system_ends_it(photos: list[Path]) -> None:
    """As on other systems than Linux; the sentence is the same."""
    photos[3] = photos[3].rename(photos[3].with_name("spin.jpg"))
    with DecoderPool(
        spec=SPEC, workers=1, deadline_s=0.5, worker_module=BREAKING, work_of=lambda pid: None
    ) as pool:
        results = list(pool.decode(requests(photos)))
    (failed,) = [result for result in results if isinstance(result, DecodeFailure)]
    assert (failed.token, failed.is_passing) == (3, False)
    assert "of computing" in failed.reason


def test_a_file_over_which_workers_are_killed_is_put_off(photos: list[Path]) -> None:
    """Memory ran out, perhaps because of others: it is tried again another time."""
    photos[5] = photos[5].rename(photos[5].with_name("killed.jpg"))
    with DecoderPool(spec=SPEC, workers=2, worker_module=BREAKING) as pool:
        results = list(pool.decode(requests(photos)))
    (failed,) = [result for result in results if isinstance(result, DecodeFailure)]
    assert (failed.token, failed.is_passing, failed.is_killed) == (5, True, True)
    assert failed.reason == (
        "The decoder was killed while it read this file (ended by SIGKILL); memory may have run"
        " out."
    )
