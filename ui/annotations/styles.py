"""The choices of style, length and care for captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtWidgets import QComboBox

from cocadesk.protocol.captions import LONGEST_PROMPT, MOST_BEAMS, CaptionLength, CaptionWriting
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
PROMPT = Preference("caption-prompt", "")
TEMPERATURE = Preference("caption-temperature", 0.0)
TOP_K = Preference("caption-top-k", 0)
TOP_P = Preference("caption-top-p", 1.0)
SEED = Preference("caption-seed", 0)
MOST_SEED = 999_999
LONGEST = 32
"""A caption's most tokens, where a person chooses; the starter writes that many."""
PENALTY = Preference("caption-repetition-penalty", 1.0)
AS_SUITS = -1
"""For numbers of which 0 has a meaning of its own."""
NO_REPEAT = Preference("caption-no-repeat", AS_SUITS)
NO_REPEAT_PHRASES = Preference("caption-no-repeat-phrases", False)
LEAST = Preference("caption-least-tokens", 0)
MOST = Preference("caption-most-tokens", 0)
"""Both 0: as suits the model."""
FIT = Preference("caption-fit", float(AS_SUITS))
"""How much it counts that a wording fits the photo."""


def chosen_writing() -> CaptionWriting:
    """The way in which the next captions are written; what a damaged file holds is bounded."""
    no_repeat, fit = NO_REPEAT.read(), FIT.read()
    most = _bounded(MOST.read(), 0, LONGEST)
    return CaptionWriting(
        length=LENGTH.read(),
        beams=_bounded(BEAMS.read(), 0, MOST_BEAMS),
        prompt=PROMPT.read()[:LONGEST_PROMPT],
        temperature=_bounded(TEMPERATURE.read(), 0.0, 2.0),
        top_k=_bounded(TOP_K.read(), 0, 1000),
        top_p=_bounded(TOP_P.read(), 0.01, 1.0),
        seed=_bounded(SEED.read(), 0, MOST_SEED),
        repetition_penalty=_bounded(PENALTY.read(), 0.1, 10.0),
        no_repeat=None if no_repeat < 0 else no_repeat,
        no_repeat_phrases=NO_REPEAT_PHRASES.read(),
        min_tokens=_bounded(LEAST.read(), 0, most or LONGEST),
        max_tokens=most,
        rerank_weight=None if fit < 0 else min(fit, 100.0),
    )


_Number = TypeVar("_Number", int, float)


def _bounded(value: _Number, least: _Number, most: _Number) -> _Number:
    return min(max(value, least), most)


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
