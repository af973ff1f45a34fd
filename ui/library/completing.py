"""The search field's help from the engine: words of the library."""

from __future__ import annotations

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import CompleteWord, FieldValues
from ui.engine.link import EngineLink, Ticket
from ui.kit.timers import single_shot
from ui.library.browser import Browser
from ui.library.search_box import SearchBox

COMPLETIONS = 6
FEWEST_LETTERS = 2
PAUSE_MS = 90
"""Photos come first: words are asked for once the search has been."""


class SearchHelp(QObject):
    """Offers what is typed may mean."""

    def __init__(
        self, link: EngineLink, browser: Browser, search: SearchBox, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._browser = browser
        self._search = search
        self._ticket: Ticket | None = None
        self._text = ""
        self._pause = single_shot(self, self._complete, PAUSE_MS)
        search.beginning.connect(self._begin)
        search.completed.connect(self._take)

    def _begin(self, text: str) -> None:
        """Another letter: what was asked for the one before is not wanted any more."""
        if self._ticket is not None:
            self._ticket.cancel()
        self._text = text
        if len(text.strip()) < FEWEST_LETTERS or text.endswith(" ") or ":" in text:
            self._pause.stop()
        else:
            self._pause.start()

    def _complete(self) -> None:
        """Asks for words of the library that the last words of the text may begin."""
        text = self._text
        if self._search.text() != text:
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
        query = self._browser.question.with_text(self._search.query())
        self._browser.ask(query.with_term(term))
