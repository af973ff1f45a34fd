"""The grid of thumbnails; cursor and scrolling stay while its list is asked for again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QMouseEvent, QRegion, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from cocadesk.protocol.values import Row
from ui.kit.image_loader import ImageLoader
from ui.library.delegate import MARGIN_PX, ThumbnailDelegate, group_corner
from ui.library.grouping import GroupMark
from ui.library.results_model import GROUP_ROLE, KEY_ROLE, ResultsModel

CELL_SIZES_PX = (96, 120, 150, 180, 220, 270, 330)
DEFAULT_SIZE = 3
SELECT = QItemSelectionModel.SelectionFlag.Select
NO_UPDATE = QItemSelectionModel.SelectionFlag.NoUpdate


class Grid(QListView):
    """Cells of equal size that fill the width; only what is visible is asked for.

    ``size_step`` is the place of the cells' size in ``CELL_SIZES_PX``.
    """

    opened = Signal()
    large_wanted = Signal()
    size_changed = Signal(int)
    selected = Signal()
    menu_wanted = Signal(object)
    group_wanted = Signal(str)

    def __init__(self, model: ResultsModel, loader: ImageLoader) -> None:
        super().__init__()
        self._results = model
        self._loader = loader
        self._delegate = ThumbnailDelegate(loader, self)
        self.size_step = DEFAULT_SIZE
        self._wheel = 0
        self.setObjectName("grid")
        self.setAccessibleName("Photos")
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setLayoutMode(QListView.LayoutMode.SinglePass)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setViewportMargins(7, 0, 3, 0)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.doubleClicked.connect(self.opened)
        self.verticalScrollBar().valueChanged.connect(self._drop_unwanted)
        self.verticalScrollBar().setSingleStep(60)
        self.selectionModel().selectionChanged.connect(self.selected)
        loader.arrived.connect(self._on_picture)
        self._first_cell = QPoint(MARGIN_PX + 2, MARGIN_PX + 2)
        self._place = PlaceKeeper(self, model, self._first_cell)

    def current_key(self) -> str | None:
        """The key under the cursor."""
        key = self.currentIndex().data(KEY_ROLE)
        return key if isinstance(key, str) else None

    def current_row(self) -> Row | None:
        """The row under the cursor, where it has come."""
        key = self.current_key()
        return None if key is None else self._results.known_row(key)

    def selected_keys(self, limit: int | None = None) -> list[str]:
        """The selected keys in the order of the list, at most ``limit``."""
        ranges = sorted((r.top(), r.bottom()) for r in self.selectionModel().selection().toList())
        keys = (self._results.key_at(n) for top, end in ranges for n in range(top, end + 1))
        return list(islice((key for key in keys if key is not None), limit))

    def all_keys(self) -> list[str]:
        """All keys in the order of the list."""
        return self._results.all_keys()

    def selected_count(self) -> int:
        """The number of selected media."""
        return sum(part.height() for part in self.selectionModel().selection().toList())

    def go_to(self, position: int) -> None:
        """Moves the cursor there and scrolls it into view."""
        index = self._results.index(position)
        if index.isValid():
            self.setCurrentIndex(index)
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
        last = self._results.rowCount() - 1
        if last >= 0:
            self.go_to(min(last, max(0, current + by)))

    def set_size_step(self, step: int) -> None:
        """One of ``CELL_SIZES_PX`` by its place; out of range is cut."""
        step = min(len(CELL_SIZES_PX) - 1, max(0, step))
        if step != self.size_step:
            self.size_step = step
            self._lay_out()
            self.size_changed.emit(step)

    def visible_keys(self) -> set[str]:
        """Keys on screen and one screen above and below."""
        height = self.viewport().height()
        area = self.viewport().rect().adjusted(0, -height, 0, height)
        keys = set()
        first = self.indexAt(self._first_cell)
        start = max(0, first.row() - self._per_screen()) if first.isValid() else 0
        for position in range(start, min(self._results.rowCount(), start + 3 * self._per_screen())):
            index = self._results.index(position)
            if area.intersects(self.visualRect(index)):
                key = self._results.key_at(position)
                if key is not None:
                    keys.add(key)
        return keys

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        self._lay_out()
        super().resizeEvent(event)

    def visualRegionForSelection(self, _selection: QItemSelection) -> QRegion:  # noqa: N802
        """All that is seen: Qt would ask for the place of every selected cell."""
        return QRegion(self.viewport().rect())

    def keyboardSearch(self, _text: str) -> None:  # noqa: N802
        """Letters are commands here; looking through all names would ask for every row."""

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click on the number of a group opens or closes it."""
        where = event.position().toPoint()
        index = self.indexAt(where)
        is_plain = event.button() is Qt.MouseButton.LeftButton and not event.modifiers()
        mark = index.data(GROUP_ROLE) if is_plain else None
        is_head = isinstance(mark, GroupMark) and mark.is_head
        if is_head and group_corner(self.visualRect(index)).contains(where):
            self.setCurrentIndex(index)
            self.group_wanted.emit(index.data(KEY_ROLE))
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif plain and event.key() == Qt.Key.Key_Space:
            self.large_wanted.emit()
        else:
            super().keyPressEvent(event)

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

    def _lay_out(self) -> None:
        """Stretches the cells so that a row fills the width."""
        width = max(1, self.viewport().width() - 2)
        columns = max(1, width // CELL_SIZES_PX[self.size_step])
        side = width // columns
        self._delegate.cell_px = QSize(side, side)
        self.setGridSize(QSize(side, side))

    def _per_screen(self) -> int:
        side = max(1, self.gridSize().height())
        columns = max(1, self.viewport().width() // max(1, self.gridSize().width()))
        return columns * (self.viewport().height() // side + 2)

    def _drop_unwanted(self) -> None:
        self._loader.want_only(self.visible_keys())

    def _on_picture(self, key: object) -> None:
        position = self._results.position_of(str(key))
        if position is not None:
            rect: QRect = self.visualRect(self._results.index(position))
            self.viewport().update(rect)

    def _on_menu(self, where: QPoint) -> None:
        if self.indexAt(where).isValid():
            self.menu_wanted.emit(self.viewport().mapToGlobal(where))


class PlaceKeeper(QObject):
    """Notes the place by the keys of media before a reset and goes back to it after.

    Another list begins at its top; only a list that ``keeps_place`` is gone back to.
    """

    def __init__(self, view: QListView, model: ResultsModel, first_cell: QPoint) -> None:
        """``first_cell`` is a point of the view that lies in its first visible cell."""
        super().__init__(view)
        self._view = view
        self._model = model
        self._first_cell = first_cell
        self._current: str | None = None
        self._selected: set[str] = set()
        self._top: str | None = None
        self._top_px = 0
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)

    def _note(self) -> None:
        view, model = self._view, self._model
        self._current = view.currentIndex().data(KEY_ROLE)
        ranges = view.selectionModel().selection().toList()
        keys = (model.key_at(n) for r in ranges for n in range(r.top(), r.bottom() + 1))
        self._selected = {key for key in keys if key is not None}
        top = view.indexAt(self._first_cell)
        self._top = model.key_at(top.row()) if top.isValid() else None
        self._top_px = view.visualRect(top).top()

    def _restore(self) -> None:
        view, model = self._view, self._model
        if not model.keeps_place:
            view.scrollToTop()
            return
        current = self._position(self._current)
        if current is not None:
            view.selectionModel().setCurrentIndex(model.index(current), NO_UPDATE)
        kept = (self._position(key) for key in self._selected)
        selection = QItemSelection()
        for first, last in runs(position for position in kept if position is not None):
            selection.select(model.index(first), model.index(last))
        view.selectionModel().select(selection, SELECT)
        top = self._position(self._top)
        if top is not None:
            view.doItemsLayout()
            bar = view.verticalScrollBar()
            moved_px = view.visualRect(model.index(top)).top() - self._top_px
            bar.setValue(bar.value() + moved_px)

    def _position(self, key: str | None) -> int | None:
        return None if key is None else self._model.position_of(key)


def runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring positions, as (first, last) in order."""
    first = last = None
    for position in sorted(positions):
        if first is not None and last is not None and position > last + 1:
            yield first, last
            first = None
        first, last = (position if first is None else first), position
    if first is not None and last is not None:
        yield first, last
