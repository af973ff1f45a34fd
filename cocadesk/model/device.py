"""Where a network runs, and the reason in words."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from cocadesk.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """``device`` is "cpu" or "cuda"; ``reason`` says why it was taken."""

    device: str
    precision: str
    reason: str


def choose_device(wanted: str = "auto") -> DeviceChoice:
    """Picks CUDA where it really works, else the CPU.

    torch is only imported where a CUDA device is likely: importing it costs
    more than a whole search.

    Raises:
        UserError: CUDA was asked for and does not work, or the name is unknown.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise UserError(f"There is no device “{wanted}”.", "", "Choose auto, cpu or cuda.")
    if wanted == "cpu":
        return _cpu("the CPU was asked for")
    problem = _cuda_problem()
    if problem is None:
        return DeviceChoice(device="cuda", precision="float32", reason="a CUDA device works here")
    if wanted == "cuda":
        raise UserError(
            "CUDA cannot be used.", f"{problem[:1].upper()}{problem[1:]}.", "Use the CPU."
        )
    return _cpu(problem)


def _cpu(reason: str) -> DeviceChoice:
    return DeviceChoice(device="cpu", precision="float32", reason=reason)


def _cuda_problem() -> str | None:
    """Why CUDA cannot be used; None when a small product really ran on it."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        return "torch is not installed"
    if "+cpu" in build:
        return f"the installed torch ({build}) has no CUDA"
    if shutil.which("nvidia-smi") is None:
        return "no NVIDIA driver was found"
    import torch

    if not torch.cuda.is_available():
        return "torch finds no CUDA device"
    try:
        probe = torch.ones(8, 8, device="cuda")
        (probe @ probe).cpu()
    except RuntimeError as error:  # e.g. "no kernel image" on cards that are too old
        return f"the CUDA device does not run torch's kernels ({error})"
    return None
