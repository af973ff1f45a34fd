"""Bad input in the window: a sentence and a way on, never a dead window. With a real engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.fake_engine.library import FakeVideos
from cocadesk.library.library import Library
from cocadesk.protocol.calls import Call
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import GetPreview, ReplyBody
from tests.support.engines import FAKE_MODEL, filled_library, stop
from ui.engine.link import LinkState
from ui.kit.actions import Actions
from ui.kit.icons import Icon
from ui.kit.widgets import EmptyView
from ui.shell.window import MainWindow

WAIT_MS = 60_000
PHOTOS = 5
TAGS = ("a/b", 'say "hi"', "it's", "🐕 dog", "a,b", "tag:1 OR 2", "%_\\", "-minus")

pytestmark = [
    pytest.mark.qt_log_ignore("propagateSizeHints", "does not support"),
    pytest.mark.timeout(240),
]


@pytest.fixture
def window(
    make_window: Callable[..., MainWindow], library: Path, tmp_path: Path, qtbot: QtBot
) -> Iterator[MainWindow]:
    """A window on five plain photos with a real engine."""
    filled_library(tmp_path)
    window = make_window(starts_engine=True, extra=FAKE_MODEL)
    qtbot.waitUntil(lambda: window.session.model.rowCount() == PHOTOS, timeout=WAIT_MS)
    yield window
    window.close()
    client = running_engine(library)
    if client is not None:
        with client:
            stop(client)


def _search(window: MainWindow, text: str, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.search.set_query(text)


def test_filters_that_say_nothing_are_told_with_what_to_write(
    window: MainWindow, qtbot: QtBot
) -> None:
    """In the middle; the next search is as ever."""
    for text, said in (
        ("rating:", "has no value"),
        ("colour:red", "There is no filter"),
        ("taken:20x6..z", "names no dates"),
        ("like:/no/such.jpg", "No such file or directory."),
    ):
        _search(window, text, qtbot)
        assert said in window.widgets.empty.text()
        assert window.widgets.empty.isVisible()
        assert window.session.browser.listing.problem is not None
    _search(window, "", qtbot)
    assert window.session.model.rowCount() == PHOTOS


def test_a_query_of_ten_thousand_letters_is_answered_and_named_in_short(
    window: MainWindow, qtbot: QtBot
) -> None:
    """The middle of the window names its beginning, and is no higher than usual."""
    _search(window, "dog " * 2500, qtbot)
    empty = window.widgets.empty
    assert window.session.browser.listing.problem is None
    assert len(empty.text()) < 400
    _search(window, "", qtbot)
    assert window.session.model.rowCount() == PHOTOS


def test_the_middle_of_the_window_shrinks_again_after_a_long_text(parent: QWidget) -> None:
    """Its texts stand close to each other, whatever was there before."""
    empty = EmptyView()
    empty.setParent(parent)

    def height() -> int:
        empty.say(Icon.NOTHING, "Nothing found", "Try other words.")
        return empty._title.height() + empty._text.height()

    before = height()
    empty.say(Icon.NOTHING, "much " * 500, "more " * 500)
    assert empty._title.height() > before
    assert height() == before


def test_tags_of_any_letters_are_given_found_and_undone(window: MainWindow, qtbot: QtBot) -> None:
    """Slashes, quotes, commas, emoji and what filters are made of."""
    key, editor, browser = (
        window.session.model.key_at(0),
        window.session.editor,
        window.session.browser,
    )
    assert key is not None
    for tag in TAGS:
        editor.set([key], f"Tag “{tag}” added", add=[tag])
    qtbot.waitUntil(editor.is_settled, timeout=WAIT_MS)
    for tag in TAGS:
        doubled = tag.replace('"', '""')
        _search(window, f'tag:"{doubled}"', qtbot)
        assert browser.listing.problem is None, (tag, browser.listing.problem)
        assert window.session.model.all_keys() == [key], tag
    for _ in TAGS:
        editor.undo()
    qtbot.waitUntil(editor.is_settled, timeout=WAIT_MS)
    _search(window, 'tag:"a/b"', qtbot)
    assert window.session.model.rowCount() == 0


def test_a_photo_that_is_deleted_under_the_viewer_is_said(
    make_window: Callable[..., MainWindow],
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
) -> None:
    """Its pixels are wanted; what is shown of it stays, and the window goes on."""
    real = FakeVideos._preview

    def gone(self: FakeVideos, body: GetPreview, call: Call) -> ReplyBody:
        if body.is_full:
            raise UserError("beach.jpg is not there now.", "Its disk may be away.")
        return real(self, body, call)

    monkeypatch.setattr(FakeVideos, "_preview", gone)
    with FakeEngine(library, media=9):
        window = make_window()
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 9, timeout=WAIT_MS)
        window.action_set[Actions.TOGGLE_LARGE].trigger()
        photo = window.widgets.large.photo
        qtbot.waitUntil(lambda: photo.has_picture, timeout=WAIT_MS)
        window.action_set[Actions.ZOOM_REAL].trigger()
        qtbot.waitUntil(lambda: "beach.jpg" in window.widgets.notice.text(), timeout=WAIT_MS)
        assert photo.has_picture
        shown = window.session.inspector.key
        window.action_set[Actions.NEXT].trigger()
        qtbot.waitUntil(lambda: window.session.inspector.key != shown, timeout=WAIT_MS)


def test_a_cache_that_is_deleted_while_the_window_is_open_is_no_trouble(
    window: MainWindow, library: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """Addresses, pictures and files for quick searches: searches answer, and a new engine comes."""
    shutil.rmtree(tmp_path / "cache")
    for name in ("thumbs", "previews"):
        shutil.rmtree(library / name, ignore_errors=True)
    _search(window, "red", qtbot)
    assert window.session.browser.listing.problem is None
    link = window.session.link
    pids: list[int] = []
    link.connected.connect(lambda welcome: pids.append(welcome.engine_pid))
    pid = int((library / "lock").read_text())
    os.kill(pid, 9)
    qtbot.waitUntil(lambda: bool(pids) and link.state is LinkState.CONNECTED, timeout=WAIT_MS)
    assert pids[0] != pid
    _search(window, "", qtbot)
    assert window.session.model.rowCount() == PHOTOS


def test_a_library_that_another_program_writes_is_said_and_opened_once_it_is_free(
    make_window: Callable[..., MainWindow], library: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """With the number of the other process; nobody has to start the window again."""
    filled_library(tmp_path)
    with Library.open(library):
        window = make_window(starts_engine=True, extra=FAKE_MODEL)
        empty = window.widgets.empty
        qtbot.waitUntil(lambda: f"process {os.getpid()}" in empty.text(), timeout=WAIT_MS)
        assert "already open for writing" in empty.text()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == PHOTOS, timeout=WAIT_MS)
    window.close()
    client = running_engine(library)
    if client is not None:
        with client:
            stop(client)
