"""Finds the files that may be photos or videos, without opening what need not be opened.

Paths are bytes all the way, which pathlib cannot hold: hence the os functions.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from cocadesk.errors import kept
from cocadesk.media.excludes import NOTHING_EXCLUDED, PACKAGES, Excludes
from cocadesk.media.files import explain_os_error, is_only_in_cloud, read_head
from cocadesk.media.metadata.sidecars import is_sidecar, sidecars_beside
from cocadesk.media.sniffing import (
    MEDIA_EXTENSIONS,
    OTHER_EXTENSIONS,
    SNIFF_BYTES,
    WHY_PASSED_OVER,
    sniff_kind,
)
from cocadesk.media.types import FoundFile, Kind, PassedOver, ScanProblem

_SKIPPED_FOLDERS = frozenset(
    {b"@eadir", b"#recycle", b"$recycle.bin", b"system volume information", b"lost+found"}
    | {b"__macosx", b"node_modules", b"__pycache__", b"site-packages"}
)
_LIBRARY_MARKS = frozenset({b"library.json", b"store"})
_SKIPPED_FILES = frozenset({b"thumbs.db", b"desktop.ini", b"ehthumbs.db"})

_SEPARATOR = os.fsencode(os.sep)
_VIRTUAL = (b"/proc", b"/sys", b"/dev")
_OTHER_DISK = kept("This link leads to another disk, whose folder was not added.")
_NO_MEDIA = b".nomedia"
_BACKUP_ENDING = b"_original"

EXCLUDED = kept("It is excluded.")
_IS_NO_MEDIA = kept("A file named .nomedia in its folder asks to pass it over.")
_IS_PACKAGE = kept("It belongs to another program's photo library.")
_IS_BACKUP = kept("It is the copy that exiftool keeps of a photo before a change.")

ScanEntry = FoundFile | ScanProblem | PassedOver

_FolderId = tuple[int, int | bytes]


@dataclass(slots=True)
class _Walk:
    """One scan's memory: the roots with links resolved, their disks, and the folders seen."""

    real_roots: list[bytes]
    devices: set[int]
    virtual: set[int]
    excludes: Excludes
    seen: set[_FolderId] = field(default_factory=set)

    @classmethod
    def of(cls, roots: Sequence[bytes], excludes: Excludes) -> _Walk:
        """The walk through these folders."""
        real = [os.path.realpath(root) for root in roots]
        devices = {device for root in real if (device := _device(root)) is not None}
        virtual = {device for path in _VIRTUAL if (device := _device(path)) is not None}
        return cls(real, devices, virtual - devices, excludes)

    def meets(self, target: bytes) -> bool:
        """True where the scan meets the file at ``target`` by itself."""
        return any(
            target == root
            or (_is_below(target, root) and not _is_hidden(target[len(root) :].lstrip(_SEPARATOR)))
            for root in self.real_roots
        )


@dataclass(frozen=True, slots=True)
class _Folder:
    root: bytes
    path: bytes
    ancestors: frozenset[_FolderId]
    is_link: bool = False


def scan(roots: Sequence[bytes], excludes: Excludes = NOTHING_EXCLUDED) -> Iterator[ScanEntry]:
    """Photos and videos under ``roots`` (files or folders), in a stable order.

    A file counts by its extension; where that is missing or unknown, by its
    first bytes. Hidden files and folders, and those that systems keep for
    themselves (@eaDir, recycle bins), are left out, except as a root; so are
    CocaDesk's own libraries, which hold thumbnails. Passed over by a rule, and named, are
    what a person excludes, folders that hold a ``.nomedia``, packages of other photo
    programs (unless they are a root), exiftool's copies of files that are there, drawings and
    the previews of cameras. Links
    are followed once: a link into a folder above it is reported, one to a
    place that is scanned anyway is passed over (one into a hidden folder is not: that is
    where git-annex keeps files), and one to another disk than the roots' is reported.
    Devices, pipes and the system's virtual disks are never opened. A place that cannot be
    read becomes a ScanProblem and the scan goes on.
    """
    absolute = [os.path.abspath(root) for root in roots]  # noqa: PTH100
    walk = _Walk.of(absolute, excludes)
    for root in absolute:
        yield from _scan_root(root, walk)


def _scan_root(root: bytes, walk: _Walk) -> Iterator[ScanEntry]:
    if walk.excludes.covers(root):
        yield ScanProblem(
            path=root, reason=kept("It is excluded. Take its pattern away to add it again.")
        )
        return
    try:
        status = os.stat(root)  # noqa: PTH116
    except OSError as error:
        yield ScanProblem(path=root, reason=explain_os_error(error))
        return
    if stat.S_ISREG(status.st_mode):
        # The person named this very file: whatever it is, the decoder says so.
        folder, name = os.path.split(root)
        beside = sidecars_beside(folder, name)
        yield FoundFile.of(root, root, status, sidecars=beside)
        return
    if not stat.S_ISDIR(status.st_mode):
        yield ScanProblem(path=root, reason=kept("This is neither a file nor a folder."))
        return
    pending = [_Folder(root, root, _folders_above(root))]
    while pending:
        yield from _scan_folder(pending.pop(), pending, walk)


