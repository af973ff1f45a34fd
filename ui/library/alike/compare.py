"""Two or more pictures side by side, at the same zoom and place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QKeyEvent,
    QMouseEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout

from ui.kit.icons import Icon
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.sharp_view import SharpView
from ui.kit.texts import marks
from ui.kit.translation import tr
from ui.kit.widgets import ElidedLabel, IconButton, label, restyle
from ui.library.alike.members import Member

NUMBERS = (
    *(Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3),
    *(Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_6),
)
AT_ONCE = 6
"""Pictures beside each other; more come a screen later. All their previews are kept."""
FACTS_PX = 90
"""The height of the texts below a picture."""


class ComparePane(QFrame):
    """One of the pictures with its facts below it; ``chosen`` by a click."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "pane")
        self.key = ""
        self._size = QSize()
        self.photo = SharpView()
        self.name = ElidedLabel("on-stage-bold", fills=True)
        self.best = label("", "best")
        self.facts = ElidedLabel("on-stage-small", fills=True)
        self.folder = ElidedLabel("on-stage-small", fills=True)
        self.marks = label("", "on-stage")
        head = in_row((self.name, 1), self.marks, gap=8)
        under = in_row(self.best, (self.facts, 1), gap=8)
        in_column((self.photo, 1), head, under, self.folder, gap=4, margins=(6, 6, 6, 6),
                  of=self)  # fmt: skip

    def show_member(self, member: Member) -> None:
        """The facts of a member; another one's picture is still to come."""
        if member.key != self.key:
            self.key = member.key
            self.photo.show_message(tr("Loading…"))
        self._size = QSize(member.row.width, member.row.height)
        self.name.show_text(member.row.name, Qt.TextElideMode.ElideMiddle)
        self.facts.show_text(member.facts, Qt.TextElideMode.ElideRight)
        self.folder.show_text(member.row.folder, Qt.TextElideMode.ElideMiddle)
        self.marks.setText(marks(member.row))
        self.best.setText(
            tr("Best · {reason}", reason=member.reason) if member.reason else member.badge
        )
        self.best.setVisible(bool(self.best.text()))
        self.best.setProperty("role", "best" if member.is_best else "link-badge")
        restyle(self.best)
        self.setAccessibleName(member.text)
        self.photo.setAccessibleName(member.row.name)
        self.photo.setAccessibleDescription(member.text)

    def show_picture(self, pixmap: QPixmap) -> None:
        """The picture, which may be smaller than the file's; the zoom stays."""
        self.photo.show_picture(pixmap, full_size=self._size, keeps_zoom=True)

    def mark(self, is_chosen: bool) -> None:
        """Frames the pane that the keys act on."""
        if self.property("chosen") is not is_chosen:
            self.setProperty("chosen", is_chosen)
            restyle(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click beside the picture chooses it too."""
        self.chosen.emit(self.key)
        super().mousePressEvent(event)


class CompareView(QFrame):
    """Pictures side by side; what is zoomed or moved in one is so in all.

    ``moved`` tells that another one is chosen or shown, ``closed`` that one goes back;
    ``full_wanted`` asks for every pixel of a member.
    """

    moved = Signal()
    full_wanted = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("compare")
        self.setAccessibleName(tr("Side by side"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._members: tuple[Member, ...] = ()
        self._at = 0
        self._panes = [self._make_pane() for _ in range(AT_ONCE)]
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        self.title = label("", "on-stage")
        self.back = IconButton(
            Icon.CLEAR, tr("Back to the list (Esc)"), role="stage", colour="on_stage", size_px=22,
            on_click=self.closed.emit,
        )  # fmt: skip
        top = in_row(self.title, STRETCH, self.back)
        column: QVBoxLayout = in_column(top, margins=(12, 6, 8, 8), of=self)
        column.addLayout(self._grid, 1)

    @property
    def current_member(self) -> Member | None:
        """The chosen one."""
        return self._members[self._at] if self._members else None

    @property
    def current(self) -> str | None:
        """The key of the chosen one."""
        return None if self.current_member is None else self.current_member.key

    @property
    def keys(self) -> list[str]:
        """The keys of all that are compared."""
        return [member.key for member in self._members]

    @property
    def members(self) -> tuple[Member, ...]:
        """All that are compared."""
        return self._members

    @property
    def panes(self) -> list[ComparePane]:
        """The panes that are in use now."""
        return self._panes[: len(self.shown_members())]

    def shown_members(self) -> tuple[Member, ...]:
        """Those on the screen now."""
        first = self._at - self._at % AT_ONCE
        return self._members[first : first + AT_ONCE]

    def show_members(self, members: Sequence[Member], current: str | None = None) -> None:
        """The pictures to compare, or the same ones with other facts; ``current`` is chosen."""
        keys = [member.key for member in members]
        wanted = current if current in keys else self.current
        self._members = tuple(members)
        self._at = keys.index(wanted) if wanted in keys else 0
        self._draw()

    def show_picture(self, key: str, pixmap: QPixmap) -> None:
        """The large picture of a member has come."""
        for pane in self.panes:
            if pane.key == key:
                pane.show_picture(pixmap)

    def show_full(self, key: str, path: str, size: QSize) -> None:
        """The file with every pixel of a member has come."""
        for pane in self.panes:
            if pane.key == key:
                pane.photo.show_full(path, size)

    def has_picture(self, key: str) -> bool:
        """True where a member's picture is on the screen."""
        return any(pane.key == key and pane.photo.has_picture for pane in self.panes)

    def say(self, key: str, sentence: str) -> None:
        """A sentence in place of a picture that can't be shown."""
        for pane in self.panes:
            if pane.key == key and not pane.photo.has_picture:
                pane.photo.show_message(sentence)

    def step(self, by: int) -> None:
        """Chooses the next or the previous picture."""
        self._choose(self._at + by)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows and Alt with numbers choose, +, - and Z zoom all, Space and Enter go back."""
        key = Qt.Key(event.key())
        columns = self._columns()
        steps = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Down: columns,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_PageDown: AT_ONCE,
            Qt.Key.Key_PageUp: -AT_ONCE,
        }
        if key in steps:
            self.step(steps[key])
        elif key == Qt.Key.Key_Z:
            self.panes[self._at % AT_ONCE].photo.toggle_real()
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and key in NUMBERS:
            self._choose(self._at - self._at % AT_ONCE + NUMBERS.index(key))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_by(1.25)
        elif key == Qt.Key.Key_Minus:
            self._zoom_by(0.8)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _make_pane(self) -> ComparePane:
        pane = ComparePane()
        pane.setParent(self)  # shown without one, it would be a window of its own
        pane.chosen.connect(self._on_chosen)
        pane.photo.full_wanted.connect(lambda: self.full_wanted.emit(pane.key))
        pane.photo.looked.connect(lambda zoom, centre: self._look(pane, zoom, centre))
        return pane

    def _zoom_by(self, factor: float) -> None:
        self.panes[self._at % AT_ONCE].photo.zoom_by(factor)

    def _look(self, source: ComparePane, zoom: float, centre: QPointF) -> None:
        for pane in self._panes:
            if pane is not source:
                pane.photo.look(zoom, centre)

    def _on_chosen(self, key: str) -> None:
        if key in self.keys:
            self._choose(self.keys.index(key))

    def _choose(self, at: int) -> None:
        if self._members:
            self._at = min(len(self._members) - 1, max(0, at))
            self._draw()

    def _columns(self) -> int:
        """The number of panes in a row that shows pictures of four to three largest."""
        shown = len(self.shown_members())

        def scale(columns: int) -> float:
            rows = -(-shown // columns)
            return min(self.width() / columns / 4, (self.height() / rows - FACTS_PX) / 3)

        return max(range(1, shown + 1), key=scale, default=1)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        if self._members:
            self._draw()

    def _draw(self) -> None:
        """Lays the panes out anew where their number changed; their facts always."""
        shown, columns = self.shown_members(), self._columns()
        for place, pane in enumerate(self._panes):
            is_used = place < len(shown)
            pane.setVisible(is_used)
            if is_used:
                self._grid.addWidget(pane, place // columns, place % columns)
                pane.show_member(shown[place])
                pane.mark(place == self._at % AT_ONCE)
        for place in range(AT_ONCE):  # those that stay empty take no room
            self._grid.setColumnStretch(place, int(place < columns))
            self._grid.setRowStretch(place, int(place < -(-len(shown) // columns)))
        self.title.setText(self._headline(len(shown)))
        self._say_current()
        self.moved.emit()

    def _say_current(self) -> None:
        """Tells people who hear it which one is chosen now."""
        text = "" if self.current_member is None else self.current_member.text
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)
            if text and QAccessible.isActive():
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _headline(self, shown: int) -> str:
        total, first = len(self._members), self._at - self._at % AT_ONCE
        which = f"{total}"
        if shown != total:
            which = tr("{first}–{last} of {all}", first=first + 1, last=first + shown, all=total)
        return tr(
            "{which} side by side · wheel, + − and Z zoom all · P picks, X rejects", which=which
        )
