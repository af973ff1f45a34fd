"""Independent work on a CPU, each part of it in one thread of torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


def each_in_one_thread(work: Callable[[int], object], count: int) -> None:
    """Do ``work`` of each number below ``count``, as many at once as there are processors.

    What a product of bfloat16 gives depends on its number of threads; with one it is the same
    on each machine. And none waits for another: beside other programs nothing takes longer than
    its share of the processors.
    """
    workers = max(1, min(count, os.cpu_count() or 1))
    threads = torch.get_num_threads()

    def begin() -> None:
        torch.set_num_threads(1)

    @torch.inference_mode()
    def compute(number: int) -> None:
        work(number)

    try:
        with ThreadPoolExecutor(workers, "one", initializer=begin) as pool:
            for done in [pool.submit(compute, number) for number in range(count)]:
                done.result()
    finally:
        torch.set_num_threads(threads)  # also the number that new threads begin with
