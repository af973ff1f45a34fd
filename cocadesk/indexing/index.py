"""The index as a job: a generator of small steps that may be closed at any of them."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cocadesk.errors import UserError
from cocadesk.eta import EtaEstimator
from cocadesk.indexing.commit import SCAN, Committer
from cocadesk.indexing.known_files import FileMatcher, KnownFiles, MatchKind
from cocadesk.indexing.pipeline import Batch, Decoder, read_steps
from cocadesk.indexing.scan_diff import (
    ABSENT,
    RootStatus,
    ScanDiff,
    absent_media,
    is_gone,
    scan_steps,
)
from cocadesk.indexing.types import (
    Failed,
    IndexOptions,
    IndexProgress,
    IndexReport,
    IndexStage,
    OneAtATime,
)
from cocadesk.library.library import Library
from cocadesk.library.rows import FailureRow, Identity, MediaKind, MediaState
from cocadesk.media.scanning import scan
from cocadesk.model.backend import Backend

Steps = Generator[IndexProgress, None, IndexReport]

# Two indexes of one library would give one file two keys.
_only_index = OneAtATime(
    "This library is being indexed already.",
    "Only one index of a library runs at a time.",
    "Wait until it is done, or cancel it.",
)


def index_steps(
    library: Library,
    backend: Backend,
    roots: Sequence[bytes],
    *,
    pool: Decoder | None = None,
    options: IndexOptions | None = None,
) -> Steps:
    """Make the photos and videos under ``roots`` searchable; the generator's value is the report.

    Nothing happens before the first ``next``. Closing the generator cancels:
    what is decided is committed, the rest is read by the next index. One
    index of a library runs at a time. Pass ``pool`` to keep decoder processes
    between indexes; it must give the model's input size.

    Raises:
        UserError: no such folder, an index of this library runs already, the
            disk is full, or the model does not fit the stored vectors.
    """
    with _only_index.on(library):
        index = _Index(library, backend, options or IndexOptions())
        yield from index.scan([os.path.abspath(root) for root in roots])  # noqa: PTH100
        yield from index.read(pool)
        yield index.progress(IndexStage.FINISH)
        return index.finish()


@dataclass(slots=True, kw_only=True)
class _Tally:
    """The files handled so far."""

    done: int = 0
    indexed: int = 0
    videos: int = 0
    moved: int = 0
    copied: int = 0
    failed: list[Failed] = field(default_factory=list)
    current_path: bytes | None = None


class _Index:
    """One run: the known files, what the scan found, and a tally."""

    def __init__(self, library: Library, backend: Backend, options: IndexOptions) -> None:
        self._started_s = time.monotonic()
        self._library = library
        self._backend = backend
        self._model = backend.info()
        self._options = options
        library.views.create(self._model.image_id, self._model.embedding_dim)
        library.views.remove_stale(self._model.image_id)
        if library.model is None:
            library.set_model(self._model.image_id, model_id=self._model.model_id)
        self._roots = RootStatus(library.roots.all())
        self._marks = library.views.whole_marks(self._model.image_id)
        self._known_files = KnownFiles(
            library.media.identities(),
            {mark.key: mark.picture_hash for mark in self._marks},
            self._model.image_id,
            is_gone=self._is_gone,
        )
        self._failures = {failure.path: failure for failure in library.media.failures()}
        self._committer = Committer(library, self._model.image_id, self._failures.values())
        self._diff = ScanDiff(roots=(), root_of={})
        self._offline_roots: list[bytes] = []
        self._tally = _Tally()
        self._eta = EtaEstimator()

    def _is_gone(self, identity: Identity) -> bool:
        """True where a medium's file left its place; unmounted disks do not count as deleted."""
        return is_gone(identity.path) and not self._roots.is_offline(identity.root)

    def scan(self, roots: Sequence[bytes]) -> Iterator[IndexProgress]:
        """Scan the roots that are there, and note those that are not."""
        there: list[bytes] = []
        for root in dict.fromkeys(roots):
            is_known = self._roots.knows(root) or bool(self._known_files.under(root))
            if is_known and self._roots.is_offline(root):
                self._offline_roots.append(root)
            elif is_known or os.path.lexists(root):
                there.append(root)
            else:
                self._tally.failed.append(
                    Failed(path=root, reason="There is no such file or folder.")
                )
        if not there and not self._offline_roots:
            raise _nothing_there(self._tally.failed)
        self._diff = ScanDiff(
            roots=tuple(there), root_of={r: self._roots.outermost(r) or r for r in there}
        )
        yield self.progress(IndexStage.SCAN)
        existing = [root for root in there if os.path.lexists(root)]
        for seen in scan_steps(self._diff, scan(existing), self._known_files, self._failures):
            yield self.progress(IndexStage.SCAN, seen=seen)
        self._tally.failed.extend(self._diff.known_failures)
        self._tally.failed.extend(
            Failed(path=problem.path, reason=problem.reason) for problem in self._diff.problems
        )
        self._remember_roots(existing)
        self._set_states()

    def _remember_roots(self, roots: Sequence[bytes]) -> None:
        now = datetime.now(UTC)
        for root in roots:
            if self._roots.outermost(root) in (None, root):
                self._library.roots.add(root, scanned_utc=now)

    def _set_states(self) -> None:
        """Before reading: media on absent disks are offline, and those that are back present."""
        self._library.media.set_state(self._diff.returned, MediaState.PRESENT, None)
        self._set_absent(self._known_files.under(*self._offline_roots), MediaState.OFFLINE)

    def _set_absent(self, found: Iterable[Identity], state: MediaState) -> None:
        changed = [identity.key for identity in found if identity.state != state]
        self._library.media.set_state(changed, state, ABSENT[state])

    def read(self, pool: Decoder | None) -> Iterator[IndexProgress]:
        """Decode, embed and commit the files that changed."""
        self._eta = EtaEstimator()
        yield self.progress(IndexStage.EMBED)
        if not self._diff.candidates:
            return
        yield from read_steps(
            self._diff.candidates,
            matcher=FileMatcher(self._known_files),
            library=self._library,
            embedder=self._backend,
            pool=pool,
            options=self._options,
            commit=self._commit,
            progress=lambda ahead: self.progress(IndexStage.EMBED, ahead=ahead),
        )

    def _commit(self, batch: Batch) -> None:
        for item in self._committer.commit(batch):
            kind = item.match.kind
            self._tally.moved += kind is MatchKind.MOVED
            self._tally.copied += kind is MatchKind.COPIED
            self._tally.indexed += kind is not MatchKind.MOVED
            is_video = item.identity.kind == MediaKind.VIDEO
            self._tally.videos += is_video and kind is not MatchKind.MOVED
            self._tally.current_path = item.found.path
        self._tally.failed.extend(
            Failed(path=item.found.path, reason=item.reason) for item in batch.unreadable
        )
        self._tally.done += len(batch)

    def finish(self) -> IndexReport:
        """Settle what is gone, tidy the tables, and give the report."""
        missing, offline = self._settle_absent()
        self._committer.record_problems(self._diff.problems)
        self._forget_stale_failures()
        self._remove_orphans()
        self._library.tidy()
        return IndexReport(
            indexed=self._tally.indexed,
            videos=self._tally.videos,
            unchanged=self._diff.unchanged,
            moved=self._tally.moved,
            copied=self._tally.copied,
            missing=missing,
            offline=offline,
            failed=tuple(sorted(self._tally.failed, key=lambda failed: failed.path)),
            seconds=time.monotonic() - self._started_s,
        )

    def _settle_absent(self) -> tuple[int, int]:
        """Mark media as missing or offline; gives how many of each lie under the roots."""
        missing: list[Identity] = []
        offline = self._known_files.under(*self._offline_roots)
        unmounted: list[Identity] = []
        for identity in absent_media(self._diff, self._known_files):
            if self._roots.is_offline(identity.root):
                unmounted.append(identity)
            elif is_gone(identity.path):
                missing.append(identity)
        self._set_absent(missing, MediaState.MISSING)
        self._set_absent(unmounted, MediaState.OFFLINE)
        return len(missing), len(offline) + len(unmounted)

    def _forget_stale_failures(self) -> None:
        """Drop failures of files that are gone, and of places that can be looked into again."""
        problems = {problem.path for problem in self._diff.problems}
        stale = [
            failure.path
            for failure in self._failures.values()
            if self._diff.covers(failure.path) and self._is_stale(failure, problems)
        ]
        self._library.media.forget_failures(stale)

    def _is_stale(self, failure: FailureRow, problems: set[bytes]) -> bool:
        if failure.stage == SCAN:
            return failure.path not in problems
        return failure.path not in self._diff.seen and is_gone(failure.path)

    def _remove_orphans(self) -> None:
        """Drop vectors under these roots that a crash left and no file has claimed."""
        leftover = set(self._known_files.leftover_orphans())
        under = {
            mark.key: 0
            for mark in self._marks
            if mark.key in leftover and self._diff.covers(mark.root)
        }
        if under:
            self._library.views.remove_from(self._model.image_id, under)

    def progress(self, stage: IndexStage, *, seen: int = 0, ahead: int = 0) -> IndexProgress:
        """The progress of the index; the time left follows from the speed so far."""
        is_scanning = stage is IndexStage.SCAN
        total = None if is_scanning else len(self._diff.candidates)
        done = seen if is_scanning else self._tally.done + ahead
        return IndexProgress(
            stage=stage,
            done=done,
            total=total,
            failed=len(self._tally.failed),
            current_path=self._tally.current_path,
            seconds_left=self._eta.seconds_left(done, total),
        )


def _nothing_there(failed: Sequence[Failed]) -> UserError:
    names = ", ".join(os.fsdecode(entry.path) for entry in failed) or "nothing"
    shown = names.encode("utf-8", "replace").decode()
    return UserError(
        f"There is nothing to index: {shown} does not exist.",
        "",
        "Check the path; name a folder, a photo or a video.",
    )
