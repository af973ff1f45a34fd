"""New vectors of all media by another model, then the switch to it; the old one still answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias

from cocadesk.errors import tr
from cocadesk.eta import EtaEstimator, UnderWay
from cocadesk.indexing.commit import placed_view
from cocadesk.indexing.identity import MatchKind
from cocadesk.indexing.known_files import FileMatch, MatchedFile, Unreadable
from cocadesk.indexing.noting import NotingMatcher
from cocadesk.indexing.pictures import Decoded, Facts
from cocadesk.indexing.pipeline import Batch, Decoder, opened_decoder, read_steps
from cocadesk.indexing.survey import ABSENT, Roots
from cocadesk.indexing.types import (
    Failed,
    IndexOptions,
    IndexProgress,
    IndexStage,
    OneAtATime,
    ReembedReport,
)
from cocadesk.library.in_hand import InHand
from cocadesk.library.library import Library
from cocadesk.library.rows import EMBED, Identity, MediaRow, MediaState, ViewRow
from cocadesk.library.volumes import volumes_of
from cocadesk.media.types import DecodeFailure, FoundFile
from cocadesk.model.backend import Backend

ReembedSteps = Generator[IndexProgress, None, ReembedReport]

SWITCHING = IndexOptions(commit_s=10.0, least_batch=16)
"""The sizes of a switch while the old vectors answer. Nobody sees the new ones before it: what
commits and small batches cost counts for more than ten seconds of pictures read again after a
kill."""
_MARKS_AT_ONCE = 1024

_only_one = OneAtATime(
    tr("This library is being switched to another model already."),
    tr("Only one switch of a library runs at a time."),
    tr("Wait until it is done, or cancel it."),
)


def reembed_steps(
    library: Library,
    backend: Backend,
    *,
    source: str,
    pool: Decoder | None = None,
    options: IndexOptions | None = None,
    read: Callable[..., Iterator[IndexProgress]] = read_steps,
    is_wanted: Callable[[], bool] = lambda: True,
) -> ReembedSteps:
    """Let the model of ``backend`` answer; the generator's value is the report.

    Where its image id differs, its own views are filled first, for each present
    medium that lacks them: files are read again, nothing else of the library
    changes and the old model goes on answering. One write of ``library.json``
    then names the new model with its ``source``. Closing the generator, or a
    crash, keeps what is committed; the next call goes on from there. An index
    with the model in use may run between two steps: what it adds or changes is
    filled before the switch. Views of models before the last one go.
    ``read`` is the pipeline; tests give one that works in their thread. Once
    ``is_wanted`` is false it ends after the step, and switches nothing.

    Raises:
        UserError: a switch of this library runs already, the disk is
            full, or the model does not fit the vectors stored under its name.
    """
    with _only_one.on(library):
        run = _Reembed(library, backend, options or IndexOptions(), read, is_wanted)
        with closing(run.steps(source, pool)) as steps:
            for progress in steps:
                yield progress
                if not is_wanted():
                    break
        return run.report()


@dataclass(slots=True, kw_only=True)
class _Lacking:
    """Present media without views of the new model, by what must be done for them."""

    marked: dict[str, str] = field(default_factory=dict)
    """Pixels by key: the views are there, only the row does not say so yet."""
    copying: dict[str, str] = field(default_factory=dict)
    """Source by key: another medium's views show the same picture."""
    reading: dict[str, Identity] = field(default_factory=dict)
    """One of each picture that must be read."""
    copies: int = 0
    """Those whose picture is another's that is read first."""

    def __len__(self) -> int:
        return len(self.marked) + len(self.copying) + len(self.reading) + self.copies


class _Matcher:
    """Every file is read; what it shows now is embedded under its own key."""

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._by_path = {identity.path: identity for identity in identities}

    def match_bytes(self, found: FoundFile) -> None:
        """None: there is nothing yet to take vectors from."""
        return

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable:
        """A match that is to be embedded, or the reason why not."""
        if isinstance(result, DecodeFailure):
            return Unreadable(found=found, reason=result.reason, is_passing=result.is_passing)
        identity = self._by_path[found.path]
        facts = Facts.of(result)
        match = FileMatch(
            kind=MatchKind.TOUCHED,
            key=identity.key,
            picture_hash=result.picture_hash,
            media_kind=facts.kind.value,
        )
        return MatchedFile(found=found, match=match, identity=identity, facts=facts, decoded=result)


