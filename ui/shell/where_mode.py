"""Where the words of a caption, and of the search, come from: shown over the large photo."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap

from cocadesk.errors import UserError
from cocadesk.protocol.messages import Explain, Explained, HeatValue
from ui.detail.large.where import WhereBar
from ui.engine.link import Ticket
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.session import LibrarySession


class WhereMode(QObject):
    """Opens the large view with a bar of words; one word at a time lies over the photo."""

    def __init__(self, widgets: WindowWidgets, session: LibrarySession, large: LargeMode) -> None:
        super().__init__(widgets)
        self._widgets = widgets
        self._session = session
        self._large = large
        self._view = widgets.large
        self._key: str | None = None
        self._tickets: list[Ticket] = []
        self._found: HeatValue | None = None
        self._words: tuple[HeatValue, ...] = ()
        self._is_shown = True
        self.bar = WhereBar()
        self._view.add_foot(self.bar)
        self.bar.chosen.connect(self._show)
        self.bar.closed.connect(self.close)
        large.toggled.connect(self._on_toggled)
        widgets.grid.selectionModel().currentChanged.connect(self._on_current)

    @property
    def is_open(self) -> bool:
        """True where the words are shown."""
        return self._key is not None

    def slots(self) -> Slots:
        """The slot of its action."""
        return {Actions.SHOW_WHERE: self.toggle}

    def toggle(self) -> None:
        """Asks for the maps of the photo under the cursor, or shows it alone again."""
        if self.is_open:
            self.close()
            return
        key = self._widgets.grid.current_key()
        if key is None:
            return
        if not self._large.is_open:
            self._large.open()
        self._key, self._found, self._words = key, None, ()
        self.bar.wait()
        query = self._session.browser.question.text.strip()
        if query:
            self._ask(Explain(key=key, text=query, time_s=self._time_s()), self._on_query)
        row = self._widgets.grid.current_row()
        caption = row.caption or "" if row is not None else ""
        body = Explain(key=key, text=caption, is_caption=True, time_s=self._time_s())
        self._ask(body, self._on_words)

    def close(self) -> None:
        """The photo alone."""
        if not self.is_open:
            return
        self._key = None
        for ticket in self._tickets:
            ticket.cancel()
        self._tickets.clear()
        self.bar.hide()
        self._view.photo.show_layer(None)
        if self._large.is_open:
            self._view.setFocus()

    def _ask(self, body: Explain, on_done: object) -> None:
        ticket = self._session.link.ask(body, Explained, on_done, on_failed=self._on_failed)  # type: ignore[arg-type]
        self._tickets.append(ticket)

    def _time_s(self) -> float | None:
        """The time of the video that is looked at."""
        return self._session.inspector.time_s

    def _on_query(self, answer: Explained) -> None:
        self._found = answer.heats[0] if answer.heats else None
        self._is_shown = answer.is_shown
        self.bar.show_maps(self._found, self._words, is_shown=answer.is_shown)

    def _on_words(self, answer: Explained) -> None:
        self._words = answer.heats
        if answer.heats or self._found is not None:
            self.bar.show_maps(self._found, self._words, is_shown=self._is_shown)
        else:
            self.bar.say(tr("This caption has no words that lie anywhere."))

    def _on_failed(self, error: UserError) -> None:
        if self._found is None and not self._words:
            self.bar.say(f"{error.what} {error.why}".strip())

    def _show(self, heat: HeatValue) -> None:
        layer = QPixmap(heat.layer.to_str()) if heat.layer is not None else QPixmap()
        self._view.photo.show_layer(None if layer.isNull() else layer)

    def _on_toggled(self) -> None:
        if not self._large.is_open:
            self.close()

    def _on_current(self) -> None:
        """Another photo is shown alone until its words are asked for."""
        if self._widgets.grid.current_key() != self._key:
            self.close()
