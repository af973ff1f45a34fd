"""Jobs on the texts beside many media, a few at a time, as one batch of the log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cocadesk.annotations.human import Command, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecars import SidecarPlanner
from cocadesk.eta import EtaEstimator
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReport:
    """The outcome of a job; ``was_undone`` where a person took it back meanwhile."""

    unchanged: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    was_undone: bool = False

    @property
    def failed(self) -> int:
        """The number of texts that the disk has refused to write or to give."""
        return _failures(self.skipped)


Report = TypeVar("Report", bound=TextReport)


class TextJob(ABC, Generic[Report]):
    """The state of one job. An undo of its batch while it runs stops it."""

    def __init__(
        self,
        library: Library,
        annotations: HumanAnnotations,
        batch: str,
        *,
        overwrite: bool = False,
    ) -> None:
        self._library = library
        self._annotations = annotations
        self._batch = batch
        self._overwrite = overwrite
        self._planner: SidecarPlanner | None = None
        self._unchanged = 0
        self._skipped: list[SkippedFile] = []
        self._current: bytes | None = None

    def steps(
        self, keys: Sequence[str], stage: AnnotationStage, at_once: int
    ) -> Generator[AnnotationProgress, None, Report]:
        """Do the job for ``keys``, ``at_once`` of them in each step."""
        eta, done, failed = EtaEstimator(), 0, 0
        yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
        for start in range(0, len(keys), at_once):
            piece = keys[start : start + at_once]
            earlier = len(self._skipped)
            changed = self._take(piece)
            if changed is None:
                return self._report(was_undone=True)
            skipped = tuple(self._skipped[earlier:])
            done += len(piece)
            failed += _failures(skipped)
            yield AnnotationProgress(
                stage=stage,
                done=done,
                total=len(keys),
                failed=failed,
                seconds_left=eta.seconds_left(done, len(keys)),
                current_path=self._current,
                keys=changed,
                skipped=skipped,
            )
        return self._report(was_undone=False)

    def _take(self, keys: Sequence[str]) -> tuple[str, ...] | None:
        """Do the job for a few media; as ``_work``, or None once the batch was undone."""
        with self._annotations.lock:
            if self._batch in self._annotations.state().taken_back:
                return None
            # Kept for the whole job: it looks at all media.
            planner = self._planner or SidecarPlanner(self._library, overwrite=self._overwrite)
            self._planner = planner
            rows = self._library.media.iter_rows(keys)
            return self._work(rows, planner, Command(batch=self._batch))

    @abstractmethod
    def _work(
        self, rows: Iterable[MediaRow], planner: SidecarPlanner, command: Command
    ) -> tuple[str, ...]:
        """Do the job for a few media; the keys of those with new captions."""

    @abstractmethod
    def _report(self, *, was_undone: bool) -> Report:
        """The outcome so far."""


def _failures(skipped: Iterable[SkippedFile]) -> int:
    return sum(item.is_failure for item in skipped)
