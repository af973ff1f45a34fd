"""The index as a job: a generator of small steps that may be closed at any of them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cocadesk.errors import UserError, kept, tr
from cocadesk.eta import EtaEstimator, UnderWay
from cocadesk.indexing.commit import SCAN, Committer
from cocadesk.indexing.identity import MatchKind
from cocadesk.indexing.joining import Joining
from cocadesk.indexing.known_files import FileMatcher, KnownFiles, MatchedFile
from cocadesk.indexing.live_videos import LiveVideos
from cocadesk.indexing.noting import NotingMatcher
from cocadesk.indexing.pipeline import Batch, Decoder, opened_decoder, read_steps
from cocadesk.indexing.refresh import Refreshing, Stale
from cocadesk.indexing.survey import ABSENT, Roots, Survey, scanned
from cocadesk.indexing.types import (
    Again,
    Failed,
    IndexOptions,
    IndexProgress,
    IndexReport,
    IndexStage,
    IndexTally,
    OneAtATime,
)
from cocadesk.library.in_hand import InHand
from cocadesk.library.library import Library
from cocadesk.library.rows import DESCRIBE, EMBED, FailureRow, MediaKind, MediaState, ViewShows
from cocadesk.library.volumes import Listings, volumes_of
from cocadesk.media.types import FoundFile
from cocadesk.model.backend import Backend

Steps = Generator[IndexProgress, None, IndexReport]

_SETTLED_AT_ONCE = 2_000
BACK = kept("Its disk was away for a moment while it was read.")

# Two indexes of one library would give one file two keys.
_only_index = OneAtATime(
    tr("This library is being indexed already."),
    tr("Only one index of a library runs at a time."),
    tr("Wait until it is done, or cancel it."),
)


def index_steps(
    library: Library,
    backend: Backend,
    roots: Sequence[bytes],
    *,
    pool: Decoder | None = None,
    options: IndexOptions | None = None,
    read: Callable[..., Iterator[IndexProgress]] = read_steps,
    tally: IndexTally | None = None,
) -> Steps:
    """Make the photos and videos under ``roots`` searchable; the generator's value is the report.

    Nothing happens before the first ``next``. Closing the generator cancels:
    what is decided is committed, the rest is read by the next index. One
    index of a library runs at a time. Pass ``pool`` to keep decoder processes
    between indexes; it must give the model's input size. ``read`` is the pipeline; tests
    give one that works in their thread. ``tally`` holds what earlier legs of the same index
    have done, which the report counts too; it is brought forward.

    Raises:
        UserError: no such folder, an index of this library runs already, the
            disk is full, or the model does not fit the stored vectors.
    """
    with _only_index.on(library):
        index = _Index(library, backend, options or IndexOptions(), tally or IndexTally())
        try:
            yield from index.scan(roots)
            yield from index.compare(pool)
            yield from index.read(pool, read)
            yield index.progress(IndexStage.FINISH)
            return index.finish()
        finally:
            index.stop_clock()


@dataclass(slots=True, kw_only=True)
class _Leg:
    """The files handled by this run alone."""

    done: int = 0
    commits: int = 0
    unchanged: int = 0
    failed: list[Failed] = field(default_factory=list)
    vanished: list[FoundFile] = field(default_factory=list)
    current_path: bytes | None = None


class _Index:
    """One run: the known files, what the scan found, and tallies."""

    def __init__(
        self, library: Library, backend: Backend, options: IndexOptions, tally: IndexTally
    ) -> None:
        self._started_s = time.monotonic()
        self._tally = tally
        self._done_before = tally.indexed + tally.moved
        self._library = library
        self._backend = backend
        self._model = backend.info()
        self._options = options
        library.views.create(self._model.image_id, self._model.embedding_dim)
        library.views.remove_stale(self._model.image_id)
        if library.model is None:
            library.set_model(self._model.image_id, model_id=self._model.model_id)
        self._marks = library.views.whole_marks(self._model.image_id)
        self._known_files = KnownFiles(
            library.media.identities(),
            {mark.key: mark.picture_hash for mark in self._marks},
            self._model.image_id,
            (mark.key for mark in library.views.part_marks(self._model.image_id, ViewShows.BOX)),
        )
        self._failures = {failure.path: failure for failure in library.media.failures()}
        self._committer = Committer(
            library, self._model.image_id, self._failures.values(), tally.killed
        )
        self._joining = Joining(library)
        self._live_videos = LiveVideos(library, backend, options.embed_batch)
        self._candidates: list[FoundFile] = []
        self._stale: list[Stale] = []
        self._in_hand: InHand | None = None
        self._leg = _Leg()
        self._under_way = UnderWay()
        self._eta = EtaEstimator()

    def scan(self, roots: Sequence[bytes]) -> Iterator[IndexProgress]:
        """Scan the roots that are there, and note those that are not."""
        known = self._roots_now()
        spelled = Listings().spelled
        there = []
        for root in dict.fromkeys(map(spelled, roots)):
            if known.knows(root) or os.path.lexists(root):
                there.append(root)
            else:
                self._leg.failed.append(
                    Failed(path=root, reason=kept("There is no such file or folder."))
                )
        if not there:
            raise _nothing_there(self._leg.failed)
        existing = [root for root in there if os.path.lexists(root)]
        for root in existing:
            if not known.knows(root):
                self._library.roots.add(root)
        rows = self._library.roots.all()
        self._survey = Survey(
            there,
            self._known_files.all(),
            self._failures,
            roots_known=self._roots_now(),
            again=self._options.again,
            settle_s=self._options.settle_s,
            may_join=self._joining.may_join,
            agree_now=self._joining.agree_now,
        )
        yield self.progress(IndexStage.SCAN)
        for seen in self._survey.scan_steps(scanned(existing, rows)):
            yield self.progress(IndexStage.SCAN, done=seen)

    def compare(self, pool: Decoder | None) -> Iterator[IndexProgress]:
        """Tell what every file is, and commit what need not be read for that."""
        self._eta = EtaEstimator()
        for done, total in self._survey.compare_steps(self._options.workers):
            yield self.progress(IndexStage.COMPARE, done=done, total=total)
        survey = self._survey
        yield from self._look_at_pairs(pool)
        survey.decide()
        self._join()
        self._leg.failed.extend(survey.known_failures)
        self._leg.failed.extend(
            Failed(path=problem.path, reason=problem.reason, is_passing=True)
            for problem in survey.problems
        )
        self._library.media.set_state(survey.returned(), MediaState.PRESENT, None)
        self._known_files.set_state(survey.returned(), MediaState.PRESENT)
        self._set_absent(survey.plan.missing, MediaState.MISSING)
        self._set_absent(survey.plan.offline, MediaState.OFFLINE)
        # Until another of its files has been read, which shows it then.
        self._set_absent(survey.plan.left, MediaState.MISSING)
        for reason, keys in survey.passed_over().items():
            self._set_absent(keys, MediaState.MISSING, reason)
        self._remember_roots()
        self._matcher = FileMatcher(
            self._known_files,
            survey.plan,
            survey.seen,
            reads_all=self._options.again is Again.ALL,
        )
        changed = survey.to_read(self._known_files.is_embedded)
        self._leg.unchanged = survey.found - len(changed) - len(survey.known_failures)
        yield from self._settle(changed)
        for found, key in survey.unread(changed):
            self._note_stale(found, key)

    def _look_at_pairs(self, pool: Decoder | None) -> Iterator[IndexProgress]:
        """Read when the files were taken that may be of one shot, by their names."""
        shots = self._survey.shots
        if shots.unread:
            with opened_decoder(pool, self._model, self._options) as decoder:
                for done in shots.read_steps(decoder):
                    yield self.progress(IndexStage.COMPARE, done=done, total=len(shots.unread))

    def _join(self) -> None:
        """Let media that are parts of others now be one with them."""
        gone, missing = self._joining.join(self._survey.plan.joined)
        self._known_files.remove(gone)
        if others := self._survey.plan.redrawn.union(missing):
            self._known_files.expect_others(others)
        self._known_files.set_state(missing, MediaState.MISSING)

    def _roots_now(self) -> Roots:
        return Roots(self._library.roots.all(), volumes_of(self._library.folder))

    def _note_stale(self, found: FoundFile, key: str) -> None:
        """Have the metadata of a known file read again where they were read with others."""
        known = self._known_files.of(key)
        if known.metadata_mark != found.metadata_mark:
            self._stale.append(Stale(found, key, known.kind))

    def _remember_roots(self) -> None:
        """Note where the roots lie now; not of one whose disk another one stands in for."""
        away = {self._known_files.of(key).root for key in self._survey.plan.offline}
        now = datetime.now(UTC)
        for root in self._survey.roots_read - away:
            self._library.roots.add(root, scanned_utc=now)

    def _set_absent(self, keys: Sequence[str], state: MediaState, reason: str = "") -> None:
        changed = [key for key in keys if self._known_files.of(key).state != state]
        self._library.media.set_state(changed, state, reason or ABSENT[state])
        self._known_files.set_state(changed, state)

    def _settle(self, changed: Sequence[FoundFile]) -> Iterator[IndexProgress]:
        """Commit the files whose pictures are known; the others are candidates.

        Before anything is read, so that a chain of renames is not left half done for long.
        """
        batch = Batch()
        for found in changed:
            matched = self._matcher.match_bytes(found)
            if matched is None:
                self._candidates.append(found)
                continue
            batch.matched.append(matched)
            self._note_stale(found, matched.match.key)
            if len(batch) == _SETTLED_AT_ONCE:
                self._commit(batch)
                batch = Batch()
                yield self.progress(IndexStage.COMPARE)
        if len(batch):
            self._commit(batch)

    def read(
        self, pool: Decoder | None, read: Callable[..., Iterator[IndexProgress]]
    ) -> Iterator[IndexProgress]:
        """Decode, embed and commit the files that changed."""
        self._eta = EtaEstimator()
        self._leg.done = 0
        yield self.progress(IndexStage.EMBED)
        if self._candidates or self._stale:
            yield from self._read_files(pool, read)
        yield from self._read_live_videos(pool)

    def _read_files(
        self, pool: Decoder | None, read: Callable[..., Iterator[IndexProgress]]
    ) -> Iterator[IndexProgress]:
        with (
            InHand(self._library.folder) as self._in_hand,
            opened_decoder(pool, self._model, self._options) as decoder,
        ):
            yield from self._refresh(decoder)
            matcher = NotingMatcher(self._matcher, self._in_hand)
            self._under_way.decoder = decoder
            for part in self._options.parts(self._candidates):
                yield from self._read(read, part, matcher, decoder)

    def _read_live_videos(self, pool: Decoder | None) -> Iterator[IndexProgress]:
        """Read the videos that belong to photos, once the photos themselves are committed."""
        having = (one for one in self._known_files.all() if one.parts)
        inside = [one for one in having if self._survey.covers(one.path)]
        if wanted := self._live_videos.wanted(inside):
            with opened_decoder(pool, self._model, self._options) as decoder:
                for _ in self._live_videos.steps(wanted, decoder):
                    yield self.progress(IndexStage.EMBED)

    def _refresh(self, decoder: Decoder) -> Iterator[IndexProgress]:
        """Read the metadata again that were read with others; the pictures are as they were."""
        if not self._stale:
            return
        refreshing = Refreshing(self._library, self._stale)
        try:
            with closing(refreshing.steps(decoder)) as steps:
                for done in steps:
                    yield self.progress(IndexStage.METADATA, done=done, total=refreshing.total)
        finally:
            self._tally.refreshed += refreshing.done
        self._leg.failed.extend(refreshing.failed)
        for found, key, _ in refreshing.became_videos:
            if not self._survey.is_known_to_fail(found):
                self._matcher.read_again(found, key)
                self._candidates.append(found)
                self._leg.unchanged -= found.path in self._survey.plan.unchanged
        self._eta = EtaEstimator()

    def _read(
        self,
        read: Callable[..., Iterator[IndexProgress]],
        files: Sequence[FoundFile],
        matcher: NotingMatcher,
        decoder: Decoder,
    ) -> Iterator[IndexProgress]:
        yield from read(
            files,
            matcher=matcher,
            library=self._library,
            embedder=self._backend,
            pool=decoder,
            options=self._options,
            commit=self._commit,
            progress=lambda ahead: self.progress(IndexStage.EMBED, ahead=ahead),
            show=self._show,
        )

    def _show(self, files: Sequence[MatchedFile]) -> None:
        self._committer.show(files)
        self._leg.commits += 1

    def _commit(self, batch: Batch) -> None:
        self._live_videos.drop_changed(batch.matched)
        committed = self._committer.commit(batch)
        self._leg.commits += 1
        if self._in_hand is not None:
            self._in_hand.leave(batch.paths())
        for item in committed:
            kind = item.match.kind
            is_same = kind is MatchKind.TOUCHED and item.facts is None
            is_indexed = kind is not MatchKind.MOVED and not is_same
            self._tally.moved += kind is MatchKind.MOVED
            self._tally.copied += kind is MatchKind.COPIED
            self._leg.unchanged += is_same
            self._tally.indexed += is_indexed
            self._tally.videos += is_indexed and item.identity.kind == MediaKind.VIDEO
            self._leg.current_path = item.found.path
        self._tally.failed.update(item.found.path for item in batch.unreadable)
        self._leg.failed.extend(
            Failed(
                path=item.found.path,
                reason=item.reason,
                is_passing=self._committer.is_passing(item),
            )
            for item in batch.unreadable
        )
        self._leg.vanished.extend(batch.vanished)
        self._leg.done += len(batch)

    def finish(self) -> IndexReport:
        """Settle what is gone, tidy the tables, and give the report."""
        self._note_lost_disks()
        self._joining.inherit(self._known_files.all())
        self._committer.record_problems(self._survey.problems)
        self._forget_stale_failures()
        self._remove_orphans()
        self._library.tidy()
        states = Counter(i.state for i in self._known_files.all() if self._survey.is_inside(i.path))
        return IndexReport(
            indexed=self._tally.indexed,
            videos=self._tally.videos,
            unchanged=max(0, self._leg.unchanged - self._done_before),
            refreshed=self._tally.refreshed,
            moved=self._tally.moved,
            copied=self._tally.copied,
            missing=states[MediaState.MISSING],
            offline=states[MediaState.OFFLINE],
            failed=tuple(map(self._as_failed, sorted(self._leg.failed, key=lambda one: one.path))),
            seconds=self._tally.seconds + time.monotonic() - self._started_s,
            unsettled=self._survey.unsettled,
        )

    def stop_clock(self) -> None:
        """Count the time of this run; it ends, or is put by."""
        self._tally.seconds += time.monotonic() - self._started_s

    def _as_failed(self, failed: Failed) -> Failed:
        """A failure as reported: one of an earlier leg is none of an earlier index."""
        return replace(failed, is_known=failed.is_known and failed.path not in self._tally.failed)

    def _note_lost_disks(self) -> None:
        """Say which disks went away while their files were read, and that media are offline."""
        if not self._leg.vanished and not self._survey.lost:
            return
        now = self._roots_now()
        lost = Counter(
            found.root
            for found in self._leg.vanished
            if now.volume_at(found.path, found.root) != self._survey.seen[found.path].volume
        )
        for root, count in lost.items():
            reason = (
                kept("One file went away during the index: the disk is not there.")
                if count == 1
                else kept(
                    "{number} files went away during the index: the disk is not there.",
                    number=f"{count:,}",
                )
            )
            self._leg.failed.append(Failed(path=root, reason=reason))
        for found in self._leg.vanished:
            if found.root not in lost and os.path.lexists(found.path):
                self._leg.failed.append(Failed(path=found.path, reason=BACK, is_passing=True))
        roots = {*lost, *(now.of(root) for root in self._survey.lost)}
        away = [
            row.key
            for row in self._known_files.all()
            if row.root in roots
            and row.state == MediaState.PRESENT
            and now.volume_at(row.path, row.root) != row.volume
        ]
        self._set_absent(away, MediaState.OFFLINE)

    def _forget_stale_failures(self) -> None:
        """Drop failures of files that are gone, and of places that can be looked into again."""
        problems = {problem.path for problem in self._survey.problems}
        stale = [
            failure.path
            for failure in self._failures.values()
            if self._survey.is_inside(failure.path) and self._is_stale(failure, problems)
        ]
        self._library.media.forget_failures(stale)

    def _is_stale(self, failure: FailureRow, problems: set[bytes]) -> bool:
        if failure.stage == SCAN:
            return failure.path not in problems
        if failure.stage in (EMBED, DESCRIBE) and self._survey.is_tried_again(failure.path):
            # A file that this index had no need to read: other jobs may try it again.
            return failure.path not in {found.path for found in self._candidates}
        if self._survey.why_passed_over(failure.path) is not None:
            return True
        return failure.path not in self._survey.seen and not os.path.lexists(failure.path)

    def _remove_orphans(self) -> None:
        """Drop vectors under these roots that a crash left and no file has claimed."""
        leftover = set(self._known_files.leftover_orphans())
        under = {
            mark.key: 0
            for mark in self._marks
            if mark.key in leftover and self._survey.is_inside(mark.root)
        }
        if under:
            self._library.views.remove_from(self._model.image_id, under)

    def progress(
        self, stage: IndexStage, *, done: int = 0, total: int | None = None, ahead: int = 0
    ) -> IndexProgress:
        """The progress of the index; the time left follows from the speed so far."""
        fraction, video = 0.0, None
        if stage in (IndexStage.EMBED, IndexStage.FINISH):
            done, total = self._leg.done + ahead, len(self._candidates)
            if done < total:
                fraction, video = self._under_way.after(done)
        return IndexProgress(
            stage=stage,
            done=done,
            total=total,
            failed=len(self._leg.failed),
            current_path=self._leg.current_path,
            video_path=video,
            seconds_left=self._eta.seconds_left(done + fraction, total),
            fraction=fraction,
            commits=self._leg.commits,
        )


def _nothing_there(failed: Sequence[Failed]) -> UserError:
    names = ", ".join(os.fsdecode(entry.path) for entry in failed) or "nothing"
    shown = names.encode("utf-8", "replace").decode()
    return UserError(
        tr("There is nothing to index: {shown} does not exist.", shown=shown),
        "",
        tr("Check the path; name a folder, a photo or a video."),
    )
