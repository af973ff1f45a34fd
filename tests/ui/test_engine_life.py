"""The window and the life of its engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.launch import FAKE_MODULE, running_engine
from cocadesk.protocol.messages import Ok, StopEngine
from ui.annotations.editor import Feedback
from ui.annotations.unsent import UnsentEdits
from ui.engine.link import EngineLink, LinkState
from ui.kit.app_theme import AppTheme
from ui.shell.window import MainWindow

WAIT_MS = 30_000
FEW_MEDIA = ("--media", "12", "--step-s", "0")

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

HEAVY = ("torch", "lancedb", "pyarrow", "cv2", "PIL", "openvino", "numpy", "pyqtgraph")


def test_the_windows_process_imports_nothing_heavy() -> None:
    """Torch, LanceDB, OpenCV and Pillow stay in the engine's process."""
    script = (
        "import sys, ui.__main__, ui.shell.window\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"


def test_the_window_starts_an_engine_and_survives_its_death(
    make_window: Callable[..., MainWindow], library: Path, qtbot: QtBot
) -> None:
    """After kill -9 a new engine is started, the photos are there, a notice says so."""
    window = make_window(module=FAKE_MODULE, extra=FEW_MEDIA, starts_engine=True)
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 12, timeout=WAIT_MS)
    client = running_engine(library)
    assert client is not None
    first = client.welcome.engine_pid
    client.close()
    with qtbot.waitSignal(window.session.link.restarted, timeout=WAIT_MS):
        os.kill(first, signal.SIGKILL)
    assert "engine is back" in window.widgets.notice.text()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.search.set_query("dog")
    assert window.session.model.rowCount() >= 1
    client = running_engine(library)
    assert client is not None
    with client:
        assert client.welcome.engine_pid != first
        window.close()
        client.ask(StopEngine(), Ok, timeout_s=30)


def test_with_photos_shown_a_lost_engine_is_told_until_it_is_back(
    engine: FakeEngine, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """The notice does not go by itself; where no engine starts, it says why and offers to try."""
    window = make_window(module=FAKE_MODULE, extra=["--nonsense"], starts_engine=True)
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 40, timeout=WAIT_MS)
    notice = window.widgets.notice
    notice.shown_ms = 1
    engine.close()
    qtbot.waitUntil(lambda: window.session.link.state is LinkState.FAILED, timeout=WAIT_MS)
    assert window.session.model.rowCount() == 40
    assert "--nonsense" in notice.text()
    qtbot.wait(50)
    assert notice.isVisible()
    assert notice.button.text() == "Try again"
    window.session.link.extra = ("--media", "2")
    notice.button.click()
    qtbot.waitUntil(lambda: window.session.link.state is LinkState.CONNECTED, timeout=WAIT_MS)
    assert "engine is back" in notice.text()
    client = running_engine(window.session.link.library)
    assert client is not None
    window.session.link.close()
    with client:
        client.ask(StopEngine(), Ok, timeout_s=30)


def test_an_engine_that_cannot_start_is_explained_and_tried_again(
    make_window: Callable[..., MainWindow], library: Path, qtbot: QtBot
) -> None:
    """The engine's own last words are shown; the button tries again."""
    window = make_window(module=FAKE_MODULE, extra=["--nonsense"], starts_engine=True)
    link = window.session.link
    qtbot.waitUntil(lambda: link.state is LinkState.FAILED, timeout=WAIT_MS)
    assert "--nonsense" in window.widgets.empty.text()
    link.extra = ("--media", "2")
    window.widgets.empty.button.click()
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 2, timeout=WAIT_MS)
    window.close()
    client = running_engine(library)
    assert client is not None
    with client:
        client.ask(StopEngine(), Ok, timeout_s=30)


