"""Opens the model that a person or a library names; importable without numpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import UserError
from cocadesk.locations import STARTER

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend


def open_source(source: str, runs_folder: Path | None, *, is_chosen_here: bool) -> Backend:
    """The network of a source, which may be a run of a library (``run:ID``).

    ``is_chosen_here`` is False where the library remembers the source: then the
    person may not know where it came from, and hears how to go back.

    Raises:
        UserError: it cannot be opened.
    """
    from cocadesk.model.backend import open_backend
    from cocadesk.model.source import resolve_source

    try:
        return open_backend(
            resolve_source(source, runs_folder), device="auto", fetch=is_chosen_here
        )
    except UserError as error:
        if is_chosen_here or source == STARTER:
            raise
        raise lost_model(source, error) from error


def durable_source(source: str) -> str:
    """The source as it can be remembered: a path that is there is made absolute."""
    if source == STARTER or not Path(source).expanduser().exists():
        return source
    return str(Path(source).expanduser().absolute())


def lost_model(source: str, error: UserError) -> UserError:
    """The error for a library whose model cannot be opened."""
    return UserError(
        f"The model that this library uses ({source}) cannot be opened.",
        " ".join(part for part in (error.what, error.why) if part),
        f"Put its files back, or go back to the model that ships: cocadesk model use {STARTER}.",
    )
