"""The mouse in the grid: headers, check circles, groups, and the rubber band."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QObject,
    QPoint,
    QPointF,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QMouseEvent

from ui.library.check_mark import MARK_PX
from ui.library.grid_view import GridView
from ui.library.header_bar import LEFT_PX
from ui.library.runs import runs
from ui.library.tiles import check_middle, stack_corner

Command = QItemSelectionModel.SelectionFlag
SCROLL_MS = 30
EDGE_PX = 36
START_PX = 4


class Pointer(QObject):
    """Takes the events of the view's viewport that mean something of their own.

    ``band`` is the rubber band in the content, in pixels, while there is one.
    ``group_clicked``: the number of a group was clicked on, at this position.
    """

    group_clicked = Signal(int)

    def __init__(self, view: GridView) -> None:
        super().__init__(view)
        self._view = view
        self._start: QPoint | None = None
        self._before = QItemSelection()
        self._is_adding = False
        self.band: QRect | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(SCROLL_MS)
        self._timer.timeout.connect(self._scroll)
        view.setMouseTracking(True)
        view.viewport().setMouseTracking(True)
        view.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the viewport."""
        kind = event.type()
        if kind == QEvent.Type.Leave:
            self._hover(None, None)
        elif isinstance(event, QMouseEvent):
            where = event.position().toPoint()
            if kind == QEvent.Type.MouseMove:
                if self._start is not None:
                    self._stretch(where)
                    return True
                self._hover_at(where)
            elif kind == QEvent.Type.MouseButtonRelease and self._start is not None:
                self._end()
                return True
            elif kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
                is_left = event.button() is Qt.MouseButton.LeftButton
                is_double = kind == QEvent.Type.MouseButtonDblClick
                return is_left and self._press(where, event.modifiers(), is_double=is_double)
        return False

    # Hovering -----------------------------------------------------------------------

    def _hover_at(self, where: QPoint) -> None:
        header = self._view.bar.section_at(where)
        self._hover(None if header is not None else self._view.position_at(where), header)

    def _hover(self, position: int | None, header: int | None) -> None:
        view = self._view
        if (position, header) != (view.hovered, view.bar.hovered):
            view.hovered, view.bar.hovered = position, header
            view.viewport().update()

    # Pressing -----------------------------------------------------------------------

    def _press(self, where: QPoint, keys: Qt.KeyboardModifier, *, is_double: bool) -> bool:
        """True where the event is ours alone."""
        view = self._view
        header = view.bar.section_at(where)
        if header is not None:
            self._choose_section(header, keys, is_mark=_is_near(where, header_mark(view, header)))
            return True
        position = view.position_at(where)
        if position is None:
            self._begin(where, keys)
            return True
        rect = view.rect_of(position)
        if _is_near(where, check_middle(rect)):
            self._check(position, keys)
            return True
        mark = view.results.groups.mark(view.results.keys[position])
        is_head = mark is not None and mark.is_head and not keys
        if is_head and not is_double and stack_corner(rect).contains(where):
            view.setCurrentIndex(view.results.index(position))
            self.group_clicked.emit(position)
            return True
        return False

    def _choose_section(self, number: int, keys: Qt.KeyboardModifier, *, is_mark: bool) -> None:
        view, model = self._view, self._view.results
        section = view.sections[number]
        first, last = model.index(section.start), model.index(section.start + section.count - 1)
        if not first.isValid():
            return
        part = QItemSelection(first, last if last.isValid() else model.index(model.rowCount() - 1))
        command = Command.ClearAndSelect
        if keys & Qt.KeyboardModifier.ShiftModifier:
            command = Command.Select
        elif is_mark or keys & Qt.KeyboardModifier.ControlModifier:
            is_whole = view.bar.share_of(section) == 1
            command = Command.Deselect if is_whole else Command.Select
        view.selectionModel().setCurrentIndex(first, Command.NoUpdate)
        view.selectionModel().select(part, command)
        view.viewport().update()

    def _check(self, position: int, keys: Qt.KeyboardModifier) -> None:
        """The circle of a photo: without keys it is added or taken out."""
        view = self._view
        index = view.results.index(position)
        if keys & Qt.KeyboardModifier.ShiftModifier:
            view.extend_to(index)
        else:
            view.selectionModel().setCurrentIndex(index, Command.NoUpdate)
            view.selectionModel().select(index, Command.Toggle)
            view.stay_selected()
        view.viewport().update()

    # The rubber band ----------------------------------------------------------------

    def _begin(self, where: QPoint, keys: Qt.KeyboardModifier) -> None:
        more = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        self._is_adding = bool(keys & more)
        self._before = QItemSelection(self._view.selectionModel().selection())
        self._start = where + QPoint(0, self._view.layout_now.top)
        self._view.setFocus()
        self._timer.start()

    def _stretch(self, where: QPoint) -> None:
        view, start = self._view, self._start
        end = where + QPoint(0, view.layout_now.top)
        if start is None or (self.band is None and (end - start).manhattanLength() < START_PX):
            return
        self.band = QRect(
            QPoint(min(start.x(), end.x()), min(start.y(), end.y())),
            QPoint(max(start.x(), end.x()), max(start.y(), end.y())),
        )
        selection = QItemSelection(self._before) if self._is_adding else QItemSelection()
        model = view.results
        for first, last in runs(view.positions_in(self.band)):
            selection.merge(QItemSelection(model.index(first), model.index(last)), Command.Select)
        view.selectionModel().select(selection, Command.ClearAndSelect)
        view.follow_layout()
        view.viewport().update()

    def _scroll(self) -> None:
        """Beyond an edge the list moves, and the band with it."""
        view = self._view
        where = view.viewport().mapFromGlobal(view.cursor().pos())
        beyond = min(0, where.y() - EDGE_PX) or max(
            0, where.y() + EDGE_PX - view.viewport().height()
        )
        if self.band is not None and beyond:
            bar = view.verticalScrollBar()
            bar.setValue(bar.value() + beyond)
            self._stretch(where)

    def _end(self) -> None:
        self._timer.stop()
        if self.band is None and not self._is_adding:
            self._view.clearSelection()
        self._start = self.band = None
        self._view.viewport().update()


def header_mark(view: GridView, section: int) -> QPointF:
    """The middle of the circle in a header."""
    rect = next((rect for number, rect in view.bar.places() if number == section), QRect())
    return QPointF(rect.left() + LEFT_PX + MARK_PX / 2, rect.center().y() + 1)


def _is_near(where: QPoint, middle: QPointF) -> bool:
    return (QPointF(where) - middle).manhattanLength() <= MARK_PX * 0.8
