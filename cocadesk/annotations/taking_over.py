"""Takes texts beside photos over as captions of the person, as one batch of the log.

Never over a caption that a person wrote here, and never a text that we wrote there.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from cocadesk.annotations.human import CAPTION, Command, HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_files import RefusedError
from cocadesk.annotations.sidecars import SidecarPlanner
from cocadesk.annotations.text import caption_of
from cocadesk.annotations.text_jobs import TextJob, TextReport
from cocadesk.errors import UserError, kept
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, MediaRow
from cocadesk.texts.reading import NotTextError, read_text

MEDIA_AT_ONCE = 256

OURS = kept("CocaDesk wrote it.")
NO_TEXT = kept("It is not a text file.")
EMPTY = kept("It is empty.")
HAS_CAPTION = kept("You have given it another caption here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverReport(TextReport):
    """The outcome, in media; ``without`` have no text beside them."""

    taken: int = 0
    without: int = 0


def take_over_steps(
    library: Library, annotations: HumanAnnotations, keys: Sequence[str], *, batch: str
) -> Generator[AnnotationProgress, None, TakeOverReport]:
    """Take over the texts beside ``keys``.

    With the same ``batch`` it goes on where it was stopped, and one undo takes all of it
    back. An undo while it runs stops it.
    """
    job = _TakingOver(library, annotations, batch)
    return (yield from job.steps(keys, AnnotationStage.TAKE_OVER, MEDIA_AT_ONCE))


class _TakingOver(TextJob[TakeOverReport]):
    """The state of one job."""

    def __init__(self, library: Library, annotations: HumanAnnotations, batch: str) -> None:
        super().__init__(library, annotations, batch)
        self._taken = {edit.key for edit in library.edits.of_batch(batch)}
        self._without = 0

    def _work(
        self, rows: Iterable[MediaRow], planner: SidecarPlanner, command: Command
    ) -> tuple[str, ...]:
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
            if row.human_caption:  # an empty one rejects the machine's alone
                raise RefusedError(HAS_CAPTION)
        except RefusedError as refused:
            self._skipped.append(
                SkippedFile(path=row.path, reason=refused.reason, is_failure=refused.is_failure)
            )
            return None
        return command.edit(row.key, CAPTION, json.dumps(row.human_caption), json.dumps(caption))

    def _report(self, *, was_undone: bool) -> TakeOverReport:
        return TakeOverReport(
            taken=len(self._taken),
            unchanged=self._unchanged,
            without=self._without,
            skipped=tuple(self._skipped),
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
