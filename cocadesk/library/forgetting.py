"""Media forgotten for good: out of every table, version, picture file and backup.

What goes is written into a journal first, so that a forgetting that was interrupted is
finished when the library is next opened for writing.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.library.edits import OF_APART, apart_from
from cocadesk.library.in_hand import forget_in_hand
from cocadesk.library.layout import (
    BACKUPS_FOLDER,
    DAMAGED_FOLDER,
    EDITS,
    FAILURES,
    MEDIA,
    PREVIEWS_FOLDER,
    VIEWS_PREFIX,
    Thumbnails,
)
from cocadesk.library.notices import add_notices
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Identity, Placed, paths_of
from cocadesk.library.schema import JOBS, ROOTS
from cocadesk.library.storage import storage_of
from cocadesk.library.store import Store
from cocadesk.library.traces import Traces

JOURNAL = "forgetting.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetOrder:
    """The media to forget, with all that their traces are found by.

    ``pictures`` are the hashes that no other medium shows. ``folders`` go with the roots
    and failures in them, ``failures`` are the paths of others.
    """

    keys: tuple[str, ...] = ()
    paths: tuple[bytes, ...] = ()
    pictures: tuple[str, ...] = ()
    folders: tuple[bytes, ...] = ()
    failures: tuple[bytes, ...] = ()

    def traces(self) -> Traces:
        """What tells whether a text names one of them."""
        return Traces(self.keys, (*self.paths, *self.failures), self.folders)

    def to_json(self) -> bytes:
        """The order as a journal; paths as base64."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {
            name: [base64.b64encode(v).decode() if isinstance(v, bytes) else v for v in value]
            for name, value in values.items()
        }
        return json.dumps(plain).encode()

    @classmethod
    def from_json(cls, data: bytes) -> ForgetOrder:
        """The order of a journal.

        Raises:
            ValueError: it is damaged.
        """
        raw = json.loads(data)
        try:
            paths = {
                name: tuple(base64.b64decode(text) for text in raw[name])
                for name in ("paths", "folders", "failures")
            }
            return cls(keys=tuple(raw["keys"]), pictures=tuple(raw["pictures"]), **paths)
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The things that went (or would go), in numbers; see ``protocol.values``."""

    media: int = 0
    vectors: int = 0
    captions: int = 0
    edits: int = 0
    thumbnails: int = 0
    previews: int = 0
    failures: int = 0
    folders: int = 0
    backups: int = 0
    versions: int = 0
    freed_bytes: int = 0


class Forgetting:
    """Forgets media of one library. Its writer alone may call it; no job runs meanwhile."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        thumbnails: Thumbnails,
        erase_from_searches: Callable[[Collection[str]], None],
    ) -> None:
        self._folder = folder
        self._store = store
        self._storage = storage_of(folder)
        self._erase_from_searches = erase_from_searches
        self._pictures = {
            "thumbnails": thumbnails,
            "previews": Thumbnails(folder / PREVIEWS_FOLDER),
        }

    def order(
        self,
        chosen: Collection[Identity | Placed],
        kept: Iterable[Identity | Placed],
        folders: Sequence[bytes],
    ) -> ForgetOrder:
        """The order to forget these media and folders; ``kept`` are all other media."""
        pictures = {one.picture_hash for one in chosen}
        paths = {path for one in chosen for path in paths_of(one)}
        for one in kept:
            pictures.discard(one.picture_hash)
            # Another medium's by now: what is said of it is kept.
            paths.difference_update(paths_of(one))
        failed: list[bytes] = self._store.read(FAILURES, columns=["path"])["path"].to_pylist()
        return ForgetOrder(
            keys=tuple(sorted(one.key for one in chosen)),
            paths=tuple(sorted(paths)),
            pictures=tuple(sorted(pictures)),
            folders=tuple(folders),
            failures=tuple(path for path in failed if any(is_under(path, f) for f in folders)),
        )

    def counts(self, order: ForgetOrder) -> Forgotten:
        """The numbers of what an order would take away; of files and versions nothing."""
        keys = order.keys
        captions = self._store.read_in(
            MEDIA, "key", keys, ["key", "machine_caption", "human_caption"]
        )
        said = zip(captions["machine_caption"], captions["human_caption"], strict=True)
        roots: list[bytes] = self._store.read(ROOTS, columns=["path"])["path"].to_pylist()
        pictures = {
            name: sum(len(folder.found(picture)) for picture in order.pictures)
            for name, folder in self._pictures.items()
        }
        return Forgotten(
            media=len(keys),
            vectors=sum(
                self._store.read_in(n, "key", keys, ["key"]).num_rows for n in self._views()
            ),
            captions=sum(any(text.is_valid for text in both) for both in said),
            edits=self._store.read_in(EDITS, "key", keys, ["key"]).num_rows,
            failures=len(order.failures),
            folders=sum(any(is_under(root, folder) for folder in order.folders) for root in roots),
            **pictures,
        )

    def run(self, order: ForgetOrder) -> Forgotten:
        """Forget; gives what went."""
        with self._store.writing():
            before = self.counts(order)
            self._storage.write(self._folder / JOURNAL, order.to_json())
            return replace(before, **self._finish(order))

    def resume(self) -> None:
        """Finish what an interrupted writer has begun; what hinders it is kept as a notice."""
        journal = self._folder / JOURNAL
        try:
            self._storage.pull(journal)
            order = ForgetOrder.from_json(journal.read_bytes())
        except FileNotFoundError:
            return
        except ValueError as error:
            # It is written whole or not at all, so this is the disk's doing.
            _log.warning("%s is damaged and ignored: %s", journal, error)
            self._storage.remove(journal)
            return
        try:
            self._finish(order)
        except UserError as error:
            add_notices(self._folder, [str(error)])  # the journal stays for the next writer
        else:
            _log.info("finished forgetting %d media", len(order.keys))

    def _finish(self, order: ForgetOrder) -> dict[str, int]:
        """All steps; each may be done twice. The rows of media go last of the tables."""
        size, versions = self._store_size()
        for name in (*self._views(), EDITS):
            self._store.delete_in(name, "key", order.keys)
        # Only those that there are: each list of fields to delete is a commit of its own.
        keys = frozenset(order.keys)
        said = self._store.read(EDITS, where=OF_APART, columns=["field"])["field"].to_pylist()
        self._store.delete_in(EDITS, "field", {f for f in said if apart_from(f) in keys})
        roots: list[bytes] = self._store.read(ROOTS, columns=["path"])["path"].to_pylist()
        gone = [root for root in roots if any(is_under(root, f) for f in order.folders)]
        self._store.delete_in(ROOTS, "path", gone)
        self._store.delete_in(FAILURES, "path", (*order.failures, *order.paths))
        self._store.delete_in(MEDIA, "key", order.keys)
        for name in self._views():
            self._store.erase_deleted(name, ("key", "view"))
        self._store.erase_deleted(MEDIA, ("key",))
        for name in (EDITS, ROOTS, FAILURES, JOBS):
            self._store.erase_deleted(name)
        for pictures in self._pictures.values():
            pictures.remove(order.pictures)
        self._erase_from_searches(order.keys)
        with contextlib.suppress(FileNotFoundError):
            for folder in self._storage.folders(self._folder / DAMAGED_FOLDER):
                self._storage.remove_folder(folder)
        self._drop_drafts()
        backups = self._clean_backups(order.traces())
        self._storage.has_forgotten()
        self._storage.remove(self._folder / JOURNAL)
        size_now, versions_now = self._store_size()
        return {
            "backups": backups,
            "versions": max(0, versions - versions_now),
            "freed_bytes": max(0, size - size_now),
        }

    def _views(self) -> list[str]:
        return [name for name in self._store.names() if name.startswith(VIEWS_PREFIX)]

    def _clean_backups(self, traces: Traces) -> int:
        """Take all traces out of the library's backups; gives the number that had any."""
        backups = self._folder / BACKUPS_FOLDER
        self._storage.pull_folder(backups)
        try:
            return sum(
                traces.clean_backup(path, self._storage)
                for path in sorted(backups.rglob("*"))
                if path.is_file()
            )
        except (OSError, UserError) as error:
            told = error.why if isinstance(error, UserError) else ""
            raise UserError(
                tr("A backup could not be changed, so something is left in it."),
                told
                or tr("The reason: {reason}.", reason=getattr(error, "strerror", None) or error),
                tr("Mend that and open the library again: it then goes on."),
            ) from error

    def _drop_drafts(self) -> None:
        """Remove what killed writers have left: drafts of any file, and notes of a crash."""
        forget_in_hand(self._folder)
        for pattern in ("*.tmp", f"{BACKUPS_FOLDER}/*.tmp", "runs/*/*.tmp"):
            for path in filter(Path.is_file, self._folder.glob(pattern)):
                path.unlink(missing_ok=True)
        for name in self._storage.below(self._store.folder):
            if name.rpartition("/")[2].startswith(".tmp"):
                self._storage.remove(self._store.folder / name)

    def _store_size(self) -> tuple[int, int]:
        """The bytes of the store's files, and the number of old and new states of tables."""
        files = self._storage.below(self._store.folder)
        manifests = sum(name.endswith(".manifest") for name in files)
        return sum(state.size_bytes for state in files.values()), manifests
