"""Questions for the grid: a query's answers, or everything, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

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
)
from cocadesk.protocol.values import (
    Days,
    GroupLabel,
    JobKind,
    JobState,
    JobValue,
    MediaKind,
    Priority,
    SortKey,
)
from ui.engine.link import EngineLink, Ticket
from ui.kit.timers import single_shot
from ui.library.alike.kin import kin_of, within
from ui.library.folding import Fold
from ui.library.grouping import GroupMarks, GroupOpener
from ui.library.key_list import KeyList
from ui.library.listing import Listing
from ui.library.query import EVERYTHING, Query, Showing
from ui.library.results_model import ResultsModel, with_more
from ui.library.sorting import Sorting
from ui.library.steady_order import in_shown_order
from ui.library.stretches import GrowingList

RESULTS_LIMIT = 500
STRETCH = 5000
REFRESH_MS = 1200
REST = 4
"""A long list is not asked for again before so many times as it took have passed."""
FIRST_MS = 100
"""As long as nothing is shown, the first media are waited for."""
CHANGES_ROWS = frozenset(JobKind) - {JobKind.WRITE, JobKind.TEACH}


_LISTED = (Showing.NEWEST, Showing.FILTERED, Showing.ALBUM)
"""The kinds of list that hold all that there is, however much."""


class Browser(QObject):
    """Asks for keys and rows and fills the model; late answers are dropped.

    ``asked`` comes with each other question, before it is asked. ``settled`` is emitted
    whenever the list is what was asked for last, or its ``problem`` says why there is none.
    While it ``waits``, e.g. for words that are being typed, the list stays as it is.
    ``reported`` carries an error that leaves the list as it is; ``renamed`` the old and the new
    term of a filter whose value has another name now.
    """

    asked = Signal(object)
    settled = Signal()
    reported = Signal(object)
    renamed = Signal(str, str)

    def __init__(self, link: EngineLink, model: ResultsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._model = model
        self._ticket: Ticket | None = None
        self._growing: GrowingList | None = None
        self._took_s = 0.0
        self._is_steady = False
        self._collapse: GroupLabel | None = None
        self._opener = GroupOpener(
            link, model.groups, lambda key: model.position_of(key) is not None, self
        )
        self._opener.spliced.connect(model.splice)
        self._opener.failed.connect(self.reported)
        self._asked = EVERYTHING.sorted()
        self._answered: Query | None = None
        self._listing = Listing()
        self.fold = Fold(self.ask_again)
        self._refresh = single_shot(self, self._ask_when_whole, REFRESH_MS)
        self.waits: Callable[[], bool] = lambda: False
        self._rows = RowFetcher(link, model, self)
        link.connected.connect(model.forget_questions)
        link.connected.connect(self.ask_again)
        link.event_received.connect(self._on_event)

    @property
    def question(self) -> Query:
        """The question that was asked last."""
        return self._asked

    @property
    def query(self) -> str:
        """That question in the engine's grammar, or the name of the photo to be like."""
        return self._asked.title

    @property
    def listing(self) -> Listing:
        """The list as it is now."""
        return replace(
            self._listing,
            shown=self._model.rowCount(),
            hidden=self._model.groups.hidden,
            is_judged=self.fold.is_judged,
            believed=self.fold.believed,
            rest=self.fold.rest,
            is_open=self.fold.is_open,
            is_filtered=not self._asked.is_everything,
            is_settled=self.is_settled,
        )

    @property
    def is_settled(self) -> bool:
        """True where the list is the whole answer to what was asked last."""
        is_whole = self._growing is None or self._growing.is_whole
        return is_whole and self._asked == self._answered and not self._refresh.isActive()

    def ask(self, query: Query) -> None:
        """Shows what a question asks for, in its order, else in the one of such lists."""
        query = query.sorted()
        if query != self._asked:
            self._took_s = 0.0
            self.asked.emit(query)
        self._ask(query)

    def search(self, text: str) -> None:
        """Shows what fits the text; nothing but blanks shows everything."""
        self.ask(Query(text=text.strip()))

    def group(self, key: str, name: str, label: GroupLabel = GroupLabel.BURST) -> None:
        """Shows a medium and those of its group that are linked so closely, the best first."""
        self.ask(Query(group=key, name=name, label=label))

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

    def recall(self, answer: Keys | Hits) -> None:
        """Shows an answer of before to what is asked, until the engine gives its own."""
        if isinstance(answer, Hits):
            self._on_hits(answer)
            return
        growing = GrowingList()
        growing.add(answer)
        self._model.groups.set_copies(growing.copies, keeps_open=False)
        self._model.show_keys(growing.keys, days=growing.days)
        self._settle(total=answer.total)

    def ask_again(self) -> None:
        """Asks the same question; the old list stays until the answer comes."""
        self._ask(self._asked)

    def on_job_ended(self, job: JobValue) -> None:
        """A job that changes rows may have changed the answer as well."""
        if job.kind in CHANGES_ROWS and job.state is JobState.DONE:
            self.ask_again()
        if job.kind is JobKind.SWITCH_MODEL:
            self._model.refresh_rows(())

    def _ask(self, query: Query, *, is_steady: bool = False) -> None:
        """Asks; where it ``is_steady``, what a search shows already keeps its order."""
        self._refresh.stop()
        self._asked = query
        self._is_steady = is_steady
        if query.showing is not Showing.SEARCH:
            self.fold.let_go()
        if self._ticket is not None:
            self._ticket.cancel()
        self._growing = None
        if query.showing in _LISTED:
            self._growing = GrowingList()
            self._ask_stretch(self._growing)
        elif query.showing is Showing.CHOSEN:
            self._growing = GrowingList()
            self._on_keys(Keys(keys=query.keys, total=len(query.keys)))
        elif query.showing is Showing.GROUP:
            self._ticket = self._link.ask(
                GetGroup(key=query.group), Groups, self._on_group, on_failed=self._on_failed
            )
        else:
            folds = not (self.fold.is_open and query == self._answered)
            body = _request(query, self._collapse, folds=folds)
            self._ticket = self._link.ask(body, Hits, self._on_hits, on_failed=self._on_failed)

    def _on_event(self, body: object) -> None:
        """Rows came or changed: shown rows are asked for again, the list a little later."""
        if isinstance(body, RowsChanged):
            self._model.refresh_rows(body.keys)
        is_other = _is_other(body, self._asked, self._model.position_of) or (
            isinstance(body, GroupsChanged)
            and (self._collapse is not None or self._asked.showing is Showing.GROUP)
        )
        if is_other and not self._refresh.isActive():
            usual_ms = max(REFRESH_MS, round(1000 * REST * self._took_s))
            self._refresh.start(usual_ms if self._model.keys else FIRST_MS)

    def _ask_when_whole(self) -> None:
        """A long list that is still coming would never be whole if it began anew each time.

        Stars and tags given in a search, and captions that came meanwhile, give its photos
        other ranks: they stay where a person sees them until something else is asked.
        """
        if self.waits() or (self._growing is not None and not self._growing.is_whole):
            self._refresh.start(REFRESH_MS)
        else:
            self._ask(self._asked, is_steady=True)

    def _ask_stretch(self, growing: GrowingList) -> None:
        """An album shows all that a person put into it."""
        query = self._asked
        collapse = self._collapse if query.showing is not Showing.ALBUM else None
        sort = query.sorted().sort or Sorting()
        # The newest first is what lists have by themselves, which the engine remembers longest.
        is_usual = sort == Sorting(SortKey.TAKEN) and query.showing is not Showing.ALBUM
        self._ticket = self._link.ask(
            ListNewest(
                offset=growing.offset,
                limit=STRETCH,
                filter=query.whole,
                collapse=collapse,
                with_layout=True,
                sort=SortKey.RELEVANCE if is_usual else sort.key,
                is_reversed=sort.is_reversed,
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
        else:
            self._took_s = time.monotonic() - growing.begun_s
        if growing.shown or self._asked != self._answered:
            self._show_part(growing)
        elif growing.is_whole:
            keys = self._arrange(growing.keys, growing.copies)
            days = _with_opened(growing.days, keys, self._model.groups)
            if not (self._asked.is_everything and self._model.grow_to(keys, days)):
                self._model.show_keys(keys, keeps_place=True, days=days)
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
        if growing.is_whole:
            self._growing = None  # the model has a copy
        if is_first or growing.is_whole:
            self._settle(total=growing.total)

    def _on_hits(self, answer: Hits) -> None:
        is_again = self._asked == self._answered
        answer = self.fold.take(answer, is_again=is_again)
        if is_again and self._is_steady:
            answer = in_shown_order(answer, self._model.position_of)
        copies = {hit.key: hit.copies for hit in answer.hits}
        keys = self._arrange(KeyList(copies, answer.shapes), copies)
        days = _with_opened(answer.days, keys, self._model.groups)
        self._model.show_keys(keys, answer.hits, keeps_place=is_again, days=days)
        self._settle(answer)

    def _on_group(self, answer: Groups) -> None:
        keys: list[str] = []
        has_videos = False
        for group in answer.groups[:1]:
            key, label = self._asked.group, self._asked.label
            wanted = {key, *within(kin_of(group, key), label)}
            rows = [member.row for member in group.members]
            keys = [row.key for row in rows if row.key in wanted]
            has_videos = any(row.kind is MediaKind.VIDEO for row in rows if row.key in wanted)
            self._model.set_rows(rows)
        self._arrange(KeyList(), {})
        self._model.show_keys(keys, keeps_place=self._asked == self._answered)
        self._settle(total=len(keys), has_videos=has_videos)

    def _arrange(self, keys: KeyList, copies: Mapping[str, int]) -> KeyList:
        """The answer with the members of open groups in it."""
        marks = self._model.groups
        marks.set_copies(copies, keeps_open=self._asked == self._answered)
        return keys.arranged(marks.opened) if marks.opened else keys

    def _settle(
        self, found: Hits | None = None, *, total: int = 0, has_videos: bool = False
    ) -> None:
        """The list is here: the hits that were ``found``, or one of so many media."""
        query = self._answered = self._asked
        self._listing = Listing(
            showing=query.showing,
            query=query.text or ("" if query.examples else query.title),
            likeness=query.likeness,
            order=_order_words(query.sort),
            total=total,
            is_complete=found is None or found.complete,
            is_ranked=found is None or any(hit.score for hit in found.hits),
            has_videos=has_videos
            or (found is not None and any(hit.kind is MediaKind.VIDEO for hit in found.hits)),
            note="" if found is None else found.note,
            read_as=() if found is None else found.read_as,
        )
        self.settled.emit()

    def _on_failed(self, error: UserError) -> None:
        self._growing = None  # it never becomes whole: the next refresh begins anew
        self._listing = replace(self._listing, problem=error)
        self.settled.emit()


class RowFetcher(QObject):
    """Asks for the rows that a list paints."""

    def __init__(self, link: EngineLink, model: ResultsModel, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._model = model
        model.rows_wanted.connect(self._ask)

    def _ask(self, keys: tuple[str, ...]) -> None:
        self._link.ask(GetRows(keys=keys), Rows, self._on_rows, priority=Priority.VISIBLE)

    def _on_rows(self, answer: Rows) -> None:
        self._model.set_rows(answer.rows)


def _request(query: Query, collapse: GroupLabel | None, *, folds: bool) -> Search:
    """The request for the best matches of a question; it ``folds`` what is not believed."""
    sort = query.sort or Sorting()
    return Search(
        text=query.sought,
        limit=RESULTS_LIMIT,
        filter=query.filter,
        collapse=collapse,
        sort=sort.key,
        is_reversed=sort.is_reversed,
        like=tuple(example.key for example in query.likes if example.key),
        unlike=tuple(example.key for example in query.unlikes if example.key),
        as_words=query.as_words,
        folds=folds,
    )


def _is_other(body: object, query: Query, place_of: Callable[[str], int | None]) -> bool:
    """True where the list of a question may be another after an event.

    Photos are described as one looks at them: nothing moves in a list or goes from it by that.
    A list of what has no caption would lose its first photo, then the next one, and so on.
    """
    if not isinstance(body, RowsChanged):
        return False
    if not (body.only_suggestions and body.keys):
        return True
    return query.reads_suggestions and any(place_of(key) is None for key in body.keys)


def _order_words(sort: Sorting | None) -> str:
    """The order in words; nothing where it is the list's own."""
    return "" if sort is None or sort == Sorting() else sort.words


def _with_opened(days: Days | None, keys: KeyList, marks: GroupMarks) -> Days | None:
    """The days of a list in which open groups stand behind their heads."""
    for head, others in marks.opened.items():
        place = keys.place_of(head)
        days = days if place is None else with_more(days, place, len(others))
    return days
