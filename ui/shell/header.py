"""The top of the window: pages, search, add, menu; and the line above the grid."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QMenu, QSlider, QToolButton, QWidget

from ui.kit.actions import Actions, ActionSet
from ui.kit.icons import Icon, icon
from ui.kit.layouts import STRETCH, in_row
from ui.kit.theme import GAP_M, GAP_S
from ui.kit.translation import tr
from ui.kit.widgets import ElidedLabel, IconButton, action_button, button, tool
from ui.library.grid_look import look_actions
from ui.library.search_box import SearchBox
from ui.library.sort_menu import SortButton
from ui.shell.pages import PageTabs

SEARCH_MIN_PX, SEARCH_ROOMY_PX = 170, 320
ADD_FRAME_PX, HEADER_SIDE_PX = 50, 16
LEAST_PX = 320
SIDES_PX = (12, 12)
FEW_PX, TEXT_PX = 48, 150
"""The room for the headline that order and filter, and the slider, give way to."""


def _room_of(part: QWidget) -> int:
    """The width of a part with the gap beside it."""
    return min(part.sizeHint().width(), part.maximumWidth()) + GAP_S


class Header(QFrame):
    """The pages at the left, the search field in the middle, what is used less at its right."""

    def __init__(self, tabs: PageTabs, search: SearchBox, actions: ActionSet, menu: QMenu) -> None:
        super().__init__()
        self.setObjectName("header")
        add = actions[Actions.ADD_FOLDER]
        self.add = button(tr(" Add folder…"), "primary", on_click=add.trigger)
        add.enabledChanged.connect(self.add.setEnabled)
        self.add.setAccessibleName(tr("Add folder"))
        self.add.setToolTip(tr("Add a folder of photos (Ctrl+O), or drag one into the window"))
        self.menu = IconButton(Icon.MENU, tr("Menu"), colour="text")
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu.setMenu(menu)
        self._tabs = tabs
        search.setMinimumWidth(SEARCH_MIN_PX)
        in_row(
            tabs,
            STRETCH,
            (search, 6),
            STRETCH,
            self.add,
            self.menu,
            gap=GAP_M,
            margins=(HEADER_SIDE_PX, 10, HEADER_SIDE_PX, 10),
            of=self,
        )
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws the icon of its button in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """In a narrow window the search needs the room of the button's text."""
        super().resizeEvent(event)
        text = tr(" Add folder…")
        gaps_px = 5 * GAP_M + 2 * HEADER_SIDE_PX
        room_px = self.width() - self.menu.sizeHint().width() - ADD_FRAME_PX - gaps_px
        self._tabs.fit(room_px - SEARCH_MIN_PX)
        text_px = self.add.fontMetrics().horizontalAdvance(text)
        is_roomy = room_px - self._tabs.roomy_px - text_px >= SEARCH_ROOMY_PX
        self.add.setText(text if is_roomy else "")

    def _draw(self) -> None:
        self.add.setIcon(icon(Icon.FOLDER_ADD, "on_accent", disabled="muted"))
        self.add.setIconSize(QSize(18, 18))


class ResultsLine(QFrame):
    """Back and forward, the list's headline, filters, order, sizes, and the detail's switch."""

    def __init__(self, actions: ActionSet, sizes: int) -> None:
        super().__init__()
        self.setObjectName("results-line")
        self.text = ElidedLabel("muted")
        self.text.setAccessibleName(tr("Results"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, sizes - 1)
        self.slider.setPageStep(1)
        self.slider.setFixedWidth(90)
        self.slider.setAccessibleName(tr("Size of the thumbnails"))
        self.slider.setToolTip(tr("Size of the thumbnails (Ctrl+wheel)"))
        self.fold = button("", "link")
        self.fold.setToolTip(tr("The model does not believe that these fit, but they come nearest"))
        review = actions[Actions.REVIEW]
        self.review = tool(
            tr("Review…"), "plain-link", name=review.text(), tip=review.toolTip(),
            on_click=review.trigger,
        )  # fmt: skip
        self.review.hide()
        look = IconButton(Icon.GRID, tr("How photos are shown"))
        look.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(look)
        menu.addActions([actions[action] for action in look_actions()])
        look.setMenu(menu)
        panel = action_button(actions[Actions.TOGGLE_DETAIL], Icon.PANEL)
        side = action_button(actions[Actions.TOGGLE_SIDE_BAR], Icon.SIDE)
        self.back = action_button(actions[Actions.GO_BACK], Icon.BACK)
        self.forward = action_button(actions[Actions.GO_FORWARD], Icon.NEXT)
        add_filter = actions[Actions.ADD_FILTER]
        self.add_filter = tool(
            tr("+ Filter"), "sort", name=tr("Add a filter"), tip=add_filter.toolTip(),
            on_click=add_filter.trigger,
        )  # fmt: skip
        self.sort = SortButton()
        self._always = (side, self.back, self.forward, look, panel)
        in_row(
            in_row(side, self.back, self.forward, gap=0),
            self.text,
            self.review,
            self.fold,
            STRETCH,
            self.add_filter,
            self.sort,
            self.slider,
            look,
            panel,
            gap=GAP_S,
            margins=(SIDES_PX[0], 6, SIDES_PX[1], 4),
            of=self,
        )

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The least size that its content needs: what there is no room for gives way."""
        return QSize(LEAST_PX, super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Fits its content to other texts."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Without room for the headline the slider goes first: Ctrl+wheel does as much."""
        links = [part for part in (self.review, self.fold) if not part.isHidden()]
        room = self.width() - sum(SIDES_PX) - sum(map(_room_of, (*self._always, *links)))
        few_px = min(TEXT_PX, max(FEW_PX, self.text.least_px + 1))
        for part, text_px in (
            (self.sort, few_px),
            (self.add_filter, few_px),
            (self.slider, TEXT_PX),
        ):
            is_seen = room - _room_of(part) >= text_px
            part.setVisible(is_seen)
            room -= _room_of(part) if is_seen else 0

    def say(self, texts: Sequence[str]) -> None:
        """The headline, and what stands for it where there is less and less room."""
        self.text.show_first(texts)
        self._fit()

    def say_fold(self, text: str) -> None:
        """The button for the rest of a search; none where the text is empty."""
        self.fold.setText(text)
        self.fold.setVisible(bool(text))
