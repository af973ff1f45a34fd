"""The parts that draw themselves in the colours of the theme in use."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPixmap
from pytestqt.qtbot import QtBot

from ui.kit.app_theme import AppTheme
from ui.kit.icons import Icon
from ui.kit.image_loader import paint_thumbnail
from ui.kit.theme import DARK, LIGHT, current_theme
from ui.kit.widgets import IconButton, keeps_key

KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Enter)
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
KEYPAD = Qt.KeyboardModifier.KeypadModifier


def _has_colour(button: IconButton, name: str) -> bool:
    """True where the icon's strokes are of this colour, but for rounding at their edges."""
    image = button.icon().pixmap(button.iconSize()).toImage()
    points = ((x, y) for x in range(image.width()) for y in range(image.height()))
    shown = max((image.pixelColor(x, y) for x, y in points), key=QColor.alpha)
    assert shown.alpha() > 100
    wanted = current_theme().colour(name)
    pairs = zip(shown.getRgb()[:3], wanted.getRgb()[:3], strict=True)  # type: ignore[index]
    return all(abs(one - other) <= 3 for one, other in pairs)


def test_an_icon_takes_the_colour_of_another_theme(app_theme: AppTheme, qtbot: QtBot) -> None:
    """Nobody tells the button of it but Qt."""
    button = IconButton(Icon.MENU, "Menu", colour="text")
    qtbot.addWidget(button)
    button.show()
    for theme in (LIGHT, DARK, LIGHT):
        assert current_theme() is theme
        assert _has_colour(button, "text")
        app_theme.toggle()
    app_theme.toggle()


def test_the_tip_of_an_icon_says_its_name_where_it_has_no_more_to_say(qtbot: QtBot) -> None:
    """Both are there for those who do not see the icon."""
    plain, more = IconButton(Icon.MENU, "Menu"), IconButton(Icon.CLEAR, "Close", tip="Close (J)")
    for button in (plain, more):
        qtbot.addWidget(button)
    assert (plain.accessibleName(), plain.toolTip()) == ("Menu", "Menu")
    assert (more.accessibleName(), more.toolTip()) == ("Close", "Close (J)")


def _painted(picture: QPixmap | None) -> QImage:
    image = QImage(40, 20, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint_thumbnail(painter, QRect(0, 0, 40, 20), 4, picture)
    painter.end()
    return image


def test_a_thumbnail_is_the_middle_of_its_picture_with_round_corners(app_theme: AppTheme) -> None:
    """A high picture loses its top and its foot; nothing is stretched."""
    picture = QPixmap(40, 80)
    picture.fill(QColor("red"))
    painter = QPainter(picture)
    painter.fillRect(0, 30, 40, 20, QColor("lime"))
    painter.end()
    image = _painted(picture)
    assert {image.pixelColor(20, y).name() for y in (1, 10, 18)} == {"#00ff00"}
    assert image.pixelColor(0, 0).alpha() < 128


@pytest.mark.parametrize("picture", [None, QImage()], ids=["not read yet", "unreadable"])
def test_without_a_picture_there_is_its_place(app_theme: AppTheme, picture: QImage | None) -> None:
    """In the theme's own grey."""
    shown = None if picture is None else QPixmap.fromImage(picture)
    assert _painted(shown).pixelColor(20, 10) == LIGHT.colour("placeholder")


@pytest.mark.parametrize(
    ("kind", "key", "modifiers", "is_kept"),
    [
        (QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, NONE, True),
        (QEvent.Type.ShortcutOverride, Qt.Key.Key_Enter, KEYPAD, True),
        (QEvent.Type.ShortcutOverride, Qt.Key.Key_Enter, CONTROL, False),
        (QEvent.Type.ShortcutOverride, Qt.Key.Key_A, NONE, False),
        (QEvent.Type.KeyPress, Qt.Key.Key_Escape, NONE, False),
    ],
)
def test_a_widget_keeps_its_keys_from_the_windows_shortcuts(
    kind: QEvent.Type, key: Qt.Key, modifiers: Qt.KeyboardModifier, is_kept: bool
) -> None:
    """Those that are pressed alone; with Ctrl they may be a command."""
    event = QKeyEvent(kind, key, modifiers)
    event.ignore()
    assert keeps_key(event, KEYS) is is_kept
    assert event.isAccepted() is is_kept
