"""Random histories of shots in several files, and what must hold of their media after each index.

The world is that of ``identity_world``, with RAW files beside the photos. Its plain reference
knows files alone; here the rules for files of one shot are checked by what they promise.
"""

from __future__ import annotations

from collections.abc import Iterator

from cocadesk.indexing.gathering import gather, members
from cocadesk.indexing.identity import MatchKind, Plan, SeenPart
from cocadesk.library.parts import Part, PartRole
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Identity, MediaState, paths_of
from cocadesk.media.companions import Companion, companions
from tests.support.identity_world import PHOTOS, ROOTS, USB, Simulation, root_of

NAMES = (b"1.jpg", b"1.cr2", b"2.jpg", b"2.CR2", b"1.mov")
FOLDERS = (b"", b"/trip")
_FIRST_TIME = "abc"


def are_one_shot(one: str, other: str) -> bool:
    """True where two contents were taken at one time."""
    return (one in _FIRST_TIME) == (other in _FIRST_TIME)


class PartsSimulation(Simulation):
    """One history of files, of which some are of one shot."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.said: dict[str, str] = {}
        """By key, what a person said."""
        self.joined = 0
        self.shown_anew = 0

    def places(self) -> list[bytes]:
        """All paths that a file may have."""
        return [r + f + b"/" + n for r in (PHOTOS, USB) for f in FOLDERS for n in NAMES]

    def index(self) -> None:
        """Index both roots, or one, check what must hold, and index again: nothing changes."""
        roots = self.random.choice((ROOTS, ROOTS, (PHOTOS,), (USB,)))
        self.indexed += 1
        names = iter([f"k{next(self._numbers):05d}" for _ in range(60)])
        replaced = {root for root in ROOTS if self.world.inodes[root] != self.inodes[root]}
        before, said = dict(self.rows), dict(self.said)
        plan = self._plan(roots, replaced)
        self._apply(plan, names)
        self._follow(plan, before)
        self._check(roots, plan, before, said)
        again = self._plan(roots, {r for r in replaced if self.inodes[r] != self.world.inodes[r]})
        assert (again.verdicts, again.joined, again.left) == ({}, {}, []), self._story()
        self._talk()

    def _plan(self, roots: tuple[bytes, ...], replaced: set[bytes]) -> Plan:
        rows = list(self.rows.values())
        found, self._files = self._decided(members(rows), roots, replaced)
        plan = gather(found, rows, self.pairs(roots), self._may_join)
        self._note_roots(roots, plan)
        return plan

    def pairs(self, roots: tuple[bytes, ...]) -> dict[bytes, Companion]:
        """The files of one shot in the roots that are scanned."""
        files = {path: f for path, f in self.world.files().items() if root_of(path) in roots}
        return {
            path: companion
            for path, companion in companions(sorted(files)).items()
            if are_one_shot(files[path].content, files[companion.shown].content)
        }

    def _may_join(self, one: str, other: str) -> bool:
        texts = {self.said[key] for key in (one, other) if key in self.said}
        return len(texts) < 2

    def _apply(self, plan: Plan, names: Iterator[str]) -> None:
        """Do what an index does with a plan."""
        for key, stays in plan.joined.items():
            self.joined += 1
            if key in self.said:
                self.rows[key] = self.rows[key]._replace(state=MediaState.MISSING.value)
                self.said.setdefault(stays, self.said.pop(key))
            else:
                del self.rows[key]
        for keys, state in (
            (plan.missing, MediaState.MISSING),
            (plan.offline, MediaState.OFFLINE),
            (plan.left, MediaState.MISSING),
        ):
            for key in keys:
                self.rows[key] = self.rows[key]._replace(state=state.value)
        for path, key in plan.unchanged.items():
            self._set(key, path, plan)
        for path, verdict in sorted(plan.verdicts.items()):
            file_hash = self.world.files()[path].content
            if verdict.source is not None:
                assert self.rows[verdict.source].file_hash == file_hash, self._story()
            self._set(verdict.key or next(names), path, plan)

    def _set(self, key: str, path: bytes, plan: Plan) -> None:
        parts = tuple(map(self._part, plan.parts.get(path, ())))
        self.rows[key] = self._row(key, self._files[path], parts)
        # A part is named by its name alone.
        wanted = [path, *(one.path for one in plan.parts.get(path, ()))]
        assert paths_of(self.rows[key]) == wanted, self._story()

    def _part(self, one: SeenPart) -> Part:
        content, seen = self.world.files()[one.path].content, self._files[one.path]
        assert one.file_hash in (None, content), f"{one.path!r} holds {content}: {self._story()}"
        return Part(
            name=one.path.rpartition(b"/")[2],
            role=PartRole(one.role),
            format="",
            size_bytes=seen.size_bytes,
            mtime_ns=seen.mtime_ns,
            ctime_ns=seen.ctime_ns,
            file_hash=content,
        )

    def contents(self, row: Identity) -> frozenset[str]:
        """The contents of all files of a medium."""
        return frozenset([row.file_hash, *(part.file_hash for part in row.parts)])

    def _follow(self, plan: Plan, before: dict[str, Identity]) -> None:
        """Words stay with bytes that the medium had; only an edit in place brings others in."""
        for path, verdict in plan.verdicts.items():
            key = verdict.key
            if key is None:
                continue
            row, old = self.rows[key], before[key]
            self.shown_anew += path != old.path and verdict.kind is MatchKind.EDITED
            had, has = self.contents(old), self.contents(row)
            is_edit_in_place = not set(paths_of(old)).isdisjoint(paths_of(row))
            had_others = any(
                stays == key and has & self.contents(before[other])
                for other, stays in plan.joined.items()
            )
            assert had & has or is_edit_in_place or had_others, f"{key} jumped: {self._story()}"
            if verdict.kind is not MatchKind.EDITED:
                assert path == old.path or row.file_hash == old.file_hash, self._story()

    def _check(
        self,
        roots: tuple[bytes, ...],
        plan: Plan,
        before: dict[str, Identity],
        said: dict[str, str],
    ) -> None:
        there = [row for row in self.rows.values() if row.state == MediaState.PRESENT]
        held = {path: row.key for row in there for path in paths_of(row)}
        assert len(held) == sum(len(paths_of(row)) for row in there), self._story()
        files = {p: f for p, f in self.world.files().items() if root_of(p) in roots}
        for path in files:
            assert path in held, f"{path!r} is no medium's: {self._story()}"
        for path, companion in self.pairs(roots).items():
            one, other = held[path], held[companion.shown]
            # Only words keep files of one shot apart.
            assert one == other or not self._may_join(one, other), self._story()
        for key, old in before.items():
            stays = plan.joined.get(key, key)
            if stays not in self.rows or old.state != MediaState.PRESENT:
                continue
            file = files.get(old.path)
            if file is not None and file.content == old.file_hash and _is_same_disk(self, old):
                assert held[old.path] == stays, f"{key} lost its file: {self._story()}"
        for key, words in said.items():
            stays = plan.joined.get(key, key)
            assert self.said[stays] == words, f"other words are said of {key}: {self._story()}"
            assert key in self.rows, f"the words of {key} are lost: {self._story()}"

    def _talk(self) -> None:
        """A person writes about some of the media that are there."""
        for key, row in sorted(self.rows.items()):
            is_open = row.state == MediaState.PRESENT and key not in self.said
            if is_open and self.random.random() < 0.3:
                self.said[key] = self.random.choice("xyz")

    def _story(self) -> str:
        return "\n".join(self.log[-40:])


def _is_same_disk(world: Simulation, row: Identity) -> bool:
    now = world.world
    return now.numbers[now.volume_of(row.path)] == row.volume and is_under(row.path, row.root)
