"""Texts and their translations: ``make translations``, or ``python tools/translations.py``.

Finds each text that stands in a call of ``tr`` (or the like) or is the help of a command, writes
it into its room's catalogue (``resources/translations/de/ui.kit.po``) beside the German that is
there, and compiles that (``ui.kit.mo.gz``). A text that another room has translated gets the same
German. Texts without German are told, and left empty.
"""

from __future__ import annotations

import ast
import gzip
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cocadesk", "trainer", "ui")
FOLDER = ROOT / "resources" / "translations"
LANGUAGES = ("de",)
CALLS = {"tr": (0,), "tr_as": (0, 1), "tr_count": (1, 2), "kept": (0,)}
"""The calls that translate, with the places of their texts; the first of ``tr_as`` is a context."""
HELP = {"command", "documented"}
"""The decorators of commands: each paragraph of the docstring below is a text."""
# One and the same, so that catalogues differ only where texts do.
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def rooms() -> dict[str, list[Path]]:
    """The files of each room, e.g. ``ui.kit``; those beside the rooms count to the package."""
    found: dict[str, list[Path]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            found.setdefault(".".join(parts[: min(2, len(parts) - 1)]), []).append(path)
    return found


def name_of(call: ast.Call) -> str:
    """The last part of a called name."""
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def calls(path: Path) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Each call that translates, with its texts; in a formatted string too, as Babel has none."""
    source = path.read_bytes()
    if not any(f"{name}(".encode() in source for name in CALLS):
        return  # parsing takes long, and most files have no such call
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and name_of(node) in CALLS:
            yield (
                node,
                [node.args[place] for place in CALLS[name_of(node)] if place < len(node.args)],
            )


def help_texts(path: Path) -> Iterator[str]:
    """The paragraphs of the docstrings of commands, a line each, as ``tr_help`` takes them."""
    source = path.read_bytes()
    if not any(f"@{name}".encode() in source for name in HELP):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and HELP & set(map(_decorator, node.decorator_list)):
            paragraphs = (ast.get_docstring(node) or "").split("\n\n")
            yield from (" ".join(part.split()) for part in paragraphs if part.strip())


def _decorator(node: ast.expr) -> str:
    return name_of(node) if isinstance(node, ast.Call) else getattr(node, "id", "")


def template(files: list[Path]) -> Catalog:
    """The texts of a room, without translations."""
    made = Catalog()
    for path in files:
        where = [(path.relative_to(ROOT).as_posix(), None)]
        for call, parts in calls(path):
            said = [part.value for part in parts if isinstance(part, ast.Constant)]
            context = said.pop(0) if name_of(call) == "tr_as" else None
            text = tuple(said) if name_of(call) == "tr_count" else said[0]
            made.add(text, locations=where, context=context)
        for text in help_texts(path):
            made.add(text, locations=where)
    return made


def texts(catalogue: Catalog) -> Iterator[Message]:
    """The messages of a catalogue but its head."""
    return (message for message in catalogue if message.id)


def path_of(language: str, room: str) -> Path:
    """The file that a room's translations are written in."""
    return FOLDER / language / f"{room}.po"


def read(path: Path, language: str) -> Catalog:
    """A catalogue as it stands; an empty one where there is none."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def translations(language: str) -> dict[tuple[object, str | None], object]:
    """What all rooms have translated, by text and context."""
    found: dict[tuple[object, str | None], object] = {}
    for path in sorted((FOLDER / language).glob("*.po")):
        for message in texts(read(path, language)):
            if all(_strings(message)):
                found[message.id, message.context] = message.string
    return found


def merged(new: Catalog, language: str, known: dict[tuple[object, str | None], object]) -> Catalog:
    """The texts of a room with what is known of their translations."""
    made = Catalog(
        locale=language,
        project="CocaDesk",
        version="1",
        msgid_bugs_address="CocaDesk",
        last_translator="CocaDesk",
        language_team="CocaDesk",
        creation_date=WRITTEN,
        revision_date=WRITTEN,
        fuzzy=False,
        header_comment="# The texts of one room. Written by `make translations`.",
    )
    for message in texts(new):
        string = known.get((message.id, message.context))
        made.add(message.id, string, locations=message.locations, context=message.context)
    return made


def lacking(catalogue: Catalog) -> list[str]:
    """The texts without a translation."""
    return [str(message.id) for message in texts(catalogue) if not all(_strings(message))]


def _strings(message: Message) -> tuple[str, ...]:
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


def kept_texts() -> set[str]:
    """The texts of calls of ``kept``: stored in English and translated when they are shown."""
    return {
        str(texts[0].value)
        for files in rooms().values()
        for path in files
        for call, texts in calls(path)
        if name_of(call) == "kept" and isinstance(texts[0], ast.Constant)
    }


def write_kept(language: str) -> Path:
    """Writes what ``retold`` reads: each kept text with its translation, the longest first.

    So of two texts that both fit a sentence the one that says more is taken.
    """
    path = FOLDER / language / "kept.json.gz"
    known = translations(language)
    found = sorted(kept_texts(), key=lambda text: (-len(text), text))
    said = {text: known[text, None] for text in found if (text, None) in known}
    path.write_bytes(gzip.compress(json.dumps(said, ensure_ascii=False).encode(), mtime=0))
    return path


def compiled(path: Path, catalogue: Catalog) -> Path:
    """Writes a catalogue as gettext reads it, packed, beside its text; gives the file."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    target = path.with_suffix(".mo.gz")
    target.write_bytes(gzip.compress(file.getvalue(), mtime=0))
    return target


def main() -> int:
    """Writes all catalogues; 1 where a text has no translation."""
    missing = 0
    for language in LANGUAGES:
        known = translations(language)
        wanted = set()
        for room, files in rooms().items():
            new = merged(template(files), language, known)
            if not len(new):
                continue
            path = path_of(language, room)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, new, width=0, sort_output=True, no_location=True)
            wanted |= {path, compiled(path, new)}
            for text in lacking(new):
                missing += 1
                sys.stdout.write(f"{path.relative_to(ROOT)}: {text}\n")
        wanted.add(write_kept(language))
        for path in set((FOLDER / language).iterdir()) - wanted:
            path.unlink()
    sys.stdout.write(f"{missing} texts without a translation\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
