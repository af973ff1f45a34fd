"""The page of tags against a fake engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.models import SHIPPED_TAGS
from ui.kit import desktop
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.vocabulary.page import VocabularyPage
from ui.vocabulary.tags_page import TagsPage

WAIT_MS = 30_000


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> VocabularyPage:
    """The page with the shipped tags in it."""
    window.switcher.show(Pages.TAGS)
    made = window.switcher.built(Pages.TAGS)
    assert isinstance(made, TagsPage)
    made.show_view(1)
    qtbot.waitUntil(made.vocabulary.text.isEnabled, timeout=WAIT_MS)
    return made.vocabulary


def _type(page: VocabularyPage, qtbot: QtBot, text: str) -> None:
    page.text.setPlainText(text)
    qtbot.waitUntil(lambda: "not saved" in page.remark.text(), timeout=WAIT_MS)


def test_the_tags_in_use_are_shown_and_nothing_is_to_be_saved(page: VocabularyPage) -> None:
    """As they are, with their number."""
    assert page.text.toPlainText().splitlines() == list(SHIPPED_TAGS)
    assert page.remark.text() == f"{len(SHIPPED_TAGS)} tags"
    assert "built-in" in page.state.text()
    for part in (page.save, page.undo, page.shipped):
        assert not part.isEnabled()


def test_own_tags_are_cleaned_saved_and_the_photos_tagged_again(
    page: VocabularyPage, qtbot: QtBot
) -> None:
    """A job of its own; then the list is the person's, and the shipped one a click away."""
    _type(page, qtbot, "quillet\n\nboat\nBoat\n")
    assert "2 tags · 1 duplicate and 1 empty line skipped" in page.remark.text()
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "photos have their tags" in page.progress.line.text(), timeout=WAIT_MS)
    assert page.text.toPlainText() == "quillet\nboat\n"
    qtbot.waitUntil(page.shipped.isEnabled, timeout=WAIT_MS)
    assert "your own list" in page.state.text()
    qtbot.mouseClick(page.shipped, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: page.text.toPlainText().splitlines() == list(SHIPPED_TAGS), timeout=WAIT_MS
    )


def test_unsaved_changes_survive_and_can_be_undone(
    page: VocabularyPage, window: MainWindow, qtbot: QtBot
) -> None:
    """Turning pages keeps them; one button brings back what is in use."""
    _type(page, qtbot, "quillet")
    window.switcher.show(Pages.LIBRARY)
    window.switcher.show(Pages.TAGS)
    window.session.link.connected.emit(None)
    qtbot.waitUntil(page.undo.isEnabled, timeout=WAIT_MS)
    assert page.text.toPlainText() == "quillet"
    qtbot.mouseClick(page.undo, Qt.MouseButton.LeftButton)
    assert page.text.toPlainText().splitlines() == list(SHIPPED_TAGS)
    assert not page.save.isEnabled()


def test_an_empty_list_cannot_be_saved(page: VocabularyPage, qtbot: QtBot) -> None:
    """It would be the shipped one, which has a button of its own."""
    _type(page, qtbot, "\n \n")
    assert not page.save.isEnabled()


def test_a_list_is_exported_and_imported(
    page: VocabularyPage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported tags are added to those that are there; nothing is saved by itself."""
    path = tmp_path / "tags.txt"
    monkeypatch.setattr(desktop, "ask_where_to_save", lambda *_: str(path))
    monkeypatch.setattr(desktop, "ask_for_file", lambda *_: str(path))
    qtbot.mouseClick(page.export, Qt.MouseButton.LeftButton)
    assert path.read_text("utf-8").splitlines() == list(SHIPPED_TAGS)
    path.write_text("quillet\nBOAT\n", "utf-8")
    qtbot.mouseClick(page.load, Qt.MouseButton.LeftButton)
    assert page.text.toPlainText().splitlines() == [*SHIPPED_TAGS, "quillet"]
    assert "1 new tag added" in page.notice.text()
    path.write_bytes(b"a\0b")
    qtbot.mouseClick(page.load, Qt.MouseButton.LeftButton)
    assert "not a text file" in page.problem.text()


def test_what_the_engine_refuses_is_explained_and_kept_to_be_mended(
    page: VocabularyPage, qtbot: QtBot
) -> None:
    """The text stays as it was written."""
    _type(page, qtbot, "x" * 200)
    qtbot.mouseClick(page.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.problem.isVisible, timeout=WAIT_MS)
    assert "too long" in page.problem.text()
    assert page.save.isEnabled()
    assert page.text.toPlainText() == "x" * 200
