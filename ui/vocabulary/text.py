"""Lists of tags as text, one a line: cleaning, reading and writing files."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.texts.tag_lists import NoTagListError, read_tag_list
from ui.kit.translation import tr, tr_count

MAX_FILE_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TagText:
    """The tags of a text, in their order, and what was left out of it.

    ``notes`` say what was made of a file where that is not plain.
    """

    tags: tuple[str, ...]
    repeated: int = 0
    empty: int = 0
    notes: tuple[str, ...] = ()

    def remark(self) -> str:
        """``1,204 tags · 2 duplicates and 1 empty line skipped``."""
        parts = []
        if self.repeated:
            parts.append(tr_count(self.repeated, "{n} duplicate", "{n} duplicates"))
        if self.empty:
            parts.append(tr_count(self.empty, "{n} empty line", "{n} empty lines"))
        line = tr_count(len(self.tags), "{n} tag", "{n} tags")
        if not parts:
            return line
        both = (
            parts[0] if len(parts) == 1 else tr("{one} and {other}", one=parts[0], other=parts[1])
        )
        return tr("{tags} · {others} skipped", tags=line, others=both)


def read_tags(text: str) -> TagText:
    """The tags of a text, one a line; equal but for case and blanks is the same tag.

    An empty last line is how texts end, and not counted.
    """
    lines = text.removesuffix("\n").split("\n") if text else []
    tags: dict[str, str] = {}
    repeated = empty = 0
    for line in lines:
        tag = " ".join(unicodedata.normalize("NFC", line).split())
        if not tag:
            empty += 1
        elif tag.casefold() in tags:
            repeated += 1
        else:
            tags[tag.casefold()] = tag
    return TagText(tags=tuple(tags.values()), repeated=repeated, empty=empty)


def write_tags(tags: Iterable[str]) -> str:
    """The text of these tags."""
    return "".join(f"{tag}\n" for tag in tags)


def load_file(path: str) -> TagText:
    """The tags of a text file.

    Raises:
        UserError: it cannot be read or is no such file.
    """
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UserError(
            tr("{name} cannot be read.", name=name), error.strerror or str(error)
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise UserError(
            tr("{name} is too large for a list of tags.", name=name), "", tr("Choose a text file.")
        )
    try:
        found = read_tag_list(data)
    except NoTagListError as error:
        raise UserError(
            tr("{name} is no list of tags.", name=name),
            str(error),
            tr("Choose a text file with a tag on each line."),
        ) from None
    return replace(read_tags("\n".join(found.lines)), notes=found.notes)


def save_file(path: str, tags: Iterable[str]) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    target = Path(path)
    draft: str | None = None
    try:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(write_tags(tags).encode())
        os.replace(draft, target)  # noqa: PTH105 - one call, atomic
    except OSError as error:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)
        raise UserError(
            tr("{target} cannot be written.", target=target.name), error.strerror or str(error)
        ) from error
