"""Looking at photos and at what to do with one: the controllers of it, built together."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from ui.annotations.commands import WordFields
from ui.kit.actions import ActionSet, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.translation import tr
from ui.shell.compare_mode import CompareMode
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.medium_commands import MediumCommands
from ui.shell.pages import PageSwitcher
from ui.shell.review_mode import ReviewMode
from ui.shell.session import LibrarySession
from ui.shell.slideshow import Slideshow
from ui.shell.where_mode import WhereMode


class Looking:
    """One photo large, several side by side, or one after the other, with the verbs of each."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        widgets: WindowWidgets,
        session: LibrarySession,
        switcher: PageSwitcher,
        large: LargeMode,
        dialogs: DialogHost,
    ) -> None:
        self._large = large
        self.medium = MediumCommands(widgets, session, switcher, dialogs)
        self.compare = CompareMode(widgets, session)
        switcher.leaving.connect(self.compare.close)
        self.review = ReviewMode(widgets, session, lambda: actions.choices.has_letters)
        switcher.leaving.connect(self.review.close)
        self.slides = Slideshow(window, widgets, session, large, actions)
        self.where = WhereMode(widgets, session, large)
        switcher.leaving.connect(self.where.close)
        self._widgets = widgets
        self._model = session.model
        fields = large.words
        self.words = WordFields(
            fields.field,
            fields.chips,
            lambda: large.is_open or self.compare.is_open,
            self._show_words,
        )

    def _show_words(self) -> bool:
        """Words are edited in the large view; of photos side by side, those of the chosen one."""
        if self.compare.is_open:
            key = self.compare.view.current
            self.compare.close()
            position = None if key is None else self._model.position_of(key)
            if position is None:
                self._widgets.notice.say(
                    tr("This photo is in the list no more: find it to edit it")
                )
                return False
            self._widgets.grid.go_to(position)
            self._large.open()
        return self._large.words.show()

    def close(self) -> None:
        """Back to the page below."""
        self.where.close()
        self.review.close()
        self.compare.close()
        self._large.close()

    def slots(self) -> Slots:
        """The slots of all of them."""
        return {
            **self.medium.slots(),
            **self._large.slots(),
            **self.compare.slots(),
            **self.review.slots(),
            **self.slides.slots(),
            **self.where.slots(),
        }
