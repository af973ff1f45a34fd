"""A library's folder: the names in it, making it, and its thumbnails."""

from __future__ import annotations

import re
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically
from cocadesk.library.lock import LOCK_NAME
from cocadesk.library.manifest import MANIFEST_NAME

STORE_FOLDER = "store"
SNAPSHOT_NAME = "search.snapshot"
MEDIA = "media"
VIEWS_PREFIX = "views_"

_OWN_NAMES = {LOCK_NAME, STORE_FOLDER, SNAPSHOT_NAME, "thumbs", "previews", "runs", "backups"}
_OWN_BEGINNINGS = (".", MANIFEST_NAME, "engine")


def views_table(image_id: str) -> str:
    """The name of the table that holds the vectors of ``image_id``."""
    return VIEWS_PREFIX + re.sub(r"[^A-Za-z0-9._-]", "_", image_id)


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


class Thumbnails:
    """JPEG files by picture hash, two levels of folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, picture_hash: str) -> Path:
        """The file of a picture's thumbnail, which may not exist yet."""
        return self._folder / picture_hash[:2] / picture_hash[2:4] / f"{picture_hash}.jpg"

    def moment_path(self, picture_hash: str, view: int) -> Path:
        """The file of that of a video's moment, by its view number."""
        return self.path(picture_hash).with_name(f"{picture_hash}-{view}.jpg")

    def write(self, picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        """Store one, of a video's moment with its ``view``, unless it is there."""
        path = self.path(picture_hash) if view is None else self.moment_path(picture_hash, view)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, jpeg, durable=False)
