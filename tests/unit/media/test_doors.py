"""What importing this room costs, and what OpenCV must not leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout.strip()


def test_importing_the_room_and_starting_a_pool_loads_no_decoder() -> None:
    """No decoder runs in the engine's process, so none is loaded there."""
    program = (
        "import sys\n"
        "from cocadesk.media.pool.pool import DecoderPool\n"
        "from cocadesk.media.scanning import scan\n"
        "from cocadesk.picture_input import InputSpec\n"
        "with DecoderPool(spec=InputSpec(size_px=32), workers=1): pass\n"
        "names = ('cv2', 'PIL', 'pi_heif', 'rawpy', 'pylibjxl', 'av', 'torch')\n"
        "print([name for name in names if name in sys.modules])\n"
    )
    assert run(program) == "[]"


def test_opencv_leaves_qts_environment_as_it_was() -> None:
    """The full wheel points Qt at its own plugins, which breaks PySide6 in child processes."""
    program = (
        "import os\n"
        "os.environ['QT_QPA_FONTDIR'] = 'mine'\n"
        "os.environ.pop('QT_QPA_PLATFORM_PLUGIN_PATH', None)\n"
        "import cocadesk.media.opencv\n"
        "print(os.environ['QT_QPA_FONTDIR'], os.environ.get('QT_QPA_PLATFORM_PLUGIN_PATH'))\n"
    )
    assert run(program) == "mine None"
