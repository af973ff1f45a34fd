"""The device that a network runs on, and the reason in words."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from cocadesk.errors import UserError

ACCELERATORS = ("cuda", "xpu", "mps")
_NAMES = {"cuda": "CUDA", "xpu": "an Intel GPU (XPU)", "mps": "an Apple GPU (MPS)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """``device`` is "cpu" or one of the accelerators; ``reason`` says why it was taken."""

    device: str
    reason: str


def choose_device(wanted: str = "auto", *, among: Sequence[str] = ("cuda",)) -> DeviceChoice:
    """The first device of ``among`` that really works, else the CPU.

    torch is only imported where a CUDA device is likely, or where another
    accelerator may be taken: importing it costs more than a whole search.

    Raises:
        UserError: the device asked for does not work, or the name is unknown.
    """
    if wanted not in ("auto", "cpu", *ACCELERATORS):
        names = ", ".join(("auto", "cpu", *ACCELERATORS[:-1]))
        raise UserError(
            f"There is no device “{wanted}”.", "", f"Choose {names} or {ACCELERATORS[-1]}."
        )
    if wanted == "cpu":
        return DeviceChoice(device="cpu", reason="the CPU was asked for")
    problems = []
    for kind in among if wanted == "auto" else (wanted,):
        problem = _problem(kind)
        if problem is None:
            return DeviceChoice(device=kind, reason=f"a {kind.upper()} device works here")
        problems.append(problem)
    if wanted != "auto":
        name = _NAMES[wanted]
        raise UserError(
            f"{name[:1].upper()}{name[1:]} cannot be used.",
            f"{problems[0][:1].upper()}{problems[0][1:]}.",
            "Use the CPU.",
        )
    return DeviceChoice(device="cpu", reason="; ".join(dict.fromkeys(problems)))


def _problem(kind: str) -> str | None:
    """The reason why a device cannot be used; None when a small product really ran on it."""
    try:
        build = version("torch")
    except PackageNotFoundError:
        return "torch is not installed"
    if kind == "cuda":
        if "+cpu" in build:
            return f"the installed torch ({build}) has no CUDA"
        if shutil.which("nvidia-smi") is None:
            return "no NVIDIA driver was found"
    import torch

    backend = torch.backends.mps if kind == "mps" else getattr(torch, kind)
    if not backend.is_available():
        return f"torch finds no {kind.upper()} device"
    try:
        probe = torch.ones(8, 8, device=kind)
        (probe @ probe).cpu()
    except RuntimeError as error:  # e.g. "no kernel image" on cards that are too old
        return f"the {kind.upper()} device does not run torch's kernels ({error})"
    return None
