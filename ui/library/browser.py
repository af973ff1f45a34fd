"""Questions for the grid: a query's answers, or everything, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    GetGroup,
    GetRows,
    Groups,
    GroupsChanged,
    Hits,
    Keys,
    ListNewest,
    Rows,
    RowsChanged,
    Search,
    Similar,
    album_name,
)
from cocadesk.protocol.values import GroupLabel, JobKind, JobState, JobValue, Priority
from ui.engine.link import EngineLink, Ticket
from ui.kit.timers import single_shot
from ui.library.alike.kin import kin_of, within
from ui.library.grouping import GroupOpener
from ui.library.key_list import KeyList
from ui.library.listing import Listing, Showing
from ui.library.results_model import ResultsModel
from ui.library.stretches import GrowingList

RESULTS_LIMIT = 500
STRETCH = 5000
REFRESH_MS = 1200
CHANGES_ROWS = frozenset(JobKind) - {JobKind.WRITE, JobKind.TEACH}


@dataclass(frozen=True, slots=True)
class _Question:
    kind: Showing
    text: str = ""
    key: str = ""
    label: GroupLabel = GroupLabel.BURST


class Browser(QObject):
    """Asks for keys and rows and fills the model; late answers are dropped.

    ``settled`` is emitted whenever the list is what was asked for last, or its
    ``problem`` says why there is none.
    """

    settled = Signal()

    def __init__(self, link: EngineLink, model: ResultsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._model = model
        self._ticket: Ticket | None = None
        self._growing: GrowingList | None = None
        self._collapse: GroupLabel | None = None
        self._opener = GroupOpener(
            link, model.groups, lambda key: model.position_of(key) is not None, self
        )
        self._opener.spliced.connect(model.splice)
        self._opener.failed.connect(self._on_failed)
        self._asked = _Question(Showing.NEWEST)
        self._answered: _Question | None = None
        self._listing = Listing()
        self._refresh = single_shot(self, self._ask_when_whole, REFRESH_MS)
        model.rows_wanted.connect(self._ask_rows)
        link.connected.connect(self._on_connected)
        link.event_received.connect(self._on_event)

    @property
    def query(self) -> str:
        """The text that was searched for last, or the name of the photo to be like."""
        return self._asked.text

    @property
    def listing(self) -> Listing:
        """The list as it is now."""
        return replace(
            self._listing,
            shown=self._model.rowCount(),
            hidden=self._model.groups.hidden,
            is_filtered=self._asked.kind is not Showing.NEWEST,
        )

    def search(self, text: str) -> None:
        """Shows what fits the text; nothing but blanks shows everything."""
        query = text.strip()
        found = Showing.ALBUM if album_name(query) else Showing.SEARCH
        self._ask(_Question(found if query else Showing.NEWEST, query))

    def similar(self, key: str, name: str) -> None:
        """Shows what looks like this medium."""
        self._ask(_Question(Showing.SIMILAR, name, key))

    def group(self, key: str, name: str, label: GroupLabel = GroupLabel.BURST) -> None:
        """Shows a medium and those of its group that are linked so closely, the best first."""
        self._ask(_Question(Showing.GROUP, name, key, label))

    @property
    def collapse(self) -> GroupLabel | None:
        """The loosest link of those for which one medium stands; None where each is shown."""
        return self._collapse

    @collapse.setter
    def collapse(self, label: GroupLabel | None) -> None:
        if label is not self._collapse:
            self._collapse = label
            self.ask_again()

    def toggle_group(self, key: str) -> bool:
        """Opens or closes the group for which one stands; False where it has none here."""
        return self._collapse is not None and self._opener.toggle(key, self._collapse)

    def ask_again(self) -> None:
        """Asks the same question; the old list stays until the answer comes."""
        self._ask(self._asked)

    def on_job_ended(self, job: JobValue) -> None:
        """A job that changes rows may have changed the answer as well."""
        if job.kind in CHANGES_ROWS and job.state is JobState.DONE:
            self.ask_again()
        if job.kind is JobKind.SWITCH_MODEL:
            self._model.refresh_rows(())

    def _ask(self, question: _Question) -> None:
        self._refresh.stop()
        self._asked = question
        if self._ticket is not None:
            self._ticket.cancel()
        if question.kind in (Showing.NEWEST, Showing.ALBUM):
            self._growing = GrowingList()
            self._ask_stretch(self._growing)
            return
        self._growing = None
        if question.kind is Showing.GROUP:
            self._ticket = self._link.ask(
                GetGroup(key=question.key), Groups, self._on_group, on_failed=self._on_failed
            )
            return
        limit, collapse = RESULTS_LIMIT, self._collapse
        body = (
            Search(text=question.text, limit=limit, collapse=collapse)
            if question.kind is Showing.SEARCH
            else Similar(key=question.key, limit=limit, collapse=collapse)
        )
        self._ticket = self._link.ask(body, Hits, self._on_hits, on_failed=self._on_failed)

    def _on_connected(self) -> None:
        self._model.forget_questions()
        self.ask_again()

    def _on_event(self, body: object) -> None:
        """Rows came or changed: shown rows are asked for again, the list a little later."""
        if isinstance(body, RowsChanged):
            self._model.refresh_rows(body.keys)
        is_other = isinstance(body, RowsChanged) or (
            isinstance(body, GroupsChanged)
            and (self._collapse is not None or self._asked.kind is Showing.GROUP)
        )
        if is_other and not self._refresh.isActive():
            self._refresh.start()

    def _ask_when_whole(self) -> None:
        """A long list that is still coming would never be whole if it began anew each time."""
        if self._growing is not None and not self._growing.is_whole:
            self._refresh.start()
        else:
            self.ask_again()

    def _ask_stretch(self, growing: GrowingList) -> None:
        """An album shows all that a person put into it."""
        collapse = self._collapse if self._asked.kind is Showing.NEWEST else None
        self._ticket = self._link.ask(
            ListNewest(
                offset=growing.offset,
                limit=STRETCH,
                filter=self._asked.text,
                collapse=collapse,
                with_layout=True,
            ),
            Keys,
            self._on_keys,
            on_failed=self._on_failed,
        )

    def _on_keys(self, answer: Keys) -> None:
        growing = self._growing
        if growing is None:
            return
        growing.add(answer)
        if not growing.is_whole:
            self._ask_stretch(growing)
        if growing.shown or self._asked != self._answered:
            self._show_part(growing)
        elif growing.is_whole:
            keys = self._arrange(growing.keys, growing.copies)
            is_newest = self._listing.showing is self._asked.kind is Showing.NEWEST
            if not (is_newest and self._model.grow_to(keys, growing.days)):
                self._model.show_keys(keys, keeps_place=True, days=growing.days)
            self._settle(total=growing.total)

    def _show_part(self, growing: GrowingList) -> None:
        """Of another list the first media are seen at once, the others as they come."""
        is_first = not growing.shown
        due = growing.due()
        if due is not None:
            part = growing.keys.part(*due)
            self._model.groups.set_copies(growing.copies, keeps_open=not is_first)
            if is_first:
                self._model.show_keys(part, days=growing.days)
            else:
                self._model.append(part)
        if is_first or growing.is_whole:
            self._settle(total=growing.total)

    def _on_hits(self, answer: Hits) -> None:
        copies = {hit.key: hit.copies for hit in answer.hits}
        keys = self._arrange(KeyList(copies, answer.shapes), copies)
        is_again = self._asked == self._answered
        self._model.show_keys(keys, answer.hits, keeps_place=is_again, days=answer.days)
        is_ranked = any(hit.score for hit in answer.hits)
        self._settle(is_complete=answer.complete, is_ranked=is_ranked)

    def _on_group(self, answer: Groups) -> None:
        keys: list[str] = []
        for group in answer.groups[:1]:
            wanted = {self._asked.key, *within(kin_of(group, self._asked.key), self._asked.label)}
            keys = [m.row.key for m in group.members if m.row.key in wanted]
            self._model.set_rows(member.row for member in group.members)
        self._arrange(KeyList(), {})
        self._model.show_keys(keys, keeps_place=self._asked == self._answered)
        self._settle(total=len(keys))

    def _arrange(self, keys: KeyList, copies: Mapping[str, int]) -> KeyList:
        """The answer with the members of open groups in it."""
        marks = self._model.groups
        marks.set_copies(copies, keeps_open=self._asked == self._answered)
        return keys.arranged(marks.opened) if marks.opened else keys

    def _settle(self, *, total: int = 0, is_complete: bool = True, is_ranked: bool = True) -> None:
        self._answered = self._asked
        self._listing = Listing(
            showing=self._asked.kind,
            query=self._asked.text,
            total=total,
            is_complete=is_complete,
            is_ranked=is_ranked,
        )
        self.settled.emit()

    def _on_failed(self, error: UserError) -> None:
        self._listing = replace(self._listing, problem=error)
        self.settled.emit()

    def _ask_rows(self, keys: tuple[str, ...]) -> None:
        self._link.ask(GetRows(keys=keys), Rows, self._on_rows, priority=Priority.VISIBLE)

    def _on_rows(self, answer: Rows) -> None:
        self._model.set_rows(answer.rows)
