"""The side bar's tree: looks, keys, and photos that are dropped on an album."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
)

from ui.kit.cells import Index
from ui.kit.translation import tr
from ui.library.browse.lines import Node
from ui.library.browse.model import BrowseModel
from ui.library.browse.painting import LinePainter, Looks, chevron_left, plus_left
from ui.library.browse.sections import Section

LINE_PX = 30
HEAD_PX = 34
INDENT_PX = 14
OWN_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Space, Qt.Key.Key_Delete)
"""Keys about the line under the cursor, which would mean photos elsewhere."""


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
        self.setAccessibleName(tr("Lists of the library"))
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
        node, row = self._model.node(index), QRect(option.rect)
        where = self.viewport().mapFromGlobal(self.cursor().pos())
        is_under = self.viewport().underMouse() and row.contains(where)
        looks = Looks(
            is_target=node is self._target,
            is_shown=self._model.is_shown(node),
            is_under=is_under,
            is_current=self.hasFocus() and index == self.currentIndex(),
        )
        painter.save()
        LinePainter(painter, row).draw(node, self.visualRect(index).left(), looks)
        painter.restore()

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
        is_plus = plus_left(row) - 4 <= where.x() <= chevron_left(row) - 3
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
        """Letters look for names here, Del is about a line: the window's keys would take them."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent):
            shift = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
            is_alone = not event.modifiers() & ~shift
            is_letter = event.text().isalnum()
            if is_alone and (is_letter or event.key() in OWN_KEYS):
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
