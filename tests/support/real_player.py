"""The player of videos in a program of its own, on a real screen, which tests have none of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NO_LIBRARY = "A system library is missing"
_BEGIN = """
import sys
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication
from cocadesk.errors import UserError
from ui.detail.video_player import VideoPlayer
app = QApplication([])
try:
    player = VideoPlayer(app)
except UserError as error:
    print("no player:", error)
    sys.exit(0)
player.widget.resize(320, 240)
player.widget.show()
loop = QEventLoop()
"""


def told_by_player(script: str, path: Path) -> str:
    """What a program prints that has the ``player`` of this video (``sys.argv[1]``), and a loop.

    A computer without a screen or without the system's library of sounds skips the test.
    """
    if shutil.which("xvfb-run") is None:
        pytest.skip("needs a screen: xvfb-run is not here")
    environment = {key: v for key, v in os.environ.items() if key != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        ["xvfb-run", "-a", sys.executable, "-c", _BEGIN + script, str(path)],
        capture_output=True, text=True, check=True, timeout=120, env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    if "no player" in done.stdout and NO_LIBRARY in done.stdout:
        pytest.skip(done.stdout.strip())
    assert "no player" not in done.stdout, done.stdout
    return done.stdout
