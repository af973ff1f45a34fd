"""The one decision about device and arithmetic, with its reason in words."""

from __future__ import annotations

import os
import platform
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.model.graphics_cards import GraphicsCard, graphics_cards, has_nvidia_driver
from cocadesk.model.torch_loading import install_command, why_no_torch

DEVICE_VARIABLE = "COCADESK_DEVICE"
"""Names the device for a whole process where nobody asks for one: ``cpu``, ``cuda``…"""
ACCELERATORS = ("cuda", "xpu", "mps")
FLOAT32, BFLOAT16, FLOAT16 = "float32", "bfloat16", "float16"
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChoice:
    """``device`` is "cpu" or one of the accelerators; ``reason`` says why it was taken.

    ``dtype`` is the arithmetic in which it multiplies fast; a network is only computed so where
    its vectors then agree with float32's. ``name`` is the accelerator's own.
    """

    device: str
    reason: str
    dtype: str = FLOAT32
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """The installed torch, told without importing it: what its kernels are compiled for."""

    version: str
    cuda: bool = False
    rocm: bool = False
    xpu: bool = False


@dataclass(frozen=True, slots=True)
class _Problem:
    """``says`` why a device can't be used, ``helps`` what to do; both may stand in a sentence.

    ``is_seen``: torch itself found it, so there is something of that kind.
    """

    says: str
    helps: str = ""
    is_seen: bool = False


def choose_device(wanted: str = "auto", *, among: Sequence[str] = ACCELERATORS) -> DeviceChoice:
    """The first device of ``among`` that really works, else the CPU.

    "auto" follows ``COCADESK_DEVICE``. torch is only imported where an accelerator is likely:
    that costs more than a whole search.

    Raises:
        UserError: the device asked for does not work, or the name is unknown.
    """
    if wanted == "auto":
        wanted = os.environ.get(DEVICE_VARIABLE) or "auto"
    if wanted not in ("auto", "cpu", *ACCELERATORS):
        names = ", ".join(("auto", "cpu", *ACCELERATORS[:-1]))
        raise UserError(
            tr("There is no device “{wanted}”.", wanted=wanted),
            "",
            tr("Choose {names} or {accelerators}.", names=names, accelerators=ACCELERATORS[-1]),
        )
    if wanted == "cpu":
        return _cpu(tr("the CPU was asked for"))
    build = torch_build()
    problems: dict[str, _Problem] = {}
    for kind in among if wanted == "auto" else (wanted,):
        found = _tried(kind, build)
        if isinstance(found, DeviceChoice):
            return found
        problems[kind] = found
    if wanted != "auto":
        name, says = _name_of(wanted), problems[wanted].says
        raise UserError(
            tr("{name} cannot be used.", name=name[:1].upper() + name[1:]),
            f"{says[:1].upper()}{says[1:]}.",
            tr("Use the CPU."),
        )
    return _cpu(_why_none(problems, graphics_cards()))


def _name_of(kind: str) -> str:
    """An accelerator in a sentence."""
    names = {"xpu": tr("an Intel GPU (XPU)"), "mps": tr("an Apple GPU (MPS)")}
    return names.get(kind, kind.upper())


def dtype_of(kind: str) -> str:
    """The arithmetic in which a device multiplies fast.

    Of NVIDIA's cards Ampere and later have units for bfloat16, Volta and Turing for float16;
    those before compute both more slowly than float32. Apple's are fast in float16, Intel's in
    bfloat16, and processors where they have AVX512-BF16 or AMX.
    """
    if kind == "cpu":
        return BFLOAT16 if _cpu_has_bfloat16() else FLOAT32
    if kind == "cuda":
        import torch

        if torch.version.hip:
            return BFLOAT16 if torch.cuda.is_bf16_supported() else FLOAT16
        generation = torch.cuda.get_device_capability()[0]
        return BFLOAT16 if generation >= 8 else FLOAT16 if generation == 7 else FLOAT32
    return FLOAT16 if kind == "mps" else BFLOAT16


def torch_build() -> TorchBuild | None:
    """The installed torch; None where there is none. Reads its ``version.py``, runs nothing."""
    spec = find_spec("torch")
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((found for folder in folders if (found := build_in(Path(folder)))), None)


