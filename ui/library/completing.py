"""The search field's help from the engine: words of the library, pictures of it."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QObject

from cocadesk.errors import UserError
from cocadesk.protocol.messages import CompleteWord, FieldValues, GetKeys, Keys
from cocadesk.protocol.paths import WirePath
from ui.engine.link import EngineLink, Ticket
from ui.library.browser import Browser
from ui.library.query import Query
from ui.library.search_box import SearchBox

COMPLETIONS = 6
FEWEST_LETTERS = 2


class SearchHelp(QObject):
    """Offers what is typed may mean, and looks for what is like a picture."""

    def __init__(
        self, link: EngineLink, browser: Browser, search: SearchBox, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._browser = browser
        self._search = search
        self._ticket: Ticket | None = None
        search.beginning.connect(self._complete)
        search.completed.connect(self._take)
        search.picture_given.connect(self._show_like)

    def _complete(self, text: str) -> None:
        """Asks for words of the library that the last words of a text may begin."""
        if self._ticket is not None:
            self._ticket.cancel()
        if len(text.strip()) < FEWEST_LETTERS or text.endswith(" ") or ":" in text:
            return

        def on_values(answer: FieldValues) -> None:
            if self._search.text() == text:
                self._search.offer(answer.values)

        self._ticket = self._link.ask(
            CompleteWord(text=text.strip(), limit=COMPLETIONS),
            FieldValues,
            on_values,
            on_failed=lambda _error: None,
        )

    def _take(self, term: str) -> None:
        """A word was taken: its filter stands beside what is left of the text."""
        query = Query(text=self._search.query(), terms=self._browser.question.terms)
        self._browser.ask(query.with_term(term))

    def _show_like(self, path: str) -> None:
        """Shows what is like a picture that was dropped or pasted, and fits the text.

        Without a text one of the library is asked for by its key.
        """
        wire, text = WirePath.of(path), self._search.query()

        def on_keys(answer: Keys) -> None:
            self._browser.ask(Query(like=answer.keys[:1], name=PurePath(wire.text).name))

        def on_failed(_error: UserError | None = None) -> None:
            doubled = wire.text.replace('"', '""')
            looked_for = f'{text} like:"{doubled}"'.strip()
            self._browser.ask(Query(text=looked_for, terms=self._browser.question.terms))

        if text:
            on_failed()
        else:
            self._link.ask(GetKeys(paths=(wire,)), Keys, on_keys, on_failed=on_failed)
