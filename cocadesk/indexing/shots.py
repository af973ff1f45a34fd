"""Which of the files that a scan met are of one shot, by their names, rows and metadata."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from cocadesk.indexing.gathering import MayJoin, owner
from cocadesk.indexing.pipeline import Decoder
from cocadesk.library.rows import Identity, MediaState
from cocadesk.media.companions import Companion, are_one_shot, companions
from cocadesk.media.types import DecodeRequest, FoundFile, ReadMetadata

_FILES_A_STEP = 100


class Shots:
    """The pairs of files of one shot: those that are known, and those to be found out.

    ``look`` first, then ``read_steps`` where files are ``unread``; then ``pairs`` holds.
    """

    def __init__(self, members: Iterable[Identity], agree_now: MayJoin) -> None:
        """``agree_now`` tells of two media whether people may have kept them apart, and don't."""
        self._agree_now = agree_now
        self._at: dict[bytes, list[Identity]] = {}
        for member in members:
            if member.state == MediaState.PRESENT:
                self._at.setdefault(member.path, []).append(member)
        self.pairs: dict[bytes, Companion] = {}
        self.unread: list[bytes] = []
        self._unsure: dict[bytes, Companion] = {}
        self._were_one: set[bytes] = set()

    def look(self, found: Mapping[bytes, FoundFile], broken: Collection[bytes]) -> None:
        """Settle what the rows know; the files to be read for the rest are ``unread``.

        Files that have not changed since they were told apart, or together, are not read.
        """
        self.pairs, self._unsure, self._were_one = {}, {}, set()
        for path, companion in companions(found, broken).items():
            if found[path].root != found[companion.shown].root:
                continue
            one = self._recorded(found[companion.shown])
            other = self._recorded(found[path])
            if one is None or other is None:
                self._unsure[path] = companion
                has_one = one is not None or other is not None
                if has_one and self._have_one_owner(companion.shown, path):
                    self._were_one.add(path)
            elif owner(one.key) == owner(other.key):
                self.pairs[path] = companion
            elif one.metadata_mark != found[companion.shown].metadata_mark or self._agree_now(
                owner(one.key), owner(other.key)
            ):
                self._unsure[path] = companion
        shown = (companion.shown for companion in self._unsure.values())
        self.unread = list(dict.fromkeys([*shown, *self._unsure]))

    def _have_one_owner(self, *paths: bytes) -> bool:
        """True where the files that were at these paths are of one medium."""
        one, other = ({owner(row.key) for row in self._at.get(path, ())} for path in paths)
        return not one.isdisjoint(other)

    def _recorded(self, found: FoundFile) -> Identity | None:
        """The one member that is at a file's place and knows it as it is."""
        at_path = self._at.get(found.path, ())
        if len(at_path) == 1 and (
            (at_path[0].size_bytes, at_path[0].mtime_ns, at_path[0].ctime_ns)
            == (found.size_bytes, found.mtime_ns, found.ctime_ns)
        ):
            return at_path[0]
        return None

    def read_steps(self, decoder: Decoder) -> Iterator[int]:
        """Read when the files were taken, and settle the rest; yields the number read.

        Where nothing tells, two files stay what they were: one medium where one of them was
        changed in its place, else two.
        """
        requests = (DecodeRequest(token=n, path=path) for n, path in enumerate(self.unread))
        facts: dict[bytes, ReadMetadata | None] = {}
        for answer in decoder.metadata(requests):
            facts[answer.path] = answer if isinstance(answer, ReadMetadata) else None
            if len(facts) % _FILES_A_STEP == 0:
                yield len(facts)
        for path, companion in self._unsure.items():
            is_one = are_one_shot(facts.get(companion.shown), facts.get(path), companion.kind)
            if is_one or (is_one is None and path in self._were_one):
                self.pairs[path] = companion
