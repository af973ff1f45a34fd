"""Errors of LanceDB as sentences: a full disk, a damaged table, a store that is away."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from cocadesk.errors import UserError, closed_to_us, refused_by_disk, tr
from cocadesk.library.object_store import store_refusal
from cocadesk.library_uri import shown_name, uri_of

log = logging.getLogger(__name__)


@contextlib.contextmanager
def store_in_words(folder: Path, doing: str) -> Iterator[None]:
    """Turn what LanceDB raises on a damaged or full disk into a sentence."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        # Of the ValueErrors only a lost table is the disk's doing, or a store that is away;
        # others are our bugs.
        is_ours = isinstance(error, ValueError) and "was not found" not in str(error)
        if is_ours and refusal_of(folder, error) is None:
            raise
        log.debug("the store failed to %s: %s", doing, error)  # the sentence is raised
        raise _store_error(folder, doing, error) from error


_NUMBER = re.compile(r"(?:os error|Errno) (\d+)")
_SOURCE_PLACES = re.compile(r",?\s*(?:[\w./~+-]*/)?[\w-]+\.rs:\d+(?::\d+)?")


def _error_number(text: str) -> int | None:
    """The system's number of an error, which LanceDB passes on as text."""
    found = _NUMBER.search(text)
    if found is None:
        return errno.ENOSPC if "StorageFull" in text or "No space left" in text else None
    return int(found[1])


def refusal_of(folder: Path, error: BaseException) -> UserError | None:
    """The sentence where an object store is away, or refuses us; None for other errors."""
    uri = uri_of(folder.parent)
    return None if uri is None else store_refusal(uri, str(error))


def _store_error(folder: Path, doing: str, error: Exception) -> UserError:
    if (said := refusal_of(folder, error)) is not None:
        return said
    # Lance ends its sentences with the places in its source that they passed through.
    text = _SOURCE_PLACES.sub("", str(error).split("\n")[0])[:300].rstrip(". ")
    what = f"The library in {shown_name(folder.parent)} can't {doing}"
    number = _error_number(str(error))
    if (refused := refused_by_disk(what, number)) is not None:
        return refused
    if number in (errno.EACCES, errno.EPERM):
        return closed_to_us(folder)
    return UserError(
        f"{what}.",
        tr("The store answered: {text}.", text=text),
        tr(
            "If the disk is healthy, the library is damaged: put it back from a backup, "
            "or index into a new one."
        ),
    )
