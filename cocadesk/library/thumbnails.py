"""The thumbnails: one of each picture, and one of each moment of a video."""

from __future__ import annotations

from pathlib import Path

from cocadesk.library.atomic import write_atomically


class Thumbnails:
    """JPEG files by pixel hash, two levels of folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, pixels: str) -> Path:
        """Where the thumbnail of a picture lies (whether or not it is there yet)."""
        return self._folder / pixels[:2] / pixels[2:4] / f"{pixels}.jpg"

    def moment_path(self, pixels: str, view: int) -> Path:
        """Where that of a video's moment, by its view number, lies."""
        return self.path(pixels).with_name(f"{pixels}-{view}.jpg")

    def write(self, pixels: str, jpeg: bytes, view: int | None = None) -> None:
        """Store one, of a video's moment with its ``view``, unless it is there."""
        path = self.path(pixels) if view is None else self.moment_path(pixels, view)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, jpeg, durable=False)
