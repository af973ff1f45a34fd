"""The threads of steps, by what other work leaves; and what stays the same in any number."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
import torch

from cocadesk.model.network.one_thread import each_in_one_thread
from cocadesk.model.runtime import step_threads
from cocadesk.model.runtime.step_threads import StepThreads, _busy_s, busy_s

PROCESSORS = 4
STAT = """cpu  30 2 6 1000 9 1 1 5 7 0
cpu0 10 1 2 500 4 1 0 0 3 0
cpu1 20 1 4 500 5 0 1 5 4 0
cpu12 100 0 0 0 0 0 0 0 0 0
intr 12 3
"""


@pytest.fixture(autouse=True)
def four_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(PROCESSORS)
    monkeypatch.setattr(step_threads, "_processors", lambda: PROCESSORS)
    monkeypatch.setattr(StepThreads, "_last", None)
    yield
    torch.set_num_threads(before)


class Machine:
    """A clock, and what others and these steps take of the processors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock_s = self.own_s = self.busy_s = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.clock_s)
        monkeypatch.setattr(time, "thread_time", lambda: self.own_s)

    def pass_by(self, others: float, seconds: float = 0.2) -> None:
        """A step in this thread and its helpers, beside so many processors' other work."""
        threads = torch.get_num_threads()
        share = min(1.0, PROCESSORS / (threads + others))
        self.clock_s += seconds
        self.own_s += seconds * share
        self.busy_s += seconds * share * (threads + others)

    def threads(self, others: float, *, steps: int = 2, is_free: bool = True) -> list[int]:
        """Those of each step."""
        found = []
        with StepThreads(is_free=is_free, busy=lambda: self.busy_s) as threads:
            for _ in range(steps):
                threads.step()
                found.append(torch.get_num_threads())
                self.pass_by(others)
        return found


def test_all_threads_compute_where_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert machine.threads(0, steps=3) == [2, 4, 4]
    assert torch.get_num_threads() == PROCESSORS
    assert machine.threads(0.2) == [4, 4]  # as in the captions before


@pytest.mark.parametrize(("others", "left"), [(0.3, 4), (1, 3), (2, 2), (3, 1), (6, 1)])
def test_what_others_take_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch, others: float, left: int
) -> None:
    machine = Machine(monkeypatch)
    assert machine.threads(0)[-1] == 4
    assert machine.threads(others, steps=4)[-1] == left
    assert machine.threads(0, steps=3)[-1] == 4


def test_a_short_while_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system counts in hundredths of a second."""
    machine = Machine(monkeypatch)
    with StepThreads(is_free=True, busy=lambda: machine.busy_s) as threads:
        threads.step()
        machine.pass_by(0, seconds=0.05)
        threads.step()
        assert torch.get_num_threads() == 2
        machine.pass_by(0, seconds=0.15)
        threads.step()
        assert torch.get_num_threads() == 4


def test_half_of_them_compute_what_depends_on_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Machine(monkeypatch).threads(0, steps=4, is_free=False) == [2] * 4


def test_where_the_system_does_not_tell_half_of_them_compute() -> None:
    with StepThreads(is_free=True, busy=lambda: None) as threads:
        threads.step()
        time.sleep(0.2)
        threads.step()
        assert torch.get_num_threads() == 2


def test_all_but_idling_counts_as_work_of_the_processors_asked_for() -> None:
    ticks = step_threads._TICKS_A_SECOND
    assert _busy_s(STAT, {0, 1}) == pytest.approx((14 + 31) / ticks)
    assert _busy_s(STAT, {1}) == pytest.approx(31 / ticks)
    assert _busy_s(STAT, {7}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked")
def test_the_system_counts_this_threads_work() -> None:
    before, end_s = busy_s(), time.thread_time() + 0.3
    while time.thread_time() < end_s:
        pass
    after = busy_s()
    assert before is not None
    assert after is not None
    assert after - before >= 0.25


def test_each_part_has_one_thread_and_its_fault_comes_through() -> None:
    seen: dict[int, tuple[int, bool]] = {}

    def work(number: int) -> None:
        seen[number] = (torch.get_num_threads(), torch.is_inference_mode_enabled())

    each_in_one_thread(work, 5)
    assert seen == dict.fromkeys(range(5), (1, True))
    assert torch.get_num_threads() == PROCESSORS
    with pytest.raises(ZeroDivisionError):
        each_in_one_thread(lambda number: 1 / number, 2)
    assert torch.get_num_threads() == PROCESSORS
    each_in_one_thread(work, 0)
