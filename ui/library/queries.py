"""Search box, filters, order, the way to a list and the lists before it, kept in step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ParsedQuery, ParseQuery, ReadAs
from ui.engine.link import EngineLink, LinkState, Ticket
from ui.kit.actions import Actions, Slots
from ui.library.browser import Browser
from ui.library.completing import SearchHelp
from ui.library.filter_menu import FilterMenu
from ui.library.first_photo import FirstPhoto
from ui.library.hints import FilterHints
from ui.library.history import START, History, Place
from ui.library.mouse_buttons import MouseButtons
from ui.library.query import EVERYTHING, Query
from ui.library.query_parts import QueryParts
from ui.library.results_model import ResultsModel
from ui.library.sorting import Sorting
from ui.library.term_names import TermNames, parsed_query


class QueryCommands(QObject):
    """Turns what a person does into questions, and shows the question everywhere.

    ``changed`` tells that ``can_go_back`` or ``can_go_forward`` may be others.
    """

    changed = Signal()

    def __init__(
        self,
        link: EngineLink,
        browser: Browser,
        model: ResultsModel,
        names: TermNames,
        parts: QueryParts,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._browser = browser
        self._model = model
        self._names = names
        self._parts = parts
        self._history = History()
        self._is_typed = False
        self._restores: Query | None = None
        self._parsing: Ticket | None = None
        self.help = SearchHelp(link, browser, parts.search, self)
        self.hints = FilterHints(link, browser, self)
        self.menu = FilterMenu(link, parts.add_filter, parts.over, lambda: browser.question.filter)
        self.menu.chosen.connect(self.put_term)
        parts.filters.menu_for = self.menu.add_changes
        parts.filters.asked.connect(self.ask)
        parts.filters.cleared.connect(self.clear_filters)
        parts.crumbs.opened.connect(self.ask)
        parts.sort.chosen.connect(self.sort)
        parts.search.query_changed.connect(self.type)
        parts.search.committed.connect(self.commit)
        self.mouse = MouseButtons(self)
        browser.asked.connect(self._on_asked)
        browser.settled.connect(self._on_settled)
        self._first_photo = FirstPhoto(browser, parts.grid, self)
        browser.renamed.connect(self._history.rename_term)
        self._show(browser.question)

    def slots(self) -> Slots:
        """The slots of the actions about lists and filters."""
        return {
            Actions.GO_BACK: partial(self.step, -1),
            Actions.GO_FORWARD: partial(self.step, 1),
            Actions.ADD_FILTER: self.menu.open,
            Actions.TURN_ORDER: self.turn_order,
        }

    @property
    def can_go_back(self) -> bool:
        """True where there is a list before this one."""
        return self._history.can_go_back

    @property
    def can_go_forward(self) -> bool:
        """True where one has gone back before."""
        return self._history.can_go_forward

    # Questions ------------------------------------------------------------------------

    def ask(self, query: Query) -> None:
        """Shows the list of a question."""
        self._browser.ask(query)

    def show_all(self) -> None:
        """Everything, in the order that such lists have."""
        self.ask(EVERYTHING)

    def show_keys(self, keys: Sequence[str], name: str) -> None:
        """These media under a name, e.g. those that were chosen on a map."""
        self.ask(Query(keys=tuple(keys), name=name))

    def open(self, text: str, sort: Sorting | None = None) -> None:
        """Shows what a text in the engine's grammar asks for; its terms become filters."""

        def on_parsed(answer: ParsedQuery) -> None:
            self._names.learn(answer)
            self.ask(replace(parsed_query(answer, EVERYTHING), sort=sort))

        def on_failed(_error: UserError) -> None:
            self.ask(Query(text=text.strip(), sort=sort))  # the list says what is wrong

        if self._link.state is LinkState.CONNECTED:
            self._parse(text, on_parsed, on_failed)
        else:
            self.ask(Query(text=text.strip(), sort=sort))  # asked once there is an engine

    def type(self, text: str) -> None:
        """Shows what fits what is being typed, beside the filters; terms in it stay text."""
        before = self._browser.question
        if text == before.text and not before.name:
            return
        self._is_typed = True
        try:
            self.ask(before.with_text(text))
        finally:
            self._is_typed = False

    def commit(self) -> None:
        """The text is whole: the terms in it become filters."""
        text = self._parts.search.query()
        before = self._browser.question

        def on_parsed(answer: ParsedQuery) -> None:
            if answer.terms and self._parts.search.query() == text:
                self._names.learn(answer)
                self.ask(parsed_query(answer, replace(before, text="")))

        if ":" in text:
            self._parse(text, on_parsed, lambda _error: None)

    def has_text(self) -> bool:
        """True where a text is searched for beside filters or pictures."""
        query = self._browser.question
        return bool(query.text and (query.terms or query.examples))

    def clear_text(self) -> None:
        """Takes the text away; filters and pictures stay."""
        self.ask(self._browser.question.with_text(""))

    def forget(self) -> None:
        """Shows everything; no way leads back to what was asked before."""
        self.show_all()
        self._history.forget()
        self.changed.emit()

    def put_term(self, term: str, replaces: str = "") -> None:
        """Adds a filter, or puts it in the place of another."""
        query = self._browser.question
        if query.name:
            query = Query(terms=query.terms)
        self.ask(query.replaced_term(replaces, term) if replaces else query.with_term(term))

    def remove_term(self, term: str) -> None:
        """Takes a filter away."""
        self.ask(self._browser.question.without_term(term))

    def clear_filters(self) -> None:
        """Takes all filters and pictures away; the text stays."""
        self.ask(replace(self._browser.question, terms=(), examples=(), sort=None))

    def sort(self, sorting: Sorting) -> None:
        """Shows the same list in another order, which lists of its kind have from now on."""
        query = self._browser.question
        query.sorts.remember(sorting)
        self.ask(replace(query, sort=sorting))

    def turn_order(self) -> None:
        """Turns the order of the list round."""
        self.sort((self._browser.question.sort or Sorting()).turned)

    def step(self, by: int) -> None:
        """Back (-1) or forward (1) to another list, at the place where it was left."""
        self._keep_place()
        query = self._history.step(by)
        if query is not None:
            self._restores = query
            self.ask(query)
            self.changed.emit()

    def _parse(
        self,
        text: str,
        on_parsed: Callable[[ParsedQuery], None],
        on_failed: Callable[[UserError], None],
    ) -> None:
        if self._parsing is not None:
            self._parsing.cancel()
        self._parsing = self._link.ask(
            ParseQuery(text=text), ParsedQuery, on_parsed, on_failed=on_failed
        )

    # What follows -----------------------------------------------------------------------

    def _on_asked(self, query: Query) -> None:
        self._keep_place()
        is_step = self._restores == query
        if not is_step:
            self._history.visit(query, is_typed=self._is_typed)
            # Browsing comes back to where one was; what is searched for is read from its top.
            self._restores = None if query.text else query
        self._show(query)
        self.changed.emit()

    def _show(self, query: Query) -> None:
        parts = self._parts
        parts.search.show_query(query.text)
        parts.filters.show_query(query, read_in(query, self._browser.listing.read_as))
        parts.crumbs.show_query(query)
        parts.sort.show_query(query)

    def _keep_place(self) -> None:
        grid, query = self._parts.grid, self._browser.question
        if self._restores == query or not self._model.rowCount():
            return  # its place has not been gone back to yet
        top = grid.first_visible()
        is_begin = top is None or (top[0] == 0 and grid.currentIndex().row() <= 0)
        key = None if top is None else self._model.key_at(top[0])
        self._history.keep_place(
            query, START if is_begin else Place(current=grid.current_key(), top=key)
        )

    def _on_settled(self) -> None:
        query = self._browser.question
        self._parts.filters.show_query(query, read_in(query, self._browser.listing.read_as))
        if self._restores == query and self._model.rowCount():
            self._restore(self._history.place_in(query))

    def _restore(self, place: Place) -> None:
        grid, model = self._parts.grid, self._model
        wanted = [key for key in (place.top, place.current) if key is not None]
        positions = [model.position_of(key) for key in wanted]
        if None in positions and self._browser.listing.total > model.rowCount():
            return  # the list is still coming
        self._restores = None
        current = None if place.current is None else model.position_of(place.current)
        if current is not None:
            grid.go_to(current)
        top = None if place.top is None else model.position_of(place.top)
        if top is not None:
            grid.show_at(top, 0)


def read_in(query: Query, read_as: tuple[ReadAs, ...]) -> tuple[ReadAs, ...]:
    """The dates that were read in a text of before, as far as they stand in this one."""
    text, kept = query.text.casefold(), query.as_words
    return tuple(one for one in read_as if one.text.casefold() in text and one.text not in kept)
