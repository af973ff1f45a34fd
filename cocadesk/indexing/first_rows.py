"""New files as rows before they have vectors, so that the first photos are seen at once.

A model takes seconds to open. What is decoded meanwhile waits for it, though all that a list
shows is known by then: it is committed without vectors, which the same index adds. Killed in
between, the next index reads such media again, as all that have no vectors.
"""

from __future__ import annotations

import threading
import time

from cocadesk.indexing.known_files import MatchedFile
from cocadesk.indexing.pictures import EmbeddedPhoto, EmbeddedVideo

PATIENCE_S = 0.3
"""The first files wait so long for more of them, those after them longer each time."""
MOST_WAITING = 32
"""So many decoded files may wait for the first vectors: a screen of a grid."""


class FirstRows:
    """The new files that wait for the first vectors of an index. Any thread adds some.

    Once there are vectors, all others come soon: then a second commit of each row costs more
    than it shows.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[MatchedFile] = []
        self._since_s = 0.0
        self._patience_s = PATIENCE_S
        self._is_closed = False

    def add(self, item: MatchedFile) -> None:
        """A file was decoded, and its thumbnail is written; taken where it is a new medium."""
        is_embedded = isinstance(item.decoded, (EmbeddedPhoto, EmbeddedVideo))
        is_new = item.match.is_new_row and item.needs_embedding and not is_embedded
        with self._lock:
            if is_new and not self._is_closed:
                if not self._waiting:
                    self._since_s = time.monotonic()
                self._waiting.append(item)

    def due(self) -> list[MatchedFile]:
        """The files that have waited long enough, each once."""
        with self._lock:
            if time.monotonic() - self._since_s < self._patience_s:
                return []
            due, self._waiting = self._waiting, []
            if due:
                self._patience_s *= 2
            return due

    def close(self) -> None:
        """There are vectors now: no file waits any more, nor will another."""
        with self._lock:
            self._is_closed = True
            self._waiting = []
