"""A review as it goes: from what is decided in its view to the editor, and on to the next photo."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QObject, QSize, Signal

from cocadesk.protocol.messages import Preview
from cocadesk.protocol.values import Row
from ui.annotations.editor import AnnotationEditor
from ui.detail.review.ahead import (
    PICTURES_AFTER,
    PICTURES_BEFORE,
    ROWS_AFTER,
    ROWS_BEFORE,
    ReviewAhead,
)
from ui.detail.review.queue import Outcome, ReviewQueue
from ui.detail.review.view import ReviewView
from ui.kit.preferences import Preference
from ui.kit.translation import tr

WITH_TAGS = Preference("review/with-tags", True)


class Review(QObject):
    """Goes through photos; each decision on one is a step of its own.

    Undoing such a step leads back to its photo. ``ended`` after the last one.
    """

    ended = Signal()

    def __init__(
        self, view: ReviewView, ahead: ReviewAhead, editor: AnnotationEditor, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.view = view
        self._ahead = ahead
        self._editor = editor
        self._queue: ReviewQueue | None = None
        self._turned: dict[str, frozenset[str]] = {}
        view.accepted.connect(self._accept)
        view.rejected.connect(self._reject)
        view.saved.connect(self._save)
        view.kept.connect(self._keep)
        view.stepped.connect(self._step)
        view.tag_added.connect(self._add_tag)
        view.tag_removed.connect(self._remove_tag)
        view.takes_all_changed.connect(self._choose_tags)
        view.photo.full_wanted.connect(self._ask_full)
        ahead.row_came.connect(self._on_row)
        ahead.picture_came.connect(self._on_picture)
        ahead.full_came.connect(self._on_full)
        editor.stepped.connect(self._on_stepped)

    @property
    def is_running(self) -> bool:
        """True from ``start`` to ``stop``."""
        return self._queue is not None

    @property
    def current(self) -> str:
        """The key of the photo that is shown; empty without one."""
        return "" if self._queue is None else self._queue.current

    def start(self, keys: Sequence[str]) -> None:
        """Begins with the first of these; there must be one."""
        self._queue = ReviewQueue(keys, time.monotonic())
        self.view.set_takes_all(WITH_TAGS.read())
        self._show()
        self.view.setFocus()

    def stop(self) -> str:
        """Keeps what is being typed and ends; gives what was done, or nothing."""
        self.view.finish()
        queue, self._queue = self._queue, None
        self._ahead.let_go()
        self._turned.clear()
        return "" if queue is None else queue.tally

    # What is decided ----------------------------------------------------------------------

    def _accept(self) -> None:
        """What is suggested; where all is decided already, the next photo."""
        row, tags = self._row(), self.view.tags
        if row is None:
            return
        if (row.caption_by_person or not row.caption) and not (tags.accepted or tags.rejected):
            self._move(1)
        else:
            self._decide(Outcome.ACCEPTED, row, row.caption or None)

    def _save(self, caption: str) -> None:
        """What was typed and ended by Return."""
        row = self._row()
        if row is not None and caption:
            self._decide(Outcome.EDITED, row, caption)
        elif row is not None:
            self._reject()

    def _reject(self) -> None:
        """The caption, and of the tags those that were switched; others stay suggestions."""
        row, tags = self._row(), self.view.tags
        if row is not None:
            add = [tag for tag in tags.accepted if tag in tags.turned]
            self._editor.set([row.key], "", no_caption=True, add=add, remove=tags.rejected)
            self._go_on(Outcome.REJECTED)

    def _decide(self, outcome: Outcome, row: Row, caption: str | None) -> None:
        tags = self.view.tags
        self._editor.set([row.key], "", caption=caption, add=tags.accepted, remove=tags.rejected)
        self._go_on(outcome)

    def _go_on(self, outcome: Outcome) -> None:
        queue = self._queue
        if queue is None:
            return
        self._turned.pop(queue.current, None)
        queue.note(outcome, time.monotonic())
        self._move(1)

    def _step(self, by: int) -> None:
        """To another one; tags that were switched are so when it is shown again."""
        queue = self._queue
        if queue is None:
            return
        self._turned[queue.current] = self.view.tags.turned
        if by > 0 and queue.current not in queue.outcomes:
            queue.note(Outcome.SKIPPED, time.monotonic())
        self._move(by)

    def _move(self, by: int) -> None:
        if self._queue is not None and self._queue.step(by, time.monotonic()):
            self._show()
        elif by > 0:
            self.ended.emit()

    def _keep(self, key: str, caption: str) -> None:
        """What was typed for a photo that one has left by another way than Return."""
        if caption:
            self._editor.set([key], tr("Caption saved"), caption=caption)
        else:
            self._editor.set([key], tr("Suggested caption rejected"), no_caption=True)

    def _add_tag(self, tag: str) -> None:
        if self.current:
            self._editor.set([self.current], tr("Tag “{tag}” added", tag=tag), add=[tag])

    def _remove_tag(self, tag: str) -> None:
        if self.current:
            self._editor.set([self.current], tr("Tag “{tag}” removed", tag=tag), remove=[tag])

    def _choose_tags(self, takes_all: bool) -> None:
        WITH_TAGS.write(takes_all)
        row = self._row()
        if row is not None:
            self.view.show_row(row, frozenset())

    def _on_stepped(self, keys: Sequence[str]) -> None:
        """After an undo (or redo) the photo that it was about is shown."""
        if self._queue is not None and self._queue.go_to(keys, time.monotonic()):
            self._show()

    # What is shown ------------------------------------------------------------------------

    def _row(self) -> Row | None:
        return self._ahead.row(self.current)

    def _show(self) -> None:
        queue = self._queue
        if queue is None:
            return
        self.view.begin(queue.current)
        self._ahead.want(
            queue.near(ROWS_BEFORE, ROWS_AFTER), queue.near(PICTURES_BEFORE, PICTURES_AFTER)
        )
        self.view.show_progress(queue.place, queue.left, queue.tally, queue.at, len(queue.keys))
        self._on_row(queue.current)

    def _on_row(self, key: str) -> None:
        row = self._row()
        if row is not None and key == self.current:
            turned = self._turned.pop(key, None)
            self.view.show_row(row, self.view.tags.turned if turned is None else turned)
            self._on_picture(key)

    def _on_picture(self, key: str) -> None:
        if key == self.current and self._row() is not None:
            picture = self._ahead.picture(key)
            if picture is not None:
                self.view.show_picture(picture)

    def _ask_full(self) -> None:
        if self.current:
            self._ahead.ask_full(self.current)

    def _on_full(self, answer: Preview) -> None:
        if answer.key == self.current:
            size = QSize(answer.width, answer.height)
            self.view.photo.show_full(answer.path.to_str(), size)
