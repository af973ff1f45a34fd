"""Notes of which libraries name models that were fetched, one a library in the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cocadesk.locations import RUN_PREFIX, STARTER, cache_folder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNote:
    """A library and the sources that it named last; ``file`` is where that is noted."""

    library: Path
    sources: tuple[str, ...]
    file: Path


def note_models(library: Path, named: Sequence[str | None]) -> None:
    """Notes the models that a library names; where it can't, another library may not know."""
    sources, file = noted_sources(named), _file(library)
    text = json.dumps({"library": os.fspath(library.absolute()), "sources": sources})
    with contextlib.suppress(OSError):
        if not sources:
            file.unlink(missing_ok=True)
        elif not file.is_file() or file.read_text("utf-8") != text:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_suffix(f".{os.getpid()}.tmp")
            draft.write_text(text, "utf-8")
            draft.replace(file)


def noted_sources(named: Sequence[str | None]) -> tuple[str, ...]:
    """Of what a library names all but the starter, and what it taught itself."""
    return tuple(
        source
        for source in dict.fromkeys(named)
        if source and source != STARTER and not source.startswith(RUN_PREFIX)
    )


def model_notes() -> Iterator[ModelNote]:
    """All notes that can be read."""
    for file in sorted(_folder().glob("*.json")):
        try:
            table = json.loads(file.read_text("utf-8"))
            library, sources = Path(table["library"]), tuple(map(str, table["sources"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s can't be read: %s", file, error)
            continue
        yield ModelNote(library=library, sources=sources, file=file)


def _folder() -> Path:
    return cache_folder() / "model-uses"


def _file(library: Path) -> Path:
    name = hashlib.sha256(os.fsencode(library.absolute())).hexdigest()[:16]
    return _folder() / f"{name}.json"
