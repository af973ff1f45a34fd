"""Lists of tags in the forms that people have them: one a line, one long line, or a table."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from cocadesk.texts.reading import NotTextError, read_text

NAME_COLUMNS = ("name", "tag", "tags", "label")
_DELIMITERS = ",\t;"
_BETWEEN = re.compile(r"[,;，、；]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class NoTagListError(ValueError):
    """A file that is no list of tags; the message is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagList:
    """The lines of a list, a tag or a comment each; ``notes`` say what was made of the file."""

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_tag_list(data: bytes) -> TagList:
    """The tags of a file: a line each, those of one line with commas, or a table's names.

    Raises:
        NoTagListError: it is no text, or a table without a column of names.
    """
    try:
        found = read_text(data)
    except NotTextError as error:
        raise NoTagListError("It is not a text file.") from error
    notes = [f"It was read as {found.guessed}, which is a guess."] if found.guessed else []
    lines = found.text.splitlines()
    full = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if (names := _names_of_table(full)) is not None:
        lines = names
        notes.append(f"It is a table: {len(names):,} tags are those of its column of names.")
    elif len(full) == 1 and _BETWEEN.search(full[0]):
        lines = [tag.strip() for tag in _BETWEEN.split(full[0]) if tag.strip()]
        notes.append(f"Its one line was read as {len(lines):,} tags with commas between them.")
    return TagList(lines=tuple(lines), notes=tuple(notes))


def _names_of_table(lines: list[str]) -> list[str] | None:
    """The column of names of a tagger's table; None where the lines are no table.

    Raises:
        NoTagListError: it is one, and no column is called like a name.
    """
    for delimiter in _DELIMITERS:
        if len(lines) < 2 or delimiter not in lines[0]:
            continue
        rows = [row for row in csv.reader(lines, delimiter=delimiter, strict=False) if row]
        head = [field.strip().casefold() for field in rows[0]]
        column = next((head.index(name) for name in NAME_COLUMNS if name in head), None)
        if column is not None and len(head) > 1:
            return [row[column] for row in rows[1:] if len(row) > column]
        if _is_table(rows):
            raise NoTagListError(
                f"It is a table of {len(head)} columns, and none of them is called “name”."
            )
    return None


def _is_table(rows: list[list[str]]) -> bool:
    """True where all rows are equally long and one column is of numbers alone below its head."""
    columns = len(rows[0])
    if columns < 2 or any(len(row) != columns for row in rows):
        return False
    return any(
        all(_NUMBER.fullmatch(row[place].strip()) for row in rows[1:]) for place in range(columns)
    )
