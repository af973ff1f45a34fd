"""Tag vocabularies: text files of tags; a library may have its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cocadesk.annotations.text import MAX_TAG_LETTERS, one_line
from cocadesk.errors import UserError, grouped, tr
from cocadesk.library.layout import VOCABULARY_NAME
from cocadesk.library.storage import storage_of
from cocadesk.resources import resource_path
from cocadesk.texts.tag_lists import NoTagListError, read_tag_list

MAX_FILE_BYTES = 4 * 2**20
MAX_TAGS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The tags a picture may get, in the file's order, each once.

    ``notes`` say what was made of the file where that is not plain.
    """

    name: str
    tags: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Reads a vocabulary file, or the one that ships where no path is given.

    One tag a line, one line with commas, or the column *name* of a tagger's CSV, in any
    usual encoding. Empty lines and lines that begin with ``#`` do not count; spaces are
    tidied; a tag that differs from an earlier one by case alone is merged into it.

    Raises:
        UserError: no such file, not text, too large, or no tags in it.
    """
    file = resource_path("vocabulary", "default.txt") if path is None else path
    try:
        found = read_tag_list(_read(file))
    except NoTagListError as error:
        raise _unusable(file, str(error)) from error
    return replace(parse_vocabulary(found.lines, file), notes=found.notes)


def parse_vocabulary(lines: Sequence[str], file: Path) -> Vocabulary:
    """The vocabulary of these lines of ``file``; see ``load_vocabulary``.

    Raises:
        UserError: a tag is too long, or there are none or too many.
    """
    tags: dict[str, str] = {}
    for line in lines:
        tag = one_line(line)
        if not tag or tag.startswith("#"):
            continue
        if len(tag) > MAX_TAG_LETTERS:
            raise _unusable(file, tr("A line is longer than {most} letters.", most=MAX_TAG_LETTERS))
        tags.setdefault(tag.casefold(), tag)
    if not tags:
        raise _unusable(file, tr("It has no tags."))
    if len(tags) > MAX_TAGS:
        raise _unusable(file, tr("It has more than {most} tags.", most=grouped(MAX_TAGS)))
    return Vocabulary(name=file.stem, tags=tuple(tags.values()))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unusable(file, f"{error.strerror or error}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise _unusable(file, tr("It is larger than {size} MB.", size=MAX_FILE_BYTES // 2**20))
    return data


def _unusable(file: Path, why: str) -> UserError:
    shown = str(file).encode("utf-8", "replace").decode()
    return UserError(
        tr("The tags cannot be read from {shown}.", shown=shown),
        why,
        tr("Give a text file with one tag a line."),
    )


def _custom_file(library_folder: Path) -> Path:
    """The file of the person's own tags."""
    return library_folder / VOCABULARY_NAME


def has_custom_vocabulary(library_folder: Path) -> bool:
    """True where the person chose tags for this library."""
    return _custom_file(library_folder).exists()


def library_vocabulary(library_folder: Path) -> Vocabulary:
    """The tags that pictures of this library get: the person's own, else the shipped ones.

    Raises:
        UserError: the person's file cannot be used (see ``load_vocabulary``).
    """
    file = _custom_file(library_folder)
    return load_vocabulary(file if file.exists() else None)


def set_custom_vocabulary(library_folder: Path, tags: Sequence[str]) -> Vocabulary:
    """Stores the person's tags, whole or not at all; none brings the shipped ones back.

    Raises:
        UserError: they cannot be used, or the disk refuses; the old ones stay.
    """
    file = _custom_file(library_folder)
    if not tags:
        storage_of(library_folder).remove(file)
        return load_vocabulary()
    lines = [one_line(tag) for tag in tags]
    hashed = [line for line in lines if line.startswith("#")]
    if hashed:
        raise UserError(
            tr("The tag {hashed} can't be used.", hashed=hashed[0]),
            tr("A tag must not begin with #."),
            tr("Leave it out."),
        )
    vocabulary = parse_vocabulary(lines, file)
    storage_of(library_folder).write(file, "".join(f"{t}\n" for t in vocabulary.tags).encode())
    return vocabulary
