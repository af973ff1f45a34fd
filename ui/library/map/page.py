"""The page of maps: what is alike lies together, or where in the world it was taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QStackedWidget, QToolButton

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    GetMap,
    GetRows,
    MapColour,
    MapGroup,
    MapKind,
    MapPoints,
    Progress,
    Rows,
    RowsChanged,
)
from cocadesk.protocol.values import Priority
from ui.engine.link import EngineLink, LinkState, Ticket
from ui.kit.icons import Icon
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Page
from ui.kit.texts import count_media
from ui.kit.theme import GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import decimal, grouped, tr, tr_count
from ui.kit.widgets import ElidedLabel, EmptyView, button, tool
from ui.library.empty_states import STARTING, EmptyState
from ui.library.map.canvas import MapCanvas
from ui.library.map.legend import Legend
from ui.library.map.points import PointSet

AGAIN_MS = 4000
KINDS = {
    MapKind.LIKENESS: (tr("What is alike"), tr("Photos and videos that look alike lie together")),
    MapKind.WORLD: (tr("World"), tr("Where photos were taken")),
}
COLOURS = {
    MapColour.YEAR: tr("By year"),
    MapColour.FOLDER: tr("By folder"),
    MapColour.TAG: tr("By tag"),
    MapColour.NOTHING: tr("One colour"),
}
HINT = tr("Wheel: zoom. Drag: move. Shift and drag: choose. Double click: open.")
NOTHING = {
    MapKind.LIKENESS: EmptyState(
        icon=Icon.PHOTO,
        title=tr("Nothing to show yet"),
        text=tr("Photos and videos appear on the map once the model has read them."),
    ),
    MapKind.WORLD: EmptyState(
        icon=Icon.NOTHING,
        title=tr("No positions"),
        text=tr(
            "None of the photos says where it was taken. Phones note it where their "
            "camera may use the position."
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapContext:
    """All that the page is built from; ``show_keys`` shows some media in the library by name."""

    link: EngineLink
    thumbnails: ImageLoader
    show_keys: Callable[[list[str], str], None]


class MapPage(Page):
    """The kinds of map, their colours, and what can be done with what is chosen."""

    def __init__(self, context: MapContext) -> None:
        super().__init__()
        self.setAccessibleName(tr("Map"))
        self._context = context
        self.kind = MapKind.LIKENESS
        self.colour = MapColour.YEAR
        self._ticket: Ticket | None = None
        self._coming = PointSet()
        self._ready: MapPoints | None = None
        self._shown_kind: MapKind | None = None
        self._problem: UserError | None = None
        self._working = ""
        self._is_old = True
        self.canvas = MapCanvas(context.thumbnails)
        self.legend = Legend()
        self.empty = EmptyView()
        self.state = ElidedLabel("muted")
        self.tabs = {kind: self._make_tab(kind) for kind in MapKind}
        self.colours = QComboBox()
        self.colours.setAccessibleName(tr("Colours show"))
        for colour, text in COLOURS.items():
            self.colours.addItem(text, colour)
        self.pictures = self._make_switch(
            tr("Pictures"), tr("Show pictures on the map"), is_on=True
        )
        self.lasso = self._make_switch(
            tr("Lasso"), tr("Choose by drawing around (or Shift and drag)")
        )
        self.show_all = button(tr("Show all"), "link", on_click=self.canvas.show_all)
        self.show_chosen = button(tr("Show in the library"), "primary", on_click=self._show_chosen)
        self.clear = button(tr("Clear"), "link", on_click=partial(self.canvas.choose, ()))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.canvas)
        head = QFrame()
        in_row(
            *self.tabs.values(), self.colours, self.pictures, self.lasso, self.show_all, STRETCH,
            self.clear, self.show_chosen,
            gap=GAP_M, margins=(16, 8, 16, 8), of=head,
        )  # fmt: skip
        foot = QFrame()
        in_column(self.legend, self.state, gap=4, margins=(16, 6, 16, 8), of=foot)
        in_column(head, (self.stack, 1), foot, gap=0, of=self)
        self._again = single_shot(self, self._refresh, AGAIN_MS)
        self._wire()
        self._draw()

    # Page ---------------------------------------------------------------------------

    def on_shown(self) -> None:
        """Asks for the map where it is not as the library is now."""
        if self._is_old:
            self._ask()
        self.canvas.setFocus()

    @property
    def is_waiting(self) -> bool:
        """True until the map that was asked for last has come, or could not."""
        return self._ticket is not None or (self._ready is None and self._problem is None)

    def step_back(self) -> bool:
        """Chooses nothing any more."""
        had = bool(self.canvas.chosen)
        self.canvas.choose(())
        return had

    # What a person does -------------------------------------------------------------

    def _make_tab(self, kind: MapKind) -> QToolButton:
        title, tip = KINDS[kind]
        tab = tool(title, "tab", tip=tip, on_click=partial(self.choose_kind, kind))
        tab.setCheckable(True)
        return tab

    def _make_switch(self, text: str, tip: str, *, is_on: bool = False) -> QToolButton:
        made = tool(text, "tab", tip=tip, on_click=self._on_switched)
        made.setCheckable(True)
        made.setChecked(is_on)
        return made

    def _wire(self) -> None:
        link = self._context.link
        self.colours.currentIndexChanged.connect(self._on_colour)
        self.legend.changed.connect(self._on_hidden)
        self.canvas.chosen_changed.connect(self._draw)
        self.canvas.rows_wanted.connect(self._ask_rows)
        self.canvas.opened.connect(self._open)
        self.empty.button.clicked.connect(self._ask)
        link.event_received.connect(self._on_event)
        link.connected.connect(self._on_connected)

    def choose_kind(self, kind: MapKind) -> None:
        """Another kind of map."""
        self.kind = kind
        self._draw()
        self._ask()

    def _on_colour(self) -> None:
        self.colour = MapColour(self.colours.currentData())
        self._ask()

    def _on_switched(self) -> None:
        self.canvas.with_pictures = self.pictures.isChecked()
        self.canvas.draws_lasso = self.lasso.isChecked()
        cross = Qt.CursorShape.CrossCursor
        self.canvas.setCursor(cross if self.canvas.draws_lasso else Qt.CursorShape.ArrowCursor)
        self.canvas.update()

    def _on_hidden(self) -> None:
        self.canvas.show_groups(len(self._groups()), self.legend.hidden)

    def _show_chosen(self) -> None:
        keys = self.canvas.chosen_keys()
        if keys:
            self._context.show_keys(keys, tr("chosen on the map"))

    def _open(self, key: str) -> None:
        self._context.show_keys([key], tr("chosen on the map"))

    # The engine ---------------------------------------------------------------------

    def _ask(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
        self._again.stop()
        link = self._context.link
        self._is_old = link.state is not LinkState.CONNECTED
        if self._is_old:
            return
        self._problem, self._working = None, ""
        self._coming = coming = PointSet()
        self._ticket = link.ask(
            GetMap(kind=self.kind, colour=self.colour), MapPoints, self._on_ready,
            on_failed=self._on_failed, on_progress=self._on_progress, on_partial=coming.add,
        )  # fmt: skip
        self._draw()

    def _on_progress(self, progress: Progress) -> None:
        self._working = f"{progress.stage}: {progress.done} %"
        if progress.seconds_left:
            left = decimal(progress.seconds_left, 0)
            self._working = tr("{work}, about {left} s left", work=self._working, left=left)
        self._draw()

    def _on_ready(self, answer: MapPoints) -> None:
        self._ticket, self._ready, self._working = None, answer, ""
        self._shown_kind = self.kind
        self.legend.show_groups(answer.groups)
        self.canvas.show_points(self.kind, self._coming)
        self.canvas.show_groups(len(answer.groups), ())
        self._draw()

    def _on_failed(self, error: UserError) -> None:
        self._ticket, self._problem, self._working = None, error, ""
        self._draw()

    def _ask_rows(self, keys: tuple[str, ...]) -> None:
        self._context.link.ask(
            GetRows(keys=keys),
            Rows,
            lambda answer: self.canvas.set_rows(answer.rows),
            priority=Priority.VISIBLE,
        )

    def _on_connected(self) -> None:
        self.canvas.forget_rows()
        self._is_old, self._ticket = True, None
        self._refresh()

    def _on_event(self, body: object) -> None:
        if isinstance(body, RowsChanged):
            self.canvas.forget_rows(body.keys)
            self._is_old = True
            if not self._again.isActive():
                self._again.start()

    def _refresh(self) -> None:
        """A new map while it is looked at and nothing is chosen; else when it is next shown."""
        if not self._is_old or not self.isVisible() or self.canvas.chosen:
            return
        if self._ticket is None:
            self._ask()
        else:
            self._again.start()  # begun anew each time, it would never come

    # Drawing ------------------------------------------------------------------------

    def _groups(self) -> tuple[MapGroup, ...]:
        return () if self._ready is None else self._ready.groups

    def _draw(self) -> None:
        for kind, tab in self.tabs.items():
            tab.setChecked(kind is self.kind)
        empty = self._empty_state()
        if empty is not None:
            self.empty.say(empty.icon, empty.title, empty.text, empty.button)
        self.stack.setCurrentWidget(self.canvas if empty is None else self.empty)
        chosen = len(self.canvas.chosen)
        self.show_chosen.setVisible(chosen > 0)
        self.clear.setVisible(chosen > 0)
        self.show_chosen.setText(
            tr_count(
                chosen,
                "Show {n} photo or video in the library",
                "Show {n} photos and videos in the library",
            )
        )
        self.legend.setVisible(empty is None and bool(self.legend.buttons))
        self.state.setText(self._line() if empty is None else "")

    def _empty_state(self) -> EmptyState | None:
        if self._problem is not None:
            rest = " ".join(part for part in (self._problem.why, self._problem.what_to_do) if part)
            return EmptyState(
                icon=Icon.WARNING, title=self._problem.what, text=rest, button=tr("Try again")
            )
        if self._shown_kind is not self.kind or self._ready is None:
            return (
                EmptyState(icon=Icon.PHOTO, title=tr("Laying out the map…"), text=self._working)
                if (self._ticket is not None)
                else STARTING
            )
        return None if self._ready.total else NOTHING[self.kind]

    def _line(self) -> str:
        """How much is shown, and what is not."""
        if self._working:
            return self._working
        if self._ready is None:
            return ""
        parts = [count_media(self._ready.total)]
        if self._ready.without:
            parts.append(
                tr_count(
                    self._ready.without,
                    "{n} other without a position",
                    "{n} others without a position",
                )
                if self.kind is MapKind.WORLD
                else tr_count(
                    self._ready.without,
                    "{n} other without a vector",
                    "{n} others without a vector",
                )
            )
        if self._ready.left_out:
            parts.append(
                tr("{left_out} more, left out evenly", left_out=grouped(self._ready.left_out))
            )
        if self.canvas.chosen:
            parts.append(tr("{chosen} chosen", chosen=grouped(len(self.canvas.chosen))))
        return " · ".join([*parts, HINT])
