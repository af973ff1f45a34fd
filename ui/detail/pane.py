"""Beside the grid: the photo, its annotations and its facts."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from cocadesk.protocol.messages import Description
from cocadesk.protocol.values import Fact, MediaKind, Row, TagValue
from ui.annotations.caption_field import CaptionField, Origin
from ui.annotations.selection_tags import SharedTags
from ui.annotations.tag_chips import TagChips
from ui.detail.facts import FactsTable, facts_of
from ui.detail.kin_line import KinLine
from ui.detail.video_view import VideoView
from ui.kit.actions import ActionSet, Group
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import in_column
from ui.kit.page_parts import UNLIMITED_PX, Column, scroll_area
from ui.kit.plain_text import tip_of
from ui.kit.texts import marks
from ui.kit.theme import GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import grouped, tr
from ui.kit.widgets import action_button, label

WIDTH_PX = 340
PHOTO_MAX_PX = 300


class DetailPane(QFrame):
    """Shows one medium; knows nothing of where its annotations come from or go to.

    ``kin_wanted`` carries its key and name, and the link of those that shall be shown.
    """

    kin_wanted = Signal(str, str, object)

    def __init__(self, actions: ActionSet, frames: ImageLoader) -> None:
        super().__init__()
        self.setObjectName("detail")
        self.setAccessibleName(tr("Details"))
        self.setMinimumWidth(280)
        self._actions = actions
        self._ratio = 3 / 4
        self.is_described = False
        self.key: str | None = None
        self._noun = tr("photo")
        self.video = VideoView(frames)
        self.photo = self.video.photo
        self.field = CaptionField()
        self.caption = self.field.text
        self.origin = self.field.origin
        self.chips = TagChips()
        self._tags: tuple[TagValue, ...] = ()
        self._shared: SharedTags | None = None
        self.many = label("", "small", wraps=True)
        self.many.hide()
        self.marks = label("", "marks")
        self.marks.setAccessibleName(tr("Stars and flag"))
        self.found = label("", "small", wraps=True)
        self.found.setAccessibleName(tr("Why it was found"))
        self.found.hide()
        self.facts = FactsTable()
        self.kin = KinLine()
        self.kin.wanted.connect(self._on_kin)
        self._name = ""
        self._more: tuple[Fact, ...] = ()
        self._build()
        self.clear()

    def clear(self) -> None:
        """Nothing is selected."""
        self.field.save()
        self.key = None
        self.video.clear()
        self.photo.show_message(tr("Select a photo to see its details."))
        self._body.setVisible(False)
        self.is_described = False

    def begin(self, key: str) -> None:
        """Another medium, of which nothing is known yet: words that are typed now are its own."""
        self.is_described = False
        self._show_caption(key, None, by_person=False)
        self._show_tags(())

    def show_row(self, row: Row, thumbnail: QPixmap | None, facts: tuple[Fact, ...] = ()) -> None:
        """A medium as its row has it, with the thumbnail until the preview comes.

        ``facts`` are those beyond the row; without any, those of the same medium stay.
        """
        is_other = row.key != self.key
        if is_other:
            self._area.verticalScrollBar().setValue(0)
            self.key = row.key
            self.is_described = False
        if is_other or facts:
            self._more = facts
        self._name = row.name
        self._noun = tr("video") if row.kind is MediaKind.VIDEO else tr("photo")
        if is_other:
            self.kin.clear(self._noun)
        self._ratio = min(1.4, max(0.4, row.height / row.width)) if row.width else 3 / 4
        self._fit_photo()
        self.video.show_row(row, thumbnail)
        self.photo.setAccessibleDescription(row.caption or row.name)
        self.photo.setToolTip(tip_of(tr("Double-click to see the {noun} large", noun=self._noun)))
        self._body.setVisible(True)
        self._show_caption(row.key, row.caption, row.caption_by_person)
        self._show_tags(row.tags)
        self.show_marks(row)
        self.facts.show_facts(facts_of(row, self._more))

    def show_facts(self, row: Row, facts: tuple[Fact, ...]) -> None:
        """The facts of the medium that is shown, as they are by now."""
        if row.key == self.key:
            self._more = facts
            self.facts.show_facts(facts_of(row, facts))

    def show_marks(self, row: Row) -> None:
        """The stars, flag and favourite mark of a row."""
        self.marks.setText(marks(row))
        self.marks.setVisible(bool(self.marks.text()))

    def say_found(self, text: str) -> None:
        """The reason for which a search found the medium; none where there is none."""
        self.found.setText(text)
        self.found.setVisible(bool(text))

    def show_annotations(self, answer: Description) -> None:
        """Caption and tags as the engine has them now."""
        self.is_described = True
        self._show_caption(answer.key, answer.caption, answer.caption_by_person, answer.reason)
        self._show_tags(answer.tags)

    def say_describing(self) -> None:
        """The annotations are being made."""
        self.field.say(tr("Describing the {noun}…", noun=self._noun))

    def say_many(self, number: int) -> None:
        """The number of selected photos: with several, tags go to all of them."""
        self.many.setText(
            tr(
                "Tags of all {number} selected. Changes apply to all of them; the caption "
                "is of this {noun} only.",
                number=grouped(number),
                noun=self._noun,
            )
        )
        self.many.setVisible(number > 1)

    def show_shared(self, shared: object) -> None:
        """The tags of the whole selection, or None: the photo's own again."""
        self._shared = shared if isinstance(shared, SharedTags) else None
        self._show_tags(self._tags)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self._fit_photo()

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(WIDTH_PX, 600)

    def _build(self) -> None:
        content = Column(GAP_M)
        content.setMaximumWidth(UNLIMITED_PX)
        column = content.column
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self.video)
        self._body = QWidget()
        in_column(
            self.found,
            self.field,
            self.marks,
            self.many,
            self.kin,
            self.chips,
            self._button_row(),
            _line(),
            self.facts,
            gap=GAP_M,
            of=self._body,
        )
        column.addWidget(self._body)
        column.addStretch(1)
        self._area = scroll_area(content)
        in_column(self._area, margins=(1, 0, 0, 0), of=self)
        self.chips.follow(self.field.editor)
        # Once the layout has given the new parts their places.
        self._reveal = single_shot(self, self._on_reveal)
        self.field.begun.connect(self._reveal.start)
        self.chips.begun.connect(self._reveal.start)

    def _on_kin(self, label: object) -> None:
        if self.key is not None:
            self.kin_wanted.emit(self.key, self._name, label)

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        for entry in self._actions.of_group(Group.PHOTO):
            if entry.icon is not None:
                row.addWidget(action_button(self._actions[entry], entry.icon))
        row.addStretch(1)
        return row

    def _show_caption(self, key: str, text: str | None, by_person: bool, reason: str = "") -> None:
        origin = Origin.PERSON if by_person else Origin.MACHINE
        self.field.show_caption(key, text or "", origin, reason)

    def _show_tags(self, tags: tuple[TagValue, ...]) -> None:
        self._tags = tags
        if self._shared is None:
            self.chips.show_tags(tags)
        else:
            photos = self._shared.photos
            notes = {
                tag: tr("{done} of {all}", done=n, all=photos)
                for tag, n in self._shared.counts.items()
            }
            self.chips.show_tags(self._shared.tags, notes)

    def _on_reveal(self) -> None:
        """Scrolls the field that is being typed in into view."""
        typed = self.chips.field if self.chips.is_adding else self.field
        self._area.ensureWidgetVisible(typed, 0, 16)

    def _fit_photo(self) -> None:
        width = max(120, self.width() - 34)
        self.video.stack.setFixedHeight(round(min(PHOTO_MAX_PX, width * self._ratio)))


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.NoFrame)
    line.setFixedHeight(1)
    line.setStyleSheet("background: palette(mid);")
    return line
