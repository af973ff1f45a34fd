"""The workers that read pictures for the window."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from ui.kit import image_loader
from ui.kit.image_loader import ImageLoader


def workers() -> list[threading.Thread]:
    """The threads that read pictures now."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("pictures-")]


def test_workers_end_with_their_window_also_while_they_read(qtbot: QtBot, tmp_path: Path) -> None:
    """A picture that comes too late is dropped: nobody is there to be told."""
    others = set(workers())
    image = QImage(1500, 1500, QImage.Format.Format_RGB32)
    image.fill(0)
    assert image.save(str(tmp_path / "a.png"))
    for _ in range(5):
        window = QObject()
        loader = ImageLoader(long_side_px=64, keep=50, parent=window)
        for number in range(20):
            loader.pixmap(str(number), str(tmp_path / "a.png"))
        own = set(workers()) - others
        assert own
        shiboken6.delete(window)
        for thread in own:
            thread.join(30)
            assert not thread.is_alive()


def test_the_last_view_is_read_first_and_each_in_its_order(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A screen fills from its top; what one has scrolled past comes after it."""
    read, gate = list[str](), threading.Event()

    def reading(path: str, _long_side_px: int) -> QImage:
        read.append(path)
        gate.wait(30)
        return QImage(1, 1, QImage.Format.Format_RGB32)

    monkeypatch.setattr(image_loader, "read_image", reading)
    loader = ImageLoader(long_side_px=64, keep=50, workers=1)
    try:
        for view in ("x", "abc", "defb"):
            for key in view:
                loader.pixmap(key, key)
            qtbot.waitUntil(lambda: not loader._turn_ends and read == ["x"], timeout=10_000)
        gate.set()
        qtbot.waitUntil(lambda: loader.waiting() == 0, timeout=10_000)
    finally:
        gate.set()
        loader.close()
    assert read == list("xdefbac")
