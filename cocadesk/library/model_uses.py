"""Which libraries of this person use which models that were fetched: one may be needed by several.

What counts is what a library's ``library.json`` says now; the note of it, while its disk is away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.layout import MANIFEST_NAME, read_manifest
from cocadesk.library.model_notes import ModelNote, model_notes, noted_sources
from cocadesk.library_uri import followed, uri_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """A library and the sources that it uses; ``is_away``: as it was when it was last here."""

    library: Path
    sources: tuple[str, ...]
    note: Path
    is_away: bool = False


def model_uses() -> Iterator[ModelUse]:
    """The libraries that use other models than the starter.

    The note of one that was removed is removed, too.
    """
    for note in model_notes():
        use = _use_now(note)
        if use is None:
            note.file.unlink(missing_ok=True)
        elif use.sources:
            yield use


def _use_now(note: ModelNote) -> ModelUse | None:
    """The use as it is now; None of a library that is no more."""
    place = followed(note.library, must_be_there=False)
    as_noted = ModelUse(library=place, sources=note.sources, note=note.file)
    if uri_of(place) is not None:  # in an object store, which is not asked for this
        return as_noted
    try:
        manifest = read_manifest(place)
    except UserError as error:  # damaged, or of a newer program
        _log.info("%s", error)
        return as_noted
    if manifest is not None:
        sources = noted_sources(manifest.models_named)
        return ModelUse(library=place, sources=sources, note=note.file)
    if is_removed(place):
        return None
    return ModelUse(library=place, sources=note.sources, note=note.file, is_away=True)


def is_removed(library: Path) -> bool:
    """True where a library is gone, not only its disk: something lies beside its place.

    A place where a disk is put is there without it, too, and empty.
    """
    try:
        return not (library / MANIFEST_NAME).exists() and any(library.parent.iterdir())
    except OSError:
        return False
