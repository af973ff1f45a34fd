"""Forgetting for good, asked about in plain numbers first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import Forget, Forgotten, GetRows, Rows
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import ForgottenValue, changed
from ui.kit.texts import count_media
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import Notice
from ui.library.tasks import TaskDialog, Tasks

MAX_AT_ONCE = 500
COUNTING = tr("Counting what would be forgotten…")
FORGETTING = tr("Forgetting…")
FOR_GOOD = tr("This can't be undone.")
FILES_STAY = tr("The files themselves are not touched.")
PASSES_OVER = tr("CocaDesk excludes them from now on, so that they do not come back.")
STILL_LEARNED = tr(
    "A model that was taught with them keeps what it has learned. "
    "You can remove such a model on the page Teach."
)


class Forgetting(QObject):
    """Asks before media are forgotten, and forgets them."""

    def __init__(self, tasks: Tasks, notice: Notice) -> None:
        super().__init__(tasks)
        self._tasks = tasks
        self._notice = notice

    def folder(self, path: WirePath, on_closed: Callable[[], None]) -> None:
        """Asks about a folder and all that is known of what is in it."""
        dialog = self._tasks.open(tr("Forget this folder"), on_closed)
        self._count(dialog, path.text, Forget(paths=(path,)))

    def missing(self) -> None:
        """Asks about all media whose files are gone."""
        dialog = self._tasks.open(tr("Forget what is missing"))
        self._count(
            dialog, tr("all photos and videos whose files are gone"), Forget(is_missing=True)
        )

    def media(self, keys: Sequence[str]) -> None:
        """Asks about single photos and videos."""
        dialog = self._tasks.open(tr("Forget photos and videos"))
        if len(keys) > MAX_AT_ONCE:
            dialog.tell(
                tr(
                    "{selected} photos and videos are selected; {most} at most are "
                    "forgotten at once.",
                    selected=grouped(len(keys)),
                    most=grouped(MAX_AT_ONCE),
                ),
                small_print=tr("Select fewer, or forget a whole folder: Library, Folders…."),
            )
            return

        def on_rows(answer: Rows) -> None:
            if not answer.rows:
                dialog.tell(tr("There is nothing to forget."))
                return
            one = answer.rows[0].name if len(answer.rows) == 1 else ""
            subject = one or tr(
                "the {selected} selected photos and videos", selected=grouped(len(answer.rows))
            )
            self._count(dialog, subject, Forget(paths=tuple(row.path for row in answer.rows)))

        self._tasks.run(dialog, COUNTING, GetRows(keys=tuple(keys)), Rows, on_rows)

    def _count(self, dialog: TaskDialog, subject: str, body: Forget) -> None:
        preview = changed(body, is_preview=True)
        on_done = partial(self._ask, dialog, subject, body)
        self._tasks.run(dialog, COUNTING, preview, Forgotten, on_done)

    def _ask(self, dialog: TaskDialog, subject: str, body: Forget, planned: Forgotten) -> None:
        lines = what_goes(planned.counts)
        if not lines:
            dialog.tell(tr("There is nothing to forget."))
            return
        parts = (FOR_GOOD, "" if body.is_missing else FILES_STAY)
        small_print = " ".join((*parts, PASSES_OVER if planned.excluded else "")).strip()
        dialog.ask(
            tr("Forget {subject} for good? The library loses:", subject=subject),
            tr("Forget"),
            lines=lines,
            small_print=small_print,
            is_for_good=True,
        )
        on_done = partial(self._tell, dialog)
        dialog.agreed.connect(lambda: self._tasks.run(dialog, FORGETTING, body, Forgotten, on_done))

    def _tell(self, dialog: TaskDialog, done: Forgotten) -> None:
        gone = what_goes(done.counts)[:1] or [tr("nothing")]
        said = tr("Forgotten: {gone}", gone=gone[0])
        if done.counts.runs:
            dialog.tell(f"{said}.", small_print=STILL_LEARNED)
        else:
            dialog.accept()
            self._notice.say(said)


def what_goes(counts: ForgottenValue) -> list[str]:
    """A line on each number that is not zero."""
    pictures = counts.thumbnails + counts.previews
    lines = (
        (counts.media, count_media(counts.media)),
        (counts.captions, tr_count(counts.captions, "{n} caption", "{n} captions")),
        (
            counts.edits,
            tr_count(
                counts.edits,
                "{n} change of captions and tags in the history",
                "{n} changes of captions and tags in the history",
            ),
        ),
        (counts.vectors, tr_count(counts.vectors, "{n} search vector", "{n} search vectors")),
        (pictures, tr_count(pictures, "{n} thumbnail or preview", "{n} thumbnails and previews")),
        (
            counts.failures,
            tr_count(
                counts.failures,
                "{n} note of files that could not be read",
                "{n} notes of files that could not be read",
            ),
        ),
        (
            counts.folders,
            tr_count(
                counts.folders,
                "{n} folder in the list of folders",
                "{n} folders in the list of folders",
            ),
        ),
        (counts.jobs, tr_count(counts.jobs, "{n} job", "{n} jobs")),
    )
    return [text for number, text in lines if number]
