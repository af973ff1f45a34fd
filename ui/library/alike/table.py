"""The table of groups: its head at the left tells of a group, its cells show the members."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
)

from ui.kit.cells import CellDelegate, Index, paint_badge, set_font
from ui.kit.image_loader import ImageLoader, paint_whole
from ui.kit.keys import is_letter
from ui.kit.texts import short_marks
from ui.kit.theme import GAP_M, RADIUS_PX, SMALL_PX, colour
from ui.kit.translation import tr
from ui.library.alike.members import Member, lines_of, title_of
from ui.library.alike.model import MEMBER_ROLE, GroupsModel

CELL_PX = QSize(222, 236)
PICTURE_PX = 140
HEAD_PX = 210
LINE_PX = 17
PAD_PX = 8
REJECTED_OPACITY = 0.45
SELECT = QItemSelectionModel.SelectionFlag.ClearAndSelect

Action = QAbstractItemView.CursorAction


class GroupsTable(QTableView):
    """Arrows move between members and groups; only what is on screen is asked for.

    ``opened``: the group under the cursor is to be seen large. ``moved``: another member is
    under the cursor, or others are selected.
    """

    opened = Signal()
    moved = Signal()
    menu_wanted = Signal(object)

    def __init__(self, model: GroupsModel, loader: ImageLoader) -> None:
        super().__init__()
        self._groups = model
        self._loader = loader
        self._followed: str | None = None
        self.setObjectName("groups")
        self.setAccessibleName(tr("Groups of same pictures"))
        self.setModel(model)
        self.setItemDelegate(MemberDelegate(loader, CELL_PX, self))
        self.setVerticalHeader(GroupHead(model, self))
        for header, size in (
            (self.verticalHeader(), CELL_PX.height()),
            (self.horizontalHeader(), CELL_PX.width()),
        ):
            header.setDefaultSectionSize(size)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().hide()
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(60)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.doubleClicked.connect(self.opened)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.selectionModel().selectionChanged.connect(self.moved)
        self.verticalScrollBar().valueChanged.connect(self._drop_unwanted)
        loader.arrived.connect(self._on_picture)
        model.dataChanged.connect(self._keep_inside)
        model.rowsRemoved.connect(self._keep_inside)

    def current_member(self) -> Member | None:
        """The member under the cursor."""
        index = self.currentIndex()
        return self._groups.member(index.row(), index.column()) if index.isValid() else None

    def chosen_members(self) -> list[Member]:
        """The selection where it holds the member under the cursor, else that one."""
        current = self.current_member()
        places = sorted((index.row(), index.column()) for index in self.selectedIndexes())
        found = [self._groups.member(*place) for place in places]
        chosen = [member for member in found if member is not None]
        if current is None or current.key in {member.key for member in chosen}:
            return chosen
        return [current]

    def chosen_places(self) -> list[int]:
        """The places of the groups that the selection or the cursor touches."""
        places = {index.row() for index in self.selectedIndexes()}
        current = self.currentIndex()
        if current.isValid() and current.row() not in places:
            return [current.row()]
        return sorted(places)

    def go_to(self, place: int, number: int = 0) -> None:
        """Moves the cursor to a member."""
        index = self._groups.index(place, self._inside(place, number))
        if index.isValid():
            self.selectionModel().setCurrentIndex(index, SELECT)
            self.scrollTo(index)

    def follow(self, key: str | None = None) -> None:
        """Leads the cursor to this medium, else to the one it was on: it may lie elsewhere now."""
        wanted, current = key or self._followed, self.current_member()
        if wanted is not None and (current is None or current.key != wanted):
            place = self._groups.place_of(wanted)
            if place is not None:
                self.go_to(*place)

    def moveCursor(  # noqa: N802
        self, action: Action, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Up and down lead to the next group, whatever the number of its members."""
        current = self.currentIndex()
        if not current.isValid():  # as when the focus comes for the first time
            return self._groups.index(0, 0)
        place, number = current.row(), current.column()
        screen = max(1, self.viewport().height() // CELL_PX.height())
        groups = {
            Action.MoveUp: -1,
            Action.MoveDown: 1,
            Action.MovePageUp: -screen,
            Action.MovePageDown: screen,
        }
        if action in groups:
            place = min(self._groups.rowCount() - 1, max(0, place + groups[action]))
        elif action in (Action.MoveLeft, Action.MovePrevious):
            number -= 1
        elif action in (Action.MoveRight, Action.MoveNext):
            number += 1
        elif action is Action.MoveHome:
            place, number = (0 if modifiers & Qt.KeyboardModifier.ControlModifier else place), 0
        elif action is Action.MoveEnd:
            is_last = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
            place = self._groups.rowCount() - 1 if is_last else place
            number = self._groups.columnCount()
        return self._groups.index(place, self._inside(place, number))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Enter and Space open; letters and digits are the page's."""
        is_plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if is_plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit()
        elif is_plain and is_letter(event.text()):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself, with a line below each group."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setPen(colour("line"))
        first = max(0, self.rowAt(0))
        for place in range(first, self._groups.rowCount()):
            y = self.rowViewportPosition(place) + CELL_PX.height() - 1
            if y > self.viewport().height():
                break
            painter.drawLine(0, y, self.viewport().width(), y)
        painter.end()

    def keyboardSearch(self, _text: str) -> None:  # noqa: N802
        """Letters are commands here; looking through all names would ask for every group."""

    def _on_current(self) -> None:
        current = self.current_member()
        if current is not None:
            self._followed = current.key
        self.moved.emit()

    def _inside(self, place: int, number: int) -> int:
        """The nearest number of a member that the group at this place has."""
        group = self._groups.group(place)
        return min(max(0, number), len(group.members) - 1 if group is not None else 0)

    def _keep_inside(self) -> None:
        """A group that became smaller, or is another, keeps the cursor on a member."""
        index = self.currentIndex()
        rows = self._groups.rowCount()
        if not rows:
            return
        if not index.isValid() or self._groups.group(index.row()) is None:
            return
        if self.current_member() is None:
            self.go_to(min(index.row(), rows - 1), index.column())

    def _drop_unwanted(self) -> None:
        """Thumbnails that were scrolled past are not read any more."""
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        if first >= 0:
            places = range(first, (last if last >= 0 else self._groups.rowCount() - 1) + 1)
            keys = {member.key for place in places for member in self._groups.members(place)}
            self._loader.want_only(keys)

    def _on_picture(self, _key: object) -> None:
        self.viewport().update()

    def _on_menu(self, where: QPoint) -> None:
        if self.indexAt(where).isValid():
            self.menu_wanted.emit(self.viewport().mapToGlobal(where))


class GroupHead(QHeaderView):
    """The head of each line: label, number, and why the best is the best."""

    def __init__(self, model: GroupsModel, parent: QTableView) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._groups = model
        self.setAccessibleName(tr("Groups"))
        self.setSectionsClickable(True)
        self.setHighlightSections(False)

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(HEAD_PX, super().sizeHint().height())

    def paintSection(self, painter: QPainter, rect: QRect, place: int) -> None:  # noqa: N802
        """Draws the head of one group."""
        group = self._groups.group(place)
        painter.save()
        painter.fillRect(rect, colour("surface"))
        painter.setPen(colour("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        if group is not None:
            inner = rect.adjusted(16, PAD_PX + 4, -GAP_M, -PAD_PX)
            painter.setPen(colour("text"))
            set_font(painter, SMALL_PX + 2, is_bold=True)
            painter.drawText(inner, int(Qt.AlignmentFlag.AlignTop), title_of(group))
            painter.setPen(colour("muted"))
            set_font(painter, SMALL_PX)
            below = inner.adjusted(0, 28, 0, 0)
            wraps = int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap)
            for line in lines_of(group):
                taken = painter.boundingRect(below, wraps, line)
                painter.drawText(below, wraps, line)
                below = below.adjusted(0, taken.height() + 6, 0, 0)
        painter.restore()


class MemberDelegate(CellDelegate):
    """A whole thumbnail over name, format, size, date and folder; a rejected one is pale."""

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one cell."""
        member = index.data(MEMBER_ROLE)
        if isinstance(member, Member):
            card = QRect(option.rect).adjusted(5, 5, -5, -6)
            self._paint_ground(painter, option, card)
            if member.row.flag == "reject":
                painter.setOpacity(REJECTED_OPACITY)
            self._paint_member(painter, card.adjusted(PAD_PX, PAD_PX, -PAD_PX, -3), member)

    def _paint_member(self, painter: QPainter, card: QRect, member: Member) -> None:
        row = member.row
        place = QRect(card.left(), card.top(), card.width(), PICTURE_PX)
        path = row.thumbnail
        picture = None if path is None else self.loader.pixmap(row.key, path.to_str())
        paint_whole(painter, place, RADIUS_PX - 2, picture)
        ground = "accent" if member.is_best else "badge"
        paint_badge(painter, place, member.badge, is_above=True, ground=ground)
        if text := short_marks(row):
            paint_badge(painter, place, text, is_above=True, is_right=True)
        line = QRect(card.left(), place.bottom() + 5, card.width(), LINE_PX)
        middle, right = Qt.TextElideMode.ElideMiddle, Qt.TextElideMode.ElideRight
        for place_of, (text, mode) in enumerate(
            ((row.name, middle), (member.picture, right), (member.file, right),
             (row.folder, middle))
        ):  # fmt: skip
            set_font(painter, SMALL_PX, is_bold=not place_of)
            painter.setPen(colour("muted" if place_of else "text"))
            metrics = painter.fontMetrics()
            flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(line, flags, metrics.elidedText(text, mode, line.width()))
            line.translate(0, LINE_PX)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, card: QRect) -> None:
        state = option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        is_hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_selected:
            painter.setBrush(colour("accent_soft"))
            painter.drawRoundedRect(card, RADIUS_PX, RADIUS_PX)
        if has_focus or is_hovered:
            painter.setPen(QPen(colour("accent" if has_focus else "line"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(card).adjusted(1, 1, -1, -1), RADIUS_PX, RADIUS_PX)
