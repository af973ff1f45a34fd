"""``make demo``: the main job on the sample photos, in the terminal and then in the window.

Runs the same commands a person would type and prints each before it runs.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import system_libraries

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "resources" / "samples" / "photos"
QUERIES = ("people playing music on a stage", "a bird on a branch", "a city skyline at night")
SHOWN = ("city-night", "farm-dog", "giraffes", "ireland-musicians", "swimming-pool")


def command(library: Path, *words: str) -> list[str]:
    """A cocadesk command on the demo's own library."""
    name = "cocadesk.exe" if sys.platform == "win32" else "cocadesk"
    return [str(Path(sys.executable).parent / name), *words, "--library", str(library)]


def show(library: Path, *words: str) -> None:
    """Prints a command and runs it; ends the demo when it fails."""
    sys.stdout.write(f"\n$ cocadesk {shlex.join(words)}\n")
    sys.stdout.flush()
    done = subprocess.run(command(library, *words), cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(f"`cocadesk {words[0]}` ended with code {done.returncode}; the demo stops here.")


def photo(name: str) -> str:
    """A sample's path as a person in the checkout would type it."""
    return str((PHOTOS / f"{name}.jpg").relative_to(ROOT))


def open_window(library: Path) -> None:
    """Opens the window on the demo's library, where there is a screen for it."""
    if not system_libraries.has_screen():
        sys.stdout.write("\nNo display here, so the window stays closed. On a desktop: make app\n")
        return
    gone = system_libraries.missing(window=True)
    if gone:
        sys.exit("\nThe window cannot open. " + system_libraries.advice(gone))
    sys.stdout.write("\nOpening the window on this library; close it to end the demo.\n")
    sys.stdout.flush()
    subprocess.run(
        command(library), cwd=ROOT, check=False, env=os.environ | {"PYTHONSAFEPATH": "1"}
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--library", type=Path, required=True)
    library = parser.parse_args().library
    count = len(list(PHOTOS.glob("*.jpg")))
    sys.stdout.write(
        f"CocaDesk's main job on {count} sample photos, all on this machine: index them, find\n"
        "some by what they show, name what is in them and write a sentence about them.\n"
        f"The library is {library}; the photos are only read.\n"
    )
    started = time.monotonic()
    show(library, "index", str(PHOTOS.relative_to(ROOT)))
    for query in QUERIES:
        show(library, "search", query, "--limit", "5")
    show(library, "tag", *map(photo, SHOWN))
    show(library, "caption", *map(photo, SHOWN))
    sys.stdout.write(
        f"\nDone in {time.monotonic() - started:.0f} s. Credits: resources/samples/CREDITS.md\n"
    )
    open_window(library)


if __name__ == "__main__":
    main()
