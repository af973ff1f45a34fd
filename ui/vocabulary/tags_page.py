"""The page Tags: those of the library, and the list that suggestions are chosen from."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QToolButton, QWidget

from ui.engine.tracker import JobTracker
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import COLUMN_MAX_PX, Page
from ui.kit.translation import tr
from ui.kit.widgets import tool
from ui.vocabulary.library_tags import LibraryTags, TagsContext
from ui.vocabulary.page import VocabularyPage


class TagsPage(Page):
    """Two views with a button each; that of the library comes first."""

    def __init__(self, context: TagsContext, tracker: JobTracker) -> None:
        super().__init__()
        self.setAccessibleName(tr("Tags"))
        self.tags = LibraryTags(context)
        self.vocabulary = VocabularyPage(context.link, tracker)
        self._stack = QStackedWidget()
        middle = QWidget()
        middle.setMaximumWidth(COLUMN_MAX_PX)
        in_column((self.tags, 1), of=middle)
        first = QWidget()
        in_row(STRETCH, (middle, 100), STRETCH, margins=(28, 12, 28, 24), of=first)
        self._stack.addWidget(first)
        self._stack.addWidget(self.vocabulary)
        self.tabs = (
            self._tab(tr("In your library"), tr("All tags with their numbers"), 0),
            self._tab(tr("To suggest from"), tr("The list that CocaDesk chooses tags from"), 1),
        )
        row = in_row(STRETCH, *self.tabs, STRETCH, gap=2, margins=(0, 10, 0, 0))
        in_column(row, (self._stack, 1), gap=0, of=self)
        self._mark()

    def on_shown(self) -> None:
        """Asks for what may have changed and takes the focus."""
        if self._stack.currentIndex() == 0:
            self.tags.ask()
            self.tags.field.setFocus()
        else:
            self.vocabulary.on_shown()

    def step_back(self) -> bool:
        """What is looked for is forgotten first."""
        has_text = self._stack.currentIndex() == 0 and bool(self.tags.field.text())
        self.tags.field.clear()
        return has_text

    def do_with(self, tag: str, verb: str) -> None:
        """Asks for what is to be done to a tag: ``rename``, ``merge`` or ``remove``."""
        self.show_view(0)
        tags = self.tags
        buttons = {"rename": tags.rename, "merge": tags.merge, "remove": tags.remove}
        tags.begin(tag, buttons[verb])

    def show_view(self, place: int) -> None:
        """Shows one of the two views."""
        self._stack.setCurrentIndex(place)
        self._mark()
        self.on_shown()

    def _tab(self, text: str, tip: str, place: int) -> QToolButton:
        made = tool(text, "tab", tip=tip, on_click=lambda: self.show_view(place))
        made.setCheckable(True)
        return made

    def _mark(self) -> None:
        for place, tab in enumerate(self.tabs):
            tab.setChecked(place == self._stack.currentIndex())
