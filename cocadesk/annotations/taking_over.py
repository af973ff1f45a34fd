"""Takes texts beside photos over as captions of the person, as one batch of the log.

Never over a caption that a person wrote here, and never a text that we wrote there.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from cocadesk.annotations.human import CAPTION, Command, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_files import RefusedError
from cocadesk.annotations.sidecars import SidecarPlanner
from cocadesk.annotations.text import caption_of
from cocadesk.errors import UserError
from cocadesk.eta import EtaEstimator
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, MediaRow
from cocadesk.texts.reading import NotTextError, read_text

MEDIA_AT_ONCE = 256

OURS = "CocaDesk wrote it."
NO_TEXT = "It is not a text file."
EMPTY = "It is empty."
HAS_CAPTION = "You have given it another caption here."


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverReport:
    """The outcome, in media; ``without`` have no text beside them.

    ``was_undone`` where a person took it back meanwhile.
    """

    taken: int = 0
    unchanged: int = 0
    without: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    was_undone: bool = False

    @property
    def failed(self) -> int:
        """The number of texts that the disk has refused to give."""
        return sum(item.is_failure for item in self.skipped)


def take_over_steps(
    library: Library, annotations: HumanAnnotations, keys: Sequence[str], *, batch: str
) -> Generator[AnnotationProgress, None, TakeOverReport]:
    """Take over the texts beside ``keys``.

    With the same ``batch`` it goes on where it was stopped, and one undo takes all of it
    back. An undo while it runs stops it.
    """
    job = _TakingOver(library, annotations, batch)
    eta, done = EtaEstimator(), 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    for start in range(0, len(keys), MEDIA_AT_ONCE):
        piece = keys[start : start + MEDIA_AT_ONCE]
        earlier = len(job.skipped)
        changed = job.take(piece)
        if changed is None:
            return job.report(was_undone=True)
        done += len(piece)
        yield AnnotationProgress(
            stage=AnnotationStage.TAKE_OVER,
            done=done,
            total=len(keys),
            failed=job.report().failed,
            seconds_left=eta.seconds_left(done, len(keys)),
            keys=changed,
            skipped=tuple(job.skipped[earlier:]),
        )
    return job.report()


class _TakingOver:
    """The state of one job."""

    def __init__(self, library: Library, annotations: HumanAnnotations, batch: str) -> None:
        self._library = library
        self._annotations = annotations
        self._batch = batch
        self._taken = {edit.key for edit in library.edits.of_batch(batch)}
        self._unchanged = 0
        self._without = 0
        self.skipped: list[SkippedFile] = []
        self._planner: SidecarPlanner | None = None

    def take(self, keys: Sequence[str]) -> tuple[str, ...] | None:
        """Take over the texts of a few media; their keys, or None once the batch was undone."""
        with self._annotations.lock:
            if self._batch in self._annotations.state().taken_back:
                return None
            # Kept for the whole job: it looks at all media.
            planner = self._planner or SidecarPlanner(self._library, overwrite=False)
            self._planner = planner
            command = Command(batch=self._batch)
            rows = self._library.media.iter_rows(keys)
            edits = [e for row in rows if (e := self._edit(row, planner, command)) is not None]
            self._annotations.write(edits)
        self._taken.update(edit.key for edit in edits)
        return tuple(edit.key for edit in edits)

    def _edit(self, row: MediaRow, planner: SidecarPlanner, command: Command) -> Edit | None:
        """The entry that gives a medium its text as a caption; None where that is not to be."""
        try:
            text = planner.found(row)
            if text.data is None:
                self._without += 1
                return None
            if text.by is not None:
                raise RefusedError(OURS)
            caption = _caption(text.data)
            if row.human_caption == caption:
                self._unchanged += row.key not in self._taken
                return None
            if row.human_caption is not None:
                raise RefusedError(HAS_CAPTION)
        except RefusedError as refused:
            self.skipped.append(
                SkippedFile(path=row.path, reason=refused.reason, is_failure=refused.is_failure)
            )
            return None
        return command.edit(row.key, CAPTION, json.dumps(None), json.dumps(caption))

    def report(self, *, was_undone: bool = False) -> TakeOverReport:
        """The outcome so far."""
        return TakeOverReport(
            taken=len(self._taken),
            unchanged=self._unchanged,
            without=self._without,
            skipped=tuple(self.skipped),
            was_undone=was_undone,
        )


def _caption(data: bytes) -> str:
    """The caption that a text holds.

    Raises:
        RefusedError: it holds none.
    """
    try:
        caption = caption_of(read_text(data).text)
    except NotTextError as error:
        raise RefusedError(NO_TEXT) from error
    except UserError as error:
        raise RefusedError(error.what) from error
    if not caption:
        raise RefusedError(EMPTY)
    return caption