def test_the_window_says_why_no_engine_can_be_started(
    make_window: Callable[..., MainWindow],
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its address and log lie in the cache, where nothing can be written; it tries again."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "file" / "cache"))
    link = make_window(module=FAKE_MODULE, starts_engine=True).session.link
    qtbot.waitUntil(lambda: link.state is LinkState.FAILED, timeout=WAIT_MS)
    assert link.problem is not None
    assert "COCADESK_CACHE" in link.problem.what_to_do


def test_the_link_goes_with_its_window(app_theme: AppTheme, library: Path) -> None:
    """Python's garbage collector, which runs on any thread, is left nothing of Qt's to delete."""
    link = EngineLink(library, starts_engine=False)
    window = MainWindow(link, app_theme)
    assert not shiboken6.ownedByPython(link)
    window.close()
    shiboken6.delete(window)
    assert not shiboken6.isValid(link)


def _without_engine(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> str:
    """The key of the photo under the cursor of a window whose engine is gone."""
    key = window.widgets.grid.current_key()
    assert key is not None
    engine.close()
    qtbot.waitUntil(lambda: window.session.link.state is not LinkState.CONNECTED, timeout=WAIT_MS)
    return key


def test_a_caption_given_without_an_engine_reaches_the_next_window(
    engine: FakeEngine,
    window: MainWindow,
    make_window: Callable[..., MainWindow],
    library: Path,
    qtbot: QtBot,
) -> None:
    """The window closes before the engine is back; its words wait in a file of their owner."""
    key = _without_engine(window, engine, qtbot)
    window.session.editor.set([key], "Caption saved", caption="a sentence of mine")
    file = UnsentEdits(library).path
    assert file.stat().st_mode & 0o777 == 0o600  # at once: the window may be killed as well
    window.session.editor.set([key], "Tags saved", add=["harbour"])
    assert window.close()
    with FakeEngine(library, media=40) as second:
        other = make_window()
        qtbot.waitUntil(lambda: second.row(key).caption == "a sentence of mine", timeout=WAIT_MS)
        qtbot.waitUntil(other.session.editor.is_settled, timeout=WAIT_MS)
        assert "harbour" in [tag.tag for tag in second.row(key).tags]
        assert not file.exists()
        other.close()


def test_what_can_neither_be_sent_nor_kept_is_told_before_the_window_closes(
    engine: FakeEngine, window: MainWindow, library: Path, qtbot: QtBot
) -> None:
    """The second time it closes all the same."""
    key = _without_engine(window, engine, qtbot)
    UnsentEdits(library).path.parent.parent.mkdir(parents=True, exist_ok=True)
    UnsentEdits(library).path.parent.touch()  # a file where the folder should be
    window.session.editor.set([key], "Caption saved", caption="a sentence of mine")
    assert not window.close()
    assert "Some changes are not saved" in window.widgets.notice.text()
    assert window.close()


def test_a_damaged_file_of_unsent_edits_is_put_aside(library: Path, qtbot: QtBot) -> None:
    """Nobody's words are deleted because a program could not read them."""
    unsent = UnsentEdits(library)
    unsent.path.parent.mkdir(parents=True)
    unsent.path.write_bytes(b"\x00\x00\x00\x04nope")
    assert unsent.read() == ()
    assert unsent.path.with_suffix(".unread").read_bytes().endswith(b"nope")


def test_an_edit_that_no_message_can_hold_does_not_stop_those_behind_it(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and the next is saved."""
    monkeypatch.setattr("cocadesk.protocol.wire.MAX_FRAME_BYTES", 1 << 18)
    key = window.widgets.grid.current_key()
    assert key is not None
    said: list[Feedback] = []
    editor = window.session.editor
    editor.feedback.connect(said.append)
    editor.set([key], "Caption saved", caption="x" * (1 << 18))
    editor.set([key], "Tags saved", add=["harbour"])
    qtbot.waitUntil(editor.is_settled, timeout=WAIT_MS)
    assert "too much at once" in said[0].text
    assert "harbour" in [tag.tag for tag in engine.row(key).tags]


def test_very_many_photos_are_edited_in_parts(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them get their stars; each part is told, for each is undone by itself."""
    monkeypatch.setattr("ui.annotations.editor.MOST_KEYS", 3)
    keys = window.session.model.all_keys()[:7]
    said: list[Feedback] = []
    editor = window.session.editor
    editor.feedback.connect(said.append)
    editor.set(keys, "2 stars on 7 photos", rating=2)
    qtbot.waitUntil(editor.is_settled, timeout=WAIT_MS)
    assert [engine.row(key).stars for key in keys] == [2] * 7
    assert said[-1].text == "2 stars on 7 photos (part 3 of 3)"
