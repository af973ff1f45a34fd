"""Questions about the photo under the cursor: facts, annotations, the large picture."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Describe,
    Description,
    Detail,
    GetDetail,
    GetGroup,
    GetMoments,
    GetPreview,
    Groups,
    Moments,
    Preview,
)
from cocadesk.protocol.values import Priority, Row, changed
from ui.annotations.styles import chosen_writing
from ui.engine.link import EngineLink, Ticket
from ui.kit.image_loader import ImageLoader
from ui.kit.texts import has_moments
from ui.kit.timers import single_shot

DESCRIBE_PAUSE_MS = 200


class _About(Enum):
    """Kinds of question about a medium; a new one of a kind silences the last."""

    FACTS = 0
    ANNOTATIONS = 1
    PICTURE = 2
    MOMENTS = 3
    GROUP = 4
    FULL = 5


class Inspector(QObject):
    """Asks for one key at a time; answers for another key are dropped."""

    detail_loaded = Signal(object)
    facts_changed = Signal(object)
    annotations_loaded = Signal(object)
    describing = Signal()
    picture_came = Signal(object)
    moments_came = Signal(object)
    group_came = Signal(object)
    full_came = Signal(object)
    full_failed = Signal(object)
    failed = Signal(str)

    def __init__(self, link: EngineLink, previews: ImageLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._previews = previews
        self._tickets: dict[_About, Ticket] = {}
        self.key: str | None = None
        self.row: Row | None = None
        self.time_s: float | None = None
        self.picture_path = ""
        self._has_changed = False
        self._pause = single_shot(self, self._describe, DESCRIBE_PAUSE_MS)
        previews.arrived.connect(self._on_picture)
        link.connected.connect(self.reload)

    def show(self, key: str | None, time_s: float | None = None) -> None:
        """Another medium, a video at this time; annotations are asked for once it stays."""
        for ticket in self._tickets.values():
            ticket.cancel()
        self._tickets.clear()
        self.key, self.row, self.time_s, self.picture_path = key, None, time_s, ""
        self._has_changed = False
        self._pause.stop()
        if key is not None:
            self._ask_facts()
            self._ask_picture()
            self._pause.start()

    def reload(self) -> None:
        """Asks for everything of the same medium again."""
        if self.key is not None:
            self.show(self.key, self.time_s)

    def reload_annotations(self) -> None:
        """Asks for the annotations and facts of the same medium again, a little later."""
        self._has_changed = True
        if self.key is not None and not self._pause.isActive():
            self._pause.start()

    def show_moment(self, time_s: float) -> None:
        """The same video at another time."""
        if self.key is not None:
            self.time_s = time_s
            self._ask_picture()

    def forget_picture(self) -> None:
        """The picture that was asked for is not wanted any more."""
        self.picture_path = ""
        if (ticket := self._tickets.pop(_About.PICTURE, None)) is not None:
            ticket.cancel()

    def show_pending(self, row: Row) -> None:
        """The row as it will be; answers on the way tell how it was, and are dropped."""
        if row.key != self.key:
            return
        for about in (_About.FACTS, _About.ANNOTATIONS):
            if (ticket := self._tickets.pop(about, None)) is not None:
                ticket.cancel()
        self._pause.stop()
        self.row = row
        self.annotations_loaded.emit(
            Description(
                key=row.key,
                caption=row.caption,
                caption_by_person=row.caption_by_person,
                tags=row.tags,
            )
        )

    def _ask_facts(self) -> None:
        assert self.key is not None
        self._keep(
            _About.FACTS,
            self._link.ask(
                GetDetail(key=self.key), Detail, self._on_detail, on_failed=self._on_failed
            ),
        )

    def _ask_facts_again(self) -> None:
        """``facts_changed`` follows: its file may be elsewhere by now, or its disk away."""
        is_due, self._has_changed = self._has_changed, False
        if is_due and self.key is not None and self.row is not None:
            ticket = self._link.ask(GetDetail(key=self.key), Detail, self._on_facts)
            self._keep(_About.FACTS, ticket)

    def _ask_picture(self) -> None:
        assert self.key is not None
        self.picture_path = ""
        self._keep(
            _About.PICTURE,
            self._link.ask(
                GetPreview(key=self.key, time_s=self.time_s),
                Preview,
                self._on_preview,
                on_failed=self._on_failed,
            ),
        )

    def ask_full(self) -> None:
        """``full_came`` follows, with the file that has every pixel, or ``full_failed``."""
        if self.key is not None:
            body = GetPreview(key=self.key, time_s=self.time_s, is_full=True)
            ticket = self._link.ask(
                body, Preview, self.full_came.emit, on_failed=self.full_failed.emit
            )
            self._keep(_About.FULL, ticket)

    def ask_group(self) -> None:
        """``group_came`` follows, with the group of same pictures that the medium is in."""
        if self.key is not None:
            ticket = self._link.ask(GetGroup(key=self.key), Groups, self._on_group)
            self._keep(_About.GROUP, ticket)

    def _on_group(self, answer: Groups) -> None:
        self.group_came.emit(answer.groups[0] if answer.groups else None)

    def _describe(self) -> None:
        if self.key is None:
            return
        self.ask_group()
        self._ask_facts_again()
        self.describing.emit()
        self._keep(
            _About.ANNOTATIONS,
            self._link.ask(
                Describe(key=self.key, writing=chosen_writing()),
                Description,
                self._on_annotations,
                on_failed=self._on_annotations_failed,
                on_partial=self._on_annotations,
                priority=Priority.VISIBLE,
            ),
        )

    def _keep(self, about: _About, ticket: Ticket) -> None:
        old = self._tickets.get(about)
        if old is not None:
            old.cancel()
        self._tickets[about] = ticket

    def _on_detail(self, answer: Detail) -> None:
        if answer.row.key != self.key:
            return
        self.row = answer.row
        self.detail_loaded.emit(answer)
        if has_moments(answer.row):
            self._keep(
                _About.MOMENTS,
                self._link.ask(GetMoments(key=answer.row.key), Moments, self._on_moments),
            )

    def _on_facts(self, answer: Detail) -> None:
        if answer.row.key == self.key:
            self.row = answer.row
            self.facts_changed.emit(answer)

    def _on_moments(self, answer: Moments) -> None:
        if answer.key == self.key:
            self.moments_came.emit(answer)

    def _on_annotations(self, answer: Description) -> None:
        if answer.key != self.key:
            return
        if self.row is not None:
            self.row = changed(
                self.row,
                caption=answer.caption,
                caption_by_person=answer.caption_by_person,
                tags=answer.tags,
            )
        self.annotations_loaded.emit(answer)

    def _on_preview(self, answer: Preview) -> None:
        if answer.key == self.key:
            self.picture_path = answer.path.to_str()
            self._show_picture()

    def _on_picture(self, path: object) -> None:
        if path == self.picture_path:
            self._show_picture()

    def _show_picture(self) -> None:
        if not self.picture_path:
            return
        pixmap = self._previews.pixmap(self.picture_path, self.picture_path)
        if pixmap is not None:
            self.picture_came.emit(pixmap)

    def _on_annotations_failed(self, error: UserError) -> None:
        if self.key is not None:
            self.annotations_loaded.emit(Description(key=self.key, reason=str(error)))

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(str(error))
