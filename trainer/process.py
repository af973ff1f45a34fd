"""What a training process asks of its operating system and its CPU."""

from __future__ import annotations

import ctypes
import logging
import sys
import time

import torch

from trainer.config import Precision

log = logging.getLogger(__name__)
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


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


def bf16_pays(device: torch.device) -> bool:
    """Whether a bf16 matrix product beats fp32 by half at a training step's shapes.

    True on CPUs with AMX and on most GPUs; casting costs as much as it saves on
    others, so it is measured (about 0.1 s).
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    left, right = torch.randn(2048, 320), torch.randn(320, 1280)

    def seconds(dtype: torch.dtype) -> float:
        best = float("inf")
        for _ in range(4):
            start = time.perf_counter()
            left.to(dtype) @ right.to(dtype)  # the cast is part of the price
            best = min(best, time.perf_counter() - start)
        return best

    return seconds(torch.bfloat16) * 1.5 < seconds(torch.float32)


def choose_precision(wanted: Precision, device: torch.device) -> torch.dtype:
    """The dtype of a step's matrix products."""
    if wanted is Precision.AUTO:
        return torch.bfloat16 if bf16_pays(device) else torch.float32
    return torch.bfloat16 if wanted is Precision.BF16 else torch.float32
