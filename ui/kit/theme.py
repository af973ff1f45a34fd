"""Colours, spacing and type, light and dark, in one place; lengths are logical pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication

GAP_S = 6
GAP_M = 12
GAP_L = 20
RADIUS_PX = 8
TEXT_PX = 14
SMALL_PX = 12
TITLE_PX = 20


class Appearance(StrEnum):
    """The choice between the system's appearance and a fixed one."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours by what they are for, as ``#rrggbb`` or ``#aarrggbb``."""

    is_dark: bool
    window: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    accent_strong: str
    on_accent: str
    accent_soft: str
    placeholder: str
    danger: str
    stage: str
    on_stage: str
    notice_link: str
    stage_hover: str = "#33ffffff"
    match: str = "#5cc4ba"
    badge: str = "#b8000000"
    on_badge: str = "#ffffff"

    def colour(self, name: str) -> QColor:
        """A colour of this theme by its name."""
        return QColor(getattr(self, name))


LIGHT = Theme(
    is_dark=False,
    window="#f6f6f3",
    surface="#ffffff",
    raised="#efefeb",
    line="#dcdcd6",
    text="#1c1e21",
    muted="#62666d",
    accent="#0b726d",
    accent_strong="#075b57",
    on_accent="#ffffff",
    accent_soft="#dcefec",
    placeholder="#e5e5e0",
    danger="#a8321f",
    stage="#141517",
    on_stage="#f0f0ee",
    notice_link="#7fd3cb",
)
DARK = Theme(
    is_dark=True,
    window="#161719",
    surface="#1e2023",
    raised="#292c30",
    line="#363a3f",
    text="#ececea",
    muted="#a0a5ac",
    accent="#5cc4ba",
    accent_strong="#86d8d0",
    on_accent="#0b2321",
    accent_soft="#1d3b39",
    placeholder="#26282c",
    danger="#f08a76",
    stage="#0c0d0e",
    on_stage="#f0f0ee",
    notice_link="#075b57",
)


def theme_for(appearance: Appearance) -> Theme:
    """The theme that a person chose, or the system's."""
    if appearance is Appearance.SYSTEM:
        scheme = QGuiApplication.styleHints().colorScheme()
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT
    return DARK if appearance is Appearance.DARK else LIGHT


def current_theme() -> Theme:
    """The theme that the program's palette has; what draws itself asks each time it does."""
    window = QGuiApplication.palette().window().color()
    return DARK if window == DARK.colour("window") else LIGHT


def colour(name: str) -> QColor:
    """A colour of the theme in use."""
    return current_theme().colour(name)
