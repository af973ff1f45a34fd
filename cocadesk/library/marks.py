"""Stars and flags: a person's, else the file's."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    """A person's flag for a medium; NONE also hides that a file calls itself rejected."""

    PICK = "pick"
    REJECT = "reject"
    NONE = "none"


def stars_of(human: int | None, file: int | None) -> int | None:
    """A person's stars, else the file's, or None.

    A person's 0 says that there are none; a file's -1 is no number (see ``flag_of``).
    """
    if human is not None:
        return human or None
    return file if file is not None and file >= 0 else None


def flag_of(human: str | None, file_rating: int | None) -> str:
    """A person's flag, else that of the file: a rating below 0 is how XMP says rejected."""
    if human is not None:
        return human
    return Flag.REJECT if file_rating is not None and file_rating < 0 else Flag.NONE
