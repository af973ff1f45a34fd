"""The folded rows on captions: their beginning, their drawing and their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QLineEdit

from cocadesk.protocol.captions import LONGEST_PROMPT
from ui.annotations.styles import (
    AS_SUITS,
    FIT,
    LEAST,
    MOST,
    MOST_SEED,
    NO_REPEAT,
    NO_REPEAT_PHRASES,
    PENALTY,
    PROMPT,
    SEED,
    TEMPERATURE,
    TOP_K,
    TOP_P,
)
from ui.kit.preferences import Preference
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import button
from ui.shell.settings.rows import CONTROL_PX, SettingRow, Value, choice

IS_OPEN = Preference("caption-more", False)
DRAWN = tr("It counts only where Variety draws.")
SUITS = tr("As suits the model")
VARIETY = (
    (0.0, tr("None: the likeliest words")),
    (0.3, tr("A little (0.3)")),
    (0.7, tr("Some (0.7)")),
    (1.0, tr("As the model rates them (1.0)")),
    (1.3, tr("Much (1.3)")),
)
LIKELIEST = ((0, tr("All")), *((n, tr("The {n} likeliest", n=n)) for n in (5, 20, 50, 200)))
SHARES = (
    (1.0, tr("All")),
    (0.95, tr("The likeliest 95 %")),
    (0.9, tr("The likeliest 90 %")),
    (0.7, tr("The likeliest 70 %")),
    (0.5, tr("The likeliest 50 %")),
)
PENALTIES = (
    (1.0, tr("Not avoided")),
    (1.1, tr("A little (1.1)")),
    (1.3, tr("Avoided (1.3)")),
    (2.0, tr("Strongly (2.0)")),
)
IN_A_ROW = (
    (AS_SUITS, SUITS),
    (0, tr("Allowed")),
    (2, tr("Never two of them again")),
    (3, tr("Never three of them again")),
    (4, tr("Never four of them again")),
)
PHRASES = ((False, tr("Allowed")), (True, tr("Never again")))
LEAST_TOKENS = (4, 6, 8, 12, 16)
MOST_TOKENS = (8, 12, 16, 20, 24, 32)
FITS = (
    (float(AS_SUITS), SUITS),
    (0.0, tr("Not at all")),
    (5.0, tr("A little (5)")),
    (10.0, tr("Some (10)")),
    (20.0, tr("Much (20)")),
)


class MoreRows:
    """The row with the button, and those that it shows and hides; which is remembered."""

    def __init__(self) -> None:
        self.button = button("", on_click=self._turn)
        self.button.setMinimumWidth(CONTROL_PX)
        self.head = SettingRow(
            tr("More for captions"),
            tr(
                "A beginning of your own, other captions each time, and what words may come "
                "again. All of it holds for the next captions; those that there are stay, "
                "unless you have them made again (Ctrl+D)."
            ),
            self.button,
        )
        self.prompt = field(
            tr("Beginning of captions"),
            tr(
                "Each new caption begins with these words and goes on from there, e.g. “a photo "
                "of”. English for the models that come with the program. Empty: with what fits."
            ),
            PROMPT,
            _text_line(),
            str,
            words=tr("prompt start prefix"),
        )
        self.rows: tuple[SettingRow, ...] = (self.prompt, *_drawing(), *_words())
        self.show()

    def refresh(self) -> None:
        """Shows what holds."""
        for row in self.rows:
            row.refresh()
        self.show()

    def show(self) -> None:
        """Shows or hides the rows, as was chosen last."""
        is_open = IS_OPEN.read()
        self.button.setText(tr("Less") if is_open else tr("More"))
        self.button.setAccessibleName(
            tr("Hide more settings for captions")
            if is_open
            else tr("Show more settings for captions")
        )
        for row in self.rows:
            row.setVisible(is_open)

    def _turn(self) -> None:
        IS_OPEN.write(not IS_OPEN.read())
        self.show()


def _drawing() -> tuple[SettingRow, ...]:
    return (
        _row(
            tr("Variety"),
            tr(
                "Draws the words instead of searching for the likeliest ones: captions come out "
                "livelier and more often wrong."
            ),
            TEMPERATURE,
            VARIETY,
            tr("temperature sampling random creative"),
        ),
        _row(
            tr("Words to draw from"),
            tr("So many words may be the next one. {drawn}", drawn=DRAWN),
            TOP_K,
            LIKELIEST,
            tr("top-k sampling"),
        ),
        _row(
            tr("Share to draw from"),
            tr("Unlikely words are left out of the drawing. {drawn}", drawn=DRAWN),
            TOP_P,
            SHARES,
            tr("top-p nucleus sampling"),
        ),
        field(
            tr("Number of the drawing"),
            tr("The same number draws the same captions again. {drawn}", drawn=DRAWN),
            SEED,
            _number_line(),
            lambda text: int(text or 0),
            words=tr("seed random"),
        ),
    )


def _words() -> tuple[SettingRow, ...]:
    return (
        _row(
            tr("Words that were said"),
            tr("Words that a caption has come again less."),
            PENALTY,
            PENALTIES,
            tr("repetition penalty"),
        ),
        _row(
            tr("The same words in a row"),
            tr("Parts of words count as words."),
            NO_REPEAT,
            IN_A_ROW,
            tr("repeat n-gram"),
        ),
        _row(
            tr("The same thing twice"),
            tr("What follows “a”, “an” or “the” may come once or more often."),
            NO_REPEAT_PHRASES,
            PHRASES,
            tr("repeat phrases"),
        ),
        _row(
            tr("Shortest caption"),
            tr("Parts of words count as words, and so does the end."),
            LEAST,
            _lengths(LEAST_TOKENS),
            tr("minimum length tokens"),
        ),
        _row(
            tr("Longest caption"),
            tr("Parts of words count as words, and so does the end."),
            MOST,
            _lengths(MOST_TOKENS),
            tr("maximum length tokens"),
        ),
        _row(
            tr("Fit to the photo"),
            tr("How much it counts, among the wordings, that one fits its photo."),
            FIT,
            FITS,
            tr("rerank cosine"),
        ),
    )


def _lengths(numbers: Sequence[int]) -> tuple[tuple[int, str], ...]:
    return ((0, SUITS), *((n, tr_count(n, "{n} word", "{n} words")) for n in numbers))


def _row(
    title: str,
    sentence: str,
    preference: Preference[Value],
    options: Sequence[tuple[Value, str]],
    words: str,
) -> SettingRow:
    return choice(title, sentence, preference, options, lambda: None, words=words)


def field(
    title: str,
    sentence: str,
    preference: Preference[Value],
    line: QLineEdit,
    read: Callable[[str], Value],
    *,
    words: str,
) -> SettingRow:
    """A row with a line to write in; ``read`` gives the value of its text."""
    line.setMinimumWidth(CONTROL_PX)
    row = SettingRow(title, sentence, line, words=words)

    def show_value() -> None:
        value = preference.read()
        line.setText(str(value))
        row.mark(value != preference.default)

    def keep(text: str) -> None:
        value = read(text.strip())
        preference.write(value)
        row.mark(value != preference.default)

    def forget() -> None:
        preference.reset()
        show_value()

    show_value()
    row.refresh = show_value
    line.textEdited.connect(keep)
    row.reset.clicked.connect(forget)
    return row


def _text_line() -> QLineEdit:
    line = QLineEdit()
    line.setMaxLength(LONGEST_PROMPT)
    return line


def _number_line() -> QLineEdit:
    line = QLineEdit()
    line.setValidator(QIntValidator(0, MOST_SEED, line))
    return line
