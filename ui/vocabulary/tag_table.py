"""All tags of the library as lines of a table: filtered and sorted here, as they are few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from cocadesk.protocol.messages import TagUse
from cocadesk.protocol.paths import printable
from ui.kit.plain_text import tip_of
from ui.kit.theme import colour
from ui.kit.translation import grouped, tr, tr_as, tr_count

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Column(IntEnum):
    """The columns, in their order."""

    TAG = 0
    OWN = 1
    SUGGESTED = 2


TITLES = {
    Column.TAG: tr("Tag"),
    Column.OWN: tr_as("column of tags", "Yours"),
    Column.SUGGESTED: tr_as("column of tags", "Suggested"),
}
TIPS = {
    Column.TAG: tr("Sort by name"),
    Column.OWN: tr("Photos and videos that you gave this tag"),
    Column.SUGGESTED: tr("Photos and videos for which CocaDesk only suggests it"),
}
_ORDERS: dict[Column, Callable[[TagUse], object]] = {
    Column.TAG: lambda use: use.tag.casefold(),
    Column.OWN: lambda use: (-use.own, -use.all_own, -use.suggested, use.tag.casefold()),
    Column.SUGGESTED: lambda use: (-use.suggested, -use.all_suggested, use.tag.casefold()),
}


class TagTable(QAbstractTableModel):
    """Those of the tags that hold the letters which are looked for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[TagUse, ...] = ()
        self._shown: list[TagUse] = []
        self._text = ""
        self._is_own = False
        self._column, self._order = Column.OWN, Qt.SortOrder.AscendingOrder

    @property
    def all(self) -> tuple[TagUse, ...]:
        """The tags, whatever is looked for."""
        return self._all

    def put(self, uses: Sequence[TagUse]) -> None:
        """Shows these."""
        self._all = tuple(uses)
        self._choose()

    def look_for(self, text: str, *, is_own: bool) -> None:
        """Shows only tags that hold these letters; ``is_own``: of these only a person's."""
        self._text, self._is_own = text.strip().casefold(), is_own
        self._choose()

    def use_at(self, row: int) -> TagUse | None:
        """The tag in a line."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def row_of(self, tag: str) -> int:
        """The line of a tag, however it is written; -1 where it is not shown."""
        wanted = tag.casefold()
        rows = (row for row, use in enumerate(self._shown) if use.tag.casefold() == wanted)
        return next(rows, -1)

    # What views ask ---------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """The number of tags that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """Name and two numbers."""
        return 0 if parent.isValid() else len(Column)

    def headerData(  # noqa: N802
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> object:
        """The heads of columns."""
        is_known = 0 <= section < len(Column)
        if orientation is not Qt.Orientation.Horizontal or not is_known:
            return None
        column = Column(section)
        if role == Qt.ItemDataRole.DisplayRole:
            is_down = self._order is Qt.SortOrder.DescendingOrder
            mark = "" if column is not self._column else " ↓" if is_down else " ↑"
            return TITLES[column] + mark
        if role == Qt.ItemDataRole.ToolTipRole:
            return TIPS[column]
        if column is Column.TAG:
            return None
        if role == Qt.ItemDataRole.InitialSortOrderRole:
            return Qt.SortOrder.DescendingOrder
        return _RIGHT if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """Texts, numbers and tips of a line; 0 is left out."""
        use = self.use_at(index.row()) if index.isValid() else None
        if use is None:
            return None
        column = Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            number = use.own if column is Column.OWN else use.suggested
            return printable(use.tag) if column is Column.TAG else grouped(number) if number else ""
        if role == Qt.ItemDataRole.TextAlignmentRole and column is not Column.TAG:
            return _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_of(use.tag, *filter(None, (unseen_text(use),)))
        if role == Qt.ItemDataRole.AccessibleTextRole and column is Column.TAG:
            return tr(
                "{tag}, yours on {own}, suggested on {suggested}",
                tag=printable(use.tag),
                own=grouped(use.own),
                suggested=grouped(use.suggested),
            )
        if role == Qt.ItemDataRole.ForegroundRole and not (use.all_own and column is Column.TAG):
            return colour("muted")
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By name, or by a number; then the largest come first, as long as it is not reversed."""
        self._column, self._order = Column(column), order
        self._choose()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def _choose(self) -> None:
        self.beginResetModel()
        found = [
            use
            for use in self._all
            if self._text in use.tag.casefold() and (use.all_own or not self._is_own)
        ]
        # Of numbers the largest come first: an arrow down, in Qt's descending order.
        is_number = self._column is not Column.TAG
        is_reversed = (self._order is Qt.SortOrder.AscendingOrder) is is_number
        found.sort(key=_ORDERS[self._column], reverse=is_reversed)  # type: ignore[arg-type]
        self._shown = found
        self.endResetModel()


def unseen_text(use: TagUse) -> str:
    """How many media with a tag of a person no list shows; empty where there are none."""
    unseen = use.all_own - use.own
    if not unseen:
        return ""
    return tr_count(unseen, "{n} of them is missing or hidden", "{n} of them are missing or hidden")
