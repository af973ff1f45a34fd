"""What a process loads: the window stays light, and so does a command's help."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.architecture import ROOT, modules

HEAVY = {"PIL", "cv2", "lancedb", "numpy", "openvino", "pyarrow", "torch"}
LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def loaded_by(*names: str) -> set[str]:
    """Top-level modules in a new process that has imported ``names``."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(names)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def test_the_window_loads_neither_torch_nor_the_store() -> None:
    """With every module of ui loaded, no heavy library is in its process."""
    names = [name for name in modules() if name == "ui" or name.startswith("ui.")]
    assert loaded_by(*names) & HEAVY == set()


@pytest.mark.parametrize("name", ["cocadesk.cli.main", "cocadesk.protocol", "cocadesk.resources"])
def test_the_entrance_of_a_room_is_cheap(name: str) -> None:
    """Help must answer at once, so the command line loads heavy libraries only when used."""
    assert loaded_by(name) & HEAVY == set()


def test_help_is_printed_without_the_engines_messages() -> None:
    """A command loads its messages and its client when it runs, not when it is declared."""
    assert loaded_by("cocadesk.cli.app") & (HEAVY | {"msgspec", "queue", "socket"}) == set()


def test_the_program_loads_neither_the_window_nor_the_trainer() -> None:
    """Importing every module of the command line brings in no other package of ours."""
    names = [name for name in modules() if name.startswith("cocadesk.cli")]
    assert loaded_by(*names) & {"PySide6", "trainer", "ui"} == set()
