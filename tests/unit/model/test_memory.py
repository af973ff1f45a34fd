"""Batches that fit are found, remembered and tried larger again; what is idle is freed."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.runtime import memory
from cocadesk.model.runtime.memory import (
    BatchLimit,
    IdleWatch,
    KeptLimits,
    is_device_lost,
    release_memory,
)


def torchs_error() -> Exception:
    """What torch really raises for far too large a tensor."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60)
    return raised.value


def numpys_error() -> Exception:
    """What NumPy really raises."""
    with pytest.raises(MemoryError) as raised:
        np.empty(1 << 60, np.uint8)
    return raised.value


@pytest.mark.parametrize("make", [torchs_error, numpys_error])
def test_real_errors_of_memory_are_known(make: object) -> None:
    """Those of the computer's own memory; torch has no type for them."""
    assert callable(make)
    assert is_out_of_memory(make())


@pytest.mark.parametrize(
    ("text", "is_memory", "is_lost"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB.", True, False),
        ("MPS backend out of memory (MPS allocated: 9 GB)", True, True),
        ("std::bad_alloc", True, False),
        ("bad allocation", True, False),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate", True, True),
        ("UR error: UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY", True, False),
        ("CUDA error: an illegal memory access was encountered", False, True),
        ("CUDA error: unspecified launch failure", False, True),
        ("mat1 and mat2 shapes cannot be multiplied", False, False),
        ("the memory format is not contiguous", False, False),
    ],
)
def test_errors_are_told_apart_by_their_words(text: str, is_memory: bool, is_lost: bool) -> None:
    """After an illegal access no smaller batch helps."""
    error = RuntimeError(text)
    assert (is_out_of_memory(error), is_device_lost(error)) == (is_memory, is_lost)
    assert not is_out_of_memory(ValueError(text))


