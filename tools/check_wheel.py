"""Builds the wheel, installs it into an environment outside the checkout and runs it there.

The new environment borrows the heavy dependencies of the environment that runs
this (a ``.pth`` file lists its packages; editable installs are not followed from
there), so that what is tested is our own wheel: is everything in it, and does it
work without the checkout?
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WANTED = (
    "cocadesk/cli/main.py",
    "cocadesk/resources/starter/",
    "cocadesk/resources/samples/photos/beach.jpg",
    "cocadesk/resources/samples/CREDITS.md",
    "cocadesk/resources/places/places.npz",
    "cocadesk/resources/text_vectors/README.md",
    "cocadesk/resources/vocabulary/default.txt",
    "cocadesk/resources/vocabulary/parents.tsv",
    "trainer/__init__.py",
    "ui/__init__.py",
)
ALLOWED_ROOTS = {"cocadesk", "trainer", "ui"}


def build(folder: Path) -> Path:
    """The wheel of this checkout, in ``folder``."""
    arguments = ["--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(
        [sys.executable, "-P", "-m", "build", *arguments], check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_content(wheel: Path) -> None:
    """Ends when the wheel lacks something or carries what does not belong in it."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    lacking = [path for path in WANTED if not any(name.startswith(path) for name in names)]
    if lacking:
        sys.exit(f"The wheel lacks {', '.join(lacking)}.")
    roots = {name.split("/", 1)[0] for name in names if ".dist-info/" not in name}
    if roots - ALLOWED_ROOTS:
        sys.exit(f"The wheel carries {', '.join(sorted(roots - ALLOWED_ROOTS))}.")


def install(wheel: Path, folder: Path) -> Path:
    """The folder of commands of a new environment that holds the wheel."""
    venv.create(folder, with_pip=False)
    scheme = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    ours = Path(sysconfig.get_path("purelib"))
    (packages / "borrowed.pth").write_text(f"{ours}\n", "utf-8")
    commands = Path(sysconfig.get_path("scripts", "venv", scheme))
    python = commands / Path(sys.executable).name
    pip = [sys.executable, "-P", "-m", "pip", "--python", str(python)]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--force-reinstall"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    return commands


def run(commands: Path, folder: Path, *words: str) -> str:
    """The output of a command of the new environment, run in ``folder``; ends when it fails."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COCADESK_"))}
    clean |= {"COCADESK_CACHE": str(folder / "cache"), "COCADESK_LIBRARY": str(folder / "library")}
    command = [str(commands / words[0]), *words[1:]]
    done = subprocess.run(
        command, cwd=folder, env=clean, stdout=subprocess.PIPE, check=False, timeout=300
    )
    if done.returncode:
        sys.exit(f"`{' '.join(words)}` ended with code {done.returncode}.")
    return done.stdout.decode()


def check_behaviour(commands: Path, folder: Path) -> None:
    """Indexes and searches the sample photos with the installed program alone."""
    python = Path(sys.executable).name
    where = run(commands, folder, python, "-c", "import cocadesk; print(cocadesk.__file__)")
    if Path(where.strip()).is_relative_to(ROOT):
        sys.exit(f"The installed environment imports the checkout: {where.strip()}")
    photos = folder / "photos"
    shutil.copytree(ROOT / "resources" / "samples" / "photos", photos)
    count = len(list(photos.iterdir()))
    report: dict[str, Any] = json.loads(
        run(commands, folder, "cocadesk", "index", str(photos), "--json")
    )
    if report["indexed"] != count or report["failed"]:
        sys.exit(f"Of {count} sample photos {report['indexed']} were indexed: {report['failed']}")
    found = json.loads(run(commands, folder, "cocadesk", "search", "a dog", "--json"))["results"]
    if not found:
        sys.exit("The search for a dog found nothing.")
    best = Path(found[0]["path"]).name
    sys.stdout.write(f"Installed wheel: {count} photos indexed; best for “a dog”: {best}\n")


def main() -> None:
    """Command line."""
    with tempfile.TemporaryDirectory(prefix="cocadesk-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        check_content(wheel)
        size_mb = wheel.stat().st_size / 1e6
        sys.stdout.write(f"Built {wheel.name}, {size_mb:.0f} MB.\n")
        sys.stdout.flush()
        check_behaviour(install(wheel, folder / "environment"), folder)


if __name__ == "__main__":
    main()
