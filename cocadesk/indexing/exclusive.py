"""Work of which only one may run on a library at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from weakref import WeakSet

from cocadesk.errors import UserError
from cocadesk.library import Library


class OneAtATime:
    """Lets one in for each library; the next one gets the sentence."""

    def __init__(self, *sentence: str) -> None:
        """``sentence``: what, why and what to do, as ``UserError`` takes them."""
        self._sentence = sentence
        self._running: WeakSet[Library] = WeakSet()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def on(self, library: Library) -> Iterator[None]:
        """Hold the place for ``library``.

        Raises:
            UserError: it is taken.
        """
        with self._lock:
            if library in self._running:
                raise UserError(*self._sentence)
            self._running.add(library)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(library)
