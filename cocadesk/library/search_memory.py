"""The beginning of what a library keeps in memory for searches: its snapshot, or nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from cocadesk.library.groups import Groups
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.layout import MEDIA, STORE_FOLDER, views_table
from cocadesk.library.snapshot import Snapshot, fingerprint, open_snapshot
from cocadesk.library.store import Store


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beginning:
    """A snapshot (or None), and the versions of tables by name that it is not older than."""

    keys: KeyNumbers = field(default_factory=KeyNumbers)
    snapshot: Snapshot | None = None
    versions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def with_snapshot(cls, snapshot: Snapshot, versions: dict[str, int]) -> Beginning:
        """The one of a snapshot, whose numbers of keys are used from then on."""
        return cls(keys=snapshot.media.keys, snapshot=snapshot, versions=versions)


class SearchMemory:
    """Gives the memories of media and of vectors one beginning, so that numbers mean the same.

    ``image_id`` is that of the model in use when the library was opened. A writer notes the
    state of the tables before its first write.
    """

    def __init__(self, folder: Path, store: Store, image_id: str | None, *, writes: bool) -> None:
        self._folder = folder
        self.groups = Groups(folder)
        self._store = store
        self._image_id = image_id
        self._lock = threading.Lock()
        self._beginning: Beginning | None = None
        self._noted = self._versions_and_state(image_id) if writes and image_id else None

    def _versions_and_state(self, image_id: str) -> tuple[dict[str, int], str | None]:
        # The versions first: the state may be newer than them, never older.
        return self.versions(image_id), self.state(image_id)

    def versions(self, image_id: str) -> dict[str, int]:
        """The versions of the tables that a snapshot with vectors of ``image_id`` is of."""
        tables = (MEDIA, views_table(image_id))
        return {name: self._store.version(name) for name in tables if self._store.has(name)}

    def state(self, image_id: str) -> str | None:
        """The state of these tables; None where one is absent."""
        return fingerprint(self._folder / STORE_FOLDER, (MEDIA, views_table(image_id)))

    def begun(self) -> Beginning:
        """The beginning; the same one until another takes its place."""
        with self._lock:
            if self._beginning is None:
                self._beginning = self._read()
            return self._beginning

    def _read(self) -> Beginning:
        if self._image_id is None:
            return Beginning()
        versions, state = self._noted or self._versions_and_state(self._image_id)
        if state is None:
            return Beginning()
        snapshot = open_snapshot(self._folder, state, self._image_id)
        return Beginning() if snapshot is None else Beginning.with_snapshot(snapshot, versions)

    def adopt(self, snapshot: Snapshot, versions: dict[str, int]) -> None:
        """Begin anew with ``snapshot``, which is not older than those versions."""
        with self._lock:
            self._beginning = Beginning.with_snapshot(snapshot, versions)

    def begin_with_nothing(self) -> None:
        """Drop what came from files, and begin with the tables."""
        with self._lock:
            self._beginning = Beginning()
