"""The side bar's tree: looks, keys, and photos that are dropped on an album."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
)

from ui.kit.cells import Index, set_font
from ui.kit.icons import Icon, pixmap
from ui.kit.theme import RADIUS_PX, SMALL_PX, TEXT_PX, colour
from ui.library.browse.model import BrowseModel, Node
from ui.library.browse.sections import Section

LINE_PX = 30
HEAD_PX = 34
INDENT_PX = 14
ICON_PX = 17
EDGE_PX = 8
CHEVRON_PX = 11


class LineDelegate(QStyledItemDelegate):
    """Says how high lines are; the tree draws them itself."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Heads of sections have room above them."""
        return QSize(0, LINE_PX if index.parent().isValid() else HEAD_PX)


class BrowseTree(QTreeView):
    """Signals carry the line (``Node``) that is meant."""

    opened = Signal(object)
    menu_wanted = Signal(object, object)
    dropped = Signal(object)
    rename_wanted = Signal(object)
    delete_wanted = Signal(object)
    add_wanted = Signal(object)
    folded = Signal(object)

    def __init__(self, model: BrowseModel) -> None:
        super().__init__()
        self._model = model
        self._delegate = LineDelegate(self)
        self._target: Node | None = None
        self.setObjectName("browse")
        self.setAccessibleName("Lists of the library")
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setHeaderHidden(True)
        self.setIndentation(INDENT_PX)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.verticalScrollBar().setSingleStep(LINE_PX)
        self.expanded.connect(self._on_expanded)
        self.collapsed.connect(self._on_collapsed)

    def node_at(self, where: QPoint) -> Node | None:
        """The line at a point of the viewport."""
        index = self.indexAt(where)
        return self._model.node(index) if index.isValid() else None

    def current_node(self) -> Node | None:
        """The line under the cursor."""
        index = self.currentIndex()
        return self._model.node(index) if index.isValid() else None

    def set_open(self, node: Node, is_open: bool) -> None:
        """Opens or folds a line that is in the tree."""
        node.is_open = is_open
        index = self._model.index_of(node)
        if index.isValid():
            self.setExpanded(index, is_open)

    # Looks ------------------------------------------------------------------------------

    def drawRow(  # noqa: N802
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Draws one line over its whole width."""
        node = self._model.node(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = QRect(option.rect)
        left = self._left_of(index)
        if node.is_section:
            self._draw_head(painter, row, left, node)
        else:
            self._draw_ground(painter, row, index, node)
            self._draw_line(painter, row, left, index, node)
        if self.hasFocus() and index == self.currentIndex():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent"), 1.5))
            painter.drawRoundedRect(_inner(row), RADIUS_PX - 2, RADIUS_PX - 2)
        painter.restore()

    def _draw_ground(self, painter: QPainter, row: QRect, index: Index, node: Node) -> None:
        where = self.viewport().mapFromGlobal(self.cursor().pos())
        is_under = self.viewport().underMouse() and row.contains(where)
        if node is self._target:
            ground = "accent"
        elif self._model.is_shown(node):
            ground = "accent_soft"
        elif is_under:
            ground = "raised"
        else:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(ground))
        painter.drawRoundedRect(_inner(row), RADIUS_PX - 2, RADIUS_PX - 2)

    def _draw_head(self, painter: QPainter, row: QRect, left: int, node: Node) -> None:
        set_font(painter, SMALL_PX, is_bold=True)
        painter.setPen(colour("muted"))
        text = QRect(left, row.top() + 6, row.width() - left - 3 * EDGE_PX, row.height() - 6)
        place = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.drawText(text, place, node.name)
        middle = text.center().y()
        self._draw_icon(painter, _chevron(node), self._chevron_left(row), middle, CHEVRON_PX)
        if node.section is Section.ALBUM:
            self._draw_icon(painter, Icon.PLUS, self._plus_left(row), middle, ICON_PX - 3)

    def _draw_line(
        self, painter: QPainter, row: QRect, left: int, index: Index, node: Node
    ) -> None:
        is_target, middle = node is self._target, row.center().y()
        is_shown = self._model.is_shown(node)
        ink = "on_accent" if is_target else "text"
        muted = "on_accent" if is_target else "muted"
        if node.total or node.below:
            self._draw_icon(
                painter, _chevron(node), left - CHEVRON_PX - 2, middle, CHEVRON_PX, muted
            )
        if node.icon is not None:
            which = Icon.UNPLUGGED if node.is_offline else node.icon
            tint = ink if is_target else "accent" if is_shown else "muted"
            self._draw_icon(painter, which, left + 2, middle, ICON_PX, tint)
            left += ICON_PX + 9
        set_font(painter, SMALL_PX)
        number = "" if node.count is None else f"{node.count:,}"
        width = painter.fontMetrics().horizontalAdvance(number)
        right = row.right() - EDGE_PX - 7
        painter.setPen(colour(muted))
        middle_right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(
            QRect(right - width, row.top(), width + 1, row.height()), middle_right, number
        )
        set_font(painter, TEXT_PX - 1, is_bold=is_shown)
        painter.setPen(colour(muted if node.is_offline or node.left else ink))
        room = QRect(left, row.top(), right - width - left - (8 if number else 0), row.height())
        text = str(index.data())
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        option = QTextOption(
            Qt.AlignmentFlag.AlignVCenter
            | Qt.AlignmentFlag.AlignLeft
            | Qt.AlignmentFlag.AlignAbsolute
        )
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        painter.drawText(QRectF(room), shown, option)

    def _draw_icon(
        self,
        painter: QPainter,
        which: Icon,
        left: int,
        middle: int,
        size_px: int,
        tint: str = "muted",
    ) -> None:
        made = pixmap(which, colour(tint).name(), size_px, self.devicePixelRatioF())
        painter.drawPixmap(left, middle - size_px // 2, made)

    def _left_of(self, index: Index) -> int:
        return self.visualRect(index).left()

    def _chevron_left(self, row: QRect) -> int:
        return row.right() - EDGE_PX - CHEVRON_PX - 5

    def _plus_left(self, row: QRect) -> int:
        return self._chevron_left(row) - ICON_PX - 6

    # Mouse and keys ---------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click on a head folds its section, one beside a name opens what lies in it."""
        where = event.position().toPoint()
        index = self.indexAt(where)
        if event.button() is not Qt.MouseButton.LeftButton or not index.isValid():
            super().mousePressEvent(event)
            return
        node = self._model.node(index)
        row = self.visualRect(index)
        self.setCurrentIndex(index)
        is_plus = self._plus_left(row) - 4 <= where.x() <= self._chevron_left(row) - 3
        if node.section is Section.ALBUM and node.is_section and is_plus:
            self.add_wanted.emit(node)
        elif node.is_section or (node.total and where.x() < row.left()):
            self.setExpanded(index, not self.isExpanded(index))
        else:
            self._choose(node)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Opens or folds what lies in a line."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and not self._model.node(index).is_section:
            self.setExpanded(index, not self.isExpanded(index))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        node = self.current_node()
        is_plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if node is None or not is_plain:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if node.is_section:
                self.setExpanded(self.currentIndex(), not self.isExpanded(self.currentIndex()))
            else:
                self._choose(node)
        elif event.key() == Qt.Key.Key_F2:
            self.rename_wanted.emit(node)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit(node)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Letters look for names here: shortcuts of the window would take them."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent):
            shift = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
            is_alone = not event.modifiers() & ~shift
            is_letter = event.text().isalnum()
            if is_alone and (is_letter or event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Space)):
                event.accept()
                return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """The menu of the line under the pointer, or under the cursor."""
        index = self.indexAt(event.pos())
        where = event.globalPos()
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            where = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft())
        if index.isValid():
            self.setCurrentIndex(index)
            self.menu_wanted.emit(self._model.node(index), where)

    def _choose(self, node: Node) -> None:
        if node.left:
            self._model.more(node)
        else:
            self.opened.emit(node)

    def _on_expanded(self, index: QModelIndex) -> None:
        self._note(index, is_open=True)

    def _on_collapsed(self, index: QModelIndex) -> None:
        self._note(index, is_open=False)

    def _note(self, index: QModelIndex, *, is_open: bool) -> None:
        node = self._model.node(index)
        node.is_open = is_open
        self.folded.emit(node)

    # Photos that are dropped ----------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Takes photos of the grid; folders from elsewhere are the window's."""
        event.setAccepted(event.source() is not None)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        """Albums take them, and their head, which makes a new one."""
        node = self.node_at(event.position().toPoint())
        is_taken = node is not None and node.section is Section.ALBUM and not node.left
        self._mark(node if is_taken else None)
        event.setAccepted(is_taken)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        """They go somewhere else."""
        self._mark(None)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """They are to be put into this album."""
        node = self.node_at(event.position().toPoint())
        self._mark(None)
        if node is not None and node.section is Section.ALBUM and not node.left:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.dropped.emit(node)

    def _mark(self, node: Node | None) -> None:
        if node is not self._target:
            self._target = node
            self.viewport().update()


def _inner(row: QRect) -> QRectF:
    return QRectF(row).adjusted(EDGE_PX - 2, 1, -(EDGE_PX - 2), -1)


def _chevron(node: Node) -> Icon:
    return Icon.DOWN if node.is_open else Icon.NEXT
