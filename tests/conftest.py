"""What every test shares: no screen, no folder of the user's, its share of the processors."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything imports Qt, and in the environment so that child processes get it too.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["COCADESK_LANGUAGE"] = "en"
# Workers (`pytest -n`) are children of the first process: they share its cache of models that
# were compiled for this machine, which takes some seconds each.
_FIRST = "COCADESK_TESTS_CACHE"
_HOME = Path(tempfile.mkdtemp(prefix="cocadesk-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["COCADESK_CACHE"] = os.environ.setdefault(_FIRST, str(_HOME / "cache"))
os.environ["COCADESK_LIBRARY"] = str(_HOME / "library")
# Before anything imports torch: with several workers (`pytest -n`) their threads together are
# as many as there are processors, and none spins while it waits for another.
if (_workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))) > 1:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _workers)))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# A test that imports OpenVINO itself would let it report to its maker, and wait for that.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

# Of some 20 s of the processor that a worker took to collect the tests, 7 went into looking for
# garbage, again and again, among what it had imported. See pytest_runtestloop.
gc.disable()

# A shell that starts the tests in the background lets them ignore Ctrl+C, and so would every
# program that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Beside other workers an example may take any time.
settings.register_profile("cocadesk", deadline=None)
settings.load_profile("cocadesk")

LONG = (
    "tests/ui/test_whole.py",
    "tests/e2e/test_teaching.py",
    "tests/unit/trainer",
    "tests/e2e",
    "tests/unit/indexing/test_ray.py",
    "tests/unit/media/test_shared",
)
"""Tests that take longest, in this order; no worker shall be left alone with them in the end."""


def _place(item: pytest.Item) -> int:
    places = (i for i, start in enumerate(LONG) if item.nodeid.startswith(start))
    return next(places, len(LONG))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest tests first; their order is otherwise as it was."""
    items.sort(key=_place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Has garbage collected from here on, among what the tests make, not what was imported."""
    gc.freeze()
    gc.enable()


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
