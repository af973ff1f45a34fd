"""The page of models against a fake engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cocadesk.protocol.values import ModelState, ModelValue
from ui.kit import desktop
from ui.kit.texts import device_line
from ui.models.cards import coverage
from ui.models.page import ModelsPage
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> ModelsPage:
    """The page with its three models."""
    window.switcher.show(Pages.MODELS)
    made = window.switcher.built(Pages.MODELS)
    assert isinstance(made, ModelsPage)
    qtbot.waitUntil(lambda: len(made.rows) == 3 and made.device.isVisible(), timeout=WAIT_MS)
    return made


def _used(page: ModelsPage) -> list[str]:
    return [row.entry.source for row in page.rows if row.entry.is_used]


def test_the_model_in_use_is_marked_with_where_it_runs(page: ModelsPage) -> None:
    """Name, badge, device and the reason for it."""
    assert _used(page) == ["starter"]
    assert page.rows[0].badge.isVisible()
    assert not page.rows[0].use.isVisible()
    assert page.device.text() == "It runs on the processor (CPU): It is a fake."


def test_a_model_that_sees_alike_is_used_at_once(page: ModelsPage, qtbot: QtBot) -> None:
    """Nothing to pay, nothing to ask."""
    qtbot.mouseClick(page.rows[1].use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _used(page) == ["run:job-1"], timeout=WAIT_MS)


def test_a_model_that_sees_otherwise_names_its_price_first(page: ModelsPage, qtbot: QtBot) -> None:
    """30 of 40 photos are left to look at; no is an answer."""
    qtbot.mouseClick(page.rows[2].use, Qt.MouseButton.LeftButton)
    assert "read 30 photos and videos again" in page.question.text.text()
    qtbot.mouseClick(page.question.refuse, Qt.MouseButton.LeftButton)
    assert not page.question.isVisible()
    assert _used(page) == ["starter"]
    qtbot.mouseClick(page.rows[2].use, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.question.agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _used(page) == [page.rows[2].entry.source], timeout=WAIT_MS)
    assert not page.changing.isVisible()


def test_a_model_is_named_by_a_path_or_a_hub_name(
    page: ModelsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is no model is refused in a sentence; a name is fetched and then used."""
    assert not page.other.use.isEnabled()
    photo = tmp_path / "holiday.jpg"
    monkeypatch.setattr(desktop, "ask_for_file", lambda *_: str(photo))
    qtbot.mouseClick(page.other.file, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.other.use, Qt.MouseButton.LeftButton)
    assert str(photo) in page.problem.text()
    assert not page.question.isVisible()
    photo.touch()
    qtbot.mouseClick(page.other.file, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.other.use, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.question.agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.problem.isVisible, timeout=WAIT_MS)
    assert "not a model" in page.problem.text()
    page.other.source.setText("hf-hub:somebody/coca")
    qtbot.keyClick(page.other.source, Qt.Key.Key_Return)
    assert "40 photos and videos" in page.question.text.text()
    qtbot.mouseClick(page.question.agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _used(page) == ["hf-hub:somebody/coca"], timeout=WAIT_MS)
    assert not page.problem.isVisible()


def test_where_it_runs_is_told_in_words() -> None:
    """Also while it opens, and where it could not."""
    ready = ModelValue(state=ModelState.READY, device="cuda:0", precision="bf16", reason="Fast.")
    assert device_line(ready) == "It runs on the graphics card (cuda:0) in bf16: Fast."
    assert "being opened" in device_line(ModelValue(state=ModelState.LOADING))
    failed = ModelValue(state=ModelState.FAILED, reason="The file is cut off.")
    assert device_line(failed) == "The model could not be opened. The file is cut off."


def test_how_much_a_model_has_seen_never_says_all_or_nothing_too_early() -> None:
    """One of a thousand is not nothing, and 999 are not all."""
    assert coverage(0.0) == "has not read the library yet"
    assert coverage(0.001) == "has read 1 % of the library"
    assert coverage(0.999) == "has read 99 % of the library"
    assert coverage(1.0) == "has read the whole library"
