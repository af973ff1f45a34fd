"""The list of the last window, painted before the engine answers."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.endpoint import last_view_file
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import AnnotationsReply, Forget, Forgotten, Hits, SetAnnotations
from ui.engine.link import LinkState
from ui.library.last_view import forget_views, keep_view, read_view
from ui.shell.window import MainWindow

WAIT_MS = 30_000
ALL = "kind:photo"

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _seen(window: MainWindow) -> list[str]:
    model = window.session.model
    return [row.name for n in range(5) if (row := model.known_row(model.keys[n])) is not None]


def test_the_last_list_is_there_before_the_engine(
    window: MainWindow, make_window: Callable[..., MainWindow], engine: FakeEngine, qtbot: QtBot
) -> None:
    """With its rows, the place in it and its headline; what is typed meanwhile is not lost."""
    qtbot.waitUntil(lambda: len(_seen(window)) == 5, timeout=WAIT_MS)
    names, keys = _seen(window), window.session.model.all_keys()
    window.widgets.grid.go_to(7)
    current, days = window.widgets.grid.current_key(), window.session.model.days
    window.close()
    engine.close()

    again = make_window()
    assert again.session.link.state is not LinkState.CONNECTED
    assert again.session.model.all_keys() == keys
    assert again.session.model.days == days
    assert _seen(again) == names
    assert again.widgets.grid.current_key() == current
    assert again.widgets.grid.isVisible()
    assert "40" in again.widgets.results.text.text()
    qtbot.waitUntil(
        lambda: (
            again.session.thumbnails.waiting() == 0
            and again.session.model.known_row(keys[0]) is not None
        ),
        timeout=WAIT_MS,
    )
    qtbot.keyClicks(again.widgets.search, "dog")
    with FakeEngine(again.session.link.library, media=40):
        qtbot.waitUntil(lambda: again.session.browser.listing.query == "dog", timeout=WAIT_MS)
        assert 0 < again.session.model.rowCount() < 40
        again.close()


def test_a_search_comes_back_with_its_order(
    window: MainWindow, make_window: Callable[..., MainWindow], qtbot: QtBot, library: Path
) -> None:
    """Best first, as it was answered."""
    window.widgets.search.set_query(ALL)
    qtbot.waitUntil(lambda: window.session.browser.listing.query == ALL, timeout=WAIT_MS)
    keys = window.session.model.all_keys()
    window.close()
    view = read_view(library)
    assert view is not None
    assert isinstance(view.answer, Hits)
    assert [hit.key for hit in view.answer.hits] == keys
    again = make_window()
    assert again.session.model.all_keys() == keys
    assert again.session.browser.listing.query == ALL


def test_what_has_changed_since_comes_with_the_engine(
    window: MainWindow, make_window: Callable[..., MainWindow], library: Path, qtbot: QtBot
) -> None:
    """Rows of before are asked for again; the place stays."""
    qtbot.waitUntil(lambda: len(_seen(window)) == 5, timeout=WAIT_MS)
    key = window.session.model.keys[0]
    window.close()
    client = running_engine(library)
    assert client is not None
    with client:
        client.ask(SetAnnotations(keys=(key,), caption="changed since"), AnnotationsReply)
    again = make_window()

    def has_come() -> bool:
        row = again.session.model.known_row(key)
        return row is not None and row.caption == "changed since"

    assert not has_come()
    qtbot.waitUntil(has_come, timeout=WAIT_MS)
    assert again.session.model.rowCount() == 40


def test_only_its_owner_can_read_it(window: MainWindow, library: Path) -> None:
    """As the library itself."""
    window.close()
    file = last_view_file(library)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_what_is_forgotten_goes_from_it(window: MainWindow, library: Path, qtbot: QtBot) -> None:
    """Whoever asks for it."""
    qtbot.waitUntil(lambda: len(_seen(window)) == 5, timeout=WAIT_MS)
    row = window.session.model.known_row(window.session.model.keys[0])
    assert row is not None
    window.close()
    assert last_view_file(library).exists()
    client = running_engine(library)
    assert client is not None
    with client:
        client.ask(Forget(paths=(row.path,), is_preview=True), Forgotten)
        assert last_view_file(library).exists()
        client.ask(Forget(paths=(row.path,)), Forgotten)
    assert not last_view_file(library).exists()


def test_it_goes_with_cleared_searches(window: MainWindow, library: Path) -> None:
    """A list says what was looked for."""
    window.close()
    assert last_view_file(library).exists()
    assert read_view(library) is not None
    forget_views()
    assert read_view(library) is None


def test_a_list_that_changes_as_the_window_closes_is_not_kept(
    window: MainWindow, library: Path
) -> None:
    """What has just been forgotten would stand in it."""
    from cocadesk.protocol.messages import RowsChanged

    window.session.link.event_received.emit(RowsChanged())
    window.close()
    assert not last_view_file(library).exists()


@pytest.mark.parametrize("damage", [b"", b"cocadesk last view 1\n", bytes(range(256)) * 40])
def test_a_file_of_rubbish_is_passed_over(
    window: MainWindow,
    make_window: Callable[..., MainWindow],
    library: Path,
    damage: bytes,
    qtbot: QtBot,
) -> None:
    """So is one that was cut off; the window starts as if there were none."""
    window.close()
    whole = last_view_file(library).read_bytes()
    for data in (damage, whole[: len(whole) // 2], whole[:40] + damage + whole[60:]):
        last_view_file(library).write_bytes(data)
        assert read_view(library) is None
    again = make_window()
    qtbot.waitUntil(lambda: again.session.model.rowCount() == 40, timeout=WAIT_MS)


def test_a_folder_that_can_not_be_written_costs_only_the_quick_start(
    window: MainWindow, library: Path
) -> None:
    """No sentence, no error."""
    views = last_view_file(library).parent
    views.parent.mkdir(exist_ok=True, parents=True)
    views.write_bytes(b"a file in its place")
    window.close()
    assert read_view(library) is None
    keep_view(library, None)
    forget_views()
