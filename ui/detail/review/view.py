"""One photo large with its suggested caption and tags, and the keys that decide on them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QFrame, QPushButton

from cocadesk.protocol.values import Row
from ui.annotations.caption_field import CaptionField, Origin
from ui.annotations.tag_chips import TagChips
from ui.detail.large.controls import LargeControls
from ui.detail.review.tags import NUMBERED, SuggestedTags
from ui.detail.video_view import VideoView
from ui.kit.icons import Icon
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import in_column, in_row
from ui.kit.page_parts import UNLIMITED_PX, Column, ProgressBar, TickBox, scroll_area
from ui.kit.plain_text import tip_of
from ui.kit.sharp_view import SharpView
from ui.kit.theme import GAP_M, GAP_S
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import ElidedLabel, IconButton, button, keeps_key, label

PANEL_SHARE = 0.34
MOST_SHARE = 0.46
"""The share of the width that the panel may have where its buttons need it."""
SIDE_PX = 16
PANEL_PX = (280, 430)
ROOMY_PX = 600
KEYS = tr("1 to 9 switch tags, T adds one, Space plays a video, Ctrl+Z goes back and undoes")
ORDER = tr("The captions that the model is least sure of come first.")


class _Panel(QFrame):
    """The texts beside the photo; keys that its fields leave over decide nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("detail")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Letters alone go on to the view."""
        if not event.text().strip():
            event.accept()
        else:
            super().keyPressEvent(event)


class ReviewView(QFrame):
    """The photo on a dark stage, beside it what is suggested for it.

    Return and A accept, E edits, R rejects, S and the right arrow skip, the left one goes
    back, numbers switch tags, T adds one, Space plays a video. ``saved`` carries the caption that
    was typed for the photo that is shown; one that was begun for it is ``kept`` (with its
    key) when another one is shown. ``has_letters``: letters and numbers are keys.
    """

    accepted = Signal()
    rejected = Signal()
    saved = Signal(str)
    kept = Signal(str, str)
    stepped = Signal(int)
    tag_added = Signal(str)
    tag_removed = Signal(str)
    takes_all_changed = Signal(bool)
    closed = Signal()

    def __init__(self, frames: ImageLoader, has_letters: Callable[[], bool]) -> None:
        super().__init__()
        self.setObjectName("stage")
        self.setAccessibleName(tr("Review of suggestions"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._has_letters = has_letters
        self._row: Row | None = None
        self._is_fresh = True
        self.photo = SharpView()
        self.video = VideoView(frames, photo=self.photo, controls=LargeControls())
        self._make_texts()
        self._make_fields()
        self._make_buttons()
        self._lay_out()

    # What is shown ------------------------------------------------------------------------

    def begin(self, key: str) -> None:
        """Another medium, of which nothing is known yet."""
        self.field.show_caption(key, "", Origin.NOBODY)
        self._row = None
        self._is_fresh = True
        self.video.clear()
        self.photo.show_message("")
        self.name.show_text("", Qt.TextElideMode.ElideMiddle)
        self.tags.show_tags((), frozenset(), takes_all=self.with_tags.isChecked())
        self.chips.show_tags(())
        self._show_buttons()

    def show_row(self, row: Row, turned: frozenset[str]) -> None:
        """Caption and tags as they are now; ``turned`` are the tags that were switched."""
        self._row = row
        origin = Origin.PERSON if row.caption_by_person else Origin.MACHINE
        self.field.show_caption(row.key, row.caption or "", origin)
        sure = row.caption_score
        if origin is Origin.MACHINE and sure is not None and row.caption:
            said = tr("{origin} · {percent} % sure", origin=origin.value, percent=round(100 * sure))
            self.field.origin.setText(said)
        self.name.show_text(row.name, Qt.TextElideMode.ElideMiddle)
        self.photo.setAccessibleDescription(row.caption or row.name)
        suggested = [tag.tag for tag in row.tags if not tag.by_person]
        self.tags.show_tags(suggested, turned, takes_all=self.with_tags.isChecked())
        self.chips.show_tags(tuple(tag for tag in row.tags if tag.by_person))
        self.tags.setVisible(bool(suggested))
        self.with_tags.setVisible(bool(suggested))
        self.video.follow(row)
        self._show_buttons()

    def show_picture(self, picture: QPixmap) -> None:
        """A picture of the medium: first a small one, then a sharper one."""
        row = self._row
        size = None if row is None else QSize(row.width, row.height)
        self.photo.show_picture(picture, full_size=size, keeps_zoom=not self._is_fresh)
        self._is_fresh = False

    def show_progress(self, place: str, left: str, tally: str, done: int, total: int) -> None:
        """The place in the review, what was done so far, and how long the rest takes."""
        self.place.setText(place)
        self.tally.setText(" · ".join(part for part in (left, tally) if part) or ORDER)
        self.bar.show_progress(done, total)

    def set_takes_all(self, takes_all: bool) -> None:
        """Whether accepting a photo accepts its tags."""
        self.with_tags.setChecked(takes_all)
        self._show_buttons()

    def finish(self) -> None:
        """Keeps what is typed; nothing is edited any more."""
        if self.chips.field.text():
            self.chips.field.take()
        self.field.save()
        self.video.stop()

    # Qt -----------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        own = tuple(self._keys())
        return keeps_key(event, own) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        act = self._keys().get(Qt.Key(event.key()))
        is_alone = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if act is not None and is_alone and not event.isAutoRepeat():
            act()
        elif act is None:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """The panel is narrower in a narrow window."""
        super().resizeEvent(event)
        self.keys.setVisible(self.height() >= ROOMY_PX)
        least, most = PANEL_PX
        usual_px = max(least, min(most, round(self.width() * PANEL_SHARE)))
        needed_px = 2 * max(part.sizeHint().width() for part in self._halves) + GAP_S + 2 * SIDE_PX
        most_px = round(self.width() * MOST_SHARE)
        self.panel.setFixedWidth(max(usual_px, min(needed_px, most_px)))
        self._show_buttons()

    # Parts --------------------------------------------------------------------------------

    def _make_texts(self) -> None:
        self.place = label("", "heading")
        self.place.setAccessibleName(tr("Place in the review"))
        self.tally = label("", "small", wraps=True)
        self.bar = ProgressBar()
        self.name = ElidedLabel("small", fills=True)
        self.keys = label(KEYS, "small", wraps=True)
        self.back = IconButton(
            Icon.CLEAR,
            tr("Leave the review"),
            tip=tr("Leave the review (Esc)"),
            on_click=self.closed.emit,
        )
        self.back.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _make_fields(self) -> None:
        self.field = CaptionField(has_buttons=False)
        self.field.saved.connect(self._on_saved)
        self.field.accepted.connect(self.accepted)  # saved as it was
        self.field.closed.connect(self.setFocus)
        self.tags = SuggestedTags()
        self.tags.switched.connect(self._show_buttons)
        self.with_tags = TickBox(tr("Accept the tags as well"))
        self.with_tags.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.with_tags.toggled.connect(self.takes_all_changed)
        self.chips = TagChips()
        self.chips.added.connect(self.tag_added)
        self.chips.rejected.connect(self.tag_removed)
        self.chips.closed.connect(self.setFocus)

    def _make_buttons(self) -> None:
        self.accept = self._button("", "primary", self.accepted.emit)
        self.edit = self._button(tr("Edit (E)"), "", self._edit)
        self.reject = self._button(tr("Reject (R)"), "", self.rejected.emit)
        self.skip = self._button(tr("Skip (→)"), "", lambda: self.stepped.emit(1))
        self.before = self._button(tr("Back (←)"), "", lambda: self.stepped.emit(-1))
        self._halves = (self.edit, self.reject, self.skip, self.before)

    def _button(self, text: str, role: str, on_click: Callable[[], None]) -> QPushButton:
        made = button(text, role, on_click=on_click)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return made

    def _lay_out(self) -> None:
        content = Column(GAP_M)
        content.setMaximumWidth(UNLIMITED_PX)
        content.column.setContentsMargins(SIDE_PX, 4, SIDE_PX, 16)
        for part in (
            self.field,
            label(tr("Tags"), "section"),
            self.tags,
            self.with_tags,
            self.chips,
        ):
            content.column.addWidget(part)
        content.column.addStretch(1)
        head = in_column(
            in_row((self.place, 1), self.back),
            self.bar,
            self.tally,
            self.name,
            gap=GAP_S,
            margins=(SIDE_PX, 10, SIDE_PX, 6),
        )
        foot = in_column(
            self.accept,
            in_row((self.edit, 1), (self.reject, 1), gap=GAP_S),
            in_row((self.before, 1), (self.skip, 1), gap=GAP_S),
            self.keys,
            gap=GAP_S,
            margins=(SIDE_PX, 8, SIDE_PX, 10),
        )
        self.panel = _Panel()
        in_column(head, (scroll_area(content), 1), foot, gap=0, of=self.panel)
        stage = in_column((self.video, 1), margins=(12, 12, 12, 12))
        in_row(self.panel, gap=0, of=self).insertLayout(0, stage, 1)

    # Keys ---------------------------------------------------------------------------------

    def _keys(self) -> dict[Qt.Key, Callable[[], object]]:
        keys: dict[Qt.Key, Callable[[], object]] = {
            Qt.Key.Key_Return: self.accepted.emit,
            Qt.Key.Key_Enter: self.accepted.emit,
            Qt.Key.Key_Right: lambda: self.stepped.emit(1),
            Qt.Key.Key_Left: lambda: self.stepped.emit(-1),
            Qt.Key.Key_Space: self._play,
            Qt.Key.Key_F2: self._edit,
        }
        if self._has_letters():
            keys |= {
                Qt.Key.Key_A: self.accepted.emit,
                Qt.Key.Key_E: self._edit,
                Qt.Key.Key_R: self.rejected.emit,
                Qt.Key.Key_S: lambda: self.stepped.emit(1),
                Qt.Key.Key_T: self.chips.begin,
                Qt.Key.Key_Z: self.photo.toggle_real,
            }
            numbers = (Qt.Key(Qt.Key.Key_1 + place) for place in range(NUMBERED))
            keys |= {key: self._turner(place) for place, key in enumerate(numbers)}
        return keys

    def _turner(self, place: int) -> Callable[[], None]:
        return lambda: self.tags.turn(place)

    def _edit(self) -> None:
        if self._row is not None:
            self.field.begin()

    def _play(self) -> None:
        if self.video.can_play:
            self.video.toggle()

    def _on_saved(self, key: str, caption: str) -> None:
        if self.field.is_entering:
            self.saved.emit(caption)
        else:
            self.kept.emit(key, caption)

    def _show_buttons(self) -> None:
        row = self._row
        has_suggestion = row is not None and bool(row.caption) and not row.caption_by_person
        tags = len(self.tags.accepted)
        text = _accepts(has_suggestion, tags)
        self.accept.setText(text)
        self.accept.setToolTip(tip_of(text))
        if self.accept.sizeHint().width() > self.panel.width() - 2 * SIDE_PX:
            self.accept.setText(tr("Accept (Enter)") if has_suggestion or tags else text)
        self.reject.setEnabled(has_suggestion)


def _accepts(has_caption: bool, tags: int) -> str:
    if has_caption and tags:
        return tr_count(
            tags, "Accept caption and {n} tag (Enter)", "Accept caption and {n} tags (Enter)"
        )
    if has_caption:
        return tr("Accept caption (Enter)")
    if tags:
        return tr_count(tags, "Accept {n} tag (Enter)", "Accept {n} tags (Enter)")
    return tr("Next (Enter)")
