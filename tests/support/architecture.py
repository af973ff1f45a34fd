"""Reads the imports of our packages from their source, without importing anything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cocadesk", "trainer", "ui")


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(
    path: Path, *, typing_too: bool = False, later_too: bool = True
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(module, names taken from it) of each import that runs.

    With ``typing_too`` also those for type checkers; without ``later_too`` not those
    inside functions.
    """
    return tuple(_imports_in(ast.parse(path.read_bytes()), typing_too, later_too))


def _imports_in(
    node: ast.AST, typing_too: bool, later_too: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if is_for_types and not typing_too:
            yield from _imports_in(
                ast.Module(body=child.orelse, type_ignores=[]), typing_too, later_too
            )
        elif isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, ()
        elif isinstance(child, ast.ImportFrom):
            yield child.module or "", tuple(alias.name for alias in child.names)
        elif later_too or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports_in(child, typing_too, later_too)


def graph(*, at_top_only: bool = False) -> dict[str, set[str]]:
    """The modules of ours that each imports: at its top, later, or for its types alone.

    With ``at_top_only`` the ones that are loaded together with it.
    """
    ours = modules()
    edges: dict[str, set[str]] = {}
    for name, path in ours.items():
        targets = set()
        taken_in = imports(path, typing_too=not at_top_only, later_too=not at_top_only)
        for module, taken in taken_in:
            inner = [f"{module}.{item}" for item in taken if f"{module}.{item}" in ours]
            outer = [module] if module in ours and len(inner) < max(len(taken), 1) else []
            targets.update(inner, outer)
        edges[name] = targets - {name}
    return edges


def third_party(path: Path) -> set[str]:
    """Top-level names that a file imports from outside this project and Python itself."""
    tops = {module.split(".", 1)[0] for module, _ in imports(path)}
    return tops - set(sys.stdlib_module_names) - set(PACKAGES) - {"", "__future__"}


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """One import cycle as the modules it runs through, or an empty list."""
    done: set[str] = set()
    for start in edges:
        found = _walk(start, edges, [], done)
        if found:
            return found
    return []


def _walk(module: str, edges: dict[str, set[str]], trail: list[str], done: set[str]) -> list[str]:
    if module in trail:
        return [*trail[trail.index(module) :], module]
    if module in done:
        return []
    for target in sorted(edges[module]):
        found = _walk(target, edges, [*trail, module], done)
        if found:
            return found
    done.add(module)
    return []