def _scan_folder(folder: _Folder, pending: list[_Folder], walk: _Walk) -> Iterator[ScanEntry]:
    """The candidates right inside ``folder``; its subfolders go onto ``pending``."""
    try:
        identity = device, _ = _identity(folder.path)
        if folder.is_link and device not in walk.devices:
            yield ScanProblem(path=folder.path, reason=_OTHER_DISK)
            return
        if device in walk.virtual:
            return
        if identity in folder.ancestors:
            yield ScanProblem(
                path=folder.path, reason=kept("This link leads back to a folder above it.")
            )
            return
        if identity in walk.seen:
            return
        walk.seen.add(identity)
        with os.scandir(folder.path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield ScanProblem(path=folder.path, reason=explain_os_error(error))
        return
    names = {entry.name for entry in entries}
    if names >= _LIBRARY_MARKS:
        return  # a CocaDesk library: its thumbnails are no photos of anybody's
    if _NO_MEDIA in names and folder.path != folder.root:
        yield PassedOver(path=folder.path, reason=_IS_NO_MEDIA)
        return
    sidecars = {name for name in names if is_sidecar(name)}
    ancestors = folder.ancestors | {identity}
    subfolders: list[_Folder] = []
    for entry in entries:
        if entry.name.startswith(b"."):
            continue
        try:
            if (reason := _why_passed_over(entry, names, walk)) is not None:
                yield PassedOver(path=entry.path, reason=reason)
            elif entry.is_dir():
                if entry.name.lower() in _SKIPPED_FOLDERS:
                    continue
                is_link = entry.is_symlink()
                subfolders.append(_Folder(folder.root, entry.path, ancestors, is_link))
            elif (found := _candidate(folder.root, entry, walk)) is not None:
                if sidecars and isinstance(found, FoundFile):
                    beside = sidecars_beside(folder.path, entry.name, sidecars)
                    found = replace(found, sidecars=beside)
                yield found
        except OSError as error:
            yield ScanProblem(path=entry.path, reason=explain_os_error(error))
    pending.extend(reversed(subfolders))


def _why_passed_over(entry: os.DirEntry[bytes], names: Set[bytes], walk: _Walk) -> str | None:
    """The rule by which an entry is left out, or None; ``names`` are those of its folder."""
    if walk.excludes.matches(entry.path):
        return EXCLUDED
    if entry.name.lower().endswith(PACKAGES) and entry.is_dir():
        return _IS_PACKAGE
    if entry.name.endswith(_BACKUP_ENDING) and entry.name.removesuffix(_BACKUP_ENDING) in names:
        return _IS_BACKUP
    reason = WHY_PASSED_OVER.get(_extension(entry.name))
    return reason if reason is not None and entry.is_file() else None


def _identity(path: bytes) -> _FolderId:
    status = os.stat(path)  # noqa: PTH116
    # Some network file systems give no inode numbers.
    return status.st_dev, status.st_ino or os.path.realpath(path)


def _candidate(
    root: bytes, entry: os.DirEntry[bytes], walk: _Walk
) -> FoundFile | ScanProblem | None:
    extension = _extension(entry.name)
    if extension in OTHER_EXTENSIONS or entry.name.lower() in _SKIPPED_FILES:
        return None
    if entry.is_symlink() and _is_link_to_skip(entry, walk):
        return None
    if not entry.is_file():
        return None
    # Not entry.stat(): on Windows it leaves out what os.stat tells.
    status = os.stat(entry.path)  # noqa: PTH116
    if entry.is_symlink() and status.st_dev not in walk.devices:
        is_medium = extension in MEDIA_EXTENSIONS
        return ScanProblem(path=entry.path, reason=_OTHER_DISK) if is_medium else None
    if is_only_in_cloud(status):
        if extension not in MEDIA_EXTENSIONS:
            return None
        return ScanProblem(path=entry.path, reason=kept("Its content lies only in the cloud."))
    if extension not in MEDIA_EXTENSIONS and not _is_medium_by_content(entry.path):
        return None
    return FoundFile.of(root, entry.path, status)


def _is_link_to_skip(entry: os.DirEntry[bytes], walk: _Walk) -> bool:
    """True for a link that leads nowhere, or to a file that the scan meets by itself."""
    if not os.path.exists(entry.path):  # noqa: PTH110
        return True
    return walk.meets(os.path.realpath(entry.path))


def _is_below(path: bytes, folder: bytes) -> bool:
    """True where ``path`` lies in ``folder``."""
    return path.startswith(folder.rstrip(b"/\\") + _SEPARATOR)


def is_passed_over(path: bytes, root: bytes) -> bool:
    """True where a scan of ``root`` never goes to ``path``, by its name or a folder's above it."""
    return _is_hidden(path[len(root) :].lstrip(_SEPARATOR))


def _is_hidden(relative: bytes) -> bool:
    """True where the scan does not go to a path below its root."""
    parts = relative.split(_SEPARATOR)
    return any(part.startswith(b".") or part.lower() in _SKIPPED_FOLDERS for part in parts)


def _folders_above(root: bytes) -> frozenset[_FolderId]:
    """The folders that hold ``root``, which no link in it may lead back to."""
    above = set()
    place = os.path.realpath(root)
    while (folder := os.path.dirname(place)) != place:  # noqa: PTH120
        place = folder
        with contextlib.suppress(OSError):
            above.add(_identity(place))
    return frozenset(above)


def _device(path: bytes) -> int | None:
    try:
        return os.stat(path).st_dev  # noqa: PTH116
    except OSError:
        return None


def _is_medium_by_content(path: bytes) -> bool:
    try:
        return sniff_kind(read_head(path, SNIFF_BYTES)) is not Kind.OTHER
    except PermissionError:
        return False  # an odd file that is closed to us: most likely no medium


def _extension(name: bytes) -> str:
    """The extension in lower case without its dot; empty where there is none."""
    _, dot, extension = name.rpartition(b".")
    return extension.strip().lower().decode("ascii", "replace") if dot else ""
