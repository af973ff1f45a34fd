"""The section on how the window looks."""

from __future__ import annotations

from ui.kit.app_theme import APPEARANCE, COMPACT, TEXT_PERCENT, TEXT_PERCENTS, AppTheme
from ui.kit.theme import Appearance
from ui.kit.translation import LANGUAGE, SYSTEM, tr
from ui.shell.settings.rows import Section, choice

APPEARANCES = (
    (Appearance.SYSTEM, tr("As the system")),
    (Appearance.LIGHT, tr("Light")),
    (Appearance.DARK, tr("Dark")),
)
# Languages by their own names: whoever can't read the one in use must find theirs.
NAMES = ((SYSTEM, tr("As the system")), ("en", "English"), ("de", "Deutsch"))


class LookSection(Section):
    """Theme, size of texts, density, language."""

    def __init__(self, app_theme: AppTheme) -> None:
        percents = tuple((percent, f"{percent} %") for percent in TEXT_PERCENTS)
        self.theme = choice(
            tr("Theme"),
            tr(
                "Light or dark, or whichever the system has now. Ctrl+Shift+L switches at any time."
            ),
            APPEARANCE,
            APPEARANCES,
            app_theme.reload,
            words=tr("colours appearance night"),
        )
        self.text = choice(
            tr("Size of texts"),
            tr("Larger texts everywhere but in the photos."),
            TEXT_PERCENT,
            percents,
            app_theme.reload,
            words=tr("font zoom scale big"),
        )
        self.density = choice(
            tr("Density"),
            tr("Compact makes buttons, fields and lines of lists lower, so that more fits in."),
            COMPACT,
            ((False, tr("Comfortable")), (True, tr("Compact"))),
            app_theme.reload,
            words=tr("spacing small screen"),
        )
        self.language = choice(
            tr("Language"),
            tr("The language of the window. Another one holds when CocaDesk starts again."),
            LANGUAGE,
            NAMES,
            lambda: None,
            words=tr("language translation English German"),
        )
        super().__init__(tr("Look"), self.theme, self.text, self.density, self.language)

    def on_shown(self) -> None:
        """The theme may have been switched by its key."""
        self.theme.refresh()
