"""The rules of human annotations, written down a second time and as plainly as can be.

The walk (``annotation_walk``) does everything twice: once to the program and once to
this model; both must always agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
Albums = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """All that a person has said of one medium."""

    caption: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rating: int | None = None
    flag: str | None = None
    favourite: bool | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The effect of a write on one file; ``was_ours`` of the bytes before."""

    key: str
    before: bytes | None
    was_ours: bool
    after: bytes


@dataclass(slots=True, eq=False)
class Command:
    """One command of a person, as it can be undone; itself, not its like."""

    edits: dict[str, tuple[Said, Said]] = field(default_factory=dict)
    files: dict[bytes, Written] = field(default_factory=dict)
    albums: tuple[Albums, Albums] | None = None


@dataclass(slots=True)
class Model:
    """Words by key, albums by name, ``.txt`` files by path, and the two stacks."""

    said: dict[str, Said] = field(default_factory=dict)
    albums: Albums = field(default_factory=dict)
    files: dict[bytes, bytes] = field(default_factory=dict)
    undo_stack: list[Command] = field(default_factory=list)
    redo_stack: list[Command] = field(default_factory=list)
    ours_at: dict[bytes, tuple[bytes | None, bool]] = field(default_factory=dict)
    ours_of: dict[str, tuple[bytes | None, bool]] = field(default_factory=dict)

    def copy(self) -> Model:
        """A copy to try a command on; commands themselves are never changed in place."""
        return Model(
            said=dict(self.said),
            albums=self.albums,
            files=dict(self.files),
            undo_stack=list(self.undo_stack),
            redo_stack=list(self.redo_stack),
            ours_at=dict(self.ours_at),
            ours_of=dict(self.ours_of),
        )

    def set(
        self,
        keys: Iterable[str],
        caption: str | None,
        add: tuple[str, ...] = (),
        remove: tuple[str, ...] = (),
        *,
        rating: int | None = None,
        flag: str | None = None,
        favourite: bool | None = None,
    ) -> None:
        """A person says something of some media."""
        command = Command()
        for key in keys:
            old = self.said.get(key, Said())
            new = Said(
                caption=old.caption if caption is None else (caption or None),
                added=(*(t for t in old.added if t not in remove), *_fresh(add, old.added)),
                removed=(*(t for t in old.removed if t not in add), *_fresh(remove, old.removed)),
                rating=old.rating if rating is None else rating,
                flag=old.flag if flag is None else flag,
                favourite=old.favourite if favourite is None else (favourite or None),
            )
            if new != old:
                command.edits[key] = (old, new)
                self.said[key] = new
        if command.edits:
            self.push(command)

    def set_albums(self, albums: Albums) -> None:
        """The albums are these from now on: names with their media in order."""
        if albums != self.albums:
            self.push(Command(albums=(self.albums, albums)))
            self.albums = albums

    def move(self, name: str, keys: Sequence[str], before: str | None) -> None:
        """Media of an album stand before another one, or at its end."""
        moved = [key for key in keys if key in self.albums[name] and key != before]
        order = [key for key in self.albums[name] if key not in moved]
        at = len(order) if before is None else order.index(before)
        self.set_albums({**self.albums, name: (*order[:at], *moved, *order[at:])})

    def push(self, command: Command) -> None:
        """A new command empties the redo stack."""
        self.undo_stack.append(command)
        self.redo_stack.clear()

    def undo(self) -> None:
        """All of the last command goes back, but for files that somebody has changed."""
        if not self.undo_stack:
            return
        command = self.undo_stack.pop()
        self.redo_stack.append(command)
        for key, (old, _) in command.edits.items():
            self.said[key] = old
        if command.albums is not None:
            self.albums = command.albums[0]
        for path, change in command.files.items():
            if self.files.get(path) == change.after and change.before != change.after:
                self._put(path, change.key, change.before, change.was_ours)

    def redo(self) -> None:
        """All of it again, but for files that somebody has changed."""
        if not self.redo_stack:
            return
        command = self.redo_stack.pop()
        self.undo_stack.append(command)
        for key, (_, new) in command.edits.items():
            self.said[key] = new
        if command.albums is not None:
            self.albums = command.albums[1]
        for path, change in command.files.items():
            if self.files.get(path) == change.before and change.before != change.after:
                self._put(path, change.key, change.after, True)

    def write(self, captions: dict[bytes, tuple[str, str]], *, overwrite: bool) -> Command:
        """Writes captions (path of the ``.txt``: key and text); not yet on the stack."""
        command = Command()
        for path, (key, text) in captions.items():
            data = f"{text}\n".encode()
            now = self.files.get(path)
            is_ours = self.is_ours(path, key, now)
            if now == data or not (now is None or is_ours or overwrite):
                continue
            command.files[path] = Written(key, now, is_ours, data)
            self._put(path, key, data, True)
        return command

    def forget(self, path: bytes, key: str, before: Model) -> None:
        """That file was not written after all: what is known of it is as before."""
        _restore(self.files, before.files, path)
        _restore(self.ours_at, before.ours_at, path)
        _restore(self.ours_of, before.ours_of, key)

    def is_ours(self, path: bytes, key: str, data: bytes | None) -> bool:
        """Only while it holds what we last wrote, there or of that medium."""
        for last in (self.ours_at.get(path), self.ours_of.get(key)):
            if data is not None and last is not None and last[0] == data:
                return last[1]
        return False

    def _put(self, path: bytes, key: str, data: bytes | None, is_ours: bool) -> None:
        self.ours_at[path] = self.ours_of[key] = (data, is_ours and data is not None)
        if data is None:
            self.files.pop(path, None)
        else:
            self.files[path] = data


def _fresh(tags: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(tag for tag in tags if tag not in known)


def _restore(now: dict[Key, Value], before: dict[Key, Value], key: Key) -> None:
    if key in before:
        now[key] = before[key]
    else:
        now.pop(key, None)
