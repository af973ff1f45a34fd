"""Makes ``.venv`` ready: says what it will cost, installs what is missing, checks the system.

Runs on the standard library alone and returns at once when nothing changed: the
stamp in .venv holds a hash over pyproject.toml, constraints.txt and the Python
that made it.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import system_libraries

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "cocadesk-installed"
NEEDED_DISK_GB = 3
CUDA_DISK_GB = 8


def venv_python() -> Path:
    """The interpreter inside ``.venv``."""
    windows = sys.platform == "win32"
    return VENV / ("Scripts/python.exe" if windows else "bin/python")


def fingerprint() -> str:
    """Changes when the installed packages should."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def announce() -> None:
    """Says what is about to happen, how much room it takes and how long."""
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    say(
        "Installing CocaDesk and its dependencies (PyTorch, Qt, LanceDB, OpenCV, …) into .venv.",
        "Takes about 2.7 GB of disk, 0.9 GB of it to download, and 1 to 10 minutes: once.",
    )
    if sys.platform == "linux" and platform.machine() == "x86_64":
        say(
            "Where pip finds only PyTorch's CUDA build it is up to 7 GB; CONTRIBUTING.md says how",
            "to get the CPU build, which is all that CocaDesk needs without an NVIDIA card.",
        )
    if free_gb < NEEDED_DISK_GB:
        stop(f"Only {free_gb:.1f} GB are free here; {NEEDED_DISK_GB} GB are needed.")
    if free_gb < CUDA_DISK_GB:
        say(f"{free_gb:.1f} GB are free here: enough for the CPU build only.")


def create_venv() -> None:
    """Makes ``.venv`` unless there is one that works."""
    works = venv_python().exists() and run([venv_python(), "-m", "pip", "--version"], quiet=True)
    if works:
        return
    if importlib.util.find_spec("ensurepip") is None:
        stop(
            f"{sys.executable} cannot make virtual environments: its module ensurepip is missing.",
            "Debian and Ubuntu: sudo apt-get install python3-venv",
        )
    if not run([sys.executable, "-m", "venv", "--clear", VENV]):
        stop("The virtual environment .venv could not be made; the lines above say why.")


def install() -> None:
    """Installs the project, editable, with its pinned dependencies."""
    started = time.monotonic()
    pip = [venv_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not run([*pip, "-e", f"{ROOT}[dev]", "-c", ROOT / "constraints.txt"]):
        stop(
            "The installation did not finish; the lines above say why.",
            "Running the same command again goes on from there.",
        )
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def check_system(window: bool) -> None:
    """Stops with the command that helps when the system lacks a library."""
    gone = system_libraries.missing(window)
    if gone:
        stop(system_libraries.advice(gone))


def run(command: list[str | Path], *, quiet: bool = False) -> bool:
    """True where ``command`` succeeded."""
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=output, stderr=output)
    return done.returncode == 0


def say(*lines: str) -> None:
    """Prints at once, so that it stands above pip's output."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def stop(*lines: str) -> None:
    """Ends with these sentences."""
    sys.exit("\n".join(lines))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Makes .venv ready for CocaDesk.")
    parser.add_argument("--window", action="store_true", help="a window will be opened")
    arguments = parser.parse_args()
    check_system(arguments.window or system_libraries.has_screen())
    if STAMP.exists() and STAMP.read_text("utf-8") == fingerprint():
        return
    if STAMP.exists():
        say("The pinned packages changed: bringing .venv up to date (usually under 2 minutes).")
    else:
        announce()
    create_venv()
    install()
    STAMP.write_text(fingerprint(), "utf-8")


if __name__ == "__main__":
    main()
