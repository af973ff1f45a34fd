"""The trainer's tests run on one thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order; and these networks are too small for more.

    Two threads spin while they wait for each other: twelve steps of a tiny network took
    15 s of processor time with two, 0.7 s with one (measured on a busy machine).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
