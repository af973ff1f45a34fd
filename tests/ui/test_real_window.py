"""The real program: window, engine, starter model, on photos that ship with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.values import GroupLabel, JobState
from tests.support.engines import stop
from tests.support.scenes import photos_and_copies
from ui.kit.actions import Actions
from ui.library.alike.page import GroupsPage
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 240_000
PHOTOS = ("coffee-cup", "astronaut", "koala", "dahlia-flower", "city-night", "mexico-mariachi")

pytestmark = [
    pytest.mark.qt_log_ignore("propagateSizeHints"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def window(make_window: Callable[..., MainWindow], library: Path) -> Iterator[MainWindow]:
    """A window that starts a real engine on an empty library."""
    window = make_window(starts_engine=True)
    yield window
    window.close()
    client: EngineClient | None = running_engine(library)
    if client is not None:
        with client:
            stop(client)


def test_from_an_empty_library_to_a_found_and_described_photo(
    window: MainWindow, qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    """Add a folder with one broken file, search by words, look at the best photo, review it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in PHOTOS:
        shutil.copy(samples / f"{name}.jpg", folder)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(99))
    parts = window.widgets
    qtbot.waitUntil(lambda: "first folder" in parts.empty.text(), timeout=WAIT_MS)

    window.add_folders([str(folder)])
    qtbot.waitUntil(
        lambda: parts.strip.job is not None and parts.strip.job.state.is_final, timeout=WAIT_MS
    )
    assert parts.strip.job is not None
    assert parts.strip.job.state is JobState.DONE, parts.strip.job.message
    assert "6 photos added" in parts.strip.line.text()
    assert parts.strip.failures.isVisible()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == len(PHOTOS), timeout=WAIT_MS)

    parts.search.set_query("a cup of coffee")
    qtbot.waitUntil(
        lambda: (
            window.session.inspector.row is not None
            and window.session.inspector.row.name == "coffee-cup.jpg"
        ),
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(lambda: bool(parts.detail.caption.text()), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: parts.detail.is_described, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: parts.detail.photo.has_picture, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.session.thumbnails.waiting() == 0, timeout=WAIT_MS)

    suggested = parts.detail.caption.text()
    window.action_set[Actions.REVIEW].trigger()
    mode = window._controllers.looking.review
    qtbot.waitUntil(lambda: mode.is_open, timeout=WAIT_MS)
    review = mode.review
    qtbot.waitUntil(lambda: bool(review.view.field.caption), timeout=WAIT_MS)
    if review.view.field.caption != suggested:  # the photo that was current first has one too
        review.view.skip.click()
    qtbot.waitUntil(lambda: review.view.field.caption == suggested, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: review.view.photo.has_picture, timeout=WAIT_MS)
    assert "% sure" in review.view.field.origin.text()
    review.view.reject.click()
    mode.close()
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "rejected" in parts.detail.origin.text(), timeout=WAIT_MS)
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: parts.detail.caption.text() == suggested, timeout=WAIT_MS)


def test_same_pictures_are_found_collapsed_and_decided_on(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """The best is another by a key, and again by undo."""
    model, browser = window.session.model, window.session.browser
    browser.collapse = GroupLabel.SAME
    qtbot.waitUntil(lambda: "first folder" in window.widgets.empty.text(), timeout=WAIT_MS)
    window.add_folders([str(photos_and_copies(tmp_path / "copies"))])
    with qtbot.waitSignal(window.session.tracker.ended, timeout=WAIT_MS):
        pass
    window.action_set[Actions.FIND_SAME].trigger()
    # Of eleven, one of two exact copies is hidden and three of the four of one picture.
    qtbot.waitUntil(lambda: browser.listing.hidden == 4, timeout=WAIT_MS)
    assert model.rowCount() == 7
    window.activateWindow()
    window.switcher.show(Pages.SAME)
    page = window.switcher.built(Pages.SAME)
    assert isinstance(page, GroupsPage)
    qtbot.waitUntil(lambda: page.model.rowCount() == 3, timeout=WAIT_MS)
    qtbot.mouseClick(page.head.tabs[GroupLabel.SAME], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.rowCount() == 1, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(page.model.members(0)) == 4, timeout=WAIT_MS)
    assert {member.row.name for member in page.model.members(0)} == {
        "whole.jpg", "small.jpg", "other format.png", "cropped.jpg",
    }  # fmt: skip
    best, second = page.model.members(0)[:2]
    assert best.reason
    page.table.go_to(0, 1)
    window.action_set[Actions.SET_BEST].trigger()
    qtbot.waitUntil(lambda: page.model.members(0)[0].key == second.key, timeout=WAIT_MS)
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: page.model.members(0)[0].key == best.key, timeout=WAIT_MS)
