"""The difference between the folders and the library: new, changed, returned and gone files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cocadesk.indexing.known_files import KnownFiles
from cocadesk.indexing.types import Failed
from cocadesk.library.paths import device_and_inode, is_under
from cocadesk.library.rows import FailureRow, Identity, MediaState, RootRow
from cocadesk.media.types import FoundFile, ScanProblem

ABSENT = {
    MediaState.MISSING: "The file is no longer in its place.",
    MediaState.OFFLINE: "The folder's disk is not there.",
}
"""The reasons of media whose files are not there."""
_PROGRESS_FILES = 500


def is_gone(path: bytes) -> bool:
    """True where there is no such file; not where its folder can't be looked into."""
    try:
        os.lstat(path)
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    return False


@dataclass(slots=True, kw_only=True)
class ScanDiff:
    """The files that the scan of some roots found, by what has become of them.

    ``root_of`` names the known root that each scanned one lies in (or itself).
    """

    roots: tuple[bytes, ...]
    root_of: Mapping[bytes, bytes]
    candidates: list[FoundFile] = field(default_factory=list)
    unchanged: int = 0
    returned: list[str] = field(default_factory=list)
    known_failures: list[Failed] = field(default_factory=list)
    problems: list[ScanProblem] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)

    def covers(self, path: bytes) -> bool:
        """True where the scan has looked where ``path`` lies."""
        return any(is_under(path, root) for root in self.roots)

    def take(
        self, found: FoundFile, known_files: KnownFiles, failures: Mapping[bytes, FailureRow]
    ) -> None:
        """Sort one found file into unchanged, known to fail, or to be read."""
        if found.path in self.seen:
            return
        self.seen.add(found.path)
        failure = failures.get(found.path)
        size_and_time = (found.size_bytes, found.mtime_ns)
        if failure is not None and (failure.size_bytes, failure.mtime_ns) == size_and_time:
            failed = Failed(path=found.path, reason=failure.reason, is_known=True)
            self.known_failures.append(failed)
        elif known_files.is_unchanged(found):
            self.unchanged += 1
            known = known_files.at(found.path)
            if known is not None and known.state != MediaState.PRESENT:
                self.returned.append(known.key)
        else:
            root = self.root_of.get(found.root, found.root)
            self.candidates.append(dataclasses.replace(found, root=root))


def scan_steps(
    diff: ScanDiff,
    entries: Iterable[FoundFile | ScanProblem],
    known_files: KnownFiles,
    failures: Mapping[bytes, FailureRow],
) -> Iterator[int]:
    """Fill ``diff`` from a scan; yields the number of files seen, now and then."""
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, ScanProblem):
            diff.problems.append(entry)
        else:
            diff.take(entry, known_files, failures)
        if number % _PROGRESS_FILES == 0:
            yield number


class RootStatus:
    """The roots' disks: connected or not; each is looked at once."""

    def __init__(self, known: Iterable[RootRow]) -> None:
        self._known = {row.path: row for row in known}
        self._offline: dict[bytes, bool] = {}

    def knows(self, root: bytes) -> bool:
        """True where the person added this root before."""
        return root in self._known

    def outermost(self, path: bytes) -> bytes | None:
        """The shortest known root folder that ``path`` lies in, or None."""
        return min((root for root in self._known if is_under(path, root)), key=len, default=None)

    def is_offline(self, root: bytes) -> bool:
        """True where the root does not exist, or is an empty mount point.

        That is an empty folder which is not the very one (device and inode)
        that was scanned before. A folder that was emptied is not offline.
        """
        if root not in self._offline:
            known = self._known.get(root)
            outer = self.outermost(root) if known is None else None
            # A folder inside a known root is there or not as that root is.
            offline = self.is_offline(outer) if outer is not None else self._is_absent(root, known)
            self._offline[root] = offline
        return self._offline[root]

    def _is_absent(self, root: bytes, known: RootRow | None) -> bool:
        path = Path(os.fsdecode(root))
        try:
            if not path.exists():
                # A single file that was added is just gone when its folder is there.
                return known is None or known.is_folder or not path.parent.is_dir()
            if not path.is_dir() or any(path.iterdir()):
                return False
        except OSError:
            return False
        return known is None or (known.device, known.inode) != device_and_inode(root)


def absent_media(diff: ScanDiff, known_files: KnownFiles) -> list[Identity]:
    """The media under the scanned roots that the scan did not meet."""
    return [
        identity for identity in known_files.under(*diff.roots) if identity.path not in diff.seen
    ]
