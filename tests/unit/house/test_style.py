"""The house's own bar: sizes, fan-out, docstrings, and the language that they are in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.architecture import graph, modules

MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 60
MOST_METHODS = 25
MOST_IMPORTS = 18
MOST_QUESTIONS = 0.04
LEAST_DOCUMENTED = 0.9
QUESTION_WORDS = (
    "what", "whether", "how", "where", "which", "who", "when", "why", "nobody", "everything that",
)  # fmt: skip
EMPTY_NAMES = ("util", "utils", "helper", "helpers", "manager", "misc", "common")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Every module of ours by its name, parsed."""
    return tuple((name, ast.parse(path.read_bytes())) for name, path in modules().items())


def definitions() -> Iterator[tuple[str, Definition]]:
    """Every class and function of ours, by module and name."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, Definition):
                yield f"{name}:{node.name}", node


def docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring of ours, by where it stands."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, Definition | ast.Module):
                text = ast.get_docstring(node)
                if text:
                    yield f"{name}:{getattr(node, 'name', '')}", text


def opens_with_a_question(text: str) -> bool:
    """True where a docstring hides its noun behind a question word."""
    return text.lower().startswith(tuple(f"{word} " for word in QUESTION_WORDS))


def lines_of(node: Definition) -> int:
    """The lines of a function from ``def`` to its end, the docstring left out."""
    lines = (node.end_lineno or 0) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return lines


def is_public(node: ast.AST) -> bool:
    """True for a class or function that others may use."""
    return isinstance(node, Definition) and not node.name.startswith("_")


def public_definitions(tree: ast.Module) -> Iterator[Definition]:
    """The public classes and functions of a module, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, Definition) and is_public(node):
            yield node
            if isinstance(node, ast.ClassDef):
                inner = (item for item in node.body if isinstance(item, Definition))
                yield from (item for item in inner if is_public(item))


def test_docstrings_say_the_noun() -> None:
    """At most one in twenty-five opens with a question word."""
    found = list(docstrings())
    asking = [name for name, text in found if opens_with_a_question(text)]
    assert len(asking) <= MOST_QUESTIONS * len(found), f"{len(asking)} of {len(found)}: {asking}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What a file is.", True),
        ("Whether it runs.", True),
        ("Nobody waits.", True),
        ("Whole frames.", False),
        ("True where it runs.", False),
        ("Whatever comes.", False),
    ],
)
def test_a_question_word_is_told_from_its_likes(text: str, expected: bool) -> None:
    """The finder itself works."""
    assert opens_with_a_question(text) is expected


def test_no_class_has_more_methods_than_one_can_know() -> None:
    """A class that large does two things."""
    counts = {
        name: sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
        for name, node in definitions()
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in counts.items() if count > MOST_METHODS} == {}


def test_no_module_imports_half_the_program() -> None:
    """What knows everything cannot be changed for one reason."""
    counts = {name: len(targets) for name, targets in graph(at_top_only=True).items()}
    assert {name: count for name, count in counts.items() if count > MOST_IMPORTS} == {}


def test_no_file_and_no_function_is_too_long_to_be_read_at_once() -> None:
    """The longest allowed, not the length to aim at."""
    files = {name: len(path.read_bytes().splitlines()) for name, path in modules().items()}
    functions = {
        name: lines_of(node) for name, node in definitions() if not isinstance(node, ast.ClassDef)
    }
    assert {n: lines for n, lines in files.items() if lines > MOST_LINES_OF_A_FILE} == {}
    assert {n: lines for n, lines in functions.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_what_is_public_is_documented() -> None:
    """Nine of ten: a name that says everything needs no sentence."""
    public = [
        (f"{name}:{node.name}", ast.get_docstring(node) is not None)
        for name, tree in trees()
        for node in public_definitions(tree)
    ]
    silent = [name for name, is_documented in public if not is_documented]
    assert len(silent) <= (1 - LEAST_DOCUMENTED) * len(public), silent


def test_every_function_is_typed() -> None:
    """Each parameter and each result; mypy then knows the rest."""
    bare = []
    for name, node in definitions():
        if isinstance(node, ast.ClassDef):
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        named = [a for a in arguments if a.arg not in ("self", "cls")]
        if node.returns is None or any(a.annotation is None for a in named):
            bare.append(name)
    assert bare == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    """Whoever looks for a thing must find it by the word for it."""
    parts = {name: name.rsplit(".", 1)[-1] for name in modules()}
    assert [name for name, last in parts.items() if last in EMPTY_NAMES] == []


def test_every_label_and_tip_of_the_window_is_plain() -> None:
    """Qt would take a file's name for HTML: ``PlainLabel`` and ``tip_of`` keep it from that."""
    found = []
    for name, tree in trees():
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
        for call in calls if name.startswith("ui.") else ():
            called = ast.unparse(call.func)
            is_tip = called.endswith("setToolTip")
            if called == "QLabel" or (is_tip and not is_plain_tip(call.args[-1])):
                found.append(f"{name}:{call.lineno}")
    assert not found


def is_plain_tip(tip: ast.expr) -> bool:
    """True for a tip without a name in it, or with the names made plain."""
    if isinstance(tip, ast.IfExp):
        return is_plain_tip(tip.body) and is_plain_tip(tip.orelse)
    if isinstance(tip, ast.Call) and ast.unparse(tip.func) == "tr":
        return not tip.keywords  # a name would be one of them
    is_made = isinstance(tip, ast.Call) and ast.unparse(tip.func) == "tip_of"
    return is_made or isinstance(tip, ast.Constant)


def test_nothing_is_left_for_later() -> None:
    """No mark of unfinished work, no print outside the command line and the tools."""
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    marked = [
        name for name, path in modules().items() if any(m in path.read_text("utf-8") for m in marks)
    ]
    assert marked == []
