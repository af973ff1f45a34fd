"""Advice on an empty list: the filter that should go, with what is found without it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import CountTerms, TermCounts
from ui.engine.link import EngineLink, Ticket
from ui.kit.translation import tr, tr_count
from ui.library.browser import Browser
from ui.library.listing import FilterHint

SHOWN_HINTS = 3


class FilterHints(QObject):
    """Asks for the numbers once a list with filters is empty; ``changed`` tells of ``hint``."""

    changed = Signal()

    def __init__(self, link: EngineLink, browser: Browser, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._browser = browser
        self._ticket: Ticket | None = None
        self.hint: FilterHint | None = None
        browser.asked.connect(self._forget)
        browser.settled.connect(self._on_settled)

    def _forget(self) -> None:
        self.hint = None
        if self._ticket is not None:
            self._ticket.cancel()

    def _on_settled(self) -> None:
        query, listing = self._browser.question, self._browser.listing
        if listing.shown or listing.problem is not None or not query.terms:
            return
        self._forget()

        def on_counts(answer: TermCounts) -> None:
            if self._browser.question == query:
                self.hint = _hint(answer)
                self.changed.emit()

        body = CountTerms(filter=query.filter)
        self._ticket = self._link.ask(body, TermCounts, on_counts, on_failed=lambda _error: None)


def _hint(answer: TermCounts) -> FilterHint | None:
    """The filters without which most is found."""
    pairs = zip(answer.terms, answer.without, strict=True)
    found = sorted(((n, term) for term, n in pairs if n), key=lambda pair: -pair[0])
    if not found:
        return None
    said = [
        tr_count(
            n, "without “{filter}” {n} photo", "without “{filter}” {n} photos", filter=term.words
        )
        for n, term in found[:SHOWN_HINTS]
    ]
    text = tr("No photo or video passes all filters: {counts}.", counts=", ".join(said))
    return FilterHint(text, found[0][1].term, found[0][1].words)
