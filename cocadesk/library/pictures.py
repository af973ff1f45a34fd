"""Picture files of a library that never change under their names: thumbnails and previews."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically
from cocadesk.library.storage import ObjectStorage, storage_of

_AT_ONCE = 8
"""A store answers one request in some 30 ms, however many there are at once."""
_MOST_SENT = 64


class Pictures:
    """The pictures of a library on the disk."""

    def send(self, path: Path, data: bytes) -> None:
        """Begin to write one unless it is there; it is there after ``settle``."""
        if not path.exists():
            self.keep(path, data)

    def keep(self, path: Path, data: bytes) -> None:
        """Write one that was made because somebody looks at it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, durable=False)

    def settle(self) -> None:
        """Wait for all that was sent.

        Raises:
            UserError: something of it could not be written.
        """

    def bring(self, paths: Iterable[Path]) -> None:
        """Have these files here; of one that can't be had, none is."""

    def sizes_bytes(self, folder: Path, paths: Iterable[Path]) -> dict[Path, int]:
        """The sizes of those files below a folder that there are."""
        found = {}
        for path in paths:
            with contextlib.suppress(OSError):
                found[path] = path.stat().st_size
        return found


class ObjectPictures(Pictures):
    """The pictures of a library in an object store; those that were seen are here as well."""

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._senders: ThreadPoolExecutor | None = None
        self._sent: deque[Future[None]] = deque()

    def send(self, path: Path, data: bytes) -> None:
        """Write to the store unless it has it, then here, beside other such writes."""
        self._storage.check_held()
        with self._lock:
            if self._senders is None:
                self._senders = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pictures")
            self._sent.append(self._senders.submit(self._add, path, data))
            oldest = self._sent[0] if len(self._sent) > _MOST_SENT else None
        if oldest is not None:
            oldest.result()  # one that failed stays, so that ``settle`` says so too
            with self._lock:
                if self._sent and self._sent[0] is oldest:
                    self._sent.popleft()

    def _add(self, path: Path, data: bytes) -> None:
        # A copy here says nothing of the store, which somebody may have emptied.
        if not path.exists() or not self._storage.objects.has(self._storage.name_of(path)):
            self._write(path, data)

    def _write(self, path: Path, data: bytes) -> None:
        self._storage.objects.write(self._storage.name_of(path), data)
        self._storage.keep_here(path, data)

    def keep(self, path: Path, data: bytes) -> None:
        """Write here, and to the store where we may and it answers."""
        self._storage.keep_here(path, data)
        with contextlib.suppress(UserError):
            if self._storage.lease is not None:
                self._storage.check_held()
                self._write(path, data)

    def settle(self) -> None:
        """Wait for all that was sent, also where something of it fails."""
        with self._lock:
            senders, self._senders = self._senders, None
            sent, self._sent = self._sent, deque()
        if senders is not None:
            senders.shutdown(wait=True)
        for done in sent:
            done.result()

    def bring(self, paths: Iterable[Path]) -> None:
        """Fetch those that are not here, several at once."""
        lacking = [path for path in dict.fromkeys(paths) if not path.exists()]
        if not lacking:
            return
        with ThreadPoolExecutor(min(2 * _AT_ONCE, len(lacking))) as pool:
            list(pool.map(self._bring, lacking))

    def _bring(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError, UserError):
            self._storage.keep_here(path, self._storage.read(path))

    def sizes_bytes(self, folder: Path, paths: Iterable[Path]) -> dict[Path, int]:
        """The sizes of objects, all of them from one listing."""
        there = self._storage.below(folder)
        sizes = {folder / name: state.size_bytes for name, state in there.items()}
        return {path: sizes[path] for path in paths if path in sizes}


def pictures_of(library_folder: Path) -> Pictures:
    """The pictures of a library, wherever it is kept."""
    storage = storage_of(library_folder)
    return ObjectPictures(storage) if isinstance(storage, ObjectStorage) else Pictures()
