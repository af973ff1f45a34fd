"""Captions beside the photos: the file of each photo, and what a write would change."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cocadesk.annotations.sidecar_files import RefusedError, check_folder, read_file
from cocadesk.annotations.text import one_line
from cocadesk.errors import kept
from cocadesk.library.edits import PERSON
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, MediaKind, MediaRow, MediaState
from cocadesk.texts.reading import NotTextError, read_text, text_of, texts_beside, usual_text_of

GONE = kept("The photo or video is not there now.")
NO_CAPTION = kept("It has no caption yet.")
FOREIGN = kept("CocaDesk did not write it.")
CHANGED_SINCE = kept("It was changed after CocaDesk wrote it.")
IS_A_PHOTO = kept("It is itself in the library.")

# These systems take A.txt and a.txt for one file.
_IGNORES_CASE = sys.platform in ("win32", "darwin")


class FileAction(StrEnum):
    """The ways in which a write leaves one file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """The content of a file (None: there is none), and its author.

    ``by`` is ``PERSON`` or a model id where the bytes are a caption that we wrote;
    None for all other bytes.
    """

    path: bytes
    data: bytes | None
    by: str | None = None

    def to_json(self) -> str:
        """The form in the log."""
        data = None if self.data is None else base64.b64encode(self.data).decode()
        path = base64.b64encode(self.path).decode()
        return json.dumps({"path": path, "bytes": data, "by": self.by})

    @classmethod
    def from_json(cls, text: str) -> FileState:
        """From the log."""
        raw = json.loads(text)
        data = raw["bytes"]
        return cls(
            path=base64.b64decode(raw["path"]),
            data=None if data is None else base64.b64decode(data),
            by=raw.get("by"),
        )

    @property
    def text(self) -> str:
        """The content for people; empty where there is no file."""
        return one_line(self._read()[0])

    @property
    def guessed(self) -> str:
        """The encoding that ``text`` was read in, where it had to be guessed."""
        return self._read()[1]

    def _read(self) -> tuple[str, str]:
        try:
            found = read_text(self.data or b"")
        except NotTextError:
            return (self.data or b"").decode("utf-8", "replace"), ""
        return found.text, found.guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """The effect that a write would have on one file; ``reason`` says why it is skipped.

    ``is_failure`` where the disk refuses. Of a skipped file ``new`` is what it would hold.
    """

    key: str
    action: FileAction
    old: FileState
    new: FileState
    reason: str = ""
    is_failure: bool = False

    @property
    def path(self) -> bytes:
        """The file."""
        return self.new.path


class WrittenFiles:
    """The files that we wrote last, by the log: by path and by medium.

    A file is ours only while its bytes are those. By medium too, since a person
    may move a photo together with its caption.
    """

    def __init__(self, edits: Iterable[Edit]) -> None:
        """``edits`` are those of files, oldest first."""
        self._by_path: dict[bytes, FileState] = {}
        self._by_key: dict[str, FileState] = {}
        for edit in edits:
            if edit.old != edit.new:
                state = FileState.from_json(edit.new)
                self._by_path[state.path] = self._by_key[edit.key] = state

    def author(self, key: str, path: bytes, data: bytes | None) -> str | None:
        """The author of these bytes, if we wrote them last; else None."""
        for state in (self._by_path.get(path), self._by_key.get(key)):
            if state is not None and data is not None and state.data == data:
                return state.by
        return None

    def is_known(self, path: bytes) -> bool:
        """True where we last left a caption there."""
        state = self._by_path.get(path)
        return state is not None and state.by is not None

    def machines(self) -> dict[bytes, str]:
        """SHA-256 (hex) of the machine captions that were last written, by file.

        A file that holds these bytes teaches nothing: no person wrote it.
        """
        return {
            path: sha256(state.data).hexdigest()
            for path, state in self._by_path.items()
            if state.data is not None and state.by not in (None, PERSON)
        }

    def machines_of(self, rows: Iterable[MediaRow]) -> dict[bytes, str]:
        """As ``machines``, for the files that now lie beside these media."""
        found: dict[bytes, str] = {}
        for row in rows:
            state = self._by_key.get(row.key)
            if state is not None and state.data is not None and state.by not in (None, PERSON):
                digest = sha256(state.data).hexdigest()
                texts = texts_beside(row.path) or [usual_text_of(row.path)]
                found |= dict.fromkeys(texts, digest)
        return found


