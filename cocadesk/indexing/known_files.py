"""What is known of all media and vectors while an index runs, and the identity rules.

Kept in memory (about 1 kB a file) and brought forward as files are planned,
so that two equal new files of one run find each other too.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from cocadesk.library import Identity, MediaState, new_key
from cocadesk.library.paths import is_under
from cocadesk.media import FoundFile


class MatchKind(StrEnum):
    """Which identity rule a file falls under."""

    NEW = "new"
    TOUCHED = "touched"
    EDITED = "edited"
    MOVED = "moved"
    COPIED = "copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMatch:
    """Who a file is and where its vectors come from.

    ``twin`` is the medium that has the same bytes (its row can be copied).
    ``vectors_of`` is the key whose stored views show the same picture, or
    None when it must be embedded.
    """

    outcome: MatchKind
    key: str
    picture_hash: str
    kind: str
    twin: str | None = None
    vectors_of: str | None = None
    previous: Identity | None = None

    @property
    def is_new_row(self) -> bool:
        """Whether the media row is inserted rather than updated."""
        return self.previous is None

    @property
    def is_redrawn(self) -> bool:
        """Whether a known medium now shows another picture."""
        return self.previous is not None and self.previous.picture_hash != self.picture_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredView:
    """Whose picture a stored view shows."""

    key: str
    picture_hash: str


class KnownFiles:
    """All media by path, bytes and picture. Not thread-safe: its owner locks."""

    def __init__(
        self,
        identities: Iterable[Identity],
        views: Iterable[StoredView],
        image_id: str,
        *,
        is_gone: Callable[[Identity], bool],
    ) -> None:
        self._image_id = image_id
        self._is_gone = is_gone
        self._by_key: dict[str, Identity] = {}
        self._by_path: dict[bytes, Identity] = {}
        # Dicts without values are sets that keep their order.
        self._by_hash: dict[str, dict[str, None]] = {}
        self._gone: dict[str, dict[str, None]] = {}
        self._sizes: Counter[int] = Counter()
        for identity in identities:
            self._add(identity)
        self._picture_of: dict[str, str] = {}
        self._keys_with: dict[str, dict[str, None]] = {}
        self._orphans: dict[str, list[str]] = {}
        for view in views:
            self._add_view(view.key, view.picture_hash)
        for key, picture_hash in self._picture_of.items():
            if key not in self._by_key:
                self._orphans.setdefault(picture_hash, []).append(key)

    def _add(self, identity: Identity) -> None:
        self._by_key[identity.key] = identity
        self._by_path[identity.path] = identity
        self._by_hash.setdefault(identity.file_hash, {})[identity.key] = None
        self._sizes[identity.size_bytes] += 1

    def _remove(self, identity: Identity) -> None:
        del self._by_key[identity.key]
        if self._by_path.get(identity.path) is identity:
            del self._by_path[identity.path]
        del self._by_hash[identity.file_hash][identity.key]
        self._sizes[identity.size_bytes] -= 1

    def _add_view(self, key: str, picture_hash: str) -> None:
        old = self._picture_of.get(key)
        if old == picture_hash:
            return
        if old is not None:
            del self._keys_with[old][key]
        self._picture_of[key] = picture_hash
        self._keys_with.setdefault(picture_hash, {})[key] = None

    def at(self, path: bytes) -> Identity | None:
        """The medium at ``path``."""
        return self._by_path.get(path)

    def under(self, *roots: bytes) -> list[Identity]:
        """The media that lie under one of ``roots``."""
        return [
            identity
            for identity in self._by_key.values()
            if any(is_under(identity.path, root) for root in roots)
        ]

    def has_any_under(self, root: bytes) -> bool:
        """Whether any medium lies under ``root``."""
        return any(is_under(path, root) for path in self._by_path)

    def is_embedded(self, identity: Identity) -> bool:
        """Whether the medium's committed views show the picture that its row says."""
        marked = self._image_id in identity.embedded
        return marked and self._picture_of.get(identity.key) == identity.picture_hash

    def is_unchanged(self, found: FoundFile) -> bool:
        """Rule 1: known with this size and time, and embedded. Nothing need be read."""
        known = self.at(found.path)
        return (
            known is not None
            and (known.size_bytes, known.mtime_ns) == (found.size_bytes, found.mtime_ns)
            and self.is_embedded(known)
        )

    def may_have_twin(self, found: FoundFile) -> bool:
        """Whether some medium has this size, so that hashing the bytes may spare a decode."""
        return self._sizes[found.size_bytes] > 0

    def by_bytes(self, found: FoundFile, file_hash: str) -> FileMatch | None:
        """Who the file is, when its bytes are already known and embedded; else None."""
        known = self.at(found.path)
        if known is not None:
            if known.file_hash != file_hash or not self.is_embedded(known):
                return None
            return self._known(known, MatchKind.TOUCHED, known.picture_hash, known.kind)
        twin, is_gone = self._twin(file_hash, found.path)
        if twin is None or not self.is_embedded(twin):
            return None
        if is_gone:
            return self._known(twin, MatchKind.MOVED, twin.picture_hash, twin.kind)
        return self._unknown(MatchKind.COPIED, twin.picture_hash, twin.kind, twin.key)

    def by_picture(
        self, found: FoundFile, file_hash: str, picture_hash: str, kind: str
    ) -> FileMatch:
        """Who the file is, after a decode."""
        known = self.at(found.path)
        if known is not None:
            same = known.file_hash == file_hash
            outcome = MatchKind.TOUCHED if same else MatchKind.EDITED
            return self._known(known, outcome, picture_hash, kind)
        twin, is_gone = self._twin(file_hash, found.path)
        if twin is not None and is_gone:
            return self._known(twin, MatchKind.MOVED, picture_hash, kind)
        outcome = MatchKind.NEW if twin is None else MatchKind.COPIED
        return self._unknown(outcome, picture_hash, kind, twin.key if twin else None)

    def _twin(self, file_hash: str, path: bytes) -> tuple[Identity | None, bool]:
        """A medium with these bytes, one that is gone from its place first.

        Of several that are gone the one whose path ends most like ``path`` is
        taken, so that equal files in a moved folder stay who they were.
        """
        keys = self._by_hash.get(file_hash, {})
        if file_hash not in self._gone:
            # Looked up once: ten thousand equal files must not be looked at for each.
            gone = (key for key in keys if self._is_gone(self._by_key[key]))
            self._gone[file_hash] = dict.fromkeys(gone)
        twins = [self._by_key[key] for key in self._gone[file_hash]]
        if twins:
            best = min(twins, key=lambda twin: (-_common_ending(twin.path, path), twin.path))
            return best, True
        return (self._by_key[next(iter(keys))] if keys else None), False

    def _known(
        self, known: Identity, outcome: MatchKind, picture_hash: str, kind: str
    ) -> FileMatch:
        return FileMatch(
            outcome=outcome,
            key=known.key,
            picture_hash=picture_hash,
            kind=kind,
            twin=known.key if outcome is not MatchKind.EDITED else None,
            vectors_of=self._vectors_of(picture_hash, known.key),
            previous=known,
        )

    def _unknown(
        self, outcome: MatchKind, picture_hash: str, kind: str, twin: str | None
    ) -> FileMatch:
        """A new medium; it takes the key of vectors that a crash has left without a row."""
        orphans = self._orphans.get(picture_hash)
        key = orphans.pop() if orphans else new_key()
        return FileMatch(
            outcome=outcome,
            key=key,
            picture_hash=picture_hash,
            kind=kind,
            twin=twin,
            vectors_of=self._vectors_of(picture_hash, key),
        )

    def _vectors_of(self, picture_hash: str, key: str) -> str | None:
        keys = self._keys_with.get(picture_hash)
        if not keys:
            return None
        return key if key in keys else next(iter(keys))

    def apply(self, found: FoundFile, file_hash: str, verdict: FileMatch) -> Identity:
        """Bring the catalogue forward to where ``verdict`` is committed."""
        previous = verdict.previous
        if previous is not None:
            self._remove(previous)
            self._gone.get(previous.file_hash, {}).pop(previous.key, None)
        others = () if previous is None or verdict.is_redrawn else previous.embedded
        identity = Identity(
            key=verdict.key,
            root=found.root if previous is None or moved_out(previous, found) else previous.root,
            path=found.path,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            file_hash=file_hash,
            picture_hash=verdict.picture_hash,
            kind=verdict.kind,
            state=MediaState.PRESENT.value,
            embedded=tuple(dict.fromkeys((*others, self._image_id))),
        )
        self._add(identity)
        self._add_view(verdict.key, verdict.picture_hash)
        return identity

    def leftover_orphans(self) -> list[str]:
        """Keys of vectors whose files were not found again."""
        return [key for keys in self._orphans.values() for key in keys]


def _common_ending(one: bytes, other: bytes) -> int:
    """How many path parts from the end two paths share."""
    separator = os.fsencode(os.sep)
    pairs = zip(reversed(one.split(separator)), reversed(other.split(separator)), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def moved_out(previous: Identity, found: FoundFile) -> bool:
    """Whether the file no longer lies under the root that its row names."""
    return not is_under(found.path, previous.root)
