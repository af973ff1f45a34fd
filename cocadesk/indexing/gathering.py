"""Files of one shot gathered into one medium, after the identity of each file is decided.

``identity.decide`` knows files alone: each file of a medium is a *member*, with a key of its
own made of the medium's. Here the members' fates become those of media. Pure functions, too:

1. The files of one shot are one medium, under a key that one of them has already.
2. A medium whose files went apart stays with the file that is shown, or with the first of the
   parts where that is gone; the others are media of their own.
3. Files that were media of their own and are one now are joined under the key of the file that
   is shown, unless people have said different things of them: then they stay apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

from cocadesk.indexing.identity import MatchKind, Plan, SeenPart, Verdict
from cocadesk.library.parts import Part
from cocadesk.library.paths import beside, folder_of
from cocadesk.library.rows import Identity
from cocadesk.media.companions import Companion

_BETWEEN = "/"  # no key holds it
MayJoin = Callable[[str, str], bool]
"""True where two media may become one: people have not said different things of them."""


def members(rows: Iterable[Identity]) -> list[Identity]:
    """Each file of the media as an identity of its own; that of the shown file has its key."""
    return [member for row in rows for member in _members_of(row)]


def _members_of(row: Identity) -> Iterator[Identity]:
    yield row
    for number, part in enumerate(files_of(row)):
        yield row._replace(
            key=f"{row.key}{_BETWEEN}{number}",
            path=beside(row.path, part.name),
            size_bytes=part.size_bytes,
            mtime_ns=part.mtime_ns,
            ctime_ns=part.ctime_ns,
            file_hash=part.file_hash,
            parts=(),
        )


def files_of(row: Identity) -> list[Part]:
    """The parts that are files of their own; a motion photo's video is none."""
    return [part for part in row.parts if part.name]


def owner(member: str) -> str:
    """The key of the medium that a member is a file of."""
    return member.partition(_BETWEEN)[0]


def gather(
    found: Plan,
    rows: Sequence[Identity],
    pairs: Mapping[bytes, Companion],
    may_join: MayJoin,
    is_left_out: Callable[[bytes], bool] = lambda path: False,
) -> Plan:
    """The plan for media from that for members.

    ``pairs`` are the files that belong to the shot of others, by path. ``is_left_out``: a rule
    leaves the file at a path out, so that it is no part of a medium, and shows none.
    """
    if not pairs and not any(row.parts for row in rows):
        return found
    having = members(row for row in rows if row.parts)
    left_out = {member.key for member in having if is_left_out(member.path)}
    return _Gathering(found, rows, pairs, may_join, left_out).run()


