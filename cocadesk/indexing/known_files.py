"""All known media and stored vectors, and the match of each file that an index reads."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from cocadesk.errors import kept
from cocadesk.indexing.identity import MatchKind, Plan, SeenFile, Verdict
from cocadesk.indexing.keys_by_picture import KeysByPicture
from cocadesk.indexing.pictures import Decoded, Facts
from cocadesk.library.parts import Part, PartRole
from cocadesk.library.rows import Identity, MediaState, new_key
from cocadesk.library.volumes import device_at
from cocadesk.media.hashing import hash_file
from cocadesk.media.types import DecodedPhoto, DecodedVideo, DecodeFailure, FoundFile


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMatch:
    """The medium that a file is, and where its vectors come from.

    ``same_bytes`` is the medium that has the same bytes (its row can be copied).
    ``vectors_of`` is the key whose stored views show the same picture, or
    None when it must be embedded; it then gets views of so many ``boxes``.
    """

    kind: MatchKind
    key: str
    picture_hash: str
    media_kind: str
    same_bytes: str | None = None
    vectors_of: str | None = None
    boxes: int = 0
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
    """All media by key and bytes, and the pictures that have vectors. Not thread-safe.

    Kept in memory (about half a kB a file) and brought forward as files are matched, so that
    two equal new files of one run find each other too. ``views`` is the picture hash
    that the stored views of each key show, ``boxes`` the keys of those views that
    show boxes.
    """

    def __init__(
        self,
        identities: Iterable[Identity],
        views: Mapping[str, str],
        image_id: str,
        boxes: Iterable[str] = (),
    ) -> None:
        self._image_id, self._alone = image_id, (image_id,)
        self._boxes = Counter(boxes)
        self._by_key = {identity.key: identity for identity in identities}
        self._recorded_hashes = {identity.file_hash for identity in self._by_key.values()}
        self._new_by_hash: dict[str, str] = {}
        self._pictures = KeysByPicture()
        self._orphans: dict[str, list[str]] = {}
        for key, picture_hash in views.items():
            self._pictures.set(key, picture_hash)
            if key not in self._by_key:
                self._orphans.setdefault(picture_hash, []).append(key)

    def of(self, key: str) -> Identity:
        """The medium of ``key``, as it is by now."""
        return self._by_key[key]

    def all(self) -> list[Identity]:
        """All media, as they are by now."""
        return list(self._by_key.values())

    def remove(self, keys: Iterable[str]) -> None:
        """Forget media that are no more, with their vectors."""
        for key in keys:
            del self._by_key[key]
            self._pictures.remove(key)
        self._recorded_hashes = {identity.file_hash for identity in self._by_key.values()}

    def expect_others(self, keys: Set[str]) -> None:
        """Let the bytes of ``keys`` be those of no medium: all of them are read anew."""
        self._recorded_hashes = {
            identity.file_hash for key, identity in self._by_key.items() if key not in keys
        }

    def set_state(self, keys: Iterable[str], state: MediaState) -> None:
        """Note where the files of ``keys`` are."""
        for key in keys:
            self._by_key[key] = self._by_key[key]._replace(state=state.value)

    def is_embedded(self, key: str) -> bool:
        """True where the medium's committed views show the picture that its row says."""
        identity = self._by_key[key]
        marked = self._image_id in identity.embedded
        return marked and self._pictures.picture_of(key) == identity.picture_hash

    def by_bytes(self, verdict: Verdict, file_hash: str | None) -> FileMatch | None:
        """The match of a file whose bytes are already known and embedded; else None."""
        verdict = self._brought_forward(verdict, file_hash)
        same = self._of_same_bytes(verdict, file_hash)
        return None if same is None else self._match(verdict, same.picture_hash, same.kind)

    def has_bytes(self, verdict: Verdict, file_hash: str | None) -> bool:
        """True where ``by_bytes`` has a match by now."""
        verdict = self._brought_forward(verdict, file_hash)
        return self._of_same_bytes(verdict, file_hash) is not None

    def _of_same_bytes(self, verdict: Verdict, file_hash: str | None) -> Identity | None:
        if verdict.source is None or not self.is_embedded(verdict.source):
            return None
        same = self._by_key[verdict.source]
        # Else it shows other bytes since this run has read it.
        return same if file_hash in (None, same.file_hash) else None

    def _brought_forward(self, verdict: Verdict, file_hash: str | None) -> Verdict:
        """A new file is a copy where this run has matched one with its bytes before."""
        if verdict.kind is MatchKind.NEW and file_hash in self._new_by_hash:
            return Verdict(MatchKind.COPIED, None, self._new_by_hash[file_hash])
        return verdict

    def by_picture(
        self,
        verdict: Verdict,
        file_hash: str,
        picture_hash: str,
        media_kind: str,
        boxes: int = 0,
    ) -> FileMatch | None:
        """The match of a decoded file; None where its bytes are not those of the verdict.

        A long photo whose stored views show fewer than its ``boxes`` is embedded anew. So one
        that was indexed before there were any has its whole alone, and is found by that, until
        its file is read again (``index --again all``): to know of it earlier, every index
        would have to hold all sizes against all views.
        """
        verdict = self._brought_forward(verdict, file_hash)
        if verdict.source is not None:
            if self._by_key[verdict.source].file_hash != file_hash:
                return None
        elif file_hash in self._recorded_hashes:
            return None
        return self._match(verdict, picture_hash, media_kind, boxes)

    def _match(
        self, verdict: Verdict, picture_hash: str, media_kind: str, boxes: int = 0
    ) -> FileMatch:
        """A new medium takes the key of vectors that a crash has left without a row."""
        key = verdict.key
        if key is None:
            orphans = self._orphans.get(picture_hash)
            key = orphans.pop() if orphans else new_key()
        return FileMatch(
            kind=verdict.kind,
            key=key,
            picture_hash=picture_hash,
            media_kind=media_kind,
            same_bytes=verdict.source,
            vectors_of=self._vectors_of(picture_hash, key, boxes),
            boxes=boxes,
            previous=self._by_key[key] if verdict.key is not None else None,
        )

    def _vectors_of(self, picture_hash: str, key: str, boxes: int) -> str | None:
        """The key whose views show all of a picture: the medium's own before others."""
        keys = self._pictures.keys_of(picture_hash)
        if key in keys and self._boxes[key] >= boxes:
            return key
        return next((other for other in keys if self._boxes[other] >= boxes), None)

    def apply(
        self,
        found: FoundFile,
        volume: str,
        file_hash: str,
        match: FileMatch,
        metadata_mark: str = "",
        parts: tuple[Part, ...] = (),
    ) -> Identity:
        """Bring the known files forward to where ``match`` is committed."""
        previous = match.previous
        others = () if previous is None or match.is_redrawn else previous.embedded
        identity = Identity(
            key=match.key,
            root=found.root,
            path=found.path,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            ctime_ns=found.ctime_ns,
            volume=volume,
            file_hash=file_hash,
            picture_hash=match.picture_hash,
            kind=match.media_kind,
            state=MediaState.PRESENT.value,
            embedded=self._embedded_too(others),
            metadata_mark=metadata_mark,
            parts=parts,
        )
        self._by_key[match.key] = identity
        self._new_by_hash.setdefault(file_hash, match.key)
        self._pictures.set(match.key, match.picture_hash)
        source = match.vectors_of
        boxes = match.boxes if source is None else self._boxes[source]
        if boxes or match.key in self._boxes:  # few have any
            self._boxes[match.key] = boxes
        return identity

    def _embedded_too(self, others: tuple[str, ...]) -> tuple[str, ...]:
        """These models and the one in use; the same tuple for all that have no other."""
        if not set(others) - {self._image_id}:
            return self._alone
        return tuple(dict.fromkeys((*others, self._image_id)))

    def leftover_orphans(self) -> list[str]:
        """Keys of vectors whose files were not found again."""
        return [key for keys in self._orphans.values() for key in keys]


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

    @property
    def shows_another_picture(self) -> bool:
        """True where a known medium shows another picture than the machine has written of.

        The same bytes never do, even where a later program hashes their picture by another rule.
        """
        before = self.match.previous
        is_same_file = before is not None and before.file_hash == self.identity.file_hash
        return self.match.is_redrawn and not is_same_file

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
    """A file that gave no picture; one that is ``is_passing`` is read again next time.

    ``is_killed``: decoders were killed over it.
    """

    found: FoundFile
    reason: str
    is_passing: bool = False
    is_killed: bool = False


