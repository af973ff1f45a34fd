"""A view of a list of photos in rows under headers: where each photo is.

Positions come from ``GridLayout``; a million of them cost no more than those that are seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from cocadesk.protocol.values import Days
from ui.kit.image_loader import ImageLoader
from ui.library.header_bar import HEADER_PX
from ui.library.layout.blocks import Box, GridLayout, Sizes
from ui.library.layout.rows import RowStyle
from ui.library.results_model import ResultsModel
from ui.library.sections import Headers, Section, sections_of

SIDE_PX = 12
GAP_PX = 6
NO_HEADER_PX = 8
SECTION_GAP_PX = 12
Index = QModelIndex | QPersistentModelIndex


class PlacedView(QListView):
    """Where each photo is; only those that are seen are looked at.

    It is a list view for screen readers alone, to which Qt tells of no other view: of its layout,
    which takes seconds for a million, nothing is used.

    ``row_px`` is the height of rows, or the side of squares, that is wished for. ``placed``:
    all photos have got new places.
    """

    placed = Signal()

    def __init__(self, model: ResultsModel, loader: ImageLoader) -> None:
        super().__init__()
        self.results = model
        self.loader = loader
        self.row_px = 180
        self.is_justified = True
        self.headers = Headers.MONTH
        self.sections: list[Section] = []
        self._sectioned: tuple[Days | None, Headers] = (None, self.headers)
        self.layout_now = GridLayout(0, (), b"", self._sizes())
        self.hovered: int | None = None
        self._top_index = QPersistentModelIndex()
        self._is_syncing = False
        self._top_px = 0
        self.setModel(model)
        model.rowsRemoved.connect(self.lay_out)
        model.layout_changed.connect(self.lay_out)
        loader.arrived.connect(self._on_picture)

    # The layout ---------------------------------------------------------------------

    def lay_out(self) -> None:
        """Places all photos anew; what is seen stays in sight."""
        first = self.first_visible() if self.layout_now.top else None
        self._place_all()
        if first is None:
            self.show_layout()
        else:
            self.show_at(*first)

    def first_visible(self) -> tuple[int, int] | None:
        """A photo of the first row that is seen, and how far below the top it begins."""
        if not self.layout_now.count:
            return None
        position = self._top_index.row() if self._top_index.isValid() else 0
        return min(position, self.layout_now.count - 1), self._top_px

    def show_at(self, position: int, below_px: int) -> None:
        """Scrolls a photo to so many pixels below the top."""
        layout = self.layout_now
        if 0 <= position < layout.count:
            for _ in range(3):  # what is above becomes exact meanwhile
                layout.top = max(0, layout.box(position).top - below_px)
                layout.settle(self.viewport().height())
        self.show_layout()
        # Where the row begins with another photo, this one keeps its place at the next width too.
        self._note_top(position)

    def show_layout(self) -> None:
        """Makes exact what is seen, and brings the scroll bar in line."""
        layout, height = self.layout_now, self.viewport().height()
        layout.settle(height)
        bar = self.verticalScrollBar()
        self._is_syncing = True
        bar.setPageStep(height)
        bar.setRange(0, max(0, layout.height - height))
        bar.setValue(layout.top)
        self._is_syncing = False
        self._note_top()
        self.viewport().update()

    def _note_top(self, wanted: int = -1) -> None:
        """Notes what is seen at the top, ``wanted`` if it is: newcomers above must not move it."""
        layout = self.layout_now
        seen = layout.positions(layout.top, layout.top + 1) if layout.count else range(0)
        place = wanted if wanted in seen else seen.start
        first = self.results.index(place) if seen else QModelIndex()
        self._top_index = QPersistentModelIndex(first)
        self._top_px = layout.box(place).top - layout.top if seen else 0

    def _place_all(self) -> None:
        model = self.results
        wanted = (model.days, self.headers)
        if wanted[0] is not self._sectioned[0] or wanted[1] is not self._sectioned[1]:
            self._sectioned = wanted
            self.sections = sections_of(*wanted)
        starts = [section.start for section in self.sections] or [0]
        self.layout_now = GridLayout(
            model.rowCount(), starts, model.keys.shapes, self._sizes(bool(self.sections))
        )
        self.hovered = None
        self.placed.emit()

    def _sizes(self, has_headers: bool = False) -> Sizes:
        rows = RowStyle(
            width_px=max(40, self.viewport().width() - 2 * SIDE_PX),
            row_px=self.row_px,
            gap_px=GAP_PX,
            is_justified=self.is_justified,
        )
        header_px = HEADER_PX if has_headers else NO_HEADER_PX
        return Sizes(rows=rows, header_px=header_px, section_gap_px=SECTION_GAP_PX)

    def _on_picture(self, key: object) -> None:
        position = self.results.keys.known_place(str(key))
        layout = self.layout_now
        if position is not None and position < layout.count:
            seen = layout.positions(layout.top, layout.top + self.viewport().height())
            if position in seen:
                self.viewport().update(self.rect_of(position).adjusted(-4, -4, 4, 4))

    # Places on screen ---------------------------------------------------------------

    def rect_of(self, position: int) -> QRect:
        """The place of a photo in the viewport."""
        layout = self.layout_now
        if not 0 <= position < layout.count:
            return QRect()
        box = layout.box(position)
        return QRect(SIDE_PX + box.left, box.top - layout.top, box.width, box.height)

    def seen(self) -> Iterator[tuple[int, Box]]:
        """The photos on screen, with their places in the content."""
        layout = self.layout_now
        return layout.boxes(layout.top, layout.top + self.viewport().height())

    def position_at(self, where: QPoint) -> int | None:
        """The photo under a point of the viewport."""
        layout = self.layout_now
        return layout.position_at(where.x() - SIDE_PX, where.y() + layout.top)

    def positions_in(self, area: QRect) -> Iterator[int]:
        """The photos that an area of the content touches."""
        area = area.translated(-SIDE_PX, 0)
        for position, box in self.layout_now.boxes(area.top(), area.bottom() + 1):
            if area.intersects(QRect(box.left, box.top, box.width, box.height)):
                yield position

    # What Qt asks of a view ---------------------------------------------------------

    def horizontalOffset(self) -> int:  # noqa: N802
        """Nothing lies beside what is seen."""
        return 0

    def verticalOffset(self) -> int:  # noqa: N802
        """The pixels of the content above the viewport."""
        return self.layout_now.top

    def isIndexHidden(self, _index: Index) -> bool:  # noqa: N802
        """Every entry can be seen."""
        return False

    def reset(self) -> None:
        """Another list, from its top."""
        QAbstractItemView.reset(self)
        if self.model() is self.results:  # else that is gone
            self._place_all()
            self.show_layout()

    def rowsInserted(self, parent: Index, start: int, end: int) -> None:  # noqa: N802
        """Newcomers push nothing of what is seen away."""
        QAbstractItemView.rowsInserted(self, parent, start, end)
        self.lay_out()

    def doItemsLayout(self) -> None:  # noqa: N802
        """Nothing that Qt would know of."""
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:  # noqa: N802
        """The scroll bar follows the layout alone."""

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:  # noqa: N802
        """Somebody has scrolled."""
        if not self._is_syncing:
            self.layout_now.top = self.verticalScrollBar().value()
            self.show_layout()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits the rows to the new width; what is seen stays in sight."""
        QAbstractItemView.resizeEvent(self, event)
        if event.size().width() != event.oldSize().width():
            self.lay_out()
        else:
            self.show_layout()

    def follow_layout(self) -> None:
        """The scroll bar follows where places beyond what is seen have become exact."""
        layout, bar = self.layout_now, self.verticalScrollBar()
        most = max(0, layout.height - self.viewport().height())
        if (layout.top, most) != (bar.value(), bar.maximum()):
            self.show_layout()

    def visualRect(self, index: Index) -> QRect:  # noqa: N802
        """The place of an entry in the viewport."""
        rect = self.rect_of(index.row()) if index.isValid() else QRect()
        self.follow_layout()
        return rect

    def indexAt(self, point: QPoint) -> QModelIndex:  # noqa: N802
        """The entry under a point of the viewport."""
        position = self.position_at(point)
        return QModelIndex() if position is None else self.results.index(position)
