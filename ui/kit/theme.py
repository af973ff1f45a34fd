"""Colours, spacing and type, light and dark, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication


class Appearance(StrEnum):
    """The choice between the system's appearance and a fixed one."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Colours by what they are for, as ``#rrggbb`` or ``#aarrggbb``."""

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
    badge: str = "#a5000000"
    on_badge: str = "#ffffff"


LIGHT = Colours(
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
DARK = Colours(
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours and lengths; lengths and type sizes are logical pixels."""

    colours: Colours
    is_dark: bool
    gap_s: int = 6
    gap_m: int = 12
    gap_l: int = 20
    radius: int = 8
    text_px: int = 14
    small_px: int = 12
    title_px: int = 20
    control_px: int = 36

    def colour(self, name: str) -> QColor:
        """A colour of this theme by its name in ``Colours``."""
        return QColor(getattr(self.colours, name))


def theme_for(appearance: Appearance) -> Theme:
    """The theme that a person chose, or the system's."""
    if appearance is Appearance.SYSTEM:
        scheme = QGuiApplication.styleHints().colorScheme()
        is_dark = scheme == Qt.ColorScheme.Dark
    else:
        is_dark = appearance is Appearance.DARK
    return Theme(colours=DARK if is_dark else LIGHT, is_dark=is_dark)
