"""Pictures with every pixel, kept as files while people look at them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from cocadesk.library.atomic import write_atomically

MOST_BYTES = 1 << 30


class FullPictures:
    """Files among the previews; the ones looked at last stay, until the engine ends.

    They are large (some 5 MB for 12 megapixels) and quickly made again. They lie beside the
    previews of their picture, with which a forgetting removes what a killed engine left.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, path: Path) -> bool:
        """True where the file is there; it is the one looked at last then."""
        with self._lock:
            if path in self._sizes:
                self._sizes.move_to_end(path)
            return path.exists()

    def keep(self, path: Path, jpeg: bytes) -> None:
        """Writes a file on this computer, and removes the oldest ones where they are too large.

        Raises:
            UserError: the disk refuses.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, jpeg, durable=False)
        with self._lock:
            self._sizes[path] = len(jpeg)
            self._sizes.move_to_end(path)
            while len(self._sizes) > 1 and sum(self._sizes.values()) > self._most_bytes:
                oldest, _size = self._sizes.popitem(last=False)
                oldest.unlink(missing_ok=True)

    def close(self) -> None:
        """Removes the files."""
        with self._lock:
            for path in self._sizes:
                path.unlink(missing_ok=True)
            self._sizes.clear()
