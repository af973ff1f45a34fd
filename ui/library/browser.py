"""What the grid shows: a query's answers, or everything, newest first."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject, QTimer, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    GetRows,
    Hits,
    Keys,
    ListNewest,
    Rows,
    RowsChanged,
    Search,
    Similar,
)
from cocadesk.protocol.values import Priority
from ui.engine.link import EngineLink, Ticket
from ui.kit.texts import count
from ui.library.results_model import ResultsModel

RESULTS_LIMIT = 500
STRETCH = 5000
REFRESH_MS = 1200


class Showing(Enum):
    NOTHING_YET = 0
    NEWEST = 1
    SEARCH = 2
    SIMILAR = 3


class Browser(QObject):
    """Asks for keys and rows and fills the model; late answers are dropped.

    ``settled`` is emitted whenever the list is what was asked for last, or
    ``problem`` says why there is none.
    """

    settled = Signal()

    def __init__(self, link: EngineLink, model: ResultsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._model = model
        self._ticket: Ticket | None = None
        self._growing: list[str] = []
        self._query = ""
        self._like = ""
        self._complete = True
        self._wanted = Showing.NEWEST
        self.showing = Showing.NOTHING_YET
        self.total = 0
        self.problem: UserError | None = None
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self.ask_again)
        model.rows_wanted.connect(self._ask_rows)

    @property
    def query(self) -> str:
        return self._query

    @property
    def is_filtered(self) -> bool:
        """Whether less than everything is shown or asked for."""
        return self._wanted is not Showing.NEWEST

    def search(self, text: str) -> None:
        """Shows what fits the words; nothing but blanks shows everything."""
        self._query = text.strip()
        self._wanted = Showing.SEARCH if self._query else Showing.NEWEST
        self.ask_again()

    def similar(self, key: str, name: str) -> None:
        """Shows what looks like this medium."""
        self._query, self._like = name, key
        self._wanted = Showing.SIMILAR
        self.ask_again()

    def ask_again(self) -> None:
        """Asks for what is wanted; the old list stays until the answer comes."""
        self._refresh.stop()
        if self._ticket is not None:
            self._ticket.cancel()
        if self._wanted is Showing.SEARCH:
            self._ticket = self._link.ask(
                Search(text=self._query, limit=RESULTS_LIMIT),
                Hits,
                self._on_hits,
                on_failed=self._on_failed,
            )
        elif self._wanted is Showing.SIMILAR:
            self._ticket = self._link.ask(
                Similar(key=self._like, limit=RESULTS_LIMIT),
                Hits,
                self._on_hits,
                on_failed=self._on_failed,
            )
        else:
            self._growing = []
            self._ask_stretch()

    def on_rows_changed(self, event: RowsChanged) -> None:
        """Rows came or changed: shown rows anew, and the list a little later."""
        self._model.refresh_rows(event.keys)
        if not self._refresh.isActive():
            self._refresh.start()

    def headline(self) -> str:
        """One line on what is shown."""
        number = self._model.rowCount()
        if self.showing is Showing.NEWEST:
            noun = "photos and videos" if self.total > 1 else "photo or video"
            return f"{self.total:,} {noun}, newest first" if self.total else ""
        if self.showing is Showing.SEARCH:
            if not number:
                return f"Nothing found for “{self._query}”"
            if self._complete:
                return f"{count(number, 'result')} for “{self._query}”, best match first"
            return f"The {number:,} best matches for “{self._query}”"
        if self.showing is Showing.SIMILAR:
            return f"Looks like {self._query}, most alike first"
        return ""

    def _ask_stretch(self) -> None:
        self._ticket = self._link.ask(
            ListNewest(offset=len(self._growing), limit=STRETCH),
            Keys,
            self._on_keys,
            on_failed=self._on_failed,
        )

    def _on_keys(self, answer: Keys) -> None:
        self._growing += answer.keys
        if answer.keys and len(self._growing) < answer.total:
            self._ask_stretch()
            return
        self.problem = None
        self.total = answer.total
        keys = list(dict.fromkeys(self._growing))
        is_same_list = self.showing is Showing.NEWEST
        self.showing = Showing.NEWEST
        if not (is_same_list and self._model.grow_to(keys)):
            self._model.show_keys(keys)
        self.settled.emit()

    def _on_hits(self, answer: Hits) -> None:
        self.problem = None
        self.showing = self._wanted
        self._complete = answer.complete
        self._model.show_keys([hit.key for hit in answer.hits], answer.hits)
        self.settled.emit()

    def _on_failed(self, error: UserError) -> None:
        self.problem = error
        self.settled.emit()

    def _ask_rows(self, keys: object) -> None:
        assert isinstance(keys, tuple)
        self._link.ask(GetRows(keys=keys), Rows, self._on_rows, priority=Priority.VISIBLE)

    def _on_rows(self, answer: Rows) -> None:
        self._model.set_rows(answer.rows)
