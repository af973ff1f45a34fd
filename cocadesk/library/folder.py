"""A library's folder: what belongs in it, and making or opening it."""

from __future__ import annotations

from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.lock import LOCK_NAME
from cocadesk.library.manifest import MANIFEST_NAME
from cocadesk.library.snapshot import SNAPSHOT_NAME
from cocadesk.library.store import Store
from cocadesk.library.tables import MEDIA, STORE_FOLDER

_OWN_NAMES = {LOCK_NAME, STORE_FOLDER, SNAPSHOT_NAME, "thumbs", "previews", "runs", "backups"}
_OWN_BEGINNINGS = (".", MANIFEST_NAME, "engine")


def open_store(folder: Path, *, read_only: bool) -> Store:
    """The store of a library, checked to be there where the library says it is."""
    store = Store(folder / STORE_FOLDER, read_only=read_only)
    if (folder / MANIFEST_NAME).exists() and MEDIA not in store.names():
        raise UserError(
            f"The library in {folder} is damaged: its tables are gone.",
            f"{MANIFEST_NAME} is there, but {folder / STORE_FOLDER} lacks what it describes.",
            "Put the folder back from a backup, or start a new library.",
        )
    return store


def make_folder(folder: Path) -> None:
    """Make the library's folder, refusing one that holds other things."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise UserError(
            f"The library can't be made in {folder}.",
            f"The reason: {error.strerror or error}.",
            "Choose another folder with --library.",
        ) from error
    foreign = [
        name for name in names if name not in _OWN_NAMES and not name.startswith(_OWN_BEGINNINGS)
    ]
    if foreign:
        raise UserError(
            f"{folder} is not a library and not empty (it holds {sorted(foreign)[0]!r}).",
            "A library needs a folder of its own.",
            "Choose an empty or a new folder with --library.",
        )