class _Reembed:
    """One run: the media that lack vectors, and its progress."""

    def __init__(
        self,
        library: Library,
        backend: Backend,
        options: IndexOptions,
        read_steps: Callable[..., Iterator[IndexProgress]],
        is_wanted: Callable[[], bool],
    ) -> None:
        self._started_s = time.monotonic()
        self._eta = EtaEstimator()
        self._under_way = UnderWay()
        self._library = library
        self._backend = backend
        self._model = backend.info()
        self._options = options
        self._read_steps = read_steps
        self._is_wanted = is_wanted
        self._roots = Roots(library.roots.all(), volumes_of(library.folder))
        self._tried: set[_Version] = set()
        """The media that were read, as their rows were then."""
        self._with_views: set[str] = set()
        self._deadly = library.media.deadly(EMBED)
        self._unreadable: dict[str, Failed] = {}
        self._filled: set[str] = set()
        self._unmarked: dict[str, str] = {}
        """Pixels by key: the views are there, and the old ones answer until all are."""
        self._absent = {MediaState.MISSING: 0, MediaState.OFFLINE: 0}
        self._had = 0
        self._total = 0
        self._current: bytes | None = None

    @property
    def is_same(self) -> bool:
        """True where the stored vectors are the new model's already."""
        return self._library.model == self._model.image_id

    @property
    def _old_answers(self) -> bool:
        """True where searches have vectors until the switch."""
        return self._library.model is not None and self._library.views.has(self._library.model)

    def steps(self, source: str, pool: Decoder | None) -> Generator[IndexProgress, None, None]:
        """Fill, then switch."""
        if not self.is_same:
            yield from self.fill(pool)
            yield self.progress(IndexStage.FINISH)
            self._library.tidy()
        # Whoever added media while the tables were tidied has them filled too.
        while not self.switch(source):
            yield from self.fill(pool)

    def fill(self, pool: Decoder | None) -> Iterator[IndexProgress]:
        """Give vectors to all present media that lack them, until none does."""
        image_id = self._model.image_id
        self._library.views.create(image_id, self._model.embedding_dim)
        self._library.views.remove_stale(image_id)
        self._unmarked = {}
        lacking = self._find_lacking()
        self._total = len(self._filled) + len(self._unreadable) + len(lacking)
        yield self.progress(IndexStage.EMBED)
        while len(lacking):
            yield from self._fill_without_reading(lacking)
            if lacking.reading:
                yield from self._read(list(lacking.reading.values()), pool)
            self._unmarked = {}  # found among those that lack a mark
            lacking = self._find_lacking()

    def _find_lacking(self) -> _Lacking:
        """The media that lack vectors now; those tried in this run are not tried again."""
        image_id = self._model.image_id
        shows = {mark.key: mark.picture_hash for mark in self._library.views.whole_marks(image_id)}
        holders = {picture_hash: key for key, picture_hash in shows.items()}
        self._with_views = set(shows)
        lacking = _Lacking()
        self._absent = {MediaState.MISSING: 0, MediaState.OFFLINE: 0}
        self._had = 0
        identities = self._library.media.identities()
        deadly = {
            _picture_of(row): self._deadly[row.path]
            for row in identities
            if row.path in self._deadly
        }
        for identity in identities:
            has_views = shows.get(identity.key) == identity.picture_hash
            if has_views and image_id in identity.embedded:
                self._had += identity.key not in self._filled
            elif has_views:
                lacking.marked[identity.key] = identity.picture_hash
            elif (state := self._state(identity)) is not MediaState.PRESENT:
                self._absent[state] += 1
            elif _version(identity) in self._tried:
                continue
            elif identity.picture_hash in holders:
                lacking.copying[identity.key] = holders[identity.picture_hash]
            elif (picture := _picture_of(identity)) in deadly:
                self._leave_out(identity, deadly[picture])
            elif picture in lacking.reading:
                lacking.copies += 1
            else:
                lacking.reading[picture] = identity
        return lacking

    def _state(self, identity: Identity) -> MediaState:
        """The state of a file: as its row says, but its disk may have gone or come since."""
        if identity.state == MediaState.MISSING:
            return MediaState.MISSING
        if os.path.lexists(identity.path):
            is_it = not self._roots.volumes.is_elsewhere(identity.volume) or _is_here(identity)
            return MediaState.PRESENT if is_it else MediaState.OFFLINE
        is_there = self._roots.volume_at(identity.path, identity.root) == identity.volume
        return MediaState.PRESENT if is_there else MediaState.OFFLINE

    def _fill_without_reading(self, lacking: _Lacking) -> Iterator[IndexProgress]:
        """Mark what has its views, and copy the views of equal pictures."""
        for keys in _pieces(lacking.marked, _MARKS_AT_ONCE):
            self._mark({key: lacking.marked[key] for key in keys})
            yield self.progress(IndexStage.EMBED)
        for keys in _pieces(lacking.copying, self._options.commit_rows):
            self._copy_views({key: lacking.copying[key] for key in keys})
            yield self.progress(IndexStage.EMBED)

    def _mark(self, picture_hash: dict[str, str]) -> None:
        self._library.media.add_embedded(picture_hash, self._model.image_id)
        self._note_filled(picture_hash)

    def _note_filled(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._filled.add(key)
            self._unreadable.pop(key, None)

    def _copy_views(self, sources: dict[str, str]) -> None:
        with self._library.writing():
            rows = self._library.media.rows(list(sources))
            stored = self._library.views.of_keys(
                self._model.image_id, sorted(set(sources.values()))
            )
            views = {
                row.key: copies
                for row in rows
                if (
                    copies := [
                        placed_view(view, row)
                        for view in stored.get(sources[row.key], [])
                        if view.picture_hash == row.picture_hash
                    ]
                )
            }
            self._write(views)
            self._mark({row.key: row.picture_hash for row in rows if row.key in views})

    def _write(self, views: dict[str, list[ViewRow]]) -> None:
        """Commit all views of these keys, and drop what they had beyond."""
        image_id = self._model.image_id
        self._library.views.commit(image_id, [view for own in views.values() for view in own])
        fewer = {key: len(own) for key, own in views.items() if key in self._with_views}
        self._library.views.remove_from(image_id, fewer)

    def _read(self, reading: Sequence[Identity], pool: Decoder | None) -> Iterator[IndexProgress]:
        """Decode, embed and commit one file of each picture."""
        with (
            InHand(self._library.folder) as in_hand,
            opened_decoder(pool, self._model, self._options) as decoder,
        ):
            self._under_way.decoder = decoder

            def commit(batch: Batch) -> None:
                self._commit(batch)
                in_hand.leave(batch.paths())

            for part in self._options.parts([_found(identity) for identity in reading]):
                yield from self._read_steps(
                    part,
                    matcher=NotingMatcher(_Matcher(reading), in_hand),
                    library=self._library,
                    embedder=self._backend,
                    pool=decoder,
                    options=self._options,
                    commit=commit,
                    progress=lambda ahead: self.progress(IndexStage.EMBED, ahead=ahead),
                    is_input_only=True,
                )

    def _commit(self, batch: Batch) -> None:
        """Views first, then the mark in the row, which is the commit.

        While the old model answers nobody looks at the mark, and many are written together;
        after a crash between the two, the next run marks what it finds.
        A file that was edited since the last index gets the vectors of what it
        shows now, but no mark: the next index sees to its row. What was read before
        an index changed the row may be of a picture or a file of before: it is read anew.
        """
        with self._library.writing():
            read = {item.match.key: item for item in batch.matched}
            rows = self._library.media.rows(list(read))
            shows = {
                row.key: picture_hash
                for row in rows
                if (picture_hash := read[row.key].match.picture_hash) == row.picture_hash
                or _version(row) == _version(read[row.key].identity)
            }
            self._write(
                {
                    row.key: batch.embedded[shows[row.key]].views(row, shows[row.key])
                    for row in rows
                    if row.key in shows
                }
            )
            self._unmarked |= shows
            self._note_filled(shows)
            if len(self._unmarked) >= (_MARKS_AT_ONCE if self._old_answers else 1):
                self._mark(self._unmarked)
                self._unmarked = {}
        self._tried.update(_version(item.identity) for item in batch.matched)
        for unread in batch.unreadable:
            self._give_up(unread)
        for item in batch.matched:
            self._current = item.found.path

    def _give_up(self, item: Unreadable) -> None:
        """Count a file that can't be read, unless an index has read it meanwhile."""
        is_there = os.path.lexists(item.found.path)
        reason = item.reason if is_there else ABSENT[MediaState.MISSING]
        for row in self._library.media.rows_by_path([item.found.path]):
            if _stamps(row) == _stamps(item.found):
                self._tried.add(_version(row))
                self._unreadable[row.key] = Failed(
                    path=row.path, reason=reason, is_passing=item.is_passing
                )

    def _leave_out(self, row: Identity, reason: str) -> None:
        """Count a medium as one that can't be read, without reading it."""
        self._tried.add(_version(row))
        self._unreadable[row.key] = Failed(path=row.path, reason=reason, is_known=True)

    def switch(self, source: str) -> bool:
        """The one write that switches; False where something lacks vectors again.

        Nothing is written where that is not wanted any more.
        """
        previous, image_id = self._library.model, self._model.image_id
        with self._library.writing():
            if not self._is_wanted():  # asked under the lock: a choice may come in the last step
                return True
            if not self.is_same and len(self._find_lacking()):
                return False
            self._library.set_model(image_id, model_id=self._model.model_id, source=source)
        if previous != image_id:
            self._library.views.keep_only({previous, image_id})
        return True

    def progress(self, stage: IndexStage, *, ahead: int = 0) -> IndexProgress:
        """The progress, in media."""
        done = len(self._filled) + len(self._unreadable) + ahead
        total = max(self._total, done)
        fraction, video = self._under_way.after(done) if done < total else (0.0, None)
        return IndexProgress(
            stage=stage,
            done=done,
            total=total,
            failed=len(self._unreadable),
            current_path=self._current,
            video_path=video,
            seconds_left=self._eta.seconds_left(done + fraction, total),
            fraction=fraction,
        )

    def report(self) -> ReembedReport:
        """The outcome."""
        return ReembedReport(
            filled=len(self._filled),
            had=self._had,
            unreadable=tuple(sorted(self._unreadable.values(), key=lambda failed: failed.path)),
            missing=self._absent[MediaState.MISSING],
            offline=self._absent[MediaState.OFFLINE],
            seconds=time.monotonic() - self._started_s,
        )


def _is_here(identity: Identity) -> bool:
    """True where this machine too has such a file in the place of another machine's."""
    try:
        status = os.stat(identity.path)  # noqa: PTH116 - paths are bytes here
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (identity.size_bytes, identity.mtime_ns)


def _picture_of(identity: Identity) -> str:
    """The picture of a medium; one that waits for its first index has none that is known."""
    return identity.picture_hash if identity.size_bytes >= 0 else identity.key


def _found(identity: Identity) -> FoundFile:
    return FoundFile(
        root=identity.root,
        path=identity.path,
        size_bytes=identity.size_bytes,
        mtime_ns=identity.mtime_ns,
        ctime_ns=identity.ctime_ns,
    )


_Stamps: TypeAlias = tuple[bytes, int, int, int]
_Version: TypeAlias = tuple[str, str, _Stamps]


def _stamps(file: Identity | MediaRow | FoundFile) -> _Stamps:
    """The place of a file and all that tells it from what was there before."""
    return (file.path, file.size_bytes, file.mtime_ns, file.ctime_ns)


def _version(row: Identity | MediaRow) -> _Version:
    """A row as far as it says which file is its medium's; an index may change it."""
    return (row.key, row.picture_hash, _stamps(row))


def _pieces(keys: Iterable[str], size: int) -> Iterator[list[str]]:
    every = list(keys)
    for start in range(0, len(every), size):
        yield every[start : start + size]
