"""A file that kills the engine: the job is set aside, the file named and passed over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from cocadesk.library.library import Library
from tests.support.program import ROOT, environment

COLOURS = ("red", "green", "blue", "white", "yellow", "purple")


def _index(library: Path, photos: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.deadly_backend", library, photos]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )


def test_a_file_that_kills_the_engine_is_named_and_passed_over(tmp_path: Path) -> None:
    """After at most four deaths the rest is indexed, and the file listed with the reason."""
    photos, library = tmp_path / "photos", tmp_path / "library"
    photos.mkdir()
    for number, colour in enumerate(COLOURS):
        Image.new("RGB", (64 + number, 64), colour).save(photos / f"{number}-{colour}.png")
    deaths = 0
    while (done := _index(library, photos)).returncode == -9:
        deaths += 1
        assert deaths <= 4
    assert done.returncode == 0, done.stderr
    assert deaths >= 3
    assert f"It was reading {photos / '3-white.png'} each time" in done.stdout
    assert "end:" in done.stdout
    with Library.open(library, create=False, writer=False) as opened:
        (failure,) = opened.media.failures()
        assert failure.path.endswith(b"3-white.png")
        assert "ended unexpectedly" in failure.reason
        assert opened.counts().photos == 5
