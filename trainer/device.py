"""The device that a training runs on, its arithmetic, and what it asks of the system."""

from __future__ import annotations

import ctypes
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.device import BFLOAT16, choose_device, dtype_of
from trainer.config import Precision

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainDevice:
    """``dtype`` is that of a step's matrix products; ``reason`` says why the device was taken."""

    device: torch.device
    dtype: torch.dtype = torch.float32
    reason: str = ""

    @staticmethod
    def choose(wanted: str = "auto", precision: Precision = Precision.AUTO) -> TrainDevice:
        """The first accelerator that works (CUDA, XPU, MPS), else the CPU.

        Raises:
            UserError: the device asked for does not work, or there is none of that name.
        """
        choice = choose_device(wanted)
        device = torch.device(choice.device)
        return TrainDevice(
            device=device, dtype=choose_precision(precision, device), reason=choice.reason
        )

    def with_dtype(self, dtype: torch.dtype) -> TrainDevice:
        """The same device with other arithmetic."""
        return replace(self, dtype=dtype)

    def autocast(self) -> AbstractContextManager[object]:
        """The block in which matrix products are done in ``dtype``."""
        if self.dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self.dtype)

    def move(self, tensor: Tensor) -> Tensor:
        """The tensor there; on CUDA the copy overlaps with what the CPU does next."""
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def tensor(self, array: NDArray[Any]) -> Tensor:
        """An array there, in its own type."""
        return self.move(torch.from_numpy(np.ascontiguousarray(array)))

    def floats(self, array: NDArray[np.float16]) -> Tensor:
        """Stored features there as float32; they travel as float16."""
        return self.tensor(array).float()


def keep_memory_blocks() -> None:
    """Tells glibc's malloc to keep its big blocks between steps.

    By default every step's large tensors go back to the kernel and are faulted
    in again: half of the time of a CPU step (measured). Does nothing elsewhere.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another C library, e.g. musl
    mallopt(_M_MMAP_THRESHOLD, 2**31 - 1)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 2**28)


@cache
def bf16_pays(device: torch.device) -> bool:
    """True where a bf16 matrix product beats fp32 by half at a training step's shapes.

    True on CPUs with AMX and on GPUs with units for it; casting costs as much as it saves on
    others, so it is measured on a CPU, once (about 0.1 s). On MPS float32 is kept.
    A CPU that emulates bf16 would take seconds: a small product shows it first.
    """
    if device.type != "cpu":
        return dtype_of(device.type) == BFLOAT16
    left, right = torch.randn(2048, 320), torch.randn(320, 1280)

    def seconds(dtype: torch.dtype, rows: int) -> float:
        best = float("inf")
        for _ in range(4):
            start = time.perf_counter()
            left[:rows].to(dtype) @ right.to(dtype)  # the cast is part of the price
            best = min(best, time.perf_counter() - start)
        return best

    def gain(rows: int) -> float:
        return seconds(torch.float32, rows) / seconds(torch.bfloat16, rows)

    return gain(64) > 1 / 4 and gain(len(left)) > 1.5


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """The dtype of a step's matrix products."""
    if wanted is Precision.AUTO:
        return torch.bfloat16 if bf16_pays(device) else torch.float32
    return torch.bfloat16 if wanted is Precision.BF16 else torch.float32
