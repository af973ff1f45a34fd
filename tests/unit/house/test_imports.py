"""Imports of our own names in files that nothing else checks: tests, tools, docs."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.architecture import PACKAGES, ROOT

OURS = (*PACKAGES, "tests")
UNCHECKED = ("tests", "tools", "docs")


def _file_of(module: str) -> Path | None:
    """The file of a module, or the folder where it is a package without one."""
    place = ROOT.joinpath(*module.split("."))
    for path in (place.with_suffix(".py"), place / "__init__.py", place):
        if path.exists():
            return path
    return None


@cache
def _names_of(path: Path) -> frozenset[str]:
    """The names that a module gives itself at its top, in whichever branch."""
    if path.is_dir():
        return frozenset()
    source = path.read_text("utf-8")
    own = {
        symbol.get_name()
        for symbol in symtable.symtable(source, str(path), "exec").get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    starred = (
        _file_of(node.module or "")
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )
    return frozenset(own).union(*(_names_of(other) for other in starred if other is not None))


def stale_imports(source: str) -> Iterator[str]:
    """Each import of a module or name of ours that is not there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in OURS and _file_of(alias.name) is None:
                    yield f"line {node.lineno}: {alias.name}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            module = node.module or ""
            path = _file_of(module)
            known = frozenset[str]() if path is None else _names_of(path)
            for alias in node.names:
                if alias.name not in known and _file_of(f"{module}.{alias.name}") is None:
                    yield f"line {node.lineno}: {module}.{alias.name}"


@pytest.mark.parametrize("folder", UNCHECKED)
def test_every_name_of_ours_that_is_imported_is_there(folder: str) -> None:
    """A bench or a tool that nobody runs every day breaks here, not on its next use."""
    stale = {
        path.relative_to(ROOT).as_posix(): found
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (found := list(stale_imports(path.read_text("utf-8"))))
    }
    assert stale == {}


@pytest.mark.parametrize(
    "line",
    [
        "import cocadesk.nowhere",
        "from cocadesk.nowhere import name",
        "from cocadesk import nowhere",
        "def f():\n    from cocadesk.errors import Nothing",
    ],
)
def test_a_stale_import_would_be_found(line: str) -> None:
    """A module that is gone, and a name of one that is there; also inside functions."""
    assert len(list(stale_imports(line))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import cocadesk.errors, numpy.nothing",
        "from cocadesk.errors import UserError",
        "from cocadesk import errors",
        "from tests.support import architecture",
        "from nowhere import name",
    ],
)
def test_an_import_that_holds_is_left_alone(line: str) -> None:
    """Modules, names, packages without a file of their own; others' names are not looked at."""
    assert list(stale_imports(line)) == []
