"""The section on how the window looks."""

from __future__ import annotations

from ui.kit.app_theme import APPEARANCE, COMPACT, TEXT_PERCENT, TEXT_PERCENTS, AppTheme
from ui.kit.theme import Appearance
from ui.shell.settings.rows import Section, choice

APPEARANCES = (
    (Appearance.SYSTEM, "As the system"),
    (Appearance.LIGHT, "Light"),
    (Appearance.DARK, "Dark"),
)


class LookSection(Section):
    """Theme, size of texts, density."""

    def __init__(self, app_theme: AppTheme) -> None:
        percents = tuple((percent, f"{percent} %") for percent in TEXT_PERCENTS)
        self.theme = choice(
            "Theme",
            "Light or dark, or whichever the system has now. Ctrl+Shift+L switches at any time.",
            APPEARANCE,
            APPEARANCES,
            app_theme.reload,
            words="colours appearance night",
        )
        self.text = choice(
            "Size of texts",
            "Larger texts everywhere but in the photos.",
            TEXT_PERCENT,
            percents,
            app_theme.reload,
            words="font zoom scale big",
        )
        self.density = choice(
            "Density",
            "Compact makes buttons, fields and lines of lists lower, so that more fits in.",
            COMPACT,
            ((False, "Comfortable"), (True, "Compact")),
            app_theme.reload,
            words="spacing small screen",
        )
        super().__init__("Look", self.theme, self.text, self.density)

    def on_shown(self) -> None:
        """The theme may have been switched by its key."""
        self.theme.refresh()
