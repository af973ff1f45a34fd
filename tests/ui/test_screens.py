"""The window as it was seen last, page by page, light and dark.

``make screens`` renews the pictures in ``tests/ui/screens`` after a change that is meant; look at
them before you commit them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from tests.support.screen_pictures import (
    blocks_of,
    difference,
    read_blocks,
    write_blocks,
)
from tests.support.window_scenes import WindowScenes
from ui.kit.app_theme import AppTheme, apply_theme, load_font
from ui.kit.theme import LIGHT, Appearance
from ui.shell.window import MainWindow

PICTURES = Path(__file__).with_name("screens")
SHOWN = ("library", "results", "filtered", "large", "map", "groups", "settings")
SIZE = (1120, 720)
OTHER_FONTS = {"DejaVu Sans", "Liberation Sans", "Arial", "Helvetica", "Noto Sans", "Segoe UI"}
RENEW = "COCADESK_RENEW_SCREENS"
LOOKS = pytest.mark.parametrize("look", [Appearance.LIGHT, Appearance.DARK])

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture(autouse=True)
def _still(qapp: QApplication) -> Iterator[None]:
    """No cursor blinks."""
    before = qapp.cursorFlashTime()
    qapp.setCursorFlashTime(0)
    yield
    qapp.setCursorFlashTime(before)


@pytest.fixture
def themed(app_theme: AppTheme) -> Iterator[Callable[[Appearance], None]]:
    """Chooses a theme for one test."""
    yield app_theme.choose
    app_theme.choose(Appearance.LIGHT)


@pytest.fixture
def scenes(window: MainWindow, qtbot: QtBot) -> WindowScenes:
    """The scenes of a window of the pictures' size."""
    window.resize(*SIZE)
    made = WindowScenes(window, qtbot)
    made.dress()
    return made


def _fault(name: str, window: MainWindow, tmp_path: Path) -> str:
    """Why a window is not as it was kept, or nothing; keeps it where it shall be renewed."""
    kept, blocks = PICTURES / f"{name}.png", blocks_of(window)
    if os.environ.get(RENEW):
        write_blocks(kept, blocks)
        return ""
    expected = read_blocks(kept)
    if expected is None:
        return f"{name}: no picture is kept; make screens"
    found = difference(blocks, expected)
    if not found.is_seen:
        return ""
    now = tmp_path / f"{name}.png"
    window.grab().save(str(now))
    return f"{name}: {found.share:.2%} of it differ, {found.where}; now it looks like {now}"


@LOOKS
def test_each_page_looks_as_it_did(
    scenes: WindowScenes,
    themed: Callable[[Appearance], None],
    look: Appearance,
    tmp_path: Path,
) -> None:
    """Nothing has moved, gone or changed its colour without being meant to."""
    themed(look)
    faults = []
    for scene in SHOWN:
        scenes.show(scene)
        faults.append(_fault(f"{scene}-{look}", scenes.window, tmp_path))
    faults = [fault for fault in faults if fault]
    assert not faults, "\n".join(faults)


@LOOKS
def test_the_first_minute_looks_as_it_did(
    make_window: Callable[..., MainWindow],
    library: Path,
    qtbot: QtBot,
    themed: Callable[[Appearance], None],
    look: Appearance,
    tmp_path: Path,
) -> None:
    """What somebody sees first of all."""
    themed(look)
    with FakeEngine(library, media=0):
        window = make_window()
        window.resize(*SIZE)
        WindowScenes(window, qtbot).first()
        fault = _fault(f"first-{look}", window, tmp_path)
        window.close()
    assert not fault, fault


def test_a_change_is_seen_and_other_letters_are_none(
    scenes: WindowScenes, themed: Callable[[Appearance], None], qapp: QApplication
) -> None:
    """A panel that is wider, a line that is lower, a part that is gone; but no other smoothing."""
    scenes.library()
    window = scenes.window
    library, before, font = window.widgets.library, blocks_of(window), load_font()
    assert not difference(blocks_of(window), before).is_seen

    families = {font, *QFontDatabase.families()} & OTHER_FONTS
    for family in families:
        apply_theme(qapp, LIGHT, family)
        scenes.settle()
        assert not difference(blocks_of(window), before).is_seen, family
    apply_theme(qapp, LIGHT, font)
    scenes.settle()
    assert difference(blocks_of(window), before).share == 0

    window.widgets.header.add.hide()
    assert difference(blocks_of(window), before).is_seen
    window.widgets.header.add.show()

    sizes = library.split.sizes()
    library.split.setSizes([sizes[0] + 16, sizes[1] - 16, sizes[2]])
    assert difference(blocks_of(window), before).is_seen
    library.split.setSizes(sizes)
    assert not difference(blocks_of(window), before).is_seen

    library.results.setContentsMargins(0, 8, 0, 0)
    QApplication.sendPostedEvents()
    assert difference(blocks_of(window), before).is_seen
    library.results.setContentsMargins(0, 0, 0, 0)

    library.toggle_detail()
    assert difference(blocks_of(window), before).is_seen
    library.toggle_detail()

    themed(Appearance.DARK)
    assert difference(blocks_of(window), before).is_seen


def test_the_pictures_are_small() -> None:
    """They are in the tree for good: 15 kB each at most, 300 kB in all."""
    sizes = [path.stat().st_size for path in PICTURES.glob("*.png")]
    assert len(sizes) == 2 * (len(SHOWN) + 1)
    assert max(sizes) <= 15_000
    assert sum(sizes) <= 300_000
