"""Rows and pictures of the photos of a review, asked for before they are wanted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

from cocadesk.protocol.messages import GetPreview, GetRows, Preview, Rows, RowsChanged
from cocadesk.protocol.values import Row
from ui.annotations.editor import AnnotationEditor
from ui.detail.large.neighbours import Neighbours
from ui.engine.link import EngineLink
from ui.kit.image_loader import ImageLoader
from ui.library.results_model import ResultsModel

ROWS_AFTER, ROWS_BEFORE = 12, 4
PICTURES_AFTER, PICTURES_BEFORE = 3, 1
ROWS_KEPT = 200


class ReviewAhead(QObject):
    """What is known of the photos near the current one.

    ``row_came`` and ``picture_came`` carry the key of one of which more is known than before.
    Rows are as the editor will leave them, also while the engine has not answered yet.
    """

    row_came = Signal(str)
    full_came = Signal(object)
    picture_came = Signal(str)

    def __init__(
        self,
        link: EngineLink,
        model: ResultsModel,
        editor: AnnotationEditor,
        thumbnails: ImageLoader,
        previews: ImageLoader,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._model = model
        self._editor = editor
        self._thumbnails = thumbnails
        self._neighbours = Neighbours(link, previews, self)
        self._rows: OrderedDict[str, Row] = OrderedDict()
        self._stale: set[str] = set()
        self._asked: dict[str, int] = {}  # by key, the last question about it
        self._questions = 0
        self._near: list[str] = []
        thumbnails.arrived.connect(self._on_picture)
        previews.arrived.connect(self._on_picture)
        editor.shown.connect(self._on_shown)
        editor.settled.connect(self._on_settled)
        link.event_received.connect(self._on_event)
        link.connected.connect(self._on_connected)

    def want(self, near: Sequence[str], pictures: Sequence[str]) -> None:
        """These are near now, the current one first; ``pictures`` are wanted large."""
        self._near = list(near)
        self._ask_rows()
        self._neighbours.want(pictures)

    def let_go(self) -> None:
        """Forgets all; nothing is asked for any more."""
        self._near = []
        self._neighbours.want(())
        self._rows.clear()
        self._stale.clear()
        self._asked.clear()

    def row(self, key: str) -> Row | None:
        """The row as it will be, where it has come."""
        return self._rows.get(key)

    def picture(self, key: str) -> QPixmap | None:
        """The large picture, else the small one, else None."""
        large = self._neighbours.picture(key)
        if large is not None and not large.isNull():
            return large
        row = self._rows.get(key)
        if row is None or row.thumbnail is None:
            return None
        small = self._thumbnails.pixmap(key, row.thumbnail.to_str())
        return None if small is None or small.isNull() else small

    def ask_full(self, key: str) -> None:
        """``full_came`` follows, with the file that has every pixel, where there can be one."""
        self._link.ask(GetPreview(key=key, is_full=True), Preview, self.full_came.emit)

    def _ask_rows(self) -> None:
        wanted = tuple(
            key
            for key in self._near
            if (key not in self._rows or key in self._stale) and key not in self._asked
        )
        if wanted:
            self._questions += 1
            self._asked.update(dict.fromkeys(wanted, self._questions))
            self._link.ask(GetRows(keys=wanted), Rows, partial(self._on_rows, self._questions))

    def _on_rows(self, question: int, answer: Rows) -> None:
        # Of those edited since they were asked for, this tells how they were.
        rows = [row for row in answer.rows if self._asked.get(row.key) == question]
        self._model.set_rows(rows)  # where the editor looks them up
        for row in rows:
            del self._asked[row.key]
            self._stale.discard(row.key)
            self._keep(row)

    def _keep(self, row: Row) -> None:
        self._rows[row.key] = row
        self._rows.move_to_end(row.key)
        while len(self._rows) > ROWS_KEPT:
            self._rows.popitem(last=False)
        self.row_came.emit(row.key)

    def _on_shown(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.key in self._rows:
                self._asked.pop(row.key, None)
                self._keep(row)

    def _on_settled(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._asked.pop(key, None)
        self._stale.update(key for key in keys if key in self._rows)
        self._ask_rows()

    def _on_event(self, body: object) -> None:
        """Somebody else, or a job, may have changed these; the editor tells of its own edits."""
        if not isinstance(body, RowsChanged) or not self._near:
            return
        self._neighbours.forget(body.keys)
        if self._editor.is_settled():
            self._on_settled(body.keys or tuple(self._rows))

    def _on_connected(self) -> None:
        self._asked.clear()
        self._ask_rows()

    def _on_picture(self, name: object) -> None:
        """A picture was read, by its path or its key: that of the current photo, perhaps."""
        if self._near:
            self.picture_came.emit(self._near[0])
