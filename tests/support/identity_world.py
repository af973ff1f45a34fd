"""Disks, folders and files that change at random, a library that follows by the program's
rules, and a slow reference that follows by the same rules written out plainly.

Nothing here touches a disk: a file is a content (a letter), a time and a place on a volume.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from cocadesk.indexing.identity import MatchKind, Plan, SeenFile, decide
from cocadesk.library.parts import Part
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Identity, MediaState

SYSTEM, STICK, OTHER, CARD = "system", "stick", "other stick", "card"
# A folder on the system's disk, a mount point, and a mount point inside the first.
PHOTOS, USB, INNER = b"/photos", b"/media/usb", b"/photos/card"
FOLDERS = (b"", b"/trip", b"/Trip", b"/trip/day")
NAMES = (b"1.jpg", b"2.jpg", b"3.jpg")
CONTENTS = "abcde"


@dataclass(slots=True)
class File:
    """A file's content and times."""

    content: str
    mtime: int
    ctime: int


@dataclass(slots=True)
class World:
    """The volumes with their files, and which one is mounted where."""

    volumes: dict[str, dict[bytes, File]] = field(
        default_factory=lambda: {SYSTEM: {}, STICK: {}, OTHER: {}, CARD: {}}
    )
    mounted: dict[bytes, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(
        default_factory=lambda: {name: name for name in (SYSTEM, STICK, OTHER, CARD)}
    )
    inodes: dict[bytes, int] = field(default_factory=lambda: {PHOTOS: 0, USB: 0})
    """Of each root's folder: another number is another folder in its place."""
    clock: int = 0

    def volume_of(self, path: bytes) -> str:
        """The volume that a path is on now."""
        return next((v for at, v in self.mounted.items() if is_under(path, at)), SYSTEM)

    def files(self) -> dict[bytes, File]:
        """All files that can be seen; what a mount hides is not."""
        return {
            path: file
            for volume, held in self.volumes.items()
            for path, file in held.items()
            if self.volume_of(path) == volume
        }

    def at(self, path: bytes) -> dict[bytes, File]:
        """The files of the volume that ``path`` is on."""
        return self.volumes[self.volume_of(path)]

    def tick(self) -> int:
        """A new time."""
        self.clock += 1
        return self.clock

    def write(self, path: bytes, content: str) -> None:
        """Create a file, or write another content into it."""
        self.at(path)[path] = File(content, self.tick(), self.tick())

    def rename(self, old: bytes, new: bytes) -> None:
        """Move a file, over another one if need be; the time of its content stays."""
        file = self.at(old).pop(old)
        self.at(new)[new] = File(file.content, file.mtime, self.tick())

    def copy(self, old: bytes, new: bytes) -> None:
        """A copy with a time of its own, or (as ``cp -p``) with the old one."""
        self.at(new)[new] = File(self.files()[old].content, self.tick(), self.tick())


@dataclass(slots=True)
class Medium:
    """A row of the reference: the file it is, and the words that a person gave it."""

    key: str
    root: bytes
    path: bytes
    content: str
    mtime: int
    ctime: int
    volume: str
    state: MediaState = MediaState.PRESENT


ROOTS = (PHOTOS, USB)


def root_of(path: bytes) -> bytes:
    """The root that a path lies in."""
    return next(root for root in ROOTS if is_under(path, root))


class Simulation:
    """One history: random steps, each index by both the program's rules and the reference."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World()
        self.rows: dict[str, Identity] = {}
        self.reference: dict[str, Medium] = {}
        self.words: dict[str, str] = {}
        """By key, the content that the words were given to, brought forward by edits."""
        self.inodes = dict(self.world.inodes)
        self.log: list[str] = []
        self._numbers = itertools.count()
        self.indexed = 0

    def places(self) -> list[bytes]:
        """All paths that a file may have."""
        roots = (PHOTOS, USB, INNER)
        return [r + f + b"/" + n for r in roots for f in FOLDERS for n in NAMES]

    def step(self) -> None:
        """One random change, or an index."""
        world, pick = self.world, self.random.choice
        files = sorted(world.files())
        name = pick(STEPS)
        place = pick(self.places())
        if name == "write":
            world.write(place, pick(CONTENTS))
        elif name == "mount":
            self._mount()
            place = b""
        elif name == "remake":
            root = pick(ROOTS)
            world.inodes[root] = world.tick()
            if self.random.random() < 0.5:
                for path in [p for p in world.files() if is_under(p, root)]:
                    del world.at(path)[path]
        elif name == "number":
            volume = pick((STICK, CARD, SYSTEM))
            world.numbers[volume] = f"{volume} {world.tick()}"
        elif name == "index":
            self.log.append("index")
            self.index()
            return
        elif files:
            self._change(name, pick(files), place)
        self.log.append(f"{name} {place!r}")

    def _mount(self) -> None:
        world = self.world
        at = self.random.choice((USB, INNER))
        choices = [None, STICK, OTHER] if at == USB else [None, CARD]
        volume = self.random.choice(choices)
        world.mounted.pop(at, None)
        if volume is not None:
            world.mounted[at] = volume
        self.log.append(f"mount {volume} at {at!r}")

    def _change(self, name: str, old: bytes, place: bytes) -> None:
        world = self.world
        self.log.append(f"  of {old!r}")
        if name == "rename":
            world.rename(old, place)
        elif name == "copy":
            world.copy(old, place)
        elif name == "delete":
            del world.at(old)[old]
        elif name == "edit":
            world.write(old, self.random.choice(CONTENTS))
        elif name == "touch":
            world.write(old, world.files()[old].content)
        elif name == "exif":
            # Written again with the size and time that it had: only ctime tells.
            file = world.at(old)[old]
            world.at(old)[old] = File(self.random.choice(CONTENTS), file.mtime, world.tick())
        elif name == "swap":
            self._swap(old, self.random.choice(sorted(world.files())))
        elif name == "renumber":
            self._renumber(old)
        elif name == "recase":
            self._recase(old)

    def _swap(self, one: bytes, other: bytes) -> None:
        """Two names change places."""
        if one != other:
            spare = one.rpartition(b"/")[0] + b"/spare.jpg"
            for old, new in ((one, spare), (other, one), (spare, other)):
                self.world.rename(old, new)

    def _renumber(self, path: bytes) -> None:
        """IMG_2 becomes IMG_3, IMG_1 becomes IMG_2: from the last one on."""
        folder = path.rpartition(b"/")[0]
        for old, new in ((b"3.jpg", b"4.jpg"), (b"2.jpg", b"3.jpg"), (b"1.jpg", b"2.jpg")):
            source = folder + b"/" + old
            if source in self.world.files():
                self.world.rename(source, folder + b"/" + new)

    def _recase(self, path: bytes) -> None:
        """A folder is spelled in other case, with all that is in it."""
        folder = path.rpartition(b"/")[0]
        for old in [p for p in self.world.files() if p.rpartition(b"/")[0] == folder]:
            top, _, last = folder.rpartition(b"/")
            if top and folder not in (PHOTOS, USB, INNER):
                self.world.rename(
                    old, top + b"/" + last.swapcase() + b"/" + old.rpartition(b"/")[2]
                )

    def index(self) -> None:
        """Index both roots, or one, by both sets of rules, and compare."""
        roots = self.random.choice((ROOTS, ROOTS, (PHOTOS,), (USB,)))
        self.indexed += 1
        names = [f"k{next(self._numbers):05d}" for _ in range(60)]
        replaced = {root for root in ROOTS if self.world.inodes[root] != self.inodes[root]}
        self._index_by_rules(roots, iter(names), replaced)
        index_plainly(self.reference, self.world, roots, iter(names), replaced)
        self._compare()
        self._give_words()

    def _index_by_rules(
        self, roots: tuple[bytes, ...], names: Iterator[str], replaced: set[bytes]
    ) -> None:
        plan, by_path = self._decided(list(self.rows.values()), roots, replaced)
        self._note_roots(roots, plan)
        for path, verdict in sorted(plan.verdicts.items()):
            key = verdict.key or next(names)
            self._place(key, by_path[path], is_edit=verdict.kind is MatchKind.EDITED)
        for path, key in plan.unchanged.items():
            self._place(key, by_path[path])
        for state, keys in (
            (MediaState.MISSING, plan.missing),
            (MediaState.OFFLINE, plan.offline),
        ):
            for key in keys:
                self.rows[key] = self.rows[key]._replace(state=state.value)

    def _decided(
        self, recorded: list[Identity], roots: tuple[bytes, ...], replaced: set[bytes]
    ) -> tuple[Plan, dict[bytes, SeenFile]]:
        """What the program's rules make of these files, and the files as they were seen."""
        world = self.world
        seen = {
            path: self._seen(path, recorded, is_witness=root_of(path) not in roots)
            for path in sorted(world.files())
            if root_of(path) in roots or any(row.path == path for row in recorded)
        }
        plan = decide(
            recorded,
            list(seen.values()),
            is_covered=lambda row: True,
            is_scanned=lambda row: root_of(row.path) in roots,
            volume_at=lambda row: world.numbers[world.volume_of(row.path)],
            replaced=replaced,
        )
        return plan, seen

    def _note_roots(self, roots: tuple[bytes, ...], plan: Plan) -> None:
        """Remember the folders of the roots that are there."""
        away = {self.rows[key].root for key in plan.offline}
        for root in set(roots) - away:
            self.inodes[root] = self.world.inodes[root]

    def _seen(self, path: bytes, recorded: list[Identity], *, is_witness: bool) -> SeenFile:
        """A file as the scan and the comparison of bytes give it."""
        file = self.world.files()[path]
        at_path = [row for row in recorded if row.path == path]
        is_recorded = len(at_path) == 1 and (at_path[0].mtime_ns, at_path[0].ctime_ns) == (
            file.mtime,
            file.ctime,
        )
        is_known_size = any(row.size_bytes == ord(file.content) // 2 for row in recorded)
        hashed = is_known_size and not is_recorded
        return SeenFile(
            path=path,
            root=root_of(path),
            size_bytes=ord(file.content) // 2,
            mtime_ns=file.mtime,
            ctime_ns=file.ctime,
            volume=self.world.numbers[self.world.volume_of(path)],
            file_hash=file.content if hashed else None,
            is_witness=is_witness,
        )

    def _place(self, key: str, file: SeenFile, *, is_edit: bool = False) -> None:
        content = self.world.files()[file.path].content
        old = self.rows.get(key)
        if old is not None and not is_edit:
            assert old.file_hash == content, f"{key} was {old.file_hash}, is now {content}"
        if is_edit:
            assert old is not None
            assert old.path == file.path
            self.words.pop(key, None)
        self.rows[key] = self._row(key, file)

    def _row(self, key: str, file: SeenFile, parts: tuple[Part, ...] = ()) -> Identity:
        """The row of a medium whose file is there."""
        content = self.world.files()[file.path].content
        return Identity(
            key=key,
            root=file.root,
            path=file.path,
            size_bytes=file.size_bytes,
            mtime_ns=file.mtime_ns,
            ctime_ns=file.ctime_ns,
            volume=file.volume,
            file_hash=content,
            picture_hash=content,
            kind="photo",
            state=MediaState.PRESENT.value,
            embedded=(),
            parts=parts,
        )

    def _give_words(self) -> None:
        """A person writes about a photo that is there."""
        there = sorted(key for key, row in self.rows.items() if row.state == MediaState.PRESENT)
        for key in there:
            self.words.setdefault(key, self.rows[key].file_hash)

    def _compare(self) -> None:
        """The program's rows are the reference's, and words are on the bytes they were given to."""
        ours = {k: (r.path, r.file_hash, r.state) for k, r in self.rows.items()}
        theirs = {m.key: (m.path, m.content, m.state.value) for m in self.reference.values()}
        assert ours == theirs, "\n".join(self.log)
        there = [row.path for row in self.rows.values() if row.state == MediaState.PRESENT]
        assert len(there) == len(set(there)), "a file is two media"
        for key, content in self.words.items():
            assert self.rows[key].file_hash == content, f"the words of {key} moved"


STEPS = (
    *("write",) * 6,
    *("rename", "copy", "delete", "edit", "touch", "exif", "swap", "renumber", "recase"),
    *("mount",) * 2,
    *("number", "remake"),
    *("index",) * 5,
)


def index_plainly(
    media: dict[str, Medium],
    world: World,
    roots: tuple[bytes, ...],
    names: Iterator[str],
    replaced: set[bytes],
) -> None:
    """The identity rules by content, in their plainest form (every pair is looked at)."""
    # Of a root that is not indexed now, only the places of known media are looked at.
    known_paths = {medium.path for medium in media.values()}
    files = {
        path: file
        for path, file in world.files().items()
        if root_of(path) in roots or path in known_paths
    }
    open_files = {p for p in files if root_of(p) in roots}
    volume = {p: world.numbers[world.volume_of(p)] for p in files}
    settled: set[str] = set()
    placed: dict[str, bytes] = {}

    # Rule 1, by content: a present row before a missing one, the newest first.
    order = sorted(media.values(), key=lambda m: m.key, reverse=True)
    order.sort(key=lambda m: m.state is MediaState.MISSING)
    used: set[bytes] = set()
    for medium in order:
        path = medium.path
        if path in files and path not in used and files[path].content == medium.content:
            used.add(path)
            settled.add(medium.key)
            placed[medium.key] = path
    in_place = dict(placed)
    open_files -= used

    def is_away(medium: Medium) -> bool:
        there = world.numbers[world.volume_of(medium.path)]
        mates = [
            m
            for m in media.values()
            if (m.root, m.volume) == (medium.root, medium.volume)
            and m.state is not MediaState.MISSING
        ]
        if there == medium.volume and medium.root not in replaced:
            return bool(mates) and not any(
                (m.path in files and volume[m.path] == m.volume)
                or any(
                    is_under(p, m.root) and volume[p] == m.volume and files[p].content == m.content
                    for p in files
                )
                for m in mates
            )
        everyone = [m for m in media.values() if (m.root, m.volume) == (medium.root, medium.volume)]
        stayed = sum(1 for m in everyone if m.key in in_place and volume[in_place[m.key]] == there)
        return stayed == 0 or 2 * stayed < len(mates)

    away = {key for key, m in media.items() if key not in settled and is_away(m)}

    # Rules 2 and 3.
    new: dict[bytes, str] = {}
    while True:
        pairs = [
            (
                m.state is MediaState.MISSING,
                volume[p] != m.volume,
                -common_ending(m.path, p),
                p,
                m.path,
                m.key,
            )
            for m in media.values()
            for p in open_files
            if m.key not in settled and m.key not in away and files[p].content == m.content
        ]
        if not pairs:
            break
        best = min(pairs)
        settled.add(best[5])
        placed[best[5]] = best[3]
        open_files.discard(best[3])
    known_contents = {m.content for m in media.values()}
    copies = {p for p in open_files if files[p].content in known_contents}
    rest = open_files - copies

    # Rule 4.
    edited: set[bytes] = set()
    for path in rest:
        heirs = [
            m
            for m in order
            if m.path == path
            and m.key not in settled
            and m.key not in away
            and m.state is not MediaState.MISSING
        ]
        if heirs:
            settled.add(heirs[0].key)
            placed[heirs[0].key] = path
            edited.add(path)

    # Rule 5.
    for key, medium in media.items():
        if key in settled or root_of(medium.path) not in roots:
            continue
        if medium.state is not MediaState.MISSING and key in away:
            medium.state = MediaState.OFFLINE
        else:
            medium.state = MediaState.MISSING
    for path in sorted((copies | rest) - edited):
        new[path] = next(names)
    for key, path in (*placed.items(), *((name, path) for path, name in new.items())):
        if key in in_place and root_of(path) not in roots:
            continue  # a witness: known to be there, not indexed now
        file = files[path]
        media[key] = Medium(
            key, root_of(path), path, file.content, file.mtime, file.ctime, volume[path]
        )


def common_ending(one: bytes, other: bytes) -> int:
    """The number of path parts, from the end, that two paths share."""
    count = 0
    for a, b in zip(reversed(one.split(b"/")), reversed(other.split(b"/")), strict=False):
        if a != b:
            break
        count += 1
    return count
