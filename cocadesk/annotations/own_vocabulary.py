"""A library's own vocabulary: ``vocabulary.txt`` in its folder, else the shipped one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cocadesk.annotations.text import one_line
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary, parse_vocabulary
from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically

OWN_NAME = "vocabulary.txt"
_DIGEST_LETTERS = 8


def own_file(library_folder: Path) -> Path:
    """Where the person's own tags are kept."""
    return library_folder / OWN_NAME


def has_own_vocabulary(library_folder: Path) -> bool:
    """Whether the person chose tags for this library."""
    return own_file(library_folder).exists()


def library_vocabulary(library_folder: Path) -> Vocabulary:
    """The tags that pictures of this library get: the person's own, else the shipped ones.

    Raises:
        UserError: the person's file cannot be used (see ``load_vocabulary``).
    """
    file = own_file(library_folder)
    return load_vocabulary(file if file.exists() else None)


def set_own_vocabulary(library_folder: Path, tags: Sequence[str]) -> Vocabulary:
    """Keeps the person's tags, whole or not at all; none brings the shipped ones back.

    Raises:
        UserError: they cannot be used, or the disk refuses; the old ones are kept.
    """
    file = own_file(library_folder)
    if not tags:
        file.unlink(missing_ok=True)
        return load_vocabulary()
    lines = [one_line(tag) for tag in tags]
    hashed = [line for line in lines if line.startswith("#")]
    if hashed:
        raise UserError(
            f"The tag {hashed[0]} can't be used.", "A tag must not begin with #.", "Leave it out."
        )
    vocabulary = parse_vocabulary("\n".join(lines), file)
    write_atomically(file, "".join(f"{t}\n" for t in vocabulary.tags).encode(), durable=True)
    return vocabulary


def tags_mark(model_id: str, vocabulary: Vocabulary) -> str:
    """What is stored beside tags to know later whether they would come out the same.

    The model's id; with tags of one's own also their digest.
    """
    if vocabulary.tags == load_vocabulary().tags:
        return model_id
    digest = sha256("\n".join(vocabulary.tags).encode()).hexdigest()[:_DIGEST_LETTERS]
    return f"{model_id}+{digest}"