class Machine:
    """Computes at most ``room`` items at once."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def __call__(self, start: int, end: int) -> list[int]:
        self.tried.append(end - start)
        if end - start > self.room:
            raise RuntimeError("CUDA out of memory.")
        return list(range(start, end))


def computed(limit: BatchLimit, machine: Machine, count: int) -> list[int]:
    return [number for part in limit.over(count, machine) for number in part]


def test_every_item_is_computed_once_and_in_order() -> None:
    """In halves until they fit, and not more than that anew."""
    machine, limit = Machine(5), BatchLimit(16, KeptLimits(None), "pictures")
    assert computed(limit, machine, 40) == list(range(40))
    assert machine.tried == [16, 8, *[4] * 10]
    machine.tried.clear()
    assert computed(limit, machine, 9) == list(range(9))
    assert machine.tried == [4, 4, 1], "the next call begins with what fits"


def test_the_next_start_begins_with_what_fitted(tmp_path: Path) -> None:
    """Kept for each kind of work; a damaged file is as good as none."""
    file = tmp_path / "batches" / "model-cuda.json"
    computed(BatchLimit(16, KeptLimits(file), "pictures"), Machine(5), 16)
    kept = KeptLimits(file)
    assert BatchLimit(16, kept, "pictures").size == 4
    assert BatchLimit(16, kept, "captions").size == 16
    for content in ("{", "[1]", '{"pictures": "x"}', "3"):
        file.write_text(content)
        assert BatchLimit(16, KeptLimits(file), "pictures").size == 16
    file.write_text('{"pictures": -3}')
    assert BatchLimit(16, KeptLimits(file), "pictures").size == 1


def test_a_cache_that_takes_nothing_costs_only_what_is_remembered(tmp_path: Path) -> None:
    """A file lies where its folder would."""
    (tmp_path / "batches").write_text("")
    limit = BatchLimit(16, KeptLimits(tmp_path / "batches" / "model.json"), "pictures")
    assert computed(limit, Machine(5), 16) == list(range(16))


def test_more_is_tried_again_after_a_while_and_more_seldom_where_that_fails(tmp_path: Path) -> None:
    """Another program may have had the memory."""
    file = tmp_path / "model.json"
    machine, limit = Machine(5), BatchLimit(16, KeptLimits(file), "pictures")
    computed(limit, machine, 16)
    machine.tried.clear()
    computed(limit, machine, 4 * 1000)
    attempts = [place for place, size in enumerate(machine.tried) if size == 8]
    gaps = np.diff(attempts).tolist()
    assert len(attempts) >= 3
    assert gaps == sorted(gaps)
    assert gaps[-1] > 1.9 * gaps[0]
    machine.room = 100
    computed(limit, machine, 16 * 20_000)
    assert limit.size == 16
    assert file.read_text() == "{}"


def test_a_single_item_without_room_and_any_other_error_are_told() -> None:
    """There is nothing to halve."""
    with pytest.raises(RuntimeError, match="out of memory"):
        computed(BatchLimit(16, KeptLimits(None), "pictures"), Machine(0), 4)

    def broken(start: int, end: int) -> list[int]:
        raise RuntimeError("shapes cannot be multiplied")

    limit = BatchLimit(16, KeptLimits(None), "pictures")
    with pytest.raises(RuntimeError, match="shapes"):
        list(limit.over(4, broken))
    assert limit.size == 16


def test_what_failed_is_let_go_before_half_is_tried() -> None:
    """Else the halves would meet a full memory, too."""
    held: list[weakref.ref[object]] = []

    class Large: ...

    def work(start: int, end: int) -> int:
        large = Large()
        if end - start > 1:
            held.append(weakref.ref(large))
            raise RuntimeError("CUDA out of memory.")
        assert all(ref() is None for ref in held)
        return end - start

    assert sum(BatchLimit(4, KeptLimits(None), "pictures").over(4, work)) == 4
    assert len(held) == 2


class Owner:
    """Counts how often it was freed."""

    def __init__(self) -> None:
        self.freed = 0
        self.came = threading.Event()

    def free(self) -> None:
        self.freed += 1
        self.came.set()


def test_what_is_idle_is_freed_once() -> None:
    """Not while something is computed, and not again before something was."""
    now, owner = [0.0], Owner()
    watch = IdleWatch(owner.free, idle_s=600, clock=lambda: now[0])
    now[0] = 10_000
    assert not watch.look(), "nothing was opened yet"
    with watch.working():
        now[0] = 20_000
        assert not watch.look()
    now[0] += 599
    assert not watch.look()
    now[0] += 2
    assert watch.look()
    assert not watch.look()
    assert owner.freed == 1
    with watch.working():
        pass
    now[0] += 601
    assert watch.look()
    assert owner.freed == 2
    watch.close()


def test_a_thread_of_its_own_looks() -> None:
    """And it ends when the watch is closed."""
    owner = Owner()
    watch = IdleWatch(owner.free, idle_s=0.02)
    with watch.working():
        pass
    assert owner.came.wait(10)
    thread = watch._thread
    watch.close()
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()


def test_a_watch_holds_neither_its_owner_nor_itself() -> None:
    """A model that was exchanged goes with the last one who uses it."""
    owner = Owner()
    watch = IdleWatch(owner.free, idle_s=0.02)
    with watch.working():
        pass
    thread, ref = watch._thread, weakref.ref(owner)
    del owner, watch
    gc.collect()
    assert ref() is None
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()


def test_memory_can_be_released_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With torch and without; a system without malloc_trim does without."""
    release_memory()
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)
    monkeypatch.delitem(sys.modules, "torch")
    release_memory()


def test_a_lost_device_keeps_its_memory_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed kernel CUDA answers every call with the same error: the CPU goes on."""

    def refuse() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    cuda = SimpleNamespace(is_initialized=lambda: True, empty_cache=refuse)
    mps = SimpleNamespace(is_available=lambda: False)
    of_cuda = SimpleNamespace(cuda=cuda, backends=SimpleNamespace(mps=mps))
    monkeypatch.setitem(sys.modules, "torch", of_cuda)
    release_memory()
