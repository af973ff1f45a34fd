"""The look in use: follows the system until the person chooses."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from ui.kit.theme import Appearance, Theme, apply_theme, load_font, theme_for


class AppTheme(QObject):
    """Dresses the program and tells the parts that draw for themselves."""

    changed = Signal(object)

    def __init__(self, app: QApplication, appearance: Appearance = Appearance.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._family = load_font()
        self._appearance = appearance
        self.theme: Theme = theme_for(appearance)
        app.setStyle("Fusion")
        apply_theme(app, self.theme, self._family)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system)

    def toggle(self) -> None:
        """The other one of light and dark; from now on the person's choice."""
        self._appearance = Appearance.LIGHT if self.theme.is_dark else Appearance.DARK
        self._apply()

    def _on_system(self) -> None:
        if self._appearance is Appearance.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        theme = theme_for(self._appearance)
        if theme != self.theme:
            self.theme = theme
            apply_theme(self._app, theme, self._family)
            self.changed.emit(theme)
