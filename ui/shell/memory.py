"""A window brought back as it was left: its place, panes, page, list and sizes."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from cocadesk.protocol.endpoint import library_name
from ui.engine.link import LinkState
from ui.kit.preferences import Preference, as_text, from_text, keep
from ui.kit.timers import single_shot
from ui.library.grid import DEFAULT_SIZE
from ui.library.last_view import (
    current_view,
    forget_views,
    keep_view,
    question_text,
    read_view,
)
from ui.library.pasting import forget_pasted
from ui.library.query import Query
from ui.shell.layout import WindowWidgets
from ui.shell.pages import PAGES, Pages, PageSwitcher
from ui.shell.session import LibrarySession

GEOMETRY = Preference("window-geometry", "")
PANES: Preference[dict[str, int]] = Preference("pane-widths", {}, of=int)
DETAIL = Preference("detail-shown", True)
SIZE = Preference("thumbnail-size", DEFAULT_SIZE)
PAGE = Preference("last-page", Pages.LIBRARY.action.id)
QUERY = Preference("last-query", "")
TERMS: Preference[list[str]] = Preference("last-filters", [], of=str)
CURRENT = Preference("last-current", "")
TOP = Preference("last-top", "")
TOP_PX = Preference("last-top-px", 0)

KEEP_MS = 1500
SETTLE_MS = 80


class WindowMemory(QObject):
    """Restores a window before it is shown, and keeps it a little after each change.

    The list with its place belongs to the library, all else to every window.
    """

    def __init__(
        self,
        window: QMainWindow,
        widgets: WindowWidgets,
        session: LibrarySession,
        switcher: PageSwitcher,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._widgets = widgets
        self._session = session
        self._switcher = switcher
        self._scope = library_name(session.link.library)
        widgets.search.keep_history(self._scope)
        self._current = CURRENT.read(self._scope)
        self._top = TOP.read(self._scope)
        self._top_px = TOP_PX.read(self._scope)
        self._is_restored = False
        self._timer = single_shot(self, self.keep, KEEP_MS)
        self._scroll = single_shot(self, self._scroll_back)
        self._scroll_again = single_shot(self, self._scroll_back, SETTLE_MS)

    def restore(self) -> None:
        """All but the place in the list, which is gone back to once the list is there."""
        widgets = self._widgets
        self._window.restoreGeometry(from_text(GEOMETRY.read()))
        widgets.library.set_pane_widths(PANES.read())
        if DETAIL.read() is not widgets.library.wants_detail:
            widgets.library.toggle_detail()
        widgets.grid.set_size_step(SIZE.read())
        query = Query(text=QUERY.read(self._scope), terms=tuple(TERMS.read(self._scope)))
        if not query.is_everything:
            self._session.browser.ask(query)
        page = next((page for page in PAGES if page.action.id == PAGE.read()), Pages.LIBRARY)
        if page is not self._switcher.page:
            self._switcher.show(page)
        self._session.browser.settled.connect(self._go_back)
        self._recall()
        widgets.search.query_changed.connect(self._stay_away)
        self._follow()

    def close(self) -> None:
        """The window closes: keeps everything, and the list to be painted at once next time."""
        self.keep()
        session, grid = self._session, self._widgets.grid
        first = grid.first_visible()
        top = 0 if first is None else first[0]
        if session.link.state is LinkState.CONNECTED:  # else it may have forgotten some since
            view = current_view(session.browser, session.model, top)
            keep_view(session.link.library, view)

    def keep(self) -> None:
        """Keeps everything as it is now."""
        widgets, scope = self._widgets, self._scope
        question = self._session.browser.question
        terms = [] if question.examples or question.group else list(question.terms)
        choices = [
            GEOMETRY.choice(as_text(self._window.saveGeometry())),
            PANES.choice(widgets.library.pane_widths()),
            DETAIL.choice(widgets.library.wants_detail),
            SIZE.choice(widgets.grid.size_step),
            PAGE.choice(self._switcher.page.action.id),
            QUERY.choice(widgets.search.query(), scope),
            TERMS.choice(terms, scope),
        ]
        if self._is_restored:
            first = widgets.grid.first_visible()
            top = "" if first is None else self._session.model.key_at(first[0]) or ""
            choices += [
                CURRENT.choice(widgets.grid.current_key() or "", scope),
                TOP.choice(top, scope),
                TOP_PX.choice(0 if first is None else first[1], scope),
            ]
        keep(*choices)

    def forget_searches(self) -> None:
        """Forgets what was searched for, here and in every library."""
        self._widgets.search.forget_history()
        QUERY.reset_everywhere()
        TERMS.reset_everywhere()
        forget_views()
        forget_pasted()

    def _recall(self) -> None:
        """Paints the list of the last window before the engine is there."""
        session = self._session
        view = read_view(session.link.library)
        if view is not None and view.question == question_text(session.browser.question):
            session.browser.recall(view.answer)
            session.model.set_rows(view.rows)
            session.link.connected.connect(self._renew_rows)

    def _renew_rows(self) -> None:
        """The rows of before show until those of now come."""
        self._session.link.connected.disconnect(self._renew_rows)
        self._session.model.refresh_rows(())

    def _follow(self) -> None:
        widgets = self._widgets
        for signal in (
            widgets.grid.size_changed,
            widgets.grid.verticalScrollBar().valueChanged,
            widgets.grid.selectionModel().currentChanged,
            widgets.library.split.splitterMoved,
            widgets.library.detail_toggled,
            widgets.search.query_changed,
            self._switcher.switched,
        ):
            signal.connect(self._keep_soon)

    def _keep_soon(self) -> None:
        self._timer.start()

    def _go_back(self) -> None:
        """The list has come, or its first media: back to the place, where it is still there."""
        model, grid = self._session.model, self._widgets.grid
        if self._is_restored or not model.rowCount():
            return
        listing = self._session.browser.listing
        has_moved = grid.currentIndex().row() > 0 or grid.verticalScrollBar().value() > 0
        current = model.position_of(self._current)
        is_coming = current is None and listing.shown < listing.total
        if is_coming and not has_moved:
            return
        self._is_restored = True
        if current is not None and not has_moved:
            grid.go_to(current)
            self._scroll.start()
            self._scroll_again.start()

    def _stay_away(self) -> None:
        """Somebody has searched before the last list came: it won't come any more."""
        self._is_restored = True

    def _scroll_back(self) -> None:
        """Only once the detail has come beside the list: it makes the list narrower."""
        top = self._session.model.position_of(self._top)
        if top is not None:
            self._widgets.grid.show_at(top, self._top_px)
