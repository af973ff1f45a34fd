"""The thumbnails: one of each picture, and one of each moment of a video."""

from __future__ import annotations

from pathlib import Path

from cocadesk.library.atomic import write_atomically


class Thumbnails:
    """JPEG files by picture hash, two levels of folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, picture_hash: str) -> Path:
        """Where the thumbnail of a picture lies (whether or not it is there yet)."""
        return self._folder / picture_hash[:2] / picture_hash[2:4] / f"{picture_hash}.jpg"

    def moment_path(self, picture_hash: str, view: int) -> Path:
        """Where that of a video's moment, by its view number, lies."""
        return self.path(picture_hash).with_name(f"{picture_hash}-{view}.jpg")

    def write(self, picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        """Store one, of a video's moment with its ``view``, unless it is there."""
        path = self.path(picture_hash) if view is None else self.moment_path(picture_hash, view)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, jpeg, durable=False)
