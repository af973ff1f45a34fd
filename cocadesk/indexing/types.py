"""The values that cross the indexer's border, and the lock of one run at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.library.library import Library

T = TypeVar("T")


class IndexStage(StrEnum):
    """The stages of an index."""

    SCAN = "scan"
    COMPARE = "compare"
    METADATA = "metadata"
    EMBED = "embed"
    FINISH = "finish"


class Again(StrEnum):
    """The files that an index reads though nothing about them has changed.

    ``NAMED`` are those that failed before and are given by themselves, not with a folder.
    """

    NOTHING = "nothing"
    NAMED = "named"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """The sizes and times of an index; the defaults suit a desktop computer.

    A commit is due after ``commit_rows`` files, or before the oldest has waited
    ``commit_s`` seconds, whichever comes first. A batch of a slow model, which holds fewer than
    ``embed_batch`` pictures for that, still holds ``least_batch``. ``queue_files`` bounds the
    decoded files in memory, ``queue_videos`` those whose frames wait to be embedded.
    ``is_careful``: the first files, as many as may be under way together, are read and committed
    one by one, so that a crash names its file. Files that were changed less than ``settle_s``
    seconds ago are left for the next index: somebody may be writing them. ``rest`` is called with
    the seconds that were worked since it was called last, so that an index may take its time.
    """

    workers: int = 2
    embed_batch: int = 128
    least_batch: int = 1
    commit_rows: int = 256
    commit_s: float = 2.0
    queue_files: int = 192
    queue_videos: int = 4
    progress_s: float = 0.2
    again: Again = Again.NOTHING
    is_careful: bool = False
    settle_s: float = 0.0
    rest: Callable[[float], None] = lambda _worked_s: None

    def __post_init__(self) -> None:
        for name in (
            "workers",
            "embed_batch",
            "least_batch",
            "commit_rows",
            "queue_files",
            "queue_videos",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")

    def parts(self, files: Sequence[T]) -> Iterator[Sequence[T]]:
        """The files as they are read: all at once, or first one by one."""
        careful = 2 * (self.queue_files + self.commit_rows) if self.is_careful else 0
        for found in files[:careful]:
            yield (found,)
        if rest := files[careful:]:
            yield rest


@dataclass(slots=True, kw_only=True)
class IndexTally:
    """What the legs of one index have done, for its report.

    An index that was put by begins anew: what it has read before is known by then. So it is
    given the tally of its earlier legs. ``failed`` are files that could not be read,
    ``killed`` those of them over which decoders were killed.
    """

    indexed: int = 0
    refreshed: int = 0
    videos: int = 0
    moved: int = 0
    copied: int = 0
    seconds: float = 0.0
    failed: set[bytes] = field(default_factory=set)
    killed: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProgress:
    """Progress of an index. ``total`` and ``seconds_left`` are None while unknown.

    ``current_path`` is the last file that was committed. ``video_path`` is a video that is
    being decoded, ``fraction`` how much of it is done. ``commits`` counts what was written:
    another number tells that there are other rows, or vectors, than before.
    """

    stage: IndexStage
    done: int
    total: int | None
    failed: int
    current_path: bytes | None
    seconds_left: float | None
    fraction: float = 0.0
    video_path: bytes | None = None
    commits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A file that is not searchable, and why.

    ``is_known``: it failed in an earlier run, has not changed since, and was
    not read again. ``is_passing``: the next index tries again though it has not changed.
    """

    path: bytes
    reason: str
    is_known: bool = False
    is_passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """The outcome of an index, in files.

    ``indexed`` files were read and committed (new, copied or changed), of which
    ``videos`` are videos; ``moved`` ones only followed, and of ``unchanged`` ones the
    bytes are as they were; the metadata of ``refreshed`` ones, unchanged or moved, were read again.
    ``missing`` and ``offline`` count media that this run found gone or on a disk that is not
    there.
    ``unsettled`` were left for the next index, see ``IndexOptions.settle_s``.
    """

    indexed: int = 0
    unchanged: int = 0
    refreshed: int = 0
    moved: int = 0
    copied: int = 0
    missing: int = 0
    offline: int = 0
    failed: tuple[Failed, ...] = ()
    seconds: float = 0.0
    videos: int = 0
    unsettled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReembedReport:
    """The outcome of a switch between two models, in media.

    ``filled`` got vectors of the new model, ``had`` had them before. Without
    any stay the ``unreadable``, the ``missing`` and the ``offline`` ones: their
    files can't be read now; an index makes up for it when they can.
    """

    filled: int = 0
    had: int = 0
    unreadable: tuple[Failed, ...] = ()
    missing: int = 0
    offline: int = 0
    seconds: float = 0.0


class GroupingStage(Enum):
    """The work of a job that compares media, in its order."""

    READ = auto()
    SEARCH = auto()
    COMPARE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingProgress:
    """Progress of a comparison, in media (READ) or in pairs (COMPARE)."""

    stage: GroupingStage
    done: int
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingReport:
    """The media that were compared with all, and the number of groups of each label."""

    compared: int = 0
    exact: int = 0
    same: int = 0
    burst: int = 0
    seconds: float = 0.0


class OneAtATime:
    """Lets one in for each library; the next one gets the sentence."""

    def __init__(self, *sentence: str) -> None:
        """``sentence``: what, why and what to do, as ``UserError`` takes them."""
        self._sentence = sentence
        self._running: WeakSet[Library] = WeakSet()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def on(self, library: Library) -> Iterator[None]:
        """Hold the place for ``library``.

        Raises:
            UserError: it is taken.
        """
        with self._lock:
            if library in self._running:
                raise UserError(*self._sentence)
            self._running.add(library)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(library)