class _Gathering:
    def __init__(
        self,
        found: Plan,
        rows: Sequence[Identity],
        pairs: Mapping[bytes, Companion],
        may_join: MayJoin,
        left_out: Set[str],
    ) -> None:
        self._found = found
        self._rows = {row.key: row for row in rows}
        self._may_join = may_join
        self._claims = dict(found.unchanged)
        for path, verdict in found.verdicts.items():
            if verdict.key is not None:
                self._claims[path] = verdict.key
        self._claimed = set(self._claims.values())
        self._absent = {*found.missing, *found.offline, *left_out}
        self._hashes = {member.key: member.file_hash for member in members(rows)}
        self._pairs = pairs
        self._shots = self._shots_by_pairs()
        self._homes = self._find_homes()
        self._keep_apart()
        self._by_hash: dict[str, list[str]] = {}

    def _shots_by_pairs(self) -> dict[bytes, list[bytes]]:
        """The files of each shot, by the one that is shown, which stands first."""
        paths = [*self._found.unchanged, *self._found.verdicts]
        there = set(paths)
        shown_by = {p: c.shown for p, c in self._pairs.items() if p in there and c.shown in there}
        shots = {path: [path] for path in paths if path not in shown_by}
        for path in sorted(shown_by):
            shots[shown_by[path]].append(path)
        return shots

    def _keep_apart(self) -> None:
        """Part the files of media that may not be joined from the shots that they belong to."""
        for shown, shot in list(self._shots.items()):
            if len(shot) == 1:
                continue
            kept: list[bytes] = []
            apart: dict[str, list[bytes]] = {}
            keys: list[str] = []
            for path in shot:
                (key,) = self._keys_at(shown, [path]) or [""]
                if key and not all(one == key or self._may_join(one, key) for one in keys):
                    apart.setdefault(key, []).append(path)
                    continue
                kept.append(path)
                if key:
                    keys.append(key)
            self._shots[shown] = kept
            for key, paths in apart.items():
                self._shots[paths[0]] = paths
                self._homes[key] = paths[0]

    def _keys_at(self, shown: bytes, paths: Iterable[bytes]) -> list[str]:
        """The media of these files that stay with a shot, each once."""
        return [key for key in self._owners(paths) if self._homes.get(key) == shown]

    def _owners(self, paths: Iterable[bytes]) -> list[str]:
        claimed = (self._claims[path] for path in paths if path in self._claims)
        return list(dict.fromkeys(map(owner, claimed)))

    def _find_homes(self) -> dict[str, bytes]:
        """The shot that each medium stays with, by the file that is shown of it."""
        best: dict[str, tuple[bool, int, bytes]] = {}
        for shown, shot in self._shots.items():
            for path in shot:
                member = self._claims.get(path)
                if member is None:
                    continue
                key, _, number = member.partition(_BETWEEN)
                if self._is_unseen(key) and folder_of(self._rows[key].path) != folder_of(path):
                    continue  # a part that has left a medium of which nothing else is known now
                rank = (bool(number), int(number or 0), shown)
                best[key] = min(best.get(key, rank), rank)
        return {key: shown for key, (_, _, shown) in best.items()}

    def run(self) -> Plan:
        """The plan for media."""
        plan = Plan()
        settled: dict[bytes, str] = {}
        for shown, shot in self._shots.items():
            keys = self._keys_at(shown, shot)
            if any(map(self._is_unseen, keys)):
                plan.held.update(shot)
                continue
            if len(shot) > 1:
                plan.parts[shown] = tuple(map(self._part, shot[1:]))
            if kept := tuple(part for key in keys for part in self._unseen_parts(key, shown)):
                plan.kept[shown] = kept
            if keys:
                settled[shown] = keys[0]
                plan.joined.update(dict.fromkeys(keys[1:], keys[0]))
        # After that is known: a medium that goes, or shows other bytes, is the source of none.
        plan.redrawn = {key for shown, key in settled.items() if self._is_redrawn(shown, key)}
        for key, row in self._rows.items():
            if key not in plan.joined and key not in plan.redrawn:
                self._by_hash.setdefault(row.file_hash, []).append(key)
        for shown, shot in self._shots.items():
            if shown in settled:
                self._settle(plan, shot, settled[shown])
            elif shown not in plan.held:
                source = self._source(shown)
                kind = MatchKind.NEW if source is None else MatchKind.COPIED
                plan.verdicts[shown] = Verdict(kind, None, source)
        for of_members, of_media in (
            (self._found.missing, plan.missing),
            (self._found.offline, plan.offline),
        ):
            of_media += [key for key in of_members if key in self._rows and key not in self._homes]
        stay = set(settled.values())
        plan.left = [key for key in self._found.missing if key in stay]
        return plan

    def _is_redrawn(self, shown: bytes, key: str) -> bool:
        """True where a medium is shown by other bytes than before."""
        verdict = self._found.verdicts.get(shown)
        is_edited = verdict is not None and verdict.kind is MatchKind.EDITED
        return is_edited or self._claims.get(shown) != key

    def _is_unseen(self, member: str) -> bool:
        """True where the scan has left a file of a medium alone."""
        return member not in self._absent and member not in self._claimed

    def _unseen_parts(self, key: str, shown: bytes) -> Iterator[Part]:
        """The parts of a medium that the scan did not look at and that lie beside ``shown``."""
        row = self._rows[key]
        if folder_of(row.path) == folder_of(shown):
            for number, part in enumerate(files_of(row)):
                if self._is_unseen(f"{key}{_BETWEEN}{number}"):
                    yield part

    def _part(self, path: bytes) -> SeenPart:
        companion = self._pairs[path]
        member = self._member_like(path)
        file_hash = None if member is None else self._hashes[member]
        return SeenPart(path, companion.kind.value, companion.format, file_hash)

    def _member_like(self, path: bytes) -> str | None:
        """A member with the bytes of a file, if one is known."""
        verdict = self._found.verdicts.get(path)
        if verdict is not None and verdict.kind is MatchKind.EDITED:
            return None
        return self._claims.get(path) or (verdict.source if verdict is not None else None)

    def _settle(self, plan: Plan, shot: Sequence[bytes], key: str) -> None:
        """The verdict of a shot that a known medium stays with."""
        shown = shot[0]
        if self._claims.get(shown) != key:
            # Another file than before is shown: the same medium, and another picture.
            plan.verdicts[shown] = Verdict(MatchKind.EDITED, key, self._source(shown))
        elif shown not in self._found.unchanged:
            plan.verdicts[shown] = self._found.verdicts[shown]
        elif self._has_these_parts(key, shot):
            plan.unchanged[shown] = key
        else:
            plan.verdicts[shown] = Verdict(MatchKind.TOUCHED, key, key)

    def _has_these_parts(self, key: str, shot: Sequence[bytes]) -> bool:
        numbers = range(len(files_of(self._rows[key])))
        parts = [f"{key}{_BETWEEN}{number}" for number in numbers]
        wanted = [part for part in parts if not self._is_unseen(part)]
        return [self._found.unchanged.get(path) for path in shot[1:]] == wanted

    def _source(self, path: bytes) -> str | None:
        """A medium that is shown by these bytes, if one is known."""
        member = self._member_like(path)
        if member is None:
            return None
        same = self._by_hash.get(self._hashes[member], ())
        return min(same, key=lambda key: (key not in self._homes, key), default=None)
