"""The page of the library: the grid with its line above, and the detail beside it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from ui.detail.pane import WIDTH_PX, DetailPane
from ui.kit.actions import ActionSet
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import in_column, in_row
from ui.kit.page_parts import Page
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.kit.widgets import EmptyView, label
from ui.library.browse.bar import WIDTH_PX as SIDE_PX
from ui.library.browse.bar import SideBar
from ui.library.crumbs import Breadcrumbs
from ui.library.empty_states import EmptyState
from ui.library.filter_bar import FilterBar
from ui.library.grid import CELL_SIZES_PX, Grid
from ui.library.notices import LibraryLine
from ui.library.results_model import ResultsModel
from ui.library.term_names import TermNames
from ui.shell.header import ResultsLine

START_WIDTH_PX = 1280
ROOMY_PX = 960


class LibraryPage(Page):
    """Side bar, grid and detail.

    ``detail_toggled`` and ``side_toggled``: one of them is wanted, or no longer. The side bar
    gives way in a narrow window, and where there is nothing yet.
    """

    detail_toggled = Signal()
    side_toggled = Signal()

    def __init__(
        self,
        actions: ActionSet,
        model: ResultsModel,
        thumbnails: ImageLoader,
        frames: ImageLoader,
        names: TermNames,
    ) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # has it until there are photos
        self.wants_detail = True
        self.wants_side = True
        self.is_filled = False
        self._is_forced = False
        self.side = SideBar()
        self.results = ResultsLine(actions, len(CELL_SIZES_PX))
        self.crumbs = Breadcrumbs(names)
        self.filters = FilterBar(names)
        self.line = LibraryLine()
        self.note = label("", "search-note", wraps=True)
        self.note.setAccessibleName(tr("About this search"))
        self.note.hide()
        self.grid = Grid(model, thumbnails)
        self.empty = EmptyView()
        self.detail = DetailPane(actions, frames)
        self._center = QStackedWidget()
        self._center.addWidget(self.empty)
        self._center.addWidget(self.grid)
        left = QWidget()
        in_column(
            self.line,
            self.crumbs,
            self.results,
            self.filters,
            self.note,
            (self._center, 1),
            gap=0,
            of=left,
        )
        self.split = split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self.side)
        split.addWidget(left)
        split.addWidget(self.detail)
        split.setStretchFactor(1, 1)
        split.setStretchFactor(2, 0)
        split.splitterMoved.connect(self._on_moved)
        self._widths = {self.side: SIDE_PX, self.detail: WIDTH_PX}
        self._fit = single_shot(self, self._fit_panes)
        for pane in self._widths:
            pane.installEventFilter(self)
        split.setSizes([SIDE_PX, START_WIDTH_PX - WIDTH_PX - SIDE_PX, WIDTH_PX])
        in_row(split, of=self)
        self.grid.size_changed.connect(self.results.slider.setValue)
        self.results.slider.setValue(self.grid.size_step)
        self.results.slider.valueChanged.connect(self.grid.set_size_step)

    def show_empty(self, empty: EmptyState | None) -> None:
        """A text in place of the grid, or the grid."""
        if empty is not None:
            self.empty.say(
                empty.icon, empty.title, empty.text, empty.button, empty.links, empty.more
            )
        self._center.setCurrentWidget(self.grid if empty is None else self.empty)
        if empty is None and self.hasFocus():
            self.grid.setFocus()

    def say_note(self, text: str) -> None:
        """A sentence on the search above its results; none where it is empty."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def set_side(self, *, wanted: bool, filled: bool) -> None:
        """Shows the side bar where it is ``wanted`` and has anything to show."""
        self.wants_side, self.is_filled = wanted, filled
        self._update_side()

    def toggle_side(self) -> None:
        """Shows the side bar, in a narrow window too, or hides it."""
        self._is_forced = self.wants_side = self.side.isHidden()
        self._update_side()
        self.side_toggled.emit()

    def pane_widths(self) -> dict[str, int]:
        """The widths that a person gave the panes, by their object names."""
        return {pane.objectName(): px for pane, px in self._widths.items()}

    def set_pane_widths(self, widths: dict[str, int]) -> None:
        """Gives panes these widths, by their object names."""
        for pane in self._widths:
            if widths.get(pane.objectName(), 0) > 0:
                self._widths[pane] = widths[pane.objectName()]
        self._fit_panes()

    def _on_moved(self) -> None:
        """A person has moved a border; a pane that is squeezed or hidden keeps its width."""
        for pane, px in zip((self.side, None, self.detail), self.split.sizes(), strict=True):
            if pane is not None and px:
                self._widths[pane] = px

    def _fit_panes(self) -> None:
        """Panes get the widths that they were given as soon as there is room for them."""
        side, detail = (0 if p.isHidden() else px for p, px in self._widths.items())
        sizes = [side, max(1, self.width() - side - detail), detail]
        if sizes != self.split.sizes():
            self.split.setSizes(sizes)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """A pane that comes or goes changes the room of the others."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self._fit.start()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """A narrow window has no room for the side bar."""
        super().resizeEvent(event)
        if self.width() >= ROOMY_PX:
            self._is_forced = False
        self._update_side()
        self._fit.start()  # once the splitter has the new size

    def _update_side(self) -> None:
        has_room = self.width() >= ROOMY_PX or self._is_forced
        is_seen = self.wants_side and has_room and (self.is_filled or self._is_forced)
        if is_seen is self.side.isHidden():
            self.side.setVisible(is_seen)

    def toggle_detail(self) -> None:
        """Shows or hides the details beside the grid."""
        self.wants_detail = not self.wants_detail
        self.detail_toggled.emit()

    def show_detail(self) -> bool:
        """Shows the details; False where there is no photo under the cursor."""
        if self.grid.current_key() is None:
            return False
        if not self.wants_detail:
            self.toggle_detail()
        return True
