"""Texts that people see, found in source without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tools.translations import CALLS, name_of

UNSHOWN_CALLS = {
    "AssertionError", "KeyError", "LookupError", "Preference", "QKeySequence", "RuntimeError",
    "Signal", "TypeError", "TypeVar", "ValueError", "basicConfig", "connect_named", "debug",
    "error", "exception", "getLogger", "info", "property", "remember", "remembered",
    "resource_path", "setApplicationName", "setObjectName", "setProperty", "setStyleSheet",
    "warning",
}  # fmt: skip
"""Calls whose texts are for us or for Qt: names, log lines, errors of ours."""
KEY_NAMES = {"Backspace", "Del", "Down", "End", "Enter", "Esc", "Home", "Left", "PgDown", "PgUp"}
KEY_NAMES |= {"Return", "Right", "Space", "Tab", "Up"}


def is_shown(text: str) -> bool:
    """True for what reads like words for people: a capital, or more than one word."""
    text = text.replace("CocaDesk", "")
    if text in KEY_NAMES or re.fullmatch(r"(Ctrl|Alt|Shift|Meta)\+.*|F\d+", text):
        return False
    if not re.search(r"[a-z]{2}|\b[A-Z][a-z]\b", text):
        return False
    return bool(re.match(r"\W*[A-Z][a-z]", text) or re.search(r"\s", text) or text.endswith("…"))


def unwrapped(path: Path) -> Iterator[str]:
    """The texts of a file that reach people in English whatever their language is."""
    yield from _unwrapped(ast.parse(path.read_bytes()))


def _unwrapped(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and is_shown(node.value):
            yield node.value
        return
    if isinstance(node, ast.JoinedStr):
        text = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
        if is_shown(text.replace("{}", "")):
            yield text
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _unwrapped(part.value)
        return
    for child in _seen(node):
        yield from _unwrapped(child)


def _seen(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node whose texts may be shown."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Call):
        name = name_of(node)
        if name in UNSHOWN_CALLS:
            return
        skipped = CALLS.get(name, ())
        yield node.func
        yield from (part for place, part in enumerate(node.args) if place not in skipped)
        yield from node.keywords
        return
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
        return
    if isinstance(node, ast.AnnAssign):
        yield from (part for part in (node.target, node.value) if part is not None)
        return
    if isinstance(node, ast.arg):
        return  # its annotation
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (node.args, *node.body, *node.decorator_list)
        return
    yield from ast.iter_child_nodes(node)
