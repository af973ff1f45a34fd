"""Writes the captions of many media beside them, a few at a time, as one batch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from cocadesk.annotations.human import Command, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_journal import net_changes
from cocadesk.annotations.sidecars import (
    FileAction,
    PlannedFile,
    SidecarPlanner,
)
from cocadesk.eta import EtaEstimator
from cocadesk.library.library import Library

FILES_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport:
    """The outcome of a write, in files; ``was_undone`` where a person took it back meanwhile."""

    written: int = 0
    unchanged: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    was_undone: bool = False

    @property
    def failed(self) -> int:
        """The number of files that the disk has refused."""
        return sum(item.is_failure for item in self.skipped)


def write_steps(
    library: Library,
    annotations: HumanAnnotations,
    keys: Sequence[str],
    *,
    batch: str,
    overwrite: bool = False,
) -> Generator[AnnotationProgress, None, WriteReport]:
    """Writes the captions of ``keys``; human ones, else the machine's.

    With the same ``batch`` it goes on where it was stopped, and one undo takes all
    of it back. An undo while it runs stops it.
    """
    job = _Write(library, annotations, batch, overwrite)
    eta, done = EtaEstimator(), 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    for start in range(0, len(keys), FILES_AT_ONCE):
        piece = keys[start : start + FILES_AT_ONCE]
        earlier = len(job.skipped)
        if not job.write(piece):
            return job.report(was_undone=True)
        done += len(piece)
        yield AnnotationProgress(
            stage=AnnotationStage.WRITE,
            done=done,
            total=len(keys),
            failed=job.report().failed,
            seconds_left=eta.seconds_left(done, len(keys)),
            current_path=job.current,
            skipped=tuple(job.skipped[earlier:]),
        )
    return job.report()


class _Write:
    """The state of one write."""

    def __init__(
        self, library: Library, annotations: HumanAnnotations, batch: str, overwrite: bool
    ) -> None:
        self._library = library
        self._annotations = annotations
        self._batch = batch
        self._overwrite = overwrite
        earlier = net_changes(library.edits.of_batch(batch))
        self._written = {change.after.path for change in earlier}
        self._unchanged = 0
        self.skipped: list[SkippedFile] = []
        self._planner: SidecarPlanner | None = None
        self.current: bytes | None = None

    def write(self, keys: Sequence[str]) -> bool:
        """Plans and writes a few files; False once the batch was undone."""
        with self._annotations.lock:
            if self._batch in self._annotations.state().taken_back:
                return False
            # Kept for the whole job: its other files are none of these.
            planner = self._planner or SidecarPlanner(self._library, overwrite=self._overwrite)
            self._planner = planner
            planned = [planner.plan(row) for row in self._library.media.iter_rows(keys)]
            to_write = [
                item for item in planned if item.action in (FileAction.NEW, FileAction.CHANGED)
            ]
            command = Command(batch=self._batch)
            refused = self._annotations.write(
                [command.write(item.key, item.old, item.new) for item in to_write]
            )
        self._count(planned, to_write, refused)
        return True

    def _count(
        self,
        planned: Sequence[PlannedFile],
        to_write: Sequence[PlannedFile],
        refused: Sequence[SkippedFile],
    ) -> None:
        self.skipped += refused
        self._written |= {item.path for item in to_write} - {item.path for item in refused}
        for item in planned:
            self.current = item.path
            if item.action is FileAction.SKIPPED:
                self.skipped.append(
                    SkippedFile(path=item.path, reason=item.reason, is_failure=item.is_failure)
                )
            elif item.action is FileAction.UNCHANGED and item.path not in self._written:
                self._unchanged += 1

    def report(self, *, was_undone: bool = False) -> WriteReport:
        """The outcome so far."""
        return WriteReport(
            written=len(self._written),
            unchanged=self._unchanged,
            skipped=tuple(self.skipped),
            was_undone=was_undone,
        )
