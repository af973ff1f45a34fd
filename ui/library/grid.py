"""The grid of photos: sizes, keys, wheel and menu; other parts ask it what is chosen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QStyledItemDelegate

from cocadesk.protocol.values import Row
from ui.kit.image_loader import ImageLoader
from ui.kit.theme import colour
from ui.kit.translation import tr
from ui.library.dragging import FileDrag
from ui.library.grid_view import Command, GridView
from ui.library.place import PlaceKeeper
from ui.library.pointer import Pointer
from ui.library.results_model import KEY_ROLE, ResultsModel
from ui.library.sections import Headers
from ui.library.timeline import Timeline

CELL_SIZES_PX = (80, 104, 132, 164, 204, 256, 320)
DEFAULT_SIZE = 3
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_MOVES = frozenset(
    {Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left}
    | {Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}
)


class Grid(GridView):
    """Photos in rows that fill the width; only what is seen is asked for.

    ``size_step`` is the place of the rows' height in ``CELL_SIZES_PX``. ``framed`` gives the key
    of a photo that is chosen elsewhere, e.g. side by side with others: keys act on that one.
    """

    opened = Signal()
    large_wanted = Signal()
    size_changed = Signal(int)
    selected = Signal()
    menu_wanted = Signal(object)
    group_wanted = Signal(str)
    reported = Signal(str)
    typed = Signal(str)

    def __init__(self, model: ResultsModel, loader: ImageLoader) -> None:
        super().__init__(model, loader)
        self.size_step = DEFAULT_SIZE
        self._wheel = 0
        self._headers = Headers.AUTO
        self.row_px = CELL_SIZES_PX[DEFAULT_SIZE]
        self.setObjectName("grid")
        self.setAccessibleName(tr("Photos"))
        self._delegate = QStyledItemDelegate(self)  # for tips
        self.setItemDelegate(self._delegate)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.timeline = Timeline(self)
        self.setVerticalScrollBar(self.timeline)
        self.placed.connect(self._on_placed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.doubleClicked.connect(self.opened)
        self.verticalScrollBar().valueChanged.connect(self._drop_unwanted)
        self.verticalScrollBar().setSingleStep(60)
        self.selectionModel().selectionChanged.connect(self._on_selected)
        self.pointer = Pointer(self)
        self.pointer.group_clicked.connect(self._on_group)
        self._place = PlaceKeeper(self, model)
        self._drag = FileDrag(self, model, self.reported.emit)
        self.framed: Callable[[], str | None] = lambda: None

    # What is chosen -----------------------------------------------------------------

    def current_key(self) -> str | None:
        """The key that is framed elsewhere, else the one under the cursor."""
        key = self.framed() or self.currentIndex().data(KEY_ROLE)
        return key if isinstance(key, str) else None

    def current_row(self) -> Row | None:
        """The row under the cursor, where it has come."""
        key = self.current_key()
        return None if key is None else self.results.known_row(key)

    def all_keys(self) -> list[str]:
        """All keys in the order of the list."""
        return self.results.all_keys()

    def selected_count(self) -> int:
        """The number of selected media."""
        return sum(part.height() for part in self.selectionModel().selection().toList())

    def visible_keys(self) -> set[str]:
        """Keys on screen and one screen above and below."""
        layout, height = self.layout_now, self.viewport().height()
        near = layout.positions(max(0, layout.top - height), layout.top + 2 * height)
        self.follow_layout()
        return {self.results.keys[position] for position in near if position < layout.count}

    # Moving -------------------------------------------------------------------------

    def go_to(self, position: int) -> None:
        """Selects that photo alone, whatever keys are held, and scrolls it into view."""
        index = self.results.index(position)
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, Command.ClearAndSelect)
            self.scrollTo(index)

    def take_focus(self) -> None:
        """Takes the focus where the grid is seen, with a photo under the cursor."""
        if self.isVisible():
            self.setFocus()
            if self.current_key() is None:
                self.go_to(0)

    def step(self, by: int) -> None:
        """Moves the cursor by this many photos, staying inside the list."""
        current = self.currentIndex().row()
        last = self.results.rowCount() - 1
        if last >= 0:
            self.go_to(min(last, max(0, current + by)))

    # Looks --------------------------------------------------------------------------

    def set_size_step(self, step: int) -> None:
        """One of ``CELL_SIZES_PX`` by its place; out of range is cut."""
        step = min(len(CELL_SIZES_PX) - 1, max(0, step))
        if step != self.size_step:
            self.size_step = step
            self._apply()
            self.size_changed.emit(step)

    def set_look(self, *, is_justified: bool, headers: Headers) -> None:
        """Each photo in its own shape, or all as squares; headers of lists in order of time."""
        self.is_justified = is_justified
        self._headers = headers
        self._apply()

    def _apply(self) -> None:
        self.row_px = CELL_SIZES_PX[self.size_step]
        finest = (Headers.YEAR, Headers.MONTH, Headers.DAY)[(self.size_step + 1) // 3]
        self.headers = finest if self._headers is Headers.AUTO else self._headers
        self.lay_out()

    # Qt -----------------------------------------------------------------------------

    def startDrag(self, _actions: Qt.DropAction) -> None:  # noqa: N802
        """Drags the selected photos out as files, or the one under the pointer."""
        key = self.current_key()
        if key is not None:
            self._drag.begin(self.selected_keys() or [key], self.loader.known_tile(key))

    def keyboardSearch(self, text: str) -> None:  # noqa: N802
        """Letters that are no commands may begin a search; names are not looked through."""
        self.typed.emit(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Chooses a photo, or all up to it."""
        self.extends = bool(event.modifiers() & _SHIFT)
        super().mousePressEvent(event)
        self.extends = False

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """The cursor does not stay on a photo that was taken out of the selection."""
        super().mouseReleaseEvent(event)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.stay_selected()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif plain and event.key() == Qt.Key.Key_Space:
            self.large_wanted.emit()
        else:
            self.extends = bool(event.modifiers() & _SHIFT)
            super().keyPressEvent(event)
            self.extends = False
            if event.key() in _MOVES:  # also where that photo was the current one, out of sight
                self.scrollTo(self.currentIndex())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Ctrl and the wheel change the size of thumbnails."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._wheel += event.angleDelta().y()
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            if steps:
                self.set_size_step(self.size_step + steps)
            event.accept()
        else:
            super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws the rubber band over what is seen."""
        super().paintEvent(event)
        if self.pointer.band is not None:
            painter = QPainter(self.viewport())
            ground = colour("accent")
            painter.setPen(ground)
            ground.setAlpha(40)
            painter.setBrush(ground)
            painter.drawRect(self.pointer.band.translated(0, -self.layout_now.top))

    def _on_selected(self) -> None:
        self.viewport().update()
        self.selected.emit()

    def _drop_unwanted(self) -> None:
        self.loader.want_only(self.visible_keys())

    def _on_placed(self) -> None:
        self.timeline.show_days(self.results.days, self.layout_now)

    def _on_group(self, position: int) -> None:
        self.group_wanted.emit(self.results.keys[position])

    def _on_menu(self, where: QPoint) -> None:
        if self.indexAt(where).isValid():
            self.menu_wanted.emit(self.viewport().mapToGlobal(where))
