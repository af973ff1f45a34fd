"""The tags of several selected photos together, with how many have each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import GetRows, Rows
from cocadesk.protocol.values import Priority, Row, TagValue
from ui.engine.link import EngineLink, Ticket
from ui.kit.timers import single_shot
from ui.library.grid import Grid
from ui.library.results_model import ResultsModel

MAX_PHOTOS = 500
MAX_TAGS = 24
PAUSE_MS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTags:
    """The commonest first; a tag is human where it is so on every photo that has it.

    ``counts`` says on how many of the ``photos`` each tag is.
    """

    photos: int
    tags: tuple[TagValue, ...]
    counts: dict[str, int]


class SelectionTags(QObject):
    """Follows the selection; ``reported`` carries ``SharedTags``, or None for a single photo."""

    reported = Signal(object)

    def __init__(self, link: EngineLink, grid: Grid, model: ResultsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._grid = grid
        self._model = model
        self._ticket: Ticket | None = None
        self._pause = single_shot(self, self._count, PAUSE_MS)
        grid.selected.connect(self._on_selection)
        model.dataChanged.connect(self._on_rows)

    def _on_selection(self) -> None:
        if self._grid.selected_count() > 1:
            self._pause.start()
            return
        self._pause.stop()
        self._forget()
        self.reported.emit(None)

    def _on_rows(self) -> None:
        if self._grid.selected_count() > 1 and not self._pause.isActive():
            self._pause.start()

    def _count(self) -> None:
        """Counts the rows that are here, as they will be, and asks for the others."""
        keys = self._grid.selected_keys(MAX_PHOTOS)
        missing = tuple(key for key in keys if self._model.known_row(key) is None)
        self._forget()
        if missing:
            self._ticket = self._link.ask(
                GetRows(keys=missing), Rows, self._on_missing, priority=Priority.VISIBLE
            )
        rows = [self._model.known_row(key) for key in keys]
        if len(keys) > 1:
            self.reported.emit(shared_tags(row for row in rows if row is not None))

    def _on_missing(self, answer: Rows) -> None:
        self._model.set_rows(answer.rows)

    def _forget(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._ticket = None


def shared_tags(rows: Iterable[Row]) -> SharedTags:
    """The tags of these photos, the commonest first."""
    photos, counts, own = 0, Counter[str](), Counter[str]()
    for row in rows:
        photos += 1
        counts.update(tag.tag for tag in row.tags)
        own.update(tag.tag for tag in row.tags if tag.by_person)
    return SharedTags(
        photos=photos,
        tags=tuple(
            TagValue(tag=tag, by_person=own[tag] == number)
            for tag, number in counts.most_common(MAX_TAGS)
        ),
        counts=dict(counts),
    )