def build_in(folder: Path) -> TorchBuild | None:
    """The torch whose package lies in this folder."""
    try:
        text = (folder / "version.py").read_text("utf-8")
    except OSError:
        return None
    given = dict(re.findall(r"^(\w+)(?:: [^=]+)? = ['\"]([^'\"]*)['\"]", text, re.MULTILINE))
    return TorchBuild(
        version=given.get("__version__", ""),
        cuda="cuda" in given,
        rocm="hip" in given,
        xpu="xpu" in given,
    )


def _cpu(reason: str) -> DeviceChoice:
    return DeviceChoice(device="cpu", reason=reason, dtype=dtype_of("cpu"))


def _cpu_has_bfloat16(path: Path = Path("/proc/cpuinfo")) -> bool:
    """True where Linux says that the CPU multiplies in bfloat16; elsewhere nobody tells."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


def _why_none(problems: dict[str, _Problem], cards: Sequence[GraphicsCard]) -> str:
    """The reason for the CPU: the cards that are here, and what each lacks."""
    reasons = []
    for kind, problem in problems.items():
        names = [card.name for card in cards if card.kind == kind]
        if names:
            says = tr("{card} is here, but {problem}", card=names[0], problem=problem.says)
            reasons.append(f"{says}: {problem.helps}" if problem.helps else says)
        elif problem.is_seen:
            reasons.append(problem.says)
    return "; ".join(reasons) or tr("no graphics card was found that PyTorch could use")


def _tried(kind: str, build: TorchBuild | None) -> DeviceChoice | _Problem:
    """The device, where a small product really ran on it; else why not."""
    if build is None:
        return _Problem(tr("PyTorch is not installed"))
    problem = _problem_of_build(kind, build)
    if problem is not None:
        return problem
    if why := why_no_torch():
        says = tr("PyTorch ({build}) can't be loaded", build=build.version)
        return _Problem(f"{says} ({why.rstrip('.')})", install_command(), is_seen=True)
    import torch

    backend = torch.backends.mps if kind == "mps" else getattr(torch, kind)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        is_there = backend.is_available()
    if not is_there:
        why = tr("PyTorch finds no {kind} device", kind=kind.upper())
        lines = [str(each.message).strip().splitlines()[0][:200] for each in said]
        return _Problem(f"{why} ({lines[0].rstrip('.')})" if lines else why, is_seen=bool(lines))
    try:
        name = _name_of(kind) if kind == "mps" else backend.get_device_name()
        for dtype in dict.fromkeys((dtype_of(kind), FLOAT32)):
            failure = _failure(kind, dtype)
            if failure is None:
                reason = tr("{card} computes here", card=name)
                return DeviceChoice(device=kind, reason=reason, dtype=dtype, name=name)
    except RuntimeError as error:
        failure = str(error)
    why = tr("it does not run this PyTorch ({build})", build=build.version)
    line = (failure or "").strip().partition("\n")[0][:200].rstrip(".:")
    return _Problem(f"{why}: {line}" if line else why, is_seen=True)


def _problem_of_build(kind: str, build: TorchBuild) -> _Problem | None:
    """Why torch needs no asking; None where an accelerator of this kind is likely."""
    if kind == "mps":
        is_of_apple = sys.platform == "darwin" and platform.machine() == "arm64"
        return None if is_of_apple else _Problem(tr("this is no computer with a chip of Apple's"))
    if kind == "xpu":
        if build.xpu:
            return None
        what = tr("the installed PyTorch ({build}) has no XPU", build=build.version)
        return _Problem(what, install_command())
    if build.rocm:
        return None
    if not build.cuda:
        what = tr("the installed PyTorch ({build}) has no CUDA", build=build.version)
        return _Problem(what, install_command())
    if not has_nvidia_driver():
        return _Problem(tr("no NVIDIA driver was found"), tr("install the driver of the card"))
    return None


def _failure(kind: str, dtype: str) -> str | None:
    """What torch says where products, convolutions and attention do not run on a device."""
    import torch
    from torch.nn.functional import conv2d, scaled_dot_product_attention

    try:
        given = torch.ones(2, 4, 16, 16, device=kind, dtype=getattr(torch, dtype))
        attended = scaled_dot_product_attention(given @ given, given, given)
        result = float(conv2d(attended, given[:, :, :2, :2]).float().mean())
    except (RuntimeError, TypeError, AssertionError) as error:
        return str(error) or type(error).__name__  # "no kernel image" on cards that are too old
    return None if result == 16.0 else tr("the sum of 16 ones was {result}", result=result)
