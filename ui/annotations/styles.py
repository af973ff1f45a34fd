"""The choices of style, length and care for captions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox

from cocadesk.protocol.captions import MOST_BEAMS, CaptionLength, CaptionWriting
from cocadesk.protocol.values import CaptionStyle
from ui.kit.preferences import Preference
from ui.kit.translation import tr

ANY = tr("Any style (new captions are sentences)")
NAMES = {
    CaptionStyle.SENTENCE: tr("Sentences"),
    CaptionStyle.SHORT: tr("Short captions"),
    CaptionStyle.ALT_TEXT: tr("Alt texts for screen readers"),
}


STYLE = Preference("caption-style", "")
"""One of ``CaptionStyle``; nothing is any."""
LENGTH = Preference("caption-length", CaptionLength.USUAL)
BEAMS = Preference("caption-beams", 0)
"""0: as many as suit the model."""


def chosen_writing() -> CaptionWriting:
    """The way in which the next captions are written."""
    return CaptionWriting(length=LENGTH.read(), beams=min(max(BEAMS.read(), 0), MOST_BEAMS))


class StyleChoice:
    """The styles that the model knows, and the one that was chosen last."""

    def __init__(self) -> None:
        self.known: tuple[CaptionStyle, ...] = ()

    def learn(self, known: Sequence[CaptionStyle]) -> None:
        """Another model answers, which may know others."""
        self.known = tuple(known)

    @property
    def last(self) -> CaptionStyle | None:
        """The style that was chosen last, where the model knows it; None is any."""
        chosen = STYLE.read()
        return next((style for style in self.known if style.value == chosen), None)

    @last.setter
    def last(self, style: CaptionStyle | None) -> None:
        if len(self.known) > 1:  # else nobody was asked
            STYLE.write("" if style is None else style.value)


class StylePicker(QComboBox):
    """Chooses one of the styles that a model knows; hidden where there is only one."""

    def __init__(self, choice: StyleChoice) -> None:
        super().__init__()
        self.setAccessibleName(tr("Style of captions"))
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
