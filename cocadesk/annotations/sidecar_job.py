"""Writes the captions of many media beside them, a few at a time, as one batch."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from cocadesk.annotations.human import Command, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_journal import net_changes
from cocadesk.annotations.sidecars import (
    FileAction,
    PlannedFile,
    SidecarPlanner,
)
from cocadesk.annotations.text_jobs import TextJob, TextReport
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaRow

FILES_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReport(TextReport):
    """The outcome of a write, in files."""

    written: int = 0


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
    job = _Write(library, annotations, batch, overwrite=overwrite)
    return (yield from job.steps(keys, AnnotationStage.WRITE, FILES_AT_ONCE))


class _Write(TextJob[WriteReport]):
    """The state of one write."""

    def __init__(
        self, library: Library, annotations: HumanAnnotations, batch: str, *, overwrite: bool
    ) -> None:
        super().__init__(library, annotations, batch, overwrite=overwrite)
        earlier = net_changes(library.edits.of_batch(batch))
        self._written = {change.after.path for change in earlier}

    def _work(
        self, rows: Iterable[MediaRow], planner: SidecarPlanner, command: Command
    ) -> tuple[str, ...]:
        planned = [planner.plan(row) for row in rows]
        to_write = [item for item in planned if item.action in (FileAction.NEW, FileAction.CHANGED)]
        refused = self._annotations.write(
            [command.write(item.key, item.old, item.new) for item in to_write]
        )
        self._count(planned, to_write, refused)
        return ()

    def _count(
        self,
        planned: Sequence[PlannedFile],
        to_write: Sequence[PlannedFile],
        refused: Sequence[SkippedFile],
    ) -> None:
        self._skipped += refused
        self._written |= {item.path for item in to_write} - {item.path for item in refused}
        for item in planned:
            self._current = item.path
            if item.action is FileAction.SKIPPED:
                self._skipped.append(
                    SkippedFile(path=item.path, reason=item.reason, is_failure=item.is_failure)
                )
            elif item.action is FileAction.UNCHANGED and item.path not in self._written:
                self._unchanged += 1

    def _report(self, *, was_undone: bool) -> WriteReport:
        return WriteReport(
            written=len(self._written),
            unchanged=self._unchanged,
            skipped=tuple(self._skipped),
            was_undone=was_undone,
        )
