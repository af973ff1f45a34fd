"""One photo over the whole window: the stage, what stands around it, and its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPixmap
from PySide6.QtWidgets import QFrame, QWidget

from cocadesk.protocol.values import Fact, Row
from ui.detail.large.controls import LargeControls
from ui.detail.large.filmstrip import Filmstrip, place_text
from ui.detail.large.info import InfoOverlay
from ui.detail.large.words import WordsPanel
from ui.detail.video_view import VideoView
from ui.kit.actions import Actions, ActionSet
from ui.kit.focus_ring import FocusRing
from ui.kit.icons import Icon
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.sharp_view import SharpView
from ui.kit.texts import clock, marks
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import IconButton, label
from ui.library.results_model import ResultsModel

IDLE_MS = 2000
PAN = 0.2
STEPS = {
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageDown: 1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageUp: -1,
}
PANS = {
    Qt.Key.Key_Right: (PAN, 0.0),
    Qt.Key.Key_Left: (-PAN, 0.0),
    Qt.Key.Key_Down: (0.0, PAN),
    Qt.Key.Key_Up: (0.0, -PAN),
}


class _Told(NamedTuple):
    """The facts of the medium that is shown; a row that comes again has none with it."""

    key: str
    facts: tuple[Fact, ...]


class LargeView(QFrame):
    """The photo on a dark stage, its caption and neighbours below, arrows at its sides.

    ``jumped`` carries a position in the list, -1 of the last. ``keeps_zoom``: another
    photo is seen in the same percent and at the same place.
    """

    stepped = Signal(int)
    jumped = Signal(int)
    closed = Signal()
    spaced = Signal()
    menu_wanted = Signal(object)

    def __init__(
        self,
        actions: ActionSet,
        model: ResultsModel,
        thumbnails: ImageLoader,
        frames: ImageLoader,
    ) -> None:
        super().__init__()
        self.setObjectName("stage")
        self.setAccessibleName(tr("Large view"))
        self.setAccessibleDescription(tr("Arrows lead to the photos before and after, Escape back"))
        self._ring = FocusRing(self, "on_stage")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.keeps_zoom = False
        self.shows_film = True
        self._key: str | None = None
        self._is_fresh = True
        self._told = _Told("", ())
        self._turns: dict[str, int] = {}
        self._model = model
        self.photo = SharpView()
        self.controls = LargeControls()
        self.video = VideoView(frames, photo=self.photo, controls=self.controls)
        self.photo.setMouseTracking(True)
        self.photo.installEventFilter(self)
        self.photo.changed.connect(self._show_percent)
        self.photo.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.photo.customContextMenuRequested.connect(
            lambda where: self.menu_wanted.emit(self.photo.mapToGlobal(where))
        )
        self.info = InfoOverlay(self.photo)
        self.caption = label("", "on-stage", wraps=True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.marks = label("", "on-stage")
        self.marks.setAccessibleName(tr("Stars and flag"))
        self.place = label("", "on-stage-small")
        self.place.setAccessibleName(tr("Place in the list"))
        self.percent = label("", "on-stage-small")
        self.percent.setAccessibleName(tr("Size on the screen"))
        self.film = Filmstrip(model, thumbnails)
        self.film.chosen.connect(self.jumped)
        back = _stage_button(actions[Actions.STEP_BACK], Icon.CLEAR, tr("Back to the grid"))
        left = _stage_button(actions[Actions.PREVIOUS], Icon.BACK, tr("Previous photo"))
        right = _stage_button(actions[Actions.NEXT], Icon.NEXT, tr("Next photo"))
        self._top = in_row(self.place, self.percent, self.marks, STRETCH, back, gap=18)
        self._edges = (left, right, self.caption)
        self.is_bare = False
        middle = in_row(left, (self.video, 1), right)
        self._stage = stage = in_column(
            self._top, (middle, 1), self.caption, self.film, margins=(12, 8, 12, 8), gap=8
        )
        self.words = WordsPanel()
        in_row(self.words, gap=0, of=self).insertLayout(0, stage, 1)
        self._idle = single_shot(self, self._hide_mouse, IDLE_MS)

    @property
    def is_waiting(self) -> bool:
        """True where no picture of the medium has come yet."""
        return self._is_fresh

    def add_bar(self, bar: QWidget) -> None:
        """Something that is shown at the top for a while."""
        self._top.insertWidget(self._top.count() - 1, bar)

    def add_foot(self, bar: QWidget) -> None:
        """Something that is shown below the picture for a while."""
        self._stage.insertWidget(self._stage.indexOf(self.caption), bar)

    def set_bare(self, is_bare: bool) -> None:
        """The picture alone, without neighbours, caption and arrows."""
        self.is_bare = is_bare
        for part in self._edges:
            part.setVisible(not is_bare)
        self.film.setVisible(self.shows_film and not is_bare)

    def begin(self, key: str | None) -> None:
        """Another medium: its own turn, and no picture of it yet."""
        if key != self._key:
            self._is_fresh = True
            self.video.clear()
        self._key = key
        self.photo.forget_full()

    def show_row(self, row: Row, time_s: float | None = None, facts: Sequence[Fact] = ()) -> None:
        """The caption or name, of a video with the time; the picture comes by ``show_picture``."""
        text = row.caption or row.name
        self.caption.setText(text if time_s is None else f"{clock(time_s)} · {text}")
        self.photo.setAccessibleDescription(row.caption or row.name)
        if facts or row.key != self._told.key:
            self._told = _Told(row.key, tuple(facts))
        self.info.show_facts(row, self._told.facts)
        self.words.show_row(row)
        self.video.follow(row)

    def show_facts(self, row: Row, facts: Sequence[Fact]) -> None:
        """The facts of the medium that is shown, as they are by now."""
        if row.key == self._told.key:
            self._told = _Told(row.key, tuple(facts))
            self.info.show_facts(row, self._told.facts)

    def show_position(self, position: int) -> None:
        """The place in the list, from 0."""
        self.place.setText(place_text(position, self._model))
        self.film.show_position(position)

    def show_picture(self, pixmap: QPixmap, row: Row | None) -> None:
        """A picture of the medium: first a small one, then a sharper one."""
        size = None if row is None else QSize(row.width, row.height)
        if self._is_fresh:
            self.photo.turn(self._turns.get(self._key or "", 0))
            self.photo.show_picture(pixmap, full_size=size, keeps_scale=self.keeps_zoom)
        else:
            self.photo.show_picture(pixmap, full_size=size, keeps_zoom=True)
        self._is_fresh = False

    def show_marks(self, row: Row) -> None:
        """The stars, flag and favourite mark of a row."""
        self.marks.setText(marks(row))

    def turn(self, quarters: int) -> None:
        """Turns what is shown by so many quarters to the right; the file stays as it is."""
        if self._key is not None:
            self._turns[self._key] = (self._turns.get(self._key, 0) + quarters) % 4
            self.photo.turn(self._turns[self._key])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        key = Qt.Key(event.key())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and key in PANS:
            self.photo.pan(*PANS[key])
        elif key in STEPS:
            self.stepped.emit(STEPS[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.jumped.emit(0 if key == Qt.Key.Key_Home else -1)
        elif key == Qt.Key.Key_Space and self.is_bare:
            self.spaced.emit()
        elif key == Qt.Key.Key_Space and self.video.can_play:
            self.video.toggle()
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.closed.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.photo.zoom_by(1.25)
        elif key == Qt.Key.Key_Minus:
            self.photo.zoom_by(0.8)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if event.type() == QEvent.Type.MouseMove:
            self._show_mouse()
        elif event.type() == QEvent.Type.Resize:
            self.info.place()
        return False

    def _show_mouse(self) -> None:
        if self.photo.cursor().shape() == Qt.CursorShape.BlankCursor:
            self.photo.unsetCursor()
        self._idle.start()

    def _hide_mouse(self) -> None:
        """In full screen alone: else the pointer may be on its way out of the window."""
        if self.window().isFullScreen() and self.isVisible():
            self.photo.setCursor(Qt.CursorShape.BlankCursor)

    def _show_percent(self) -> None:
        is_fitted = not self.photo.has_picture or self.photo.zoom == 1.0
        self.percent.setText("" if is_fitted else f"{self.photo.percent} %")


def _stage_button(action: QAction, which: Icon, name: str) -> IconButton:
    made = IconButton(
        which, name, role="stage", colour="on_stage", size_px=24, on_click=action.trigger
    )
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made
