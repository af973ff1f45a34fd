"""The grid's drawing, and the photos that keys and ranges lead to."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    Qt,
)
from PySide6.QtGui import QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QAbstractItemView

from ui.kit.image_loader import ImageLoader
from ui.library.header_bar import HeaderBar
from ui.library.placed_view import GAP_PX, SIDE_PX, Index, PlacedView
from ui.library.results_model import ResultsModel
from ui.library.tiles import Tile, TilePainter

Command = QItemSelectionModel.SelectionFlag
Cursor = QAbstractItemView.CursorAction
Hint = QAbstractItemView.ScrollHint


class GridView(PlacedView):
    """Draws photos and headers; ``extends``: a range grows, and begins where it did."""

    def __init__(self, model: ResultsModel, loader: ImageLoader) -> None:
        self._anchor = QPersistentModelIndex()
        self.extends = False
        super().__init__(model, loader)
        self.tiles = TilePainter(loader)
        self.bar = HeaderBar(self)

    # What Qt asks of a view ---------------------------------------------------------

    def scrollTo(self, index: Index, hint: Hint = Hint.EnsureVisible) -> None:  # noqa: N802
        """Brings an entry into sight, below the header that stays at the top."""
        layout, height = self.layout_now, self.viewport().height()
        if not index.isValid() or index.row() >= layout.count:
            return
        for _ in range(3):  # what comes into sight becomes exact, and may move it
            box, above = layout.box(index.row()), self.bar.covered_px
            if hint is Hint.PositionAtCenter:
                layout.top = box.top - (height - box.height) // 2
            elif hint is Hint.PositionAtTop or box.top - above < layout.top:
                layout.top = max(0, box.top - above - GAP_PX)
            elif box.bottom + GAP_PX > layout.top + height:
                layout.top = box.bottom + GAP_PX - height
            layout.settle(height)
        self.show_layout()

    def moveCursor(self, action: Cursor, _modifiers: Qt.KeyboardModifier) -> QModelIndex:  # noqa: N802
        """The entry that a key leads to."""
        layout, current = self.layout_now, self.currentIndex().row()
        last = layout.count - 1
        if last < 0:
            return QModelIndex()
        if current < 0 or current > last:
            return self.results.index(0)
        box = layout.box(current)
        middle = box.left + box.width // 2
        rows = max(1, (self.viewport().height() - self.bar.covered_px) // (box.height + GAP_PX))
        steps = {Cursor.MoveUp: -1, Cursor.MoveDown: 1}
        steps |= {Cursor.MovePageUp: -rows, Cursor.MovePageDown: rows}
        if action in steps:
            return self.results.index(layout.step_rows(current, steps[action], middle))
        goal = {
            Cursor.MoveHome: 0,
            Cursor.MoveEnd: last,
            Cursor.MoveLeft: current - 1,
            Cursor.MovePrevious: current - 1,
        }.get(action, current + 1)
        return self.results.index(min(last, max(0, goal)))

    def setSelection(self, _rect: QRect, command: Command) -> None:  # noqa: N802
        """Selects the entry under the cursor, or all from the last one that was chosen alone."""
        current = self.currentIndex()
        if not current.isValid():
            return
        begin = current
        if command & Command.Current and self._anchor.isValid():
            begin = self.results.index(self._anchor.row())
        first, last = sorted((begin.row(), current.row()))
        model = self.results
        selection = QItemSelection(model.index(first), model.index(last))
        self.selectionModel().select(selection, command)

    def selected_keys(self, limit: int | None = None) -> list[str]:
        """The selected keys in the order of the list, at most ``limit``."""
        ranges = sorted((r.top(), r.bottom()) for r in self.selectionModel().selection().toList())
        found: list[str] = []
        for top, end in ranges:
            most = end + 1 if limit is None else min(end + 1, top + limit - len(found))
            found += self.results.keys.texts(top, most)
        return found

    def extend_to(self, index: QModelIndex) -> None:
        """Selects all from the photo that was chosen last to this one, beside what is selected."""
        self.extends = True
        self.selectionModel().setCurrentIndex(index, Command.NoUpdate)
        self.extends = False
        self.setSelection(QRect(), Command.Select | Command.Current)

    def stay_selected(self) -> None:
        """Moves the cursor to the nearest selected photo where it is on one taken out."""
        current, model = self.currentIndex(), self.selectionModel()
        if not model.hasSelection() or model.isSelected(current):
            return
        at = current.row()
        ranges = ((part.top(), part.bottom()) for part in model.selection().toList())
        ends = (min(last, max(first, at)) for first, last in ranges)
        nearest = min(ends, key=lambda position: abs(position - at))
        model.setCurrentIndex(self.results.index(nearest), Command.NoUpdate)

    def currentChanged(self, current: Index, previous: Index) -> None:  # noqa: N802
        """Notes from where a range is selected."""
        if not self.extends:
            self._anchor = QPersistentModelIndex(current)
        super().currentChanged(current, previous)
        self.viewport().update()

    def visualRegionForSelection(self, _selection: QItemSelection) -> QRegion:  # noqa: N802
        """All that is seen: the places of a million selected ones are nobody's business."""
        return QRegion(self.viewport().rect())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws the photos and headers that are seen."""
        painter = QPainter(self.viewport())
        top, current = self.layout_now.top, self.currentIndex().row()
        has_focus, selection = self.hasFocus(), self.selectionModel()
        self.tiles.begin(painter, self.row_px)
        for position, box in self.seen():
            rect = QRect(SIDE_PX + box.left, box.top - top, box.width, box.height)
            if rect.adjusted(-4, -4, 4, 4).intersects(event.rect()):
                tile = Tile(
                    rect=rect,
                    is_selected=selection.isSelected(self.results.index(position)),
                    is_current=position == current,
                    is_hovered=position == self.hovered,
                    has_focus=has_focus,
                )
                self.tiles.draw(self.results, position, tile)
        self.bar.draw(painter)
        painter.end()
