"""The identity rules: all known media and vectors, and the medium that a found file is.

Kept in memory (about 1 kB a file) and brought forward as files are matched,
so that two equal new files of one run find each other too.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from cocadesk.indexing.pictures import Decoded, Facts
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Identity, MediaState, new_key
from cocadesk.media.hashing import hash_file
from cocadesk.media.types import DecodedVideo, DecodeFailure, FoundFile


class MatchKind(StrEnum):
    """The identity rules that a file may fall under."""

    NEW = "new"
    TOUCHED = "touched"
    EDITED = "edited"
    MOVED = "moved"
    COPIED = "copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMatch:
    """The medium that a file is, and where its vectors come from.

    ``same_bytes`` is the medium that has the same bytes (its row can be copied).
    ``vectors_of`` is the key whose stored views show the same picture, or
    None when it must be embedded.
    """

    kind: MatchKind
    key: str
    picture_hash: str
    media_kind: str
    same_bytes: str | None = None
    vectors_of: str | None = None
    previous: Identity | None = None

    @property
    def is_new_row(self) -> bool:
        """True where the media row is inserted rather than updated."""
        return self.previous is None

    @property
    def is_redrawn(self) -> bool:
        """True where a known medium now shows another picture."""
        return self.previous is not None and self.previous.picture_hash != self.picture_hash


class KnownFiles:
    """All media by path, bytes and picture. Not thread-safe: its owner locks.

    ``views`` is the picture hash that the stored views of each key show.
    """

    def __init__(
        self,
        identities: Iterable[Identity],
        views: Mapping[str, str],
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
        for key, picture_hash in views.items():
            self._add_view(key, picture_hash)
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

    def is_embedded(self, identity: Identity) -> bool:
        """True where the medium's committed views show the picture that its row says."""
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

    def may_be_known(self, found: FoundFile) -> bool:
        """True where some medium has this size: hashing the bytes may spare a decode."""
        return self._sizes[found.size_bytes] > 0

    def by_bytes(self, found: FoundFile, file_hash: str) -> FileMatch | None:
        """The match of a file whose bytes are already known and embedded; else None."""
        known = self.at(found.path)
        if known is not None:
            if known.file_hash != file_hash or not self.is_embedded(known):
                return None
            return self._known(known, MatchKind.TOUCHED, known.picture_hash, known.kind)
        same, is_gone = self._with_bytes(file_hash, found.path)
        if same is None or not self.is_embedded(same):
            return None
        if is_gone:
            return self._known(same, MatchKind.MOVED, same.picture_hash, same.kind)
        return self._unknown(MatchKind.COPIED, same.picture_hash, same.kind, same.key)

    def by_picture(
        self, found: FoundFile, file_hash: str, picture_hash: str, media_kind: str
    ) -> FileMatch:
        """The match of a decoded file."""
        known = self.at(found.path)
        if known is not None:
            is_touched = known.file_hash == file_hash
            kind = MatchKind.TOUCHED if is_touched else MatchKind.EDITED
            return self._known(known, kind, picture_hash, media_kind)
        same, is_gone = self._with_bytes(file_hash, found.path)
        if same is not None and is_gone:
            return self._known(same, MatchKind.MOVED, picture_hash, media_kind)
        kind = MatchKind.NEW if same is None else MatchKind.COPIED
        return self._unknown(kind, picture_hash, media_kind, same.key if same else None)

    def _with_bytes(self, file_hash: str, path: bytes) -> tuple[Identity | None, bool]:
        """A medium with these bytes, and True where it is gone from its place (those first).

        Of several that are gone the one whose path ends most like ``path`` is
        taken, so that equal files in a moved folder stay who they were.
        """
        keys = self._by_hash.get(file_hash, {})
        if file_hash not in self._gone:
            # Looked up once: ten thousand equal files must not be looked at for each.
            gone = (key for key in keys if self._is_gone(self._by_key[key]))
            self._gone[file_hash] = dict.fromkeys(gone)
        gone_media = [self._by_key[key] for key in self._gone[file_hash]]
        if gone_media:
            best = min(gone_media, key=lambda one: (-_common_ending(one.path, path), one.path))
            return best, True
        return (self._by_key[next(iter(keys))] if keys else None), False

    def _known(
        self, known: Identity, kind: MatchKind, picture_hash: str, media_kind: str
    ) -> FileMatch:
        return FileMatch(
            kind=kind,
            key=known.key,
            picture_hash=picture_hash,
            media_kind=media_kind,
            same_bytes=known.key if kind is not MatchKind.EDITED else None,
            vectors_of=self._vectors_of(picture_hash, known.key),
            previous=known,
        )

    def _unknown(
        self, kind: MatchKind, picture_hash: str, media_kind: str, same_bytes: str | None
    ) -> FileMatch:
        """A new medium; it takes the key of vectors that a crash has left without a row."""
        orphans = self._orphans.get(picture_hash)
        key = orphans.pop() if orphans else new_key()
        return FileMatch(
            kind=kind,
            key=key,
            picture_hash=picture_hash,
            media_kind=media_kind,
            same_bytes=same_bytes,
            vectors_of=self._vectors_of(picture_hash, key),
        )

    def _vectors_of(self, picture_hash: str, key: str) -> str | None:
        keys = self._keys_with.get(picture_hash)
        if not keys:
            return None
        return key if key in keys else next(iter(keys))

    def apply(self, found: FoundFile, file_hash: str, match: FileMatch) -> Identity:
        """Bring the known files forward to where ``match`` is committed."""
        previous = match.previous
        if previous is not None:
            self._remove(previous)
            self._gone.get(previous.file_hash, {}).pop(previous.key, None)
        others = () if previous is None or match.is_redrawn else previous.embedded
        is_moved_out = previous is not None and not is_under(found.path, previous.root)
        identity = Identity(
            key=match.key,
            root=found.root if previous is None or is_moved_out else previous.root,
            path=found.path,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            file_hash=file_hash,
            picture_hash=match.picture_hash,
            kind=match.media_kind,
            state=MediaState.PRESENT.value,
            embedded=tuple(dict.fromkeys((*others, self._image_id))),
        )
        self._add(identity)
        self._add_view(match.key, match.picture_hash)
        return identity

    def leftover_orphans(self) -> list[str]:
        """Keys of vectors whose files were not found again."""
        return [key for keys in self._orphans.values() for key in keys]


