"""Groups of same pictures as a table: a group a line, a member a cell, a stretch at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from cocadesk.protocol.messages import Groups, PictureGroup
from cocadesk.protocol.values import Row
from ui.kit.plain_text import tip_of
from ui.kit.timers import single_shot
from ui.library.alike.members import Member, member_of, text_of, title_of

MEMBER_ROLE = int(Qt.ItemDataRole.UserRole) + 1
STRETCH = 50
"""Groups that are asked for at once: a few screens."""
MAX_STRETCHES = 40
ASK_AT_ONCE = 3

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class GroupsModel(QAbstractTableModel):
    """Groups by their place; only stretches that were on screen are here.

    ``data`` never blocks: a stretch that is missing or may have changed is collected, and
    ``wanted`` asks for it by the place of its first group.
    """

    wanted = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._total = 0
        self._columns = 0
        self._stretches: OrderedDict[int, tuple[PictureGroup, ...]] = OrderedDict()
        self._newer: dict[str, Row] = {}
        self._missing: OrderedDict[int, None] = OrderedDict()
        self._asked: set[int] = set()
        self._stale: set[int] = set()
        self._timer = single_shot(self, self._ask)

    # What views read ----------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """The number of groups."""
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """The members of the largest group that has come."""
        return 0 if parent.isValid() else self._columns

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """The part of a member that a view shows; never blocks."""
        member = self.member(index.row(), index.column()) if index.isValid() else None
        if member is None:
            return None
        if role == MEMBER_ROLE:
            return member
        if role == Qt.ItemDataRole.DisplayRole:
            return member.row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return member.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_of(member.row.path.text, member.text)
        return None

    def headerData(  # noqa: N802
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        """A line's head is its group, in a few words or, to be heard, in all."""
        if orientation is not Qt.Orientation.Vertical:
            return None
        group = self.group(section)
        if group is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return title_of(group)
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return tip_of(text_of(group)) if role == Qt.ItemDataRole.ToolTipRole else text_of(group)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Members can be selected; the empty cells behind them cannot."""
        if self.member(index.row(), index.column()) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    # What the page asks -------------------------------------------------------------

    def group(self, place: int) -> PictureGroup | None:
        """The group at this place, where it has come."""
        first = place - place % STRETCH
        stretch = self._stretches.get(first)
        if (stretch is None or first in self._stale) and first not in self._asked:
            self._missing[first] = None
            if not self._timer.isActive():
                self._timer.start()
        inside = place - first
        return stretch[inside] if stretch is not None and inside < len(stretch) else None

    def members(self, place: int) -> tuple[Member, ...]:
        """The members of the group at this place; none where it has not come."""
        group = self.group(place)
        numbers = () if group is None else range(len(group.members))
        return tuple(member for n in numbers if (member := self.member(place, n)) is not None)

    def member(self, place: int, number: int) -> Member | None:
        """One member of a group."""
        group = self.group(place)
        if group is None or not 0 <= number < len(group.members):
            return None
        return member_of(group, number, self._newer)

    def hidden(self, place: int) -> int:
        """The number of a group's members that are not listed here."""
        group = self.group(place)
        return 0 if group is None else group.count - len(group.members)

    def place_of(self, key: str) -> tuple[int, int] | None:
        """The place of a medium's group, and its own in it, where that has come."""
        for first, groups in self._stretches.items():
            for inside, group in enumerate(groups):
                for number, member in enumerate(group.members):
                    if member.row.key == key and first not in self._stale:
                        return first + inside, number
        return None

    def known(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Those of the keys that are members of a group here."""
        here = {m.row.key for groups in self._stretches.values() for g in groups for m in g.members}
        return tuple(key for key in keys if key in here)

    # What the engine brings ---------------------------------------------------------

    def forget(self) -> None:
        """Other groups are to be shown: those of another label."""
        self.beginResetModel()
        self._total = self._columns = 0
        for part in (self._stretches, self._newer, self._missing, self._asked, self._stale):
            part.clear()
        self.endResetModel()

    def refresh(self) -> None:
        """Groups may have changed: they show until those on screen have come again."""
        self._asked.clear()
        self._stale.update(self._stretches)
        self._announce(0, self._total)

    def take(self, answer: Groups) -> None:
        """A stretch has come, and with it how many groups there are now."""
        self._asked.discard(answer.offset)
        self._stale.discard(answer.offset)
        self._stretches[answer.offset] = answer.groups
        self._stretches.move_to_end(answer.offset)
        for group in answer.groups:
            for member in group.members:
                self._newer.pop(member.row.key, None)
        while len(self._stretches) > MAX_STRETCHES:
            self._stretches.popitem(last=False)
        self._grow(answer.total, max((len(g.members) for g in answer.groups), default=0))
        self._announce(answer.offset, answer.offset + len(answer.groups))

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Members as they are now, e.g. with another flag."""
        self._newer.update((row.key, row) for row in rows)
        self._announce(0, self._total)

    def _grow(self, total: int, columns: int) -> None:
        """Lines come and go at the end: cursor and scrolling stay."""
        if total > self._total:
            self.beginInsertRows(_NO_PARENT, self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(_NO_PARENT, total, self._total - 1)
            self._total = total
            for first in [first for first in self._stretches if first >= total]:
                del self._stretches[first]
            self.endRemoveRows()
        if columns > self._columns:
            self.beginInsertColumns(_NO_PARENT, self._columns, columns - 1)
            self._columns = columns
            self.endInsertColumns()

    def _announce(self, first: int, end: int) -> None:
        if end > first and self._columns:
            self.dataChanged.emit(self.index(first, 0), self.index(end - 1, self._columns - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, first, end - 1)

    def _ask(self) -> None:
        """The newest of what is missing: what was scrolled past is not waited for."""
        for first in list(self._missing)[-ASK_AT_ONCE:]:
            if first < max(1, self._total):
                self._asked.add(first)
                self.wanted.emit(first)
        self._missing.clear()
