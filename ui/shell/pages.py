"""The window's pages beside the library: their tabs, and who is shown."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ui.kit.actions import ActionId, ActionSet
from ui.kit.theme import Theme

if TYPE_CHECKING:
    from ui.shell.window import MainWindow


class Page(StrEnum):
    """The pages, each with the word on its tab."""

    LIBRARY = "Library"
    TEACH = "Teach"
    TAGS = "Tags"
    MODELS = "Models"


ACTION_OF: dict[Page, ActionId] = {
    Page.LIBRARY: ActionId.PAGE_LIBRARY,
    Page.TEACH: ActionId.PAGE_TEACH,
    Page.TAGS: ActionId.PAGE_TAGS,
    Page.MODELS: ActionId.PAGE_MODELS,
}


class Leaf(Protocol):
    """What a page must do beyond being a widget."""

    def set_theme(self, theme: Theme) -> None:
        """Draws in another theme from now on."""
        ...

    def turned_to(self) -> None:
        """The page is shown: ask for what may have changed, take the focus."""
        ...


class PageTabs(QWidget):
    """One button a page; the shown one is marked."""

    def __init__(self, actions: ActionSet) -> None:
        super().__init__()
        self.setAccessibleName("Pages")
        self._tabs: dict[Page, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for page, do in ACTION_OF.items():
            tab = QToolButton()
            tab.setText(page.value)
            tab.setProperty("role", "tab")
            tab.setCheckable(True)
            tab.setCursor(Qt.CursorShape.PointingHandCursor)
            keys = actions[do].shortcut().toString(actions[do].shortcut().SequenceFormat.NativeText)
            tab.setToolTip(f"{actions[do].text()} ({keys})")
            tab.setAccessibleName(actions[do].text())
            tab.clicked.connect(actions[do].trigger)
            self._tabs[page] = tab
            row.addWidget(tab)
        self.mark(Page.LIBRARY)

    def tab(self, page: Page) -> QToolButton:
        """The button of a page."""
        return self._tabs[page]

    def mark(self, shown: Page) -> None:
        """Marks the shown page alone."""
        for page, tab in self._tabs.items():
            tab.setChecked(page is shown)


class PageSwitcher(QObject):
    """Shows one page; each is made when it is first wanted, so that start-up stays short."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._made: dict[Page, QWidget] = {Page.LIBRARY: window.widgets.split}
        self.page = Page.LIBRARY
        window.widgets.search.query_changed.connect(self.to_library)
        window.app_theme.changed.connect(self._on_look)

    def slots(self) -> dict[ActionId, Callable[[], None]]:
        """The work of the pages' actions."""
        return {
            ActionId.PAGE_LIBRARY: self.to_library,
            ActionId.PAGE_TEACH: lambda: self.show(Page.TEACH),
            ActionId.PAGE_TAGS: lambda: self.show(Page.TAGS),
            ActionId.PAGE_MODELS: lambda: self.show(Page.MODELS),
        }

    def to_library(self) -> None:
        """Shows the library, e.g. because somebody searches."""
        self.show(Page.LIBRARY)

    def show(self, page: Page) -> None:
        """Turns to a page, out of the large view as well."""
        window = self._window
        window.close_large()
        self.page = page
        shown = self._leaf(page)
        window.widgets.rooms.setCurrentWidget(shown)
        window.widgets.tabs.mark(page)
        if page is not Page.LIBRARY:
            window.widgets.detail.video.stop()
            shown.turned_to()  # type: ignore[attr-defined]
        window.refresh()

    def made(self, page: Page) -> QWidget | None:
        """The page's widget where it has been shown before."""
        return self._made.get(page)

    def _leaf(self, page: Page) -> QWidget:
        if page not in self._made:
            made = self._build(page)
            self._made[page] = made
            self._window.widgets.rooms.addWidget(made)
        return self._made[page]

    def _build(self, page: Page) -> QWidget:
        link, theme = self._window.link, self._window.app_theme.theme
        if page is Page.TEACH:
            from ui.teach.page import TeachPage

            teach = TeachPage(link, self._window.thumbnails, theme)
            teach.search_wanted.connect(self._search)
            return teach
        if page is Page.TAGS:
            from ui.vocabulary.page import VocabularyPage

            return VocabularyPage(link, theme)
        from ui.models.page import ModelsPage

        return ModelsPage(link, theme)

    def _search(self, text: str) -> None:
        self.to_library()
        self._window.widgets.search.set_query(text)
        self._window.widgets.grid.setFocus()

    def _on_look(self, theme: object) -> None:
        assert isinstance(theme, Theme)
        for page, made in self._made.items():
            if page is not Page.LIBRARY:
                made.set_theme(theme)  # type: ignore[attr-defined]