@dataclass(frozen=True, slots=True)
class Vanished:
    """A file that was gone before it could be read."""

    found: FoundFile


def _inside(result: Decoded) -> tuple[Part, ...]:
    """The video inside a motion photo as a part."""
    if not isinstance(result, DecodedPhoto) or not result.video_bytes:
        return ()
    part = Part(
        name=b"",
        role=PartRole.INSIDE,
        format="MP4",
        size_bytes=result.video_bytes,
        mtime_ns=0,
        ctime_ns=0,
        file_hash="",
    )
    return (part,)


class FileMatcher:
    """Gives the files of a plan their matches, one at a time, from any thread."""

    def __init__(
        self,
        known_files: KnownFiles,
        plan: Plan,
        seen: Mapping[bytes, SeenFile],
        *,
        reads_all: bool = False,
    ) -> None:
        """``reads_all``: files with known bytes are decoded all the same."""
        self._reads_all = reads_all
        self._read_again: set[bytes] = set()
        self._known_files = known_files
        self._plan = plan
        self._seen = seen
        self._lock = threading.Lock()

    def read_again(self, found: FoundFile, key: str) -> None:
        """Have the file of the medium ``key`` decoded, though its bytes are known."""
        self._plan.verdicts[found.path] = Verdict(MatchKind.TOUCHED, key, key)
        self._read_again.add(found.path)

    def _parts(self, found: FoundFile) -> tuple[Part, ...]:
        """The other files of a medium; one whose bytes can't be read waits for the next index."""
        parts = []
        for one in self._plan.parts.get(found.path, ()):
            seen = self._seen[one.path]
            file_hash = one.file_hash or seen.file_hash or hash_file(one.path)
            if file_hash is not None:
                part = Part(
                    name=os.path.basename(one.path),  # noqa: PTH119 - paths are bytes here
                    role=PartRole(one.role),
                    format=one.format,
                    size_bytes=seen.size_bytes,
                    mtime_ns=seen.mtime_ns,
                    ctime_ns=seen.ctime_ns,
                    file_hash=file_hash,
                )
                parts.append(part)
        return (*parts, *self._plan.kept.get(found.path, ()))

    def match_bytes(self, found: FoundFile) -> MatchedFile | None:
        """The match of a moved, copied or touched file whose picture is known, else None."""
        if self._reads_all or found.path in self._read_again:
            return None
        verdict, seen = self._plan.verdicts[found.path], self._seen[found.path]
        with self._lock:
            if not self._known_files.has_bytes(verdict, seen.file_hash):
                return None  # now: parts are read once, and not while decoders wait
        parts = self._parts(found)
        with self._lock:
            match = self._known_files.by_bytes(verdict, seen.file_hash)
            if match is None:
                return None
            same = self._known_files.of(match.same_bytes or match.key)
            # What is inside the file came with its bytes.
            parts += tuple(part for part in same.parts if not part.name)
            identity = self._known_files.apply(
                found, seen.volume, same.file_hash, match, same.metadata_mark, parts
            )
        return MatchedFile(found=found, match=match, identity=identity)

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable | Vanished:
        """The match of a decoded file; none where it is gone, or another disk in its place."""
        if found.device and device_at(found.path) != found.device:
            return Vanished(found)
        if isinstance(result, DecodeFailure):
            if not os.path.lexists(found.path):
                return Vanished(found)
            return Unreadable(
                found=found,
                reason=result.reason,
                is_passing=result.is_passing,
                is_killed=result.is_killed,
            )
        verdict, seen = self._plan.verdicts[found.path], self._seen[found.path]
        facts = Facts.of(result)
        parts = self._parts(found) + _inside(result)
        with self._lock:
            match = self._known_files.by_picture(
                verdict,
                result.file_hash,
                result.picture_hash,
                facts.kind.value,
                len(result.box_inputs) if isinstance(result, DecodedPhoto) else 0,
            )
            if match is None:
                return Unreadable(
                    found=found, reason=kept("It changed while it was read."), is_passing=True
                )
            identity = self._known_files.apply(
                found, seen.volume, result.file_hash, match, found.metadata_mark, parts
            )
        return MatchedFile(found=found, match=match, identity=identity, facts=facts, decoded=result)
