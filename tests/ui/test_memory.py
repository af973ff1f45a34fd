"""A window that comes back as it was left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.endpoint import library_name
from ui.kit import desktop
from ui.kit.app_theme import APPEARANCE, AppTheme
from ui.kit.preferences import (
    Preference,
    as_text,
    from_text,
    keep,
    remembered,
    settings_file,
)
from ui.kit.theme import Appearance
from ui.shell.memory import CURRENT, GEOMETRY, PANES, QUERY
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000
ALL = "kind:photo"

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def test_a_preference_is_kept_for_all_or_for_one_library() -> None:
    """A library without a choice of its own has the default, not the choice of all."""
    size = Preference("size", 3)
    assert (size.read(), size.read("abc")) == (3, 3)
    size.write(5)
    size.write(1, "abc")
    assert (size.read(), size.read("abc"), size.read("other")) == (5, 1, 3)
    size.reset()
    assert (size.read(), size.read("abc")) == (3, 1)


def test_the_file_is_written_once_for_many_and_not_for_what_is_as_it_was() -> None:
    """It is synced to the disk, for which the window waits: it does so after each scrolling."""
    sizes = [Preference(f"size-{n}", "") for n in range(10)]
    keep(*[size.choice("a, b “c”") for size in sizes])
    assert [size.read() for size in sizes] == ["a, b “c”"] * 10
    file = Path(settings_file())
    os.utime(file, (1, 1))
    keep(*[size.choice("a, b “c”") for size in sizes])
    sizes[3].write("a, b “c”")
    assert file.stat().st_mtime == 1
    sizes[3].write("other")
    assert file.stat().st_mtime > 1
    assert [sizes[3].read(), sizes[4].read()] == ["other", "a, b “c”"]


@pytest.mark.parametrize("text", ["a, b; c=d [e] %f", "“Möwe” 🐦", "line\nline\t\\", "odd \udcff"])
def test_any_text_comes_back_as_it_was(text: str) -> None:
    """Also what an INI file would split, and names that are no text at all."""
    query = Preference("query", "")
    query.write(text)
    assert query.read() == text


def test_an_unreadable_value_counts_as_never_chosen() -> None:
    """Another kind of value, no JSON, and a file of rubbish."""
    Preference("size", "").write("large")
    assert Preference("size", 3).read() == 3
    Preference("panes", 3).write(3)
    assert Preference[dict[str, int]]("panes", {}, of=int).read() == {}
    Preference("panes", {}).write({"detail": "wide"})
    assert Preference[dict[str, int]]("panes", {}, of=int).read() == {}
    file = Path(settings_file())
    file.write_bytes(b"\x00\xff[[[=\n" * 40 + b"size=@Variant(\\0\\0)\ncollapse=[[[[")
    assert Preference("size", 3).read() == 3
    assert remembered("collapse", True) is True
    assert from_text(as_text(QByteArray(b"\x00ab"))) == b"\x00ab"


def test_the_appearance_is_remembered_unless_the_start_names_one(app_theme: AppTheme) -> None:
    """``--look`` holds for that start alone."""
    app_theme.choose(Appearance.DARK)
    app_theme.choose(Appearance.LIGHT)
    app_theme.toggle()
    assert APPEARANCE.read() is Appearance.DARK
    app_theme.toggle()
    assert APPEARANCE.read() is Appearance.LIGHT


def test_dialogs_begin_where_the_last_one_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, window: MainWindow
) -> None:
    """As long as the folder is there."""
    begun: list[str] = []
    chosen = tmp_path / "pictures" / "2024"
    chosen.mkdir(parents=True)

    def choose(_parent: object, _title: str, folder: str) -> str:
        begun.append(folder)
        return str(chosen)

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    for _ in range(2):
        assert desktop.ask_for_folder(window) == str(chosen)
    assert begun == ["", str(chosen.parent)]
    desktop.LAST_FOLDER.write(str(tmp_path / "gone"))
    desktop.ask_for_folder(window)
    assert begun[-1] == ""


def _leave(window: MainWindow) -> None:
    window.close()
    assert not window.isVisible()


def test_a_window_comes_back_as_it_was(
    window: MainWindow, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """Size, panes, sizes of thumbnails, query, photo under the cursor and place in the list."""
    widgets = window.widgets
    window.resize(760, 620)
    window.move(20, 30)
    widgets.grid.set_size_step(5)
    widgets.library.set_pane_widths({"detail": 300})
    qtbot.waitUntil(lambda: window.session.inspector.row is not None, timeout=WAIT_MS)
    width_px = 300  # not the one that it has by itself
    qtbot.waitUntil(lambda: widgets.detail.width() == width_px, timeout=WAIT_MS)
    widgets.search.set_query(ALL)
    qtbot.waitUntil(lambda: window.session.browser.listing.query == ALL, timeout=WAIT_MS)
    count = window.session.model.rowCount()
    assert count > 12
    widgets.grid.go_to(count - 2)
    current = widgets.grid.current_key()
    first = widgets.grid.first_visible()
    assert first is not None
    assert first[0] > 0
    _leave(window)

    again = make_window()
    assert again.size() == window.size()
    assert again.pos() == window.pos()
    assert again.widgets.search.query() == ALL
    assert again.widgets.grid.size_step == 5
    assert again.widgets.results.slider.value() == 5
    qtbot.waitUntil(lambda: again.widgets.grid.current_key() == current, timeout=WAIT_MS)
    assert again.session.browser.listing.query == ALL
    qtbot.waitUntil(lambda: again.widgets.grid.first_visible() == first, timeout=5000)
    qtbot.waitUntil(lambda: again.widgets.detail.width() == width_px, timeout=WAIT_MS)


def test_a_pane_that_was_squeezed_has_its_width_again(window: MainWindow, qtbot: QtBot) -> None:
    """A narrow window takes of it what it must; what is remembered is what a person chose."""
    library, side = window.widgets.library, window.widgets.library.side
    window.resize(1280, 720)
    library.set_pane_widths({"side-bar": 250, "detail": 360})
    qtbot.waitUntil(lambda: (side.width(), library.detail.width()) == (250, 360), timeout=WAIT_MS)
    for width in (1000, 760, 1280):
        window.resize(width, 720)
        qtbot.waitUntil(lambda width=width: library.width() == width, timeout=WAIT_MS)
        assert library.pane_widths() == {"side-bar": 250, "detail": 360}
    qtbot.waitUntil(lambda: (side.width(), library.detail.width()) == (250, 360), timeout=WAIT_MS)


def test_the_line_above_the_photos_leaves_out_what_has_no_room(
    window: MainWindow, qtbot: QtBot
) -> None:
    """First the slider, then the filter and the order; of the headline the number stays."""
    results = window.widgets.results
    window.resize(1280, 720)
    qtbot.waitUntil(results.slider.isVisible, timeout=WAIT_MS)
    window.resize(720, 720)
    qtbot.waitUntil(lambda: not results.slider.isVisible(), timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: results.text.shown in ("40 photos and videos", "40 in all"), timeout=WAIT_MS
    )
    parts = [part for part in results.findChildren(QWidget) if part.isVisible()]
    assert all(part.geometry().right() < results.width() for part in parts)


def test_the_headline_is_said_whole_in_a_form_that_fits(window: MainWindow, qtbot: QtBot) -> None:
    """At no width is its end cut off; tip and description have all of it."""
    text = window.widgets.results.text
    seen = set[str]()
    for query in ("", "a dog that runs after a ball through the snow"):
        window.widgets.search.set_query(query)
        qtbot.waitUntil(
            lambda query=query: window.session.browser.listing.query == query, timeout=WAIT_MS
        )
        forms = window._read_state().headlines
        assert text.accessibleDescription() == text.text() == forms[0]
        for width in range(740, 1500, 20):
            window.resize(width, 720)
            qtbot.waitUntil(lambda width=width: window.widgets.library.width() == width)
            qtbot.waitUntil(lambda forms=forms: text.shown in forms, timeout=WAIT_MS)
            assert (text.toolTip() == "") == (text.shown == forms[0])
            seen.add(text.shown)
    assert len(seen) > 3


def test_a_hidden_detail_a_page_and_a_maximised_window_come_back(
    window: MainWindow, make_window: Callable[..., MainWindow]
) -> None:
    """A pane that is hidden keeps the width that it had."""
    window.widgets.library.toggle_detail()
    window.switcher.show(Pages.MODELS)
    window.showMaximized()
    _leave(window)
    again = make_window()
    assert not again.widgets.library.wants_detail
    assert again.switcher.page is Pages.MODELS
    assert again.isMaximized()


def test_what_belongs_to_a_library_stays_with_it(
    window: MainWindow, make_window: Callable[..., MainWindow], library: Path, qtbot: QtBot
) -> None:
    """Another library begins with everything, newest first."""
    window.widgets.search.set_query(ALL)
    qtbot.waitUntil(
        lambda: window.session.browser.is_settled and window.widgets.grid.current_key() is not None,
        timeout=WAIT_MS,
    )
    _leave(window)
    assert QUERY.read(library_name(library)) == ALL
    assert CURRENT.read(library_name(library)) != ""
    other = library.parent / "other"
    other.mkdir()
    assert QUERY.read(library_name(other)) == ""


def test_a_place_on_no_screen_and_rubbish_are_not_gone_back_to(
    engine: FakeEngine, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """A screen that was unplugged, a width of nothing, a photo that is gone."""
    first = make_window()
    first.move(9000, 9000)
    _leave(first)
    PANES.write({"detail": -4, "": 12, "never": 90})
    again = make_window()
    assert again.screen().availableGeometry().intersects(again.frameGeometry())
    CURRENT.write("01JUNKJUNKJUNKJUNKJUNKJUNK", library_name(again.session.link.library))
    _leave(again)
    GEOMETRY.write("rubbish")
    third = make_window()
    qtbot.waitUntil(lambda: third.session.model.rowCount() == 40, timeout=WAIT_MS)
    assert third.widgets.grid.current_key() is not None


def test_it_is_kept_while_the_window_is_open(window: MainWindow, qtbot: QtBot) -> None:
    """A window that is killed has lost nothing."""
    window.widgets.grid.set_size_step(6)
    qtbot.waitUntil(lambda: Preference("thumbnail-size", 3).read() == 6, timeout=WAIT_MS)
