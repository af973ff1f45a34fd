"""The list of results: keys for all, rows only for what has been on screen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
    Signal,
)

from cocadesk.protocol.messages import Description
from cocadesk.protocol.shapes import UNKNOWN_SHAPE, shape_of
from cocadesk.protocol.values import Days, Hit, MediaKind, Row, changed
from ui.kit.plain_text import tip_of
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.library.found_by import found_words
from ui.library.grouping import GroupMarks
from ui.library.key_list import KeyList

KEY_ROLE = int(Qt.ItemDataRole.UserRole) + 1
ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 2
HIT_ROLE = int(Qt.ItemDataRole.UserRole) + 3
GROUP_ROLE = int(Qt.ItemDataRole.UserRole) + 4

MAX_ROWS = 5000
ASK_AT_ONCE = 200
SKETCHED_MS = 80
"""Rows of media whose pictures are seen already can wait: another letter may bring others."""

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class ResultsModel(QAbstractListModel):
    """Keys in order of relevance or date.

    ``data`` never blocks: a row that is not here yet is None and its key is
    collected; ``rows_wanted`` then asks for all of them at once. ``groups`` knows the
    cells that stand for several same pictures. ``days`` are those of a list in order of time;
    ``layout_changed``: they, or the shapes of media, are others than before.
    """

    rows_wanted = Signal(object)
    layout_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.keys = KeyList()
        self.days: Days | None = None
        self._hits: dict[str, Hit] = {}
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._missing: OrderedDict[str, None] = OrderedDict()
        self._asked: set[str] = set()
        self._stale: set[str] = set()
        self._pending: set[str] = set()
        self.keeps_place = False
        self.groups = GroupMarks()
        self._timer = single_shot(self, self._ask)

    # What views read ----------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:  # noqa: N802
        """The number of media; an entry has no entries of its own."""
        return 0 if parent.isValid() else len(self.keys)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """The part of an entry that a view shows; never blocks."""
        if not index.isValid() or index.row() >= len(self.keys):
            return None
        key = self.keys[index.row()]
        if role == KEY_ROLE:
            return key
        if role == HIT_ROLE:
            return self._hits.get(key)
        if role == GROUP_ROLE:
            return self.groups.mark(key)
        row = self.wanted_row(key)
        if role == ROW_ROLE or row is None:
            return row if role == ROW_ROLE else None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            found = found_words(self._hits.get(key))
            return tip_of(*filter(None, (row.caption, row.name, found)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            mark = self.groups.mark(key)
            found = found_words(self._hits.get(key))
            kind = tr("Video") if row.kind is MediaKind.VIDEO else tr("Photo")
            said = (row.caption or kind, row.name, found, "" if mark is None else mark.text)
            return ", ".join(filter(None, said))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Entries can be selected and dragged."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flag = Qt.ItemFlag
        return flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:  # noqa: N802
        """Dragged media are files."""
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:  # noqa: N802
        """The files themselves, to be dragged into other programs."""
        data = QMimeData()
        rows = (self._rows.get(self.keys[index.row()]) for index in indexes)
        data.setUrls([QUrl.fromLocalFile(row.path.to_str()) for row in rows if row is not None])
        return data

    # What the window asks -----------------------------------------------------------

    def all_keys(self) -> list[str]:
        """All keys in order."""
        return list(self.keys)

    def key_at(self, position: int) -> str | None:
        """The key at this position, or None."""
        return self.keys[position] if 0 <= position < len(self.keys) else None

    def position_of(self, key: str) -> int | None:
        """The position of a key, or None."""
        return self.keys.place_of(key)

    def known_row(self, key: str) -> Row | None:
        """The row if it is here; nothing is asked for."""
        return self._rows.get(key)

    def hit_of(self, key: str) -> Hit | None:
        """The hit that brought this medium into the list, or None."""
        return self._hits.get(key)

    def thumbnail_of(self, row: Row) -> str | None:
        """The picture that stands for it here: of a video that matched, its moment's."""
        hit = self._hits.get(row.key)
        is_moment = hit is not None and hit.time_s is not None and hit.thumbnail is not None
        path = hit.thumbnail if hit is not None and is_moment else row.thumbnail
        return None if path is None else path.to_str()

    # What the engine brings ---------------------------------------------------------

    def show_keys(
        self,
        keys: KeyList | Iterable[str],
        hits: Iterable[Hit] = (),
        *,
        keeps_place: bool = False,
        days: Days | None = None,
    ) -> None:
        """Another list: one reset, or nothing where it is the same list.

        ``keeps_place`` tells views that it is the same list as it is now: cursor,
        selection and scrolling stay at the same media.
        """
        new = keys if isinstance(keys, KeyList) else KeyList(keys)
        self.keeps_place = keeps_place
        self._hits = {hit.key: hit for hit in hits}
        if new == self.keys:
            if self.keys:  # the moments that matched may be others
                self.dataChanged.emit(self.index(0), self.index(len(self.keys) - 1))
            self.grow_to(new, days)
            return
        self._missing.clear()  # what is seen of this list is asked for as it is drawn
        self.beginResetModel()
        self.keys, self.days = new, days
        self.endResetModel()

    def grow_to(self, new: KeyList, days: Days | None = None) -> bool:
        """The same list with newcomers; selection and scrolling stay.

        False, with nothing done, where it is not the old list with additions.
        """
        runs = self.keys.insertions(new)
        if runs is None:
            return False
        if runs:
            self.days = days
        for position, number in runs:
            self.beginInsertRows(_NO_PARENT, position, position + number - 1)
            self.keys.insert_part(position, new.part(position, position + number))
            self.endInsertRows()
        if self.days != days or self.keys.shapes != new.shapes:
            self.days, self.keys.shapes = days, new.shapes
            self.layout_changed.emit()
        return True

    def append(self, part: KeyList) -> None:
        """More of a list whose first media are here already."""
        if part:
            count = len(self.keys)
            self.beginInsertRows(_NO_PARENT, count, count + len(part) - 1)
            self.keys.insert_part(count, part)
            self.endInsertRows()

    def splice(self, key: str, removed: int, added: Sequence[str]) -> None:
        """Behind this medium so many go and these come; selection and scrolling stay."""
        place = self.keys.place_of(key)
        if place is None:
            return
        start = place + 1
        self.days = with_more(self.days, place, len(added) - removed)
        if removed:
            self.beginRemoveRows(_NO_PARENT, start, start + removed - 1)
            self.keys.delete(start, removed)
            self.endRemoveRows()
        if added:
            self.beginInsertRows(_NO_PARENT, start, start + len(added) - 1)
            self.keys.insert(start, added)
            self.endInsertRows()
        self._announce(key)

    def set_pending(self, rows: Sequence[Row]) -> None:
        """Rows as an edit will leave them: what comes before ``settle`` may be older."""
        self._pending.difference_update(row.key for row in rows)
        self.set_rows(rows)
        self._pending.update(row.key for row in rows)

    def settle(self, keys: Sequence[str]) -> None:
        """The engine has taken all edits of these: their rows are asked for again."""
        self._pending.difference_update(keys)
        self.refresh_rows(keys)

    def set_rows(self, rows: Iterable[Row]) -> None:
        """Rows that were asked for have come."""
        has_shapes = False
        for row in rows:
            if row.key in self._pending:
                continue
            place = self.keys.known_place(row.key)
            if place is not None and self.keys.shapes[place] == UNKNOWN_SHAPE:
                self.keys.shapes[place] = shape_of(row.width, row.height)
                has_shapes = self.keys.shapes[place] != UNKNOWN_SHAPE or has_shapes
            self._asked.discard(row.key)
            self._stale.discard(row.key)
            self._rows[row.key] = row
            self._rows.move_to_end(row.key)
            self._announce(row.key)
        while len(self._rows) > MAX_ROWS:
            self._rows.popitem(last=False)
        if has_shapes:
            self.layout_changed.emit()

    def set_annotations(self, answer: Description) -> None:
        """Caption and tags of a row that is known; what else of it is to be asked for stays so."""
        row = self._rows.get(answer.key)
        if row is not None:
            self._rows[answer.key] = changed(
                row,
                caption=answer.caption,
                caption_by_person=answer.caption_by_person,
                tags=answer.tags,
            )
            self._announce(answer.key)

    def refresh_rows(self, keys: Sequence[str]) -> None:
        """These rows changed (none named: any may have); the old ones show until they come."""
        self._asked.clear()
        old = [key for key in keys or self._rows if key in self._rows]
        self._stale.update(old)
        if keys:
            for key in old:
                self._announce(key)
        elif self.keys:
            self.dataChanged.emit(self.index(0), self.index(len(self.keys) - 1))

    def forget_questions(self) -> None:
        """The engine is gone with what it was asked; ask again when painted."""
        self._asked.clear()
        if self.keys:
            self.dataChanged.emit(self.index(0), self.index(len(self.keys) - 1))

    def _announce(self, key: str) -> None:
        position = self.keys.known_place(key)
        if position is not None:
            index = self.index(position)
            self.dataChanged.emit(index, index)

    def wanted_row(self, key: str) -> Row | None:
        """The row if it is here; else, or where it is old, it is asked for.

        Until it comes, what was found of the medium stands for it: its picture is seen at once.
        """
        row = self._rows.get(key)
        sketch = _sketch_of(self._hits.get(key)) if row is None else None
        if (row is None or key in self._stale) and key not in self._asked:
            self._missing[key] = None
            after_ms = 0 if sketch is None else SKETCHED_MS
            if not self._timer.isActive() or self._timer.interval() > after_ms:
                self._timer.start(after_ms)
        return row or sketch

    def _ask(self) -> None:
        keys = list(self._missing)[-ASK_AT_ONCE:]
        self._missing.clear()
        self._asked.update(keys)
        if keys:
            self.rows_wanted.emit(tuple(keys))


def _sketch_of(hit: Hit | None) -> Row | None:
    """What is known of a medium by its hit, without words; None where its picture is not."""
    if hit is None or hit.thumbnail is None:
        return None
    folder, _, name = hit.path.text.replace("\\", "/").rpartition("/")
    return Row(
        key=hit.key,
        path=hit.path,
        name=name,
        folder=folder,
        kind=hit.kind,
        thumbnail=hit.thumbnail,
        parts=hit.parts,
    )


def with_more(days: Days | None, place: int, more: int) -> Days | None:
    """The days of a list after so many more media (or fewer) have come behind this place."""
    if days is None or not more:
        return days
    counts, begin = list(days.counts), 0
    for number, count in enumerate(counts):
        begin += count
        if place < begin:
            counts[number] += more
            break
    return changed(days, counts=tuple(counts))
