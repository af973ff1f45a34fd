"""What every test shares: no screen, no folder of the user's, the sample photos."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Before anything imports Qt, and in the environment so that child processes get it too.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
_HOME = Path(tempfile.mkdtemp(prefix="cocadesk-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["COCADESK_CACHE"] = str(_HOME / "cache")
os.environ["COCADESK_LIBRARY"] = str(_HOME / "library")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked ``gpu`` where there is none; torch is imported only for those."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device and this machine has none")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample photos that ship with the program; read only."""
    return Path(__file__).resolve().parent.parent / "resources" / "samples" / "photos"
