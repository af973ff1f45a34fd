"""The window by the keyboard and through a screen reader: names, roles, Tab, and the focus seen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QKeySequenceEdit, QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from tests.support.contrast import VISIBLE, contrast, ground_of
from tests.support.widget_walk import interactive, name_of, place_in, role_of, words_of
from tests.support.window_scenes import SCENES, WindowScenes
from ui.shell.window import MainWindow

MOST_STOPS = 300
FEW_PIXELS = 8
NO_ROLES = (QAccessible.Role.NoRole, QAccessible.Role.Client)
ON_SCENES = pytest.mark.parametrize("scene", SCENES)

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def scenes(window: MainWindow, qtbot: QtBot) -> WindowScenes:
    """The scenes of an active window with albums and stars."""
    window.activateWindow()
    made = WindowScenes(window, qtbot)
    made.dress()
    return made


@dataclass(frozen=True, slots=True)
class Stop:
    """A widget that Tab leads to, and whether it can be seen that it has the focus."""

    part: QWidget
    is_seen: bool


def walk_by_tab(window: MainWindow) -> list[Stop]:
    """What the focus comes to as Tab is pressed, once round."""
    stops: list[Stop] = []
    first = QApplication.focusWidget() or window.focusWidget()
    assert first is not None
    first.clearFocus()
    first.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(MOST_STOPS):
        now = QApplication.focusWidget()
        if now is None or any(stop.part is now for stop in stops):
            break
        stops.append(Stop(now, _is_seen(window, now)))
        QTest.keyClick(now, Qt.Key.Key_Tab)
    return stops


def _is_seen(window: MainWindow, part: QWidget) -> bool:
    """True where enough pixels change with the focus and stand out of what lies around."""
    place = place_in(window, part).adjusted(-3, -3, 3, 3).intersected(window.rect())
    with_focus = _picture(window, part, place)
    part.clearFocus()
    without = _picture(window, part, place)
    part.setFocus(Qt.FocusReason.TabFocusReason)
    ground = ground_of(without)
    changed = (
        with_focus.pixelColor(x, y)
        for y in range(with_focus.height())
        for x in range(with_focus.width())
        if with_focus.pixel(x, y) != without.pixel(x, y)
    )
    return sum(contrast(colour, ground) >= VISIBLE for colour in changed) >= FEW_PIXELS


def _picture(window: MainWindow, part: QWidget, place: object) -> QImage:
    QApplication.sendPostedEvents()
    return window.grab(place).toImage()  # type: ignore[arg-type]


@ON_SCENES
def test_all_that_one_can_act_on_is_named_reached_and_seen(
    scenes: WindowScenes, scene: str
) -> None:
    """By a screen reader, by Tab, and by whoever looks for the focus.

    What draws itself has no role that Qt knows: it says by which keys it is used.
    """
    scenes.show(scene)
    parts = interactive(scenes.window)
    assert len(parts) > 5
    faults = [f"no name: {words_of(part)}" for part in parts if not name_of(part).strip()]
    faults += [f"no role: {words_of(part)}" for part in parts if not _has_role(part)]
    stops = walk_by_tab(scenes.window)
    reached = [stop.part for stop in stops]
    faults += [f"not reached: {words_of(part)}" for part in parts if not _is_in(part, reached)]
    faults += [f"focus not seen: {words_of(stop.part)}" for stop in stops if not stop.is_seen]
    assert not faults, "\n".join(faults)


def _has_role(part: QWidget) -> bool:
    """A field for a key is Qt's own."""
    is_own = role_of(part) not in NO_ROLES or isinstance(part, QKeySequenceEdit)
    return is_own or bool(part.accessibleDescription())


def _is_in(part: QWidget, reached: list[QWidget]) -> bool:
    """Reached itself, inside what has keys of its own, or one of several choices."""
    if isinstance(part, QRadioButton):  # arrows lead from one to the next
        return any(isinstance(one, QRadioButton) and _beside(one, part) for one in reached)
    return any(one is part or one.isAncestorOf(part) for one in reached)


def _beside(one: QWidget, other: QWidget) -> bool:
    return one.parentWidget() is other.parentWidget()
