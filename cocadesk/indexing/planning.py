"""From a found file to what has to be committed for it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from cocadesk.indexing.known_files import FileMatch, KnownFiles
from cocadesk.indexing.pictures import Decoded, Facts
from cocadesk.library import Identity
from cocadesk.media import DecodedVideo, DecodeFailure, FoundFile, hash_file


@dataclass(slots=True, kw_only=True)
class Planned:
    """A file whose place in the library is decided.

    ``facts`` is None where its bytes were already known. ``decoded`` holds the
    pixels until they are embedded. Mutable so that they can be let go then.
    """

    found: FoundFile
    verdict: FileMatch
    identity: Identity
    facts: Facts | None = None
    decoded: Decoded | None = None

    @property
    def needs_embedding(self) -> bool:
        """Whether no stored vector shows this picture."""
        return self.verdict.vectors_of is None

    def let_go_of_pixels(self) -> None:
        """Keep only what the media row needs; a batch of pictures is large."""
        if isinstance(self.decoded, DecodedVideo):
            self.decoded.close()
        self.decoded = None

    @property
    def lender(self) -> str | None:
        """The other key whose vectors this file copies, or None."""
        source = self.verdict.vectors_of
        return source if source != self.verdict.key else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that gave no picture; one that is ``is_passing`` is read again next time."""

    found: FoundFile
    reason: str
    is_passing: bool = False


class Planner:
    """Applies the identity rules, one file at a time, from any thread."""

    def __init__(self, catalogue: KnownFiles) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()

    def without_decoding(self, found: FoundFile) -> Planned | None:
        """The plan of a moved, copied or touched file, found by its bytes alone."""
        with self._lock:
            if not self._catalogue.may_have_twin(found):
                return None
        file_hash = hash_file(found.path)
        if file_hash is None:
            return None
        with self._lock:
            verdict = self._catalogue.by_bytes(found, file_hash)
            if verdict is None:
                return None
            identity = self._catalogue.apply(found, file_hash, verdict)
        return Planned(found=found, verdict=verdict, identity=identity)

    def after_decoding(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> Planned | Unreadable | None:
        """The plan of a decoded file; None where it vanished meanwhile."""
        if isinstance(result, DecodeFailure):
            if not os.path.lexists(found.path):
                return None
            return Unreadable(found=found, reason=result.reason, is_passing=result.is_passing)
        facts = Facts.of(result)
        with self._lock:
            verdict = self._catalogue.by_picture(
                found, result.file_hash, result.picture_hash, facts.kind.value
            )
            identity = self._catalogue.apply(found, result.file_hash, verdict)
        return Planned(found=found, verdict=verdict, identity=identity, facts=facts, decoded=result)
