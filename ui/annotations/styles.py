"""The choice of a style for captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cocadesk.protocol.values import CaptionStyle
from ui.annotations.scopes import Picker

ANY = "Any style (new captions are sentences)"
NAMES = {
    CaptionStyle.SENTENCE: "Sentences",
    CaptionStyle.SHORT: "Short captions",
    CaptionStyle.ALT_TEXT: "Alt texts for screen readers",
}


@dataclass(slots=True)
class StyleChoice:
    """The styles that the model knows, and the one that was chosen last; None is any."""

    known: tuple[CaptionStyle, ...] = ()
    last: CaptionStyle | None = None

    def learn(self, known: Sequence[CaptionStyle]) -> None:
        """Another model answers: what it does not know is not chosen any more."""
        self.known = tuple(known)
        if self.last not in self.known:
            self.last = None


class StylePicker(Picker):
    """Chooses one of the styles that a model knows; hidden where there is only one."""

    def __init__(self, choice: StyleChoice) -> None:
        super().__init__()
        self.setAccessibleName("Style of captions")
        self._choice = choice
        self._styles = (None, *choice.known)
        self.addItems([ANY if style is None else NAMES[style] for style in self._styles])
        self.setCurrentIndex(self._styles.index(choice.last))
        if len(choice.known) < 2:
            self.hide()

    def chosen_style(self) -> CaptionStyle | None:
        """The style that is chosen now, also for the next time."""
        self._choice.last = self._styles[self.currentIndex()]
        return self._choice.last
