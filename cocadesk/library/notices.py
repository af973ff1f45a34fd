"""Notices about damage that was met: kept until a repair has looked at the whole library."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from cocadesk.library.layout import DAMAGED_FOLDER
from cocadesk.library.storage import storage_of

_NOTICES = "notices.json"
_PENDING = "pending.json"


def read_notices(folder: Path) -> tuple[str, ...]:
    """The notices of the library in ``folder``, oldest first."""
    return _read(folder, _NOTICES)


def add_notices(folder: Path, notices: Sequence[str]) -> None:
    """Keep more; the same sentence is kept once."""
    if notices:
        _write(folder, _NOTICES, list(dict.fromkeys((*read_notices(folder), *notices))))


def clear_notices(folder: Path) -> None:
    """Forget all."""
    storage_of(folder).remove(folder / DAMAGED_FOLDER / _NOTICES)


def pending_tables(folder: Path) -> set[str]:
    """The tables that were set back and whose rows are not healed yet."""
    return set(_read(folder, _PENDING))


def set_pending(folder: Path, tables: Collection[str]) -> None:
    """Remember them over a crash between the two; none: all is healed."""
    if tables:
        _write(folder, _PENDING, sorted(tables))
    else:
        storage_of(folder).remove(folder / DAMAGED_FOLDER / _PENDING)


def _read(folder: Path, name: str) -> tuple[str, ...]:
    path = folder / DAMAGED_FOLDER / name
    try:
        storage_of(folder).pull(path)
        texts = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(text for text in texts if isinstance(text, str)) if type(texts) is list else ()


def _write(folder: Path, name: str, texts: Sequence[str]) -> None:
    path = folder / DAMAGED_FOLDER / name
    path.parent.mkdir(exist_ok=True)
    storage_of(folder).write(path, json.dumps(texts, indent=1).encode())
