"""A review of suggested captions and tags over the whole window: begun and left."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ListSuggestions, Suggestions
from cocadesk.protocol.values import Scope
from ui.detail.review.ahead import ReviewAhead
from ui.detail.review.review import Review
from ui.detail.review.view import ReviewView
from ui.kit.actions import Actions, Slots
from ui.kit.translation import grouped, tr, tr_count
from ui.library.listing import Showing
from ui.shell.layout import WindowWidgets
from ui.shell.session import LibrarySession

FOOT_PX = 150
"""A notice stands above the buttons of the view."""
_BY_FILTER = (Showing.NEWEST, Showing.FILTERED, Showing.ALBUM)
NOTHING = tr("No caption is suggested here. Ctrl+D has the model caption what is selected")


class ReviewMode(QObject):
    """Of several selected photos these, else the whole list, the least sure captions first.

    ``toggled`` after it was opened and closed.
    """

    toggled = Signal()

    def __init__(
        self, widgets: WindowWidgets, session: LibrarySession, has_letters: Callable[[], bool]
    ) -> None:
        super().__init__(widgets)
        self._widgets = widgets
        self._session = session
        self._has_letters = has_letters
        self._made: Review | None = None

    @property
    def is_open(self) -> bool:
        """True where a review is shown."""
        return self._made is not None and self._made.is_running

    @property
    def review(self) -> Review:
        """The review with its view, which are made when they are first needed."""
        if self._made is None:
            session, widgets = self._session, self._widgets
            view = ReviewView(session.frames, self._has_letters)
            widgets.stack.addWidget(view)
            ahead = ReviewAhead(
                session.link,
                session.model,
                session.editor,
                session.thumbnails,
                session.previews,
                self,
            )
            self._made = Review(view, ahead, session.editor, self)
            self._made.ended.connect(self.close)
            view.closed.connect(self.close)
            view.chips.complete_with(session.editor.known_tags)
        return self._made

    def slots(self) -> Slots:
        """The slot of its action."""
        return {Actions.REVIEW: self.begin}

    def begin(self) -> None:
        """Asks which of the photos have suggested captions, and shows the first."""
        scope = self._scope()
        if scope is None:
            self._widgets.notice.say(NOTHING)
            return
        body = ListSuggestions(scope=scope)
        self._session.link.ask(body, Suggestions, self._open, on_failed=self._say)

    def close(self) -> None:
        """Back to the grid; what is being typed is kept."""
        if not self.is_open:
            return
        tally = self.review.stop()
        self._widgets.stack.setCurrentWidget(self._widgets.browse)
        self._widgets.notice.lift(0)
        self._widgets.grid.take_focus()
        if tally:
            self._widgets.notice.say(tr("Reviewed: {tally}", tally=tally))
        self.toggled.emit()

    def _scope(self) -> Scope | None:
        """The selection or the list; None where it is empty, as a scope without keys is all."""
        grid, question = self._widgets.grid, self._session.browser.question
        if grid.selected_count() > 1:
            return Scope(keys=tuple(grid.selected_keys()))
        if question.showing in _BY_FILTER:
            return Scope(filter=question.whole)
        keys = tuple(grid.all_keys())
        return Scope(keys=keys) if keys else None

    def _open(self, found: Suggestions) -> None:
        if not found.keys:
            self._widgets.notice.say(NOTHING)
            return
        self._widgets.stack.setCurrentWidget(self.review.view)
        self._widgets.notice.lift(FOOT_PX)
        self.review.start(found.keys)
        self.toggled.emit()
        if found.total > len(found.keys):
            self._widgets.notice.say(
                tr(
                    "The {some} least sure of {all} are here; the others come with the next review",
                    some=grouped(len(found.keys)),
                    all=grouped(found.total),
                )
            )
        elif found.others:
            self._widgets.notice.say(
                tr_count(
                    found.others,
                    "{n} photo has no suggested caption and is left out",
                    "{n} photos have no suggested caption and are left out",
                )
            )

    def _say(self, error: UserError) -> None:
        self._widgets.notice.say(str(error))
