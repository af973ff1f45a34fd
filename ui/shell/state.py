"""The window's state as one frozen value, from which it draws itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cocadesk.errors import UserError
from ui.engine.link import LinkState
from ui.kit.actions import Requires
from ui.kit.plain_text import button_text
from ui.kit.translation import grouped, tr
from ui.library.empty_states import EmptyState, Reading, empty_state_for
from ui.library.listing import FilterHint, Listing

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """All that decides what the window shows; what follows from it are properties.

    ``current`` is the key under the cursor; ``can_play``: it has a video that can be played;
    ``is_large``: it is seen over
    the whole window; ``page_given`` are the conditions that the shown page meets beside.
    """

    link: LinkState = LinkState.STARTING
    link_problem: UserError | None = None
    listing: Listing = field(default_factory=Listing)
    hint: FilterHint | None = None
    can_go_back: bool = False
    can_go_forward: bool = False
    active_jobs: int = 0
    reading: Reading | None = None
    is_model_loading: bool = False
    current: str | None = None
    can_play: bool = False
    selected: int = 0
    is_library_shown: bool = True
    is_large: bool = False
    is_comparing: bool = False
    is_reviewing: bool = False
    page_given: frozenset[Requires] = frozenset()
    wants_detail: bool = True
    is_editing: bool = False
    undo_title: str = ""
    redo_title: str = ""

    @property
    def given(self) -> frozenset[Requires]:
        """The conditions of actions that are met; a photo counts where it can be seen."""
        has_engine = self.link is LinkState.CONNECTED
        is_list_shown = self.is_library_shown and not self.is_comparing
        if self.is_reviewing:  # keys act on the photo that is reviewed, and are the view's own
            steps = {Requires.UNDO: self.undo_title, Requires.REDO: self.redo_title}
            return frozenset(condition for condition, title in steps.items() if title)
        is_met = {
            Requires.ENGINE: has_engine,
            Requires.LIST: has_engine and is_list_shown,
            Requires.SELECTION: self.is_library_shown and self.current is not None,
            Requires.LARGE: self.is_large,
            Requires.LARGE_VIDEO: self.is_large and self.can_play,
            Requires.VIDEO: self.is_library_shown and self.can_play,
            Requires.UNDO: bool(self.undo_title),
            Requires.REDO: bool(self.redo_title),
            Requires.BACK: is_list_shown and self.can_go_back,
            Requires.FORWARD: is_list_shown and self.can_go_forward,
        }
        return self.page_given.union(condition for condition, is_so in is_met.items() if is_so)

    @property
    def headline(self) -> str:
        """The line above the grid."""
        return self.headlines[0]

    @property
    def headlines(self) -> tuple[str, ...]:
        """The same, and what stands for it where there is less and less room."""
        selected = ""
        if self.selected > 1:
            selected = tr(" · {selected} selected", selected=grouped(self.selected))
        loading = tr(" · loading the model…") if self.is_model_loading else ""
        whole, *shorter = self.listing.headlines or ("",)
        lines = [whole + selected, *(line + selected for line in shorter)]
        if selected:
            lines.append(tr("{selected} selected", selected=grouped(self.selected)))
        return (lines[0] + loading, *lines) if loading else tuple(lines)

    @property
    def note(self) -> str:
        """What the engine says of the text that was searched for; an empty list says it itself."""
        return self.listing.note if self.empty is None else ""

    @property
    def fold_text(self) -> str:
        """The text of the button beside it; the empty view has one of its own."""
        return self.listing.fold_text if self.listing.shown else ""

    @property
    def empty(self) -> EmptyState | None:
        """The text in place of the grid; None where there are photos."""
        return empty_state_for(
            self.link,
            self.link_problem,
            self.listing,
            is_working=self.active_jobs > 0,
            hint=self.hint,
            reading=self.reading,
        )

    @property
    def shows_results_line(self) -> bool:
        """True where there is a line above the grid."""
        return self.empty is None or (self.listing.is_filtered and not self.listing.problem)

    @property
    def shows_detail(self) -> bool:
        """True where the detail stands beside the grid; while one types in it, it stays."""
        return self.is_editing or (self.wants_detail and self.empty is None)

    @property
    def undo_text(self) -> str:
        """The text of the Undo action."""
        if not self.undo_title:
            return tr("Undo")
        return button_text(tr("Undo: {title}", title=self.undo_title))

    @property
    def redo_text(self) -> str:
        """The text of the Redo action."""
        if not self.redo_title:
            return tr("Redo")
        return button_text(tr("Redo: {title}", title=self.redo_title))


class Drawing(Generic[Part]):
    """One part of the state with the call that draws it."""

    def __init__(self, read: Callable[[WindowState], Part], draw: Callable[[Part], object]) -> None:
        self._read = read
        self._draw = draw

    def update(self, new: WindowState, old: WindowState | None) -> None:
        """Draws the part where it is not as it was in the ``old`` state."""
        part = self._read(new)
        if old is None or part != self._read(old):
            self._draw(part)
