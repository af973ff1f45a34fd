"""The system's shared libraries that Qt and OpenCV need, and those that are missing."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys

# File name of the library -> Debian's package (Ubuntu's too; apt resolves the newer names).
ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FOR_A_WINDOW = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libpulse.so.0": "libpulse0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def has_screen() -> bool:
    """True where a window could be shown here."""
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing(window: bool) -> dict[str, str]:
    """The wanted libraries that do not load: file name -> Debian package."""
    if sys.platform != "linux":
        return {}
    wanted = ALWAYS | FOR_A_WINDOW if window else ALWAYS
    return {library: package for library, package in wanted.items() if not _loads(library)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def advice(gone: dict[str, str]) -> str:
    """Advice for someone whose system lacks ``gone``."""
    lines = ["System libraries are missing: " + ", ".join(sorted(gone)) + "."]
    if shutil.which("apt-get"):
        packages = " ".join(sorted(gone.values()))
        lines.append(f"Install them:  sudo apt-get install {packages}")
    elif shutil.which("dnf"):
        files = " ".join(f"'{library}()(64bit)'" for library in sorted(gone))
        lines.append(f"Install them:  sudo dnf install {files}")
    else:
        lines.append("Install the packages of your system that hold them.")
    return "\n".join(lines)


def packages() -> list[str]:
    """Every Debian package named here, for an image that is set up from nothing."""
    return sorted({*ALWAYS.values(), *FOR_A_WINDOW.values()})


if __name__ == "__main__":
    sys.stdout.write(" ".join(packages()) + "\n")
