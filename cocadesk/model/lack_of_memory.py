"""What tells a lack of memory from any other error, whoever raised it."""

from __future__ import annotations

import errno

_SIGNS = (
    "out of memory",  # torch on CUDA, XPU and MPS
    "can't allocate memory",  # torch on the CPU
    "not enough memory",
    "cannot allocate memory",
    "failed to allocate",
    "bad_alloc",  # C++, also through OpenVINO
    "bad allocation",
    "_alloc_failed",  # cuBLAS, cuDNN
    "out_of_device_memory",  # Intel's Level Zero
    "out_of_host_memory",
)
_NATIVE = frozenset({"SafetensorError"})
"""Types of native code that are no RuntimeError and stand for much else."""


def is_out_of_memory(error: BaseException) -> bool:
    """True where memory of the computer or of an accelerator did not suffice.

    Not for "illegal memory access", after which a device is lost.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    text = str(error).lower()
    is_of_native_code = isinstance(error, RuntimeError) or type(error).__name__ in _NATIVE
    return is_of_native_code and any(sign in text for sign in _SIGNS)