def _common_ending(one: bytes, other: bytes) -> int:
    """The number of path parts, from the end, that two paths share."""
    separator = os.fsencode(os.sep)
    pairs = zip(reversed(one.split(separator)), reversed(other.split(separator)), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass(slots=True, kw_only=True)
class MatchedFile:
    """A file whose place in the library is decided.

    ``facts`` is None where its bytes were already known. ``decoded`` holds the
    pixels until they are embedded. Mutable so that they can be released then.
    """

    found: FoundFile
    match: FileMatch
    identity: Identity
    facts: Facts | None = None
    decoded: Decoded | None = None

    @property
    def needs_embedding(self) -> bool:
        """True where no stored vector shows this picture."""
        return self.match.vectors_of is None

    def release_pixels(self) -> None:
        """Keep only what the media row needs; a batch of pictures is large."""
        if isinstance(self.decoded, DecodedVideo):
            self.decoded.close()
        self.decoded = None

    @property
    def vector_source(self) -> str | None:
        """The other key whose vectors this file copies, or None."""
        source = self.match.vectors_of
        return source if source != self.match.key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that gave no picture; one that is ``is_passing`` is read again next time."""

    found: FoundFile
    reason: str
    is_passing: bool = False


@dataclass(frozen=True, slots=True)
class Vanished:
    """A file that was gone before it could be read."""


class FileMatcher:
    """Applies the identity rules, one file at a time, from any thread."""

    def __init__(self, known_files: KnownFiles) -> None:
        self._known_files = known_files
        self._lock = threading.Lock()

    def match_bytes(self, found: FoundFile) -> MatchedFile | None:
        """The match of a moved, copied or touched file by its bytes alone, else None."""
        with self._lock:
            if not self._known_files.may_be_known(found):
                return None
        file_hash = hash_file(found.path)
        if file_hash is None:
            return None
        with self._lock:
            match = self._known_files.by_bytes(found, file_hash)
            if match is None:
                return None
            identity = self._known_files.apply(found, file_hash, match)
        return MatchedFile(found=found, match=match, identity=identity)

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable | Vanished:
        """The match of a decoded file."""
        if isinstance(result, DecodeFailure):
            if not os.path.lexists(found.path):
                return Vanished()
            return Unreadable(found=found, reason=result.reason, is_passing=result.is_passing)
        facts = Facts.of(result)
        with self._lock:
            match = self._known_files.by_picture(
                found, result.file_hash, result.picture_hash, facts.kind.value
            )
            identity = self._known_files.apply(found, result.file_hash, match)
        return MatchedFile(found=found, match=match, identity=identity, facts=facts, decoded=result)
