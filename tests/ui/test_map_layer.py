"""The picture of a map that is painted a few milliseconds at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest
from PySide6.QtCore import QObject, QPointF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from ui.library.map import layer as map_layer
from ui.library.map.layer import MARGIN_PX, MapLayer, Scene
from ui.library.map.look import Look

SIZE = QSize(300, 200)
LOOK = Look(scale=300.0, flat=1.0, left=0.0, top=0.0)
MIDDLE = QPointF(0.5, 1 / 3)
INK = QColor("red")


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how long is painted at once: a busy machine's clock tells nothing."""

    def set_both(seconds: float) -> None:
        monkeypatch.setattr(map_layer, "FIRST_SLICE_S", seconds)
        monkeypatch.setattr(map_layer, "SLICE_S", seconds)

    set_both(60.0)
    return set_both


def _painter_of(
    painted: list[Look], steps: int = 1
) -> Callable[[QPainter, Look, QSize], Generator[None, None, None]]:
    """White, with a red square around one place of the map, after so many steps."""

    def paint(painter: QPainter, look: Look, size: QSize) -> Generator[None, None, None]:
        painted.append(look)
        painter.fillRect(0, 0, size.width(), size.height(), Qt.GlobalColor.white)
        for _ in range(steps):
            yield
        at = look.pixel(MIDDLE).toPoint()
        painter.fillRect(at.x() - 5, at.y() - 5, 11, 11, INK)

    return paint


def _shown(layer: MapLayer, look: Look, version: object = 0) -> QImage:
    image = QImage(SIZE, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    layer.show(painter, Scene(look, SIZE, 1.0, version))
    painter.end()
    return image


def _is_red(image: QImage, at: QPointF) -> bool:
    return image.pixelColor(at.toPoint()) == INK


def test_what_is_quickly_painted_is_seen_at_once(
    qtbot: QtBot, slices: Callable[[float], None]
) -> None:
    """A small map never shows anything but itself."""
    parent, painted = QObject(), list[Look]()
    layer = MapLayer(_painter_of(painted), parent)
    image = _shown(layer, LOOK)
    assert layer.is_whole
    assert _is_red(image, LOOK.pixel(MIDDLE))
    assert image.pixelColor(2, 2) == QColor("white")


def test_moving_a_little_paints_nothing_anew(qtbot: QtBot, slices: Callable[[float], None]) -> None:
    """The picture is larger than the view; its edge brings another one."""
    parent, painted = QObject(), list[Look]()
    layer = MapLayer(_painter_of(painted), parent)
    _shown(layer, LOOK)
    moved = LOOK.moved(QPointF(40, -30))
    image = _shown(layer, moved)
    assert _is_red(image, moved.pixel(MIDDLE))
    assert image.pixelColor(0, 199) == QColor("white"), "its margin is painted as well"
    assert len(painted) == 1
    _shown(layer, LOOK.moved(QPointF(MARGIN_PX, 0)))
    assert len(painted) == 2


def test_while_the_next_is_painted_the_last_one_stands_at_its_place(
    qtbot: QtBot, slices: Callable[[float], None]
) -> None:
    """Scaled, and with the widest one around it where it does not reach."""
    parent, painted = QObject(), list[Look]()
    layer = MapLayer(_painter_of(painted, steps=30), parent)
    _shown(layer, LOOK)
    slices(0)
    at = LOOK.pixel(MIDDLE)
    near = LOOK.zoomed(4.0, at, QSizeF(SIZE))
    image = _shown(layer, near)
    assert not layer.is_whole, "it waits for no picture"
    assert _is_red(image, at + QPointF(15, 15)), "the square is four times as large"
    qtbot.waitUntil(lambda: layer.is_whole)
    image = _shown(layer, near)
    assert _is_red(image, at)
    assert not _is_red(image, at + QPointF(15, 15)), "now it is painted for this look"
    image = _shown(layer, LOOK.moved(QPointF(1, 0)))
    assert image.pixelColor(1, 199) == QColor("white"), "not blank around the near one"


def test_another_version_is_painted_anew_and_another_map_shows_nothing_old(
    qtbot: QtBot, slices: Callable[[float], None]
) -> None:
    """Colours and chosen points change the picture at its place."""
    parent, painted = QObject(), list[Look]()
    layer = MapLayer(_painter_of(painted, steps=30), parent)
    _shown(layer, LOOK)
    slices(0)
    assert _is_red(_shown(layer, LOOK, version=1), LOOK.pixel(MIDDLE))
    assert len(painted) == 2
    layer.forget()
    assert not _is_red(_shown(layer, LOOK, version=2), LOOK.pixel(MIDDLE))


def test_something_more_is_painted_into_the_whole_picture(
    qtbot: QtBot, slices: Callable[[float], None]
) -> None:
    """A thumbnail that has come; without a picture there is nothing to paint into."""
    parent = QObject()
    layer = MapLayer(_painter_of([]), parent)

    def more(painter: QPainter, look: Look) -> None:
        painter.fillRect(30 + MARGIN_PX, 20 + MARGIN_PX, 30, 30, INK)

    assert not layer.touch(more)
    _shown(layer, LOOK)
    assert layer.touch(more)
    assert _is_red(_shown(layer, LOOK), QPointF(40, 30))


def test_no_step_goes_on_with_what_was_given_up(
    qtbot: QtBot, slices: Callable[[float], None]
) -> None:
    """Its points may be gone by then."""
    parent, painted = QObject(), list[Look]()
    layer = MapLayer(_painter_of(painted, steps=50), parent)
    slices(0.0)
    monitor = list[None]()
    layer.came.connect(lambda: monitor.append(None))
    _shown(layer, LOOK)
    assert not layer.is_whole
    layer.stop()
    assert layer.is_whole
    qtbot.wait(50)
    assert not monitor
