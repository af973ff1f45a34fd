"""Icons drawn from our own strokes, in any colour."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cocadesk.errors import UserError
from cocadesk.resources import resource_path
from ui.kit.theme import current_theme

ICON_SIZES_PX = (16, 24, 32, 48, 64, 128, 256)


class Icon(StrEnum):
    """Each value is the inside of a 24 by 24 SVG that is drawn in strokes."""

    SEARCH = '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5 21 21"/>'
    CLEAR = '<path d="M6 6 18 18M18 6 6 18"/>'
    FOLDER = (
        '<path d="M3 18V6.5A1.5 1.5 0 0 1 4.5 5H9l2.2 2.5h8.3A1.5 1.5 0 0 1 21 9v9'
        'a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z"/>'
    )
    FOLDER_ADD = (
        '<path d="M3 18V6.5A1.5 1.5 0 0 1 4.5 5H9l2.2 2.5h8.3A1.5 1.5 0 0 1 21 9v9'
        'a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z"/><path d="M12 11v5M9.5 13.5h5"/>'
    )
    MENU = '<path d="M4 7h16M4 12h16M4 17h16"/>'
    BACK = '<path d="M14.5 5 7.5 12l7 7"/>'
    DOWN = '<path d="M5.5 9.5l6.5 6.5 6.5-6.5"/>'
    NEXT = '<path d="M9.5 5l7 7-7 7"/>'
    COPY = (
        '<rect x="8.5" y="8.5" width="11.5" height="11.5" rx="2"/>'
        '<path d="M15.5 8.5V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v7.5a2 2 0 0 0 2 2h2.5"/>'
    )
    QUOTE = '<path d="M4 6h16M4 11h16M4 16h9"/>'
    PHOTO = (
        '<rect x="3" y="4.5" width="18" height="15" rx="2"/><circle cx="8.5" cy="9.5" r="1.8"/>'
        '<path d="M3.5 17.5 9 13l3.5 3 4-4.5 4 4.5"/>'
    )
    STACK = (
        '<rect x="3" y="7.5" width="13.5" height="13" rx="2"/>'
        '<path d="M7.5 4H18a3 3 0 0 1 3 3v10"/>'
    )
    NOTHING = '<circle cx="10.5" cy="10.5" r="6.5"/><path d="M15.5 15.5 21 21M8 10.5h5"/>'
    ENGINE = '<path d="M12 3v4M12 17v4M3 12h4M17 12h4M5.6 5.6l2.9 2.9M15.5 15.5l2.9 2.9"/>'
    WARNING = '<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.5M12 16.9v.2"/>'
    PANEL = '<rect x="3" y="4.5" width="18" height="15" rx="2"/><path d="M14.5 4.5v15"/>'
    ENLARGE = '<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>'
    PLAY = '<path d="M8 5.5v13l10.5-6.5z"/>'
    CHECK = '<path d="M5 12.5l4.5 4.5L19 7.5"/>'
    SOUND = (
        '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z"/>'
        '<path d="M15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>'
    )
    MUTED = '<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"/>'
    PLAY_FILLED = '<path d="M8 5.5v13l10.5-6.5z" fill="currentColor"/>'
    SUGGESTED = '<path d="M12 4v5M12 15v5M4 12h5M15 12h5M7 7l2 2M15 15l2 2M17 7l-2 2M9 15l-2 2"/>'
    HEART = (
        '<path d="M12 19.5S4 14.6 4 9.2A4.2 4.2 0 0 1 12 7a4.2 4.2 0 0 1 8 2.2'
        'c0 5.4-8 10.3-8 10.3z" fill="currentColor"/>'
    )
    STAR = (
        '<path d="M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7L12 16.8 6.9 19.5l1-5.7-4.1-4 5.7-.8z"'
        ' fill="currentColor"/>'
    )
    PICKED = '<path d="M6 20.5V4M6 5h11l-2.5 3.8L17 12.5H6" fill="currentColor"/>'
    REJECTED = '<path d="M6 20.5V4M6 5h11l-2.5 3.8L17 12.5H6M13 15l6 6M19 15l-6 6"/>'
    OFFLINE = '<path d="M4 4l16 16M9 5h6l4.5 8M4.5 13 7 8.5M4 13v6h14"/>'
    GRID = '<path d="M4 5h7v6H4zM14 5h6v6h-6zM4 14h5v5H4zM12 14h8v5h-8z"/>'
    FRAME_BACK = '<path d="M17 6l-8 6 8 6zM6 6v12"/>'
    FRAME_NEXT = '<path d="M7 6l8 6-8 6zM18 6v12"/>'
    LOOP = '<path d="M4 12V9.5A2.5 2.5 0 0 1 6.5 7H19l-3-3M20 12v2.5a2.5 2.5 0 0 1-2.5 2.5H5l3 3"/>'
    SIDE = '<rect x="3" y="4.5" width="18" height="15" rx="2"/><path d="M9.5 4.5v15"/>'
    PLUS = '<path d="M12 5v14M5 12h14"/>'
    HEART_OUTLINE = (
        '<path d="M12 20s-8-4.9-8-10.6A4.4 4.4 0 0 1 12 6.8a4.4 4.4 0 0 1 8 2.6'
        'C20 15.1 12 20 12 20z"/>'
    )
    FLAG = '<path d="M6 21V4M6 5h11.5l-2.5 4 2.5 4H6"/>'
    CLOCK = '<circle cx="12" cy="12" r="8.5"/><path d="M12 7.5V12l3 2"/>'
    FILM = (
        '<rect x="3" y="6" width="12.5" height="12" rx="2"/><path d="M15.5 10.5 21 7.5v9l-5.5-3z"/>'
    )
    BLANK = '<path d="M4.5 6.5h15M4.5 12h15M4.5 17.5h8" stroke-dasharray="2.2 4"/>'
    REVIEW = '<path d="M4 6h16M4 11h9M4 16h5"/><path d="M12.5 16.5l3 3 5.5-6"/>'
    UNKNOWN = (
        '<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.6a2.5 2.5 0 1 1 3.4 2.5c-.7.3-1 .8-1 1.6'
        'M12 16.6v.2"/>'
    )
    UNPLUGGED = (
        '<path d="M4 14.5 6.2 7A2 2 0 0 1 8.1 5.5h7.8A2 2 0 0 1 17.8 7l2.2 7.5"/>'
        '<rect x="3" y="14" width="18" height="5.5" rx="2"/><path d="M9.5 8l5 4M14.5 8l-5 4"/>'
    )
    ALBUM = '<rect x="3.5" y="8" width="17" height="12" rx="2"/><path d="M6 5h12M8 2.2h8"/>'
    PLACE = (
        '<path d="M12 21s6.5-6 6.5-11.2A6.5 6.5 0 0 0 5.5 9.8C5.5 15 12 21 12 21z"/>'
        '<circle cx="12" cy="9.8" r="2.4"/>'
    )
    TAG = '<path d="M4 5.5v6.2l8.3 8.3 6.9-6.9L10.9 4.8H4.7z"/><circle cx="8.4" cy="9.2" r="1.2"/>'
    PERSON = '<circle cx="12" cy="8.3" r="4"/><path d="M4.5 20.2c.8-4 3.7-6 7.5-6s6.7 2 7.5 6"/>'
    PAUSE = '<path d="M8.5 5.5v13M15.5 5.5v13"/>'


@lru_cache(maxsize=256)
def pixmap(icon: Icon, colour: str, size_px: int, ratio: float = 1.0) -> QPixmap:
    """The icon in a colour (``#rrggbb``); GUI thread only."""
    shapes = icon.value.replace("currentColor", colour)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{colour}" stroke-width="1.8" stroke-linecap="round" '
        f'stroke-linejoin="round">{shapes}</svg>'
    )
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    image = QPixmap(QSize(round(size_px * ratio), round(size_px * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, size_px * ratio, size_px * ratio))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(which: Icon, colour: str, size_px: int = 20, disabled: str = "") -> QIcon:
    """The icon for a button, sharp on screens of ratio one and two.

    ``colour`` is a name of the theme's; ``disabled`` that of its colour where it
    cannot be pressed; without one Qt makes it paler.
    """
    made = QIcon()
    theme = current_theme()
    for name, mode in ((colour, QIcon.Mode.Normal), (disabled, QIcon.Mode.Disabled)):
        for ratio in (1.0, 2.0) if name else ():
            made.addPixmap(pixmap(which, getattr(theme, name), size_px, ratio), mode)
    return made


def program_icon() -> QIcon:
    """The program's own icon; none where its file is missing."""
    try:
        renderer = QSvgRenderer(str(resource_path("desktop", "cocadesk.svg")))
    except UserError:
        return QIcon()
    made = QIcon()
    for side_px in ICON_SIZES_PX:
        canvas = QPixmap(side_px, side_px)
        canvas.fill(Qt.GlobalColor.transparent)
        painter = QPainter(canvas)
        renderer.render(painter)
        painter.end()
        made.addPixmap(canvas)
    return made