class SidecarPlanner:
    """Plans for each medium the write of its caption."""

    def __init__(self, library: Library, *, overwrite: bool) -> None:
        self._overwrite = overwrite
        self._written = WrittenFiles(library.edits.of_files())
        self._owners: dict[bytes, tuple[bool, bytes]] = {}
        self._media: set[bytes] = set()
        for identity in library.media.present():
            self._media.add(_spelled(identity.path))
            place = _spelled(usual_text_of(identity.path))
            rank = (identity.kind != MediaKind.PHOTO, identity.path)
            self._owners[place] = min(self._owners.get(place, rank), rank)

    def found(self, row: MediaRow) -> FileState:
        """The text beside ``row`` as it is now, and its author where that is us.

        Raises:
            RefusedError: it is not this medium's, or can't be read.
        """
        path = self._path(row)
        self._check(row, path)
        data = read_file(path)
        return FileState(path=path, data=data, by=self._written.author(row.key, path, data))

    def _path(self, row: MediaRow) -> bytes:
        text = text_of(row.path, lambda text: self._is_machine(row.key, text))
        return text or usual_text_of(row.path)

    def plan(self, row: MediaRow) -> PlannedFile:
        """The plan for the text of ``row``; it is read, nothing is written."""
        path = self._path(row)
        old = new = FileState(path=path, data=None)
        reason, is_failure = "", False
        try:
            old = self.found(row)
            new = FileState(path=path, data=_caption(row), by=_author(row))
            action = self._action(old, new)
        except RefusedError as refused:
            action, reason, is_failure = FileAction.SKIPPED, refused.reason, refused.is_failure
        return PlannedFile(
            key=row.key,
            action=action,
            old=old,
            new=old if action is FileAction.UNCHANGED else new,
            reason=reason,
            is_failure=is_failure,
        )

    def _is_machine(self, key: str, path: bytes) -> bool:
        """True where a text holds the machine's caption that we wrote."""
        with contextlib.suppress(RefusedError):
            return self._written.author(key, path, read_file(path)) not in (None, PERSON)
        return False

    def _check(self, row: MediaRow, path: bytes) -> None:
        if row.state is not MediaState.PRESENT or not os.path.lexists(row.path):
            raise RefusedError(GONE)
        if _spelled(path) in self._media:
            raise RefusedError(IS_A_PHOTO)
        owner = self._owners.get(_spelled(path))
        if owner is not None and owner[1] != row.path:
            name = os.path.basename(owner[1]).decode("utf-8", "replace")  # noqa: PTH119
            raise RefusedError(
                kept("It holds the caption of {name}, which has the same name.", name=name)
            )

    def _action(self, old: FileState, new: FileState) -> FileAction:
        if old.data == new.data:
            return FileAction.UNCHANGED
        if old.data is not None and old.by is None and not self._overwrite:
            reason = CHANGED_SINCE if self._written.is_known(old.path) else FOREIGN
            seems = (
                kept(" It reads as {guessed}, which is a guess.", guessed=old.guessed)
                if old.guessed
                else ""
            )
            raise RefusedError(reason + seems)
        check_folder(new.path)
        return FileAction.NEW if old.data is None else FileAction.CHANGED


def _caption(row: MediaRow) -> bytes:
    """The caption as a file: one line of UTF-8."""
    caption = one_line(row.caption or "")
    if not caption:
        raise RefusedError(NO_CAPTION)
    return caption.encode() + b"\n"


def _author(row: MediaRow) -> str:
    return PERSON if row.human_caption is not None else row.machine_caption_model or kept("a model")


def _spelled(path: bytes) -> bytes:
    """A form that is the same for two paths that name one file here."""
    return os.fsencode(os.fsdecode(path).casefold()) if _IGNORES_CASE else path


def plan_write(library: Library, keys: Sequence[str], *, overwrite: bool) -> Iterator[PlannedFile]:
    """The plans for the caption files of these media, one by one."""
    planner = SidecarPlanner(library, overwrite=overwrite)
    for row in library.media.iter_rows(keys):
        yield planner.plan(row)
