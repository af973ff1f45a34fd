"""The words for filters, as the engine gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import ParsedQuery, ParseQuery
from cocadesk.protocol.values import Priority
from ui.engine.link import EngineLink
from ui.library.query import Query


class TermNames(QObject):
    """Filters by their text in the grammar: their words, and what they are negated.

    ``came`` tells that words have come that were not known before.
    """

    came = Signal()

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._words: dict[str, str] = {}
        self._turned: dict[str, str] = {}
        self._asked: set[str] = set()
        link.connected.connect(self._ask_again)

    def learn(self, parsed: ParsedQuery) -> None:
        """Keeps the words of these terms."""
        for term in parsed.terms:
            self._words[term.term] = term.words
            self._turned[term.term] = term.turned

    def words(self, term: str) -> str:
        """A filter in words; until they come, as it is written."""
        return self._words.get(term, term)

    def turned(self, term: str) -> str:
        """A filter negated, or no longer."""
        return self._turned.get(term) or (term[1:] if term.startswith("-") else f"-{term}")

    def want(self, terms: Sequence[str]) -> None:
        """Asks for the words of these where they are not known."""
        for term in terms:
            if term not in self._words and term not in self._asked:
                self._asked.add(term)
                self._link.ask(
                    ParseQuery(text=term),
                    ParsedQuery,
                    self._on_parsed,
                    on_failed=lambda _error: None,  # the list itself says what is wrong
                    priority=Priority.VISIBLE,
                )

    def _ask_again(self) -> None:
        """What was asked before the engine was there is lost."""
        lost, self._asked = self._asked - self._words.keys(), set()
        self.want(sorted(lost))

    def _on_parsed(self, answer: ParsedQuery) -> None:
        self.learn(answer)
        self.came.emit()


def parsed_query(answer: ParsedQuery, before: Query) -> Query:
    """The question with the words and filters of what was typed, beside its own filters."""
    terms = dict.fromkeys((*before.terms, *(term.term for term in answer.terms)))
    return replace(before.with_text(answer.text), terms=tuple(terms))
