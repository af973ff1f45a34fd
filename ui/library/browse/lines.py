"""A tree of lines for the side bar; what stays keeps its number when lines change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from cocadesk.protocol.messages import BranchValue
from cocadesk.protocol.paths import printable
from cocadesk.protocol.values import SortKey
from ui.kit.icons import Icon
from ui.kit.texts import count_media
from ui.kit.translation import tr
from ui.library.browse.sections import Section

NODE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
TOP_ID = 0

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


@dataclass(slots=True, eq=False)
class Node:
    """One line of the tree.

    ``name`` is that of the engine, ``value`` the branch it stands for. ``total`` counts what
    could be asked for below it; ``left`` is set for the line that brings more of them.
    """

    id: int
    section: Section
    above: Node | None = None
    key: str = ""
    name: str = ""
    icon: Icon | None = None
    query: str = ""
    terms: tuple[str, ...] = ()
    sort: SortKey = SortKey.RELEVANCE
    count: int | None = None
    tip: str = ""
    value: BranchValue | None = None
    total: int = 0
    left: int = 0
    is_asked: bool = False
    is_open: bool = False
    was_opened: bool = False
    below: list[Node] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        """True for the head of a section."""
        return self.above is not None and self.above.id == TOP_ID

    @property
    def is_list(self) -> bool:
        """True for what a click opens."""
        return not self.is_section and not self.left

    @property
    def is_offline(self) -> bool:
        """True where all of it is on a disk that is away."""
        return self.value is not None and self.value.is_offline

    @property
    def entries(self) -> list[Node]:
        """The lines below it, without the one that brings more."""
        return [node for node in self.below if not node.left]


class Lines(QAbstractItemModel):
    """Lines below lines; each is known by a number.

    ``wanted`` asks for the first entries of a line, or for more of them (the node, the offset).
    """

    wanted = Signal(object, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: dict[int, Node] = {}
        self._last_id = TOP_ID
        self.top = Node(TOP_ID, Section.LIBRARY)

    # What views ask ---------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index = _NO_PARENT) -> QModelIndex:
        """The index of a line; invalid where there is none."""
        below = self._node(parent).below
        if column != 0 or not 0 <= row < len(below):
            return QModelIndex()
        return self.createIndex(row, 0, below[row].id)

    def parent(self, index: Index = _NO_PARENT) -> QModelIndex:  # type: ignore[override]
        """The line above."""
        above = self._node(index).above
        return QModelIndex() if above is None else self.index_of(above)

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """The number of lines that are there now."""
        return len(self._node(parent).below) if parent.column() <= 0 else 0

    def columnCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """One."""
        return 1

    def hasChildren(self, parent: Index = _NO_PARENT) -> bool:  # noqa: N802
        """True also where they have not been asked for yet."""
        node = self._node(parent)
        return bool(node.below) or node.total > 0

    def canFetchMore(self, parent: Index) -> bool:  # noqa: N802
        """True where there is more than has come, and nobody has asked."""
        node = self._node(parent)
        return node.id != TOP_ID and not node.below and node.total > 0 and not node.is_asked

    def fetchMore(self, parent: Index) -> None:  # noqa: N802
        """Asks for the first entries."""
        self.want(self._node(parent), 0)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """The text, tip, spoken text and node of a line."""
        if not index.isValid():
            return None
        node = self._node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return printable(node.name)
        if role == Qt.ItemDataRole.EditRole:
            return node.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return node.tip or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _spoken(node)
        return node if role == NODE_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Every line can be chosen; albums take photos."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self._node(index).section is Section.ALBUM:
            flags |= Qt.ItemFlag.ItemIsDropEnabled
        return flags

    def node(self, index: Index) -> Node:
        """The line at an index."""
        return self._node(index)

    def index_of(self, node: Node) -> QModelIndex:
        """The index of a line that is in the tree."""
        if node.above is None or node not in node.above.below:
            return QModelIndex()
        return self.createIndex(node.above.below.index(node), 0, node.id)

    def all_nodes(self) -> list[Node]:
        """Every line that is known."""
        return list(self._nodes.values())

    def number(self, node: Node) -> Node:
        """The same line, known by a number from now on."""
        self._last_id += 1
        node.id = self._last_id
        self._nodes[node.id] = node
        return node

    def want(self, node: Node, offset: int) -> None:
        """Asks for entries of a line, unless that is under way."""
        if not node.is_asked:
            node.is_asked = True
            self.wanted.emit(node, offset)

    def tell(self, node: Node) -> None:
        """What is said of a line is another."""
        index = self.index_of(node)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def _node(self, index: Index) -> Node:
        return self._nodes.get(index.internalId(), self.top) if index.isValid() else self.top

    def put(self, above: Node, found: Sequence[Node]) -> None:
        """Lets ``found`` be the lines below ``above``; those that were there stay the same."""
        wanted = {node.key for node in found}
        below = above.below
        for place in range(len(below) - 1, -1, -1):
            if below[place].key not in wanted:
                self._remove(above, place)
        place = 0
        while place < len(found):
            if place < len(below) and below[place].key == found[place].key:
                self._update(below[place], found[place])
                place += 1
                continue
            known = {node.key for node in below[place:]}
            if found[place].key in known:  # it has moved
                was = next(n for n in range(place, len(below)) if below[n].key == found[place].key)
                self._remove(above, was)
                known.remove(found[place].key)
            end = place + 1
            while end < len(found) and found[end].key not in known:
                end += 1
            self._insert(above, place, found[place:end])
            place = end

    def _insert(self, above: Node, place: int, nodes: Sequence[Node]) -> None:
        parent = self.index_of(above)
        if parent.isValid():
            self.beginInsertRows(parent, place, place + len(nodes) - 1)
        for node in nodes:
            self.number(node)
        above.below[place:place] = nodes
        if parent.isValid():
            self.endInsertRows()

    def _remove(self, above: Node, place: int) -> None:
        parent = self.index_of(above)
        if parent.isValid():
            self.beginRemoveRows(parent, place, place)
        node = above.below.pop(place)
        for gone in (node, *_all_below(node)):
            self._nodes.pop(gone.id, None)
        if parent.isValid():
            self.endRemoveRows()

    def _update(self, node: Node, new: Node) -> None:
        """Takes over what is said of a line; what lies below it stays."""
        before = (node.name, node.query, node.count, node.tip, node.is_offline, node.total > 0)
        node.name, node.query, node.terms, node.sort = new.name, new.query, new.terms, new.sort
        node.left = new.left
        node.count, node.tip, node.value, node.total = new.count, new.tip, new.value, new.total
        if not node.total and node.below:
            self.put(node, ())
        after = (node.name, node.query, node.count, node.tip, node.is_offline, node.total > 0)
        if before != after:
            self.tell(node)


def _spoken(node: Node) -> str:
    number = "" if node.count is None else f", {count_media(node.count)}"
    away = tr(", on a disk that is not connected") if node.is_offline else ""
    return f"{printable(node.name)}{number}{away}"


def _all_below(node: Node) -> Iterator[Node]:
    waiting = list(node.below)
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.below
