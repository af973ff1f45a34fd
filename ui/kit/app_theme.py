"""The theme in use: follows the system until the person chooses."""

from __future__ import annotations

import gzip

from PySide6.QtCore import QObject
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from cocadesk.errors import UserError
from cocadesk.resources import resource_path
from ui.kit.preferences import Preference
from ui.kit.stylesheet import stylesheet
from ui.kit.theme import TEXT_PX, Appearance, Theme, theme_for

FONT_FILES = ("Inter-Regular.ttf.gz", "Inter-SemiBold.ttf.gz")
APPEARANCE = Preference("appearance", Appearance.SYSTEM)
TEXT_PERCENT = Preference("text-percent", 100)
COMPACT = Preference("compact", False)
TEXT_PERCENTS = (90, 100, 115, 130, 150)


class AppTheme(QObject):
    """Applies the theme to the program; every widget gets a StyleChange event then."""

    def __init__(self, app: QApplication, appearance: Appearance | None = None) -> None:
        """Without an ``appearance``, the one that was chosen last."""
        super().__init__(app)
        self._app = app
        self._family = load_font()
        self._appearance = APPEARANCE.read() if appearance is None else appearance
        app.setStyle("Fusion")
        self._apply()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system)

    def toggle(self) -> None:
        """The other one of light and dark; from now on the person's choice."""
        self.choose(Appearance.LIGHT if self.theme.is_dark else Appearance.DARK)

    def choose(self, appearance: Appearance) -> None:
        """Takes the appearance on, and for the next start as well."""
        self._appearance = appearance
        APPEARANCE.write(appearance)
        self._apply()

    def reload(self) -> None:
        """Takes on what is chosen now: appearance, size of texts, density."""
        self._appearance = APPEARANCE.read()
        self._apply()

    def _on_system(self) -> None:
        if self._appearance is Appearance.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        self.theme = theme_for(self._appearance)
        apply_theme(self._app, self.theme, self._family)


def load_font() -> str:
    """Makes the shipped fonts known; their family, or the system's own."""
    families: list[str] = []
    for name in FONT_FILES:
        try:
            packed = resource_path("fonts", name).read_bytes()
            number = QFontDatabase.addApplicationFontFromData(gzip.decompress(packed))
        except (UserError, OSError, EOFError):
            continue
        families += QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else QGuiApplication.font().family()


def apply_theme(app: QApplication, theme: Theme, family: str) -> None:
    """Gives the whole program this theme, in the sizes that the person chose."""
    percent = min(max(TEXT_PERCENT.read(), TEXT_PERCENTS[0]), TEXT_PERCENTS[-1])
    font = QFont(family)
    font.setPixelSize(round(TEXT_PX * percent / 100))
    app.setFont(font)
    app.setPalette(_palette(theme))
    app.setStyleSheet(stylesheet(theme, text_percent=percent, is_compact=COMPACT.read()))


def _palette(theme: Theme) -> QPalette:
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, name in {
        roles.Window: "window",
        roles.Base: "surface",
        roles.AlternateBase: "raised",
        roles.Button: "surface",
        roles.ToolTipBase: "raised",
        roles.WindowText: "text",
        roles.Text: "text",
        roles.ButtonText: "text",
        roles.ToolTipText: "text",
        roles.PlaceholderText: "muted",
        roles.Highlight: "accent",
        roles.HighlightedText: "on_accent",
        roles.Link: "accent",
        roles.Mid: "line",
    }.items():
        palette.setColor(role, theme.colour(name))
    disabled = QPalette.ColorGroup.Disabled
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(disabled, role, theme.colour("muted"))
    return palette
