"""A person's choices about the window, kept for the next one: the door to ``QSettings``."""

from __future__ import annotations

from PySide6.QtCore import QSettings


def remembered(name: str, default: bool) -> bool:
    """The choice that was made last, else the default."""
    return bool(_settings().value(name, default, bool))


def remember(name: str, value: bool) -> None:
    """Keeps a choice, at once."""
    settings = _settings()
    settings.setValue(name, value)
    settings.sync()


def _settings() -> QSettings:
    scope = QSettings.Scope.UserScope
    return QSettings(QSettings.Format.IniFormat, scope, "cocadesk", "window")
