"""Texts at one and a half times their size: nothing on the main pages is cut off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.support.widget_walk import words_of
from tests.support.window_scenes import SCENES, WindowScenes
from ui.kit.app_theme import TEXT_PERCENT, TEXT_PERCENTS, AppTheme
from ui.kit.page_parts import TickBox
from ui.kit.widgets import ElidedLabel
from ui.shell.window import MainWindow

ARROW_PX = 24

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def largest(app_theme: AppTheme) -> Iterator[None]:
    """The largest texts that can be chosen."""
    TEXT_PERCENT.write(TEXT_PERCENTS[-1])
    app_theme.reload()
    yield
    TEXT_PERCENT.reset()
    app_theme.reload()


@pytest.mark.parametrize("size", [(1280, 800), (900, 700)])
@pytest.mark.parametrize("scene", SCENES)
def test_no_text_is_cut_off(
    largest: None, window: MainWindow, qtbot: QtBot, scene: str, size: tuple[int, int]
) -> None:
    """What ends in an ellipsis has all of it in its tip."""
    assert TEXT_PERCENTS[-1] >= 150
    window.resize(1280, 800)
    scenes = WindowScenes(window, qtbot)
    scenes.dress()  # which looks at the side bar
    window.resize(*size)
    scenes.show(scene)
    parts = [part for part in window.findChildren(QWidget) if part.isVisible()]
    cut = [f"{fault}: {words_of(part)}" for part in parts if (fault := _fault(part))]
    assert not cut, "\n".join(cut)


def _fault(part: QWidget) -> str:
    """How a widget's text is cut off, or nothing."""
    wanted = _wanted_px(part)
    if wanted is None:
        return ""
    has = part.contentsRect() if isinstance(part, QLabel) else part.rect()
    if has.width() >= wanted.width() - 1 and has.height() >= wanted.height() - 1:
        return ""
    text = part.currentText() if isinstance(part, QComboBox) else getattr(part, "text", str)()
    return (
        f"“{text}” has {has.width()} × {has.height()} px, "
        f"needs {wanted.width()} × {wanted.height()}"
    )


def _wanted_px(part: QWidget) -> QSize | None:
    """The room that a widget's text needs; None where it has none."""
    metrics = part.fontMetrics()
    if isinstance(part, QLabel) and part.text():
        if isinstance(part, ElidedLabel):
            return QSize(0, metrics.height())
        if part.wordWrap():
            return QSize(0, part.heightForWidth(part.width()))
        return metrics.size(0, part.text())
    if isinstance(part, TickBox):
        return QSize(0, part.heightForWidth(part.width()))
    if isinstance(part, QAbstractButton) and part.text() and not _is_icon_alone(part):
        return metrics.size(int(Qt.TextFlag.TextShowMnemonic), part.text())
    if isinstance(part, QComboBox):
        return metrics.size(0, part.currentText()) + QSize(ARROW_PX, 0)
    return QSize(0, metrics.height()) if isinstance(part, QLineEdit) else None


def _is_icon_alone(part: QAbstractButton) -> bool:
    style = Qt.ToolButtonStyle.ToolButtonIconOnly
    is_tool = isinstance(part, QToolButton) and part.toolButtonStyle() == style
    return is_tool and not part.icon().isNull()
