"""The graphics cards of this computer, whether or not torch can use them; found without torch."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cocadesk.errors import tr

_DISPLAY = "0x03"
"""The class of PCI devices that compute pictures: with a screen, without, or for 3D alone."""
_NVIDIA, _AMD, _INTEL = "0x10de", "0x1002", "0x8086"
_LEAST_BYTES = 4 << 30
"""A card of AMD's with less memory of its own is one of a processor, which ROCm does not know."""
_INTEL_FOR_TORCH = re.compile(r"\bArc\b|Data Center GPU|Battlemage|Alchemist")
_PCI_NAMES = ("usr/share/hwdata/pci.ids", "usr/share/misc/pci.ids")
_WINDOWS_CARDS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
_ASKING_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphicsCard:
    """A card that some build of torch could use; ``kind`` is torch's name for such devices."""

    name: str
    kind: str


@cache
def graphics_cards(system: Path = Path("/")) -> tuple[GraphicsCard, ...]:
    """The cards that are worth naming; ``system`` is the root of the file system.

    Small ones inside a processor are left out: no build of torch makes them worth the trouble.
    """
    if sys.platform == "win32":
        found = _of_windows()
    elif sys.platform == "darwin":
        found = _of_apple()
    else:
        found = [card for folder in _pci_displays(system) if (card := _of_pci(folder, system))]
        if not any(card.kind == "cuda" for card in found):
            found = [*found, *_of_nvidia_smi()]  # Windows' Linux shows no PCI device
    return tuple(found)


def has_nvidia_driver(system: Path = Path("/")) -> bool:
    """True where NVIDIA's driver is loaded, as far as that can be seen without it."""
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32/nvcuda.dll").exists()
    places = ("proc/driver/nvidia/version", "dev/nvidiactl", "usr/lib/wsl/lib/libcuda.so.1")
    return any((system / place).exists() for place in places) or _nvidia_smi() is not None


def _nvidia_smi() -> str | None:
    return shutil.which("nvidia-smi")


def _of_nvidia_smi() -> list[GraphicsCard]:
    """The cards that NVIDIA's own program lists: ``GPU 0: NVIDIA GeForce RTX 3060 (UUID: …)``."""
    program = _nvidia_smi()
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=_ASKING_S, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    names = re.findall(r"^GPU \d+: (.+?) \(", done.stdout, re.MULTILINE)
    return [GraphicsCard(name=name, kind="cuda") for name in dict.fromkeys(names)]


def _of_apple() -> list[GraphicsCard]:
    is_of_apple = platform.machine() == "arm64"
    return [GraphicsCard(name=tr("Apple GPU"), kind="mps")] if is_of_apple else []


# Linux: what the kernel says of PCI devices -------------------------------------------------------


def _pci_displays(system: Path) -> Iterator[Path]:
    for folder in sorted((system / "sys/bus/pci/devices").glob("*")):
        if _line(folder / "class").startswith(_DISPLAY):
            yield folder


def _of_pci(folder: Path, system: Path) -> GraphicsCard | None:
    """The card of a PCI device; None for one that torch has nothing for."""
    vendor, device = _line(folder / "vendor"), _line(folder / "device")
    if vendor == _NVIDIA:
        about = system / "proc/driver/nvidia/gpus" / folder.name / "information"
        model = re.search(r"^Model:\s*(.+)$", _text(about), re.MULTILINE)
        name = model[1].strip() if model else _pci_name(vendor, device, system, "NVIDIA")
        return GraphicsCard(name=name, kind="cuda")
    if vendor == _AMD:
        memory = _line(folder / "mem_info_vram_total")
        is_large = memory.isdecimal() and int(memory) >= _LEAST_BYTES
        name = _pci_name(vendor, device, system, "AMD")
        return GraphicsCard(name=name, kind="cuda") if is_large else None
    if vendor == _INTEL:
        name = _pci_name(vendor, device, system, "Intel")
        driver = (folder / "driver").resolve().name
        is_known = driver == "xe" or _INTEL_FOR_TORCH.search(name)
        return GraphicsCard(name=name, kind="xpu") if is_known else None
    return None


def _pci_name(vendor: str, device: str, system: Path, maker: str) -> str:
    """``Intel Arc A770`` from the list of all PCI devices, where the system has one."""
    start, tab = f"{vendor[2:]}  ", f"\t{device[2:]}  "
    for place in _PCI_NAMES:
        is_within = False
        for line in _text(system / place).splitlines():
            if line[:1] not in ("\t", "#", ""):
                is_within = line.startswith(start)
            elif is_within and line.startswith(tab):
                whole = line.removeprefix(tab).strip()
                short = re.search(r"\[(.+)\]", whole)  # as in ``Navi 33 [Radeon RX 7600]``
                return f"{maker} {short[1] if short else whole}"
    return tr("{maker} graphics card", maker=maker)


def _line(path: Path) -> str:
    return _text(path).strip()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


# Windows: the registry's list of display drivers --------------------------------------------------


def _of_windows() -> list[GraphicsCard]:
    import winreg
    from typing import Any

    registry: Any = winreg  # its functions are known to type checkers on Windows alone
    found = []
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, _WINDOWS_CARDS) as cards:
            for number in range(registry.QueryInfoKey(cards)[0]):
                place = registry.EnumKey(cards, number)
                if place.isdecimal():
                    found.append(_of_registry(registry, cards, place))
    except OSError:
        return []
    return [card for card in found if card is not None]


def _of_registry(registry: object, cards: object, place: str) -> GraphicsCard | None:
    def value(name: str) -> object:
        try:
            return registry.QueryValueEx(key, name)[0]  # type: ignore[attr-defined]
        except OSError:
            return None

    try:
        with registry.OpenKey(cards, place) as key:  # type: ignore[attr-defined]
            name, memory = str(value("DriverDesc") or ""), value("HardwareInformation.qwMemorySize")
    except OSError:
        return None
    if "NVIDIA" in name:
        return GraphicsCard(name=name, kind="cuda")
    if _INTEL_FOR_TORCH.search(name):
        return GraphicsCard(name=name, kind="xpu")
    is_large = isinstance(memory, int) and memory >= _LEAST_BYTES
    return GraphicsCard(name=name, kind="cuda") if "Radeon" in name and is_large else None
